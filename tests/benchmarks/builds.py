"""Costs of a hand-over between builds to an execution, and of a kept release to a host.

    python -m tests.benchmarks.builds [--steps N ...]

An execution of N steps is begun by one build, half of it, and finished by another that fits
(adopted), by the first one after another returned it (returned), by the first one after no one took
it and it waited (stuck), and by the first one alone (what the others are compared with). Further
events and calls are the hand-over's; its CPU is that of the one decision that compares. The local
SWF is in this process, in virtual time: a hand-over takes no seconds but those of its timeouts.

The kept release is retired code of an idle flow, which has a list that the serving code no longer
has: the memory that it adds to the host, and its open polls. The refused build fits nothing that is
open: the seconds from its host's start to exit code 3.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from garcon.decider import history_replay
from garcon.decider.builds import MOST_REPLAYED
from garcon.local import LocalSWF
from supervisor import exit_codes, process_memory
from tests.benchmarks import measuring
from tests.benchmarks.decider import UNLIMITED
from tests.garcon.decider.build_fleet import Fleet
from tests.garcon.decider.test_builds import chain, custom
from tests.processes import fleet as processes
from tests.processes import witness
from tests.processes.harness import Supervisor, local_swf, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.processes.witness import Witness

HEADS = ["flow", "steps", "hand-over", "events", "calls", "seconds", "CPU of the comparison"]


@dataclass(frozen=True)
class Cost:
    """The cost of an execution: events, calls of SWF, and seconds of virtual time."""

    events: int
    calls: int
    seconds: float

    def __sub__(self, other: Cost) -> Cost:
        seconds = self.seconds - other.seconds
        return Cost(self.events - other.events, self.calls - other.calls, seconds)


RELEASES = {
    "v1": "from tests.benchmarks.flow import *\ngone = create(name='gone', run=noop.runner)\n",
    "v2": "from tests.benchmarks.flow import *\n",
}
"""The code of two releases; the list of ``gone`` is the older one's alone."""

POLL_SECONDS = 2
ENOUGH_POLLS = 16

STARTS = 5
"""Starts of a build that is refused."""


def flow_of(shape: str, prefix: str, steps: int) -> Any:
    """A flow of so many steps whose names begin so."""
    if shape == "own":
        return custom(prefix, steps)
    made = chain(*(f"{prefix}{number}" for number in range(steps)))
    made.continue_at = None
    return made


def run(shape: str, steps: int, hand_over: Callable[[Fleet], object]) -> Cost:
    """The cost of an execution whose first half build "a" decides, before the hand-over."""
    builds = {"a": "x", "same": "x", "other": "y"}
    with LocalSWF(UNLIMITED) as swf:
        began = swf.now
        fleet = Fleet(swf, {each: flow_of(shape, name, steps) for each, name in builds.items()})
        fleet.deploy("a")
        fleet.start()
        for _ in range(steps // 2):
            fleet.work()
        hand_over(fleet)
        while fleet.is_open:
            fleet.work()
        assert fleet.kinds[-1] == "WorkflowExecutionCompleted", fleet.kinds[-3:]
        return Cost(len(fleet.history), swf.counters.calls.total(), swf.now - began)


def get_stuck(fleet: Fleet) -> None:
    """Keep the execution's build away until it is stuck, and for its first wait."""
    fleet.deploy("other")
    fleet.work()
    while not fleet.note.is_stuck:
        fleet.after(1)
    fleet.deploy("a")
    while fleet.note.is_stuck:
        fleet.after(1)


HAND_OVERS: dict[str, Callable[[Fleet], object]] = {
    "adopted": lambda fleet: fleet.deploy("same"),
    "returned": lambda fleet: fleet.deploy("other", "a"),
    "stuck, one wait": get_stuck,
}


def comparison(shape: str, steps: int) -> float:
    """Seconds of CPU for comparing a whole history with a build that fits."""
    with LocalSWF(UNLIMITED) as swf:
        fleet = Fleet(swf, {"a": flow_of(shape, "x", steps)})
        fleet.deploy("a")
        fleet.start()
        for _ in range(steps):
            fleet.work()
        began = time.thread_time()
        fits = history_replay.misfit(flow_of(shape, "x", steps), fleet.history, MOST_REPLAYED)
        assert fits is None
        return time.thread_time() - began


def rows(shape: str, steps: int) -> list[list[str]]:
    """The lines of one flow."""
    alone = run(shape, steps, lambda fleet: fleet.deploy("a"))
    cpu = f"{comparison(shape, steps):.2f} s"
    found = []
    for name, hand_over in HAND_OVERS.items():
        more = run(shape, steps, hand_over) - alone
        figures = [str(more.events), str(more.calls), f"{more.seconds:.0f}"]
        found.append([shape, str(steps), name, *figures, cpu])
    return found


def shares(host: Supervisor) -> int:
    """The memory of a host, shared pages divided among those that share them."""
    processes = [psutil.Process(host.pid), *host.below()]
    return sum(each.memory_full_info().pss for each in processes)


def kept() -> list[str]:
    """The cost of a kept release to a host: memory, and polls in the length of a poll."""
    with (
        tempfile.TemporaryDirectory() as folder,
        local_swf("--poll-seconds", str(POLL_SECONDS)) as url,
        witness.before(url) as seen,
    ):
        for name, code in RELEASES.items():
            (Path(folder) / name).mkdir()
            (Path(folder) / name / "kept_flow.py").write_text(code)
        options = ("--releases", folder, "--endpoint-url", seen.url, "--flow", "kept_flow")
        with Supervisor(*options, "--keep-builds", "0", PYTHONPATH=str(Path.cwd())) as host:
            host.wait_for("full_strength")
            alone = shares(host)
        with Supervisor(*options, PYTHONPATH=str(Path.cwd())) as host:
            build = host.wait_for("retired_serving")["build"]
            until(lambda: len(polls_of(seen, build)) >= ENOUGH_POLLS, "polls of the old build")
            lists = Counter(each.task_list for each in polls_of(seen, build))
            memory = shares(host) - alone
            (retired,) = host.titled("supervisor kept_flow retired")
            unique = process_memory.unique_with_children(retired.pid) or 0
            number = 1 + len(retired.children(recursive=True))
    most = max(lists.values())
    added, own = (f"{each / 2**20:.0f} MiB" for each in (memory, unique))
    return [
        f"A kept release: {number} processes, {added}; {own} are shared with no other process.",
        *(f"  {each}: {round(n / most)} open poll at a time" for each, n in lists.items()),
    ]


def refused() -> str:
    """The seconds until a host ends whose code fits nothing that is open."""
    seconds = []
    polls = ("--poll-seconds", str(POLL_SECONDS))
    with tempfile.TemporaryDirectory() as folder, local_swf(*polls) as url:
        hosts = processes.Fleet(Path(folder), url, processes.CUSTOM)
        with hosts.host(1):
            hosts.start(2)
            for _ in range(STARTS):
                began = time.monotonic()
                with hosts.started(2, "open:20") as host:
                    assert host.wait() == exit_codes.FLOW
                    seconds.append(time.monotonic() - began)
    shown = ", ".join(f"{each:.1f}" for each in sorted(seconds))
    return f"A refused build: exit code {exit_codes.FLOW} after {shown} s."


def polls_of(seen: Witness, build: str) -> list[witness.Call]:
    """The polls of the workers of this build."""
    polls = (*seen.of("PollForDecisionTask"), *seen.of("PollForActivityTask"))
    return [each for each in polls if str(each.request.get("identity")).endswith(f":{build}")]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, nargs="+", default=[20, 100])
    given = parser.parse_args()
    table = [row for shape in ("requires", "own") for n in given.steps for row in rows(shape, n)]
    print(measuring.table([HEADS, *table]))
    print("\n".join(kept()))
    print(refused())


if __name__ == "__main__":
    main()

"""Kills in mid-task, under load: until SWF knows, and until another worker has the next attempt.

``python -m tests.benchmarks.crash [--kills 200] [--plain-kills 24] [--workers 8]``

The supervisor is compared with the same flow in plain processes on the documented loop, each
under a shell loop that starts it again, where a killed task waits for its timeout. Both get a local
SWF of their own on this machine. The times are SWF's: of the events in the histories, beside the
clock at the kill. Load: three quarters of the workers are at work all the time.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.benchmarks import crash_flow, measuring
from tests.processes import swf
from tests.processes.harness import Supervisor, environment, local_swf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SECONDS_A_KILL = 5.0
"""Seconds that one kill may take, on the average of all: then the benchmark gives up."""

LOOK = 0.02
"""Seconds between two looks at who has begun what."""

BETWEEN = (0.2, 0.6)
"""Seconds between two kills: each costs two forks, and a host loses no ten workers a second."""

FAILED = ("ActivityTaskFailed", "ActivityTaskTimedOut")


@dataclass(frozen=True)
class Kill:
    """A worker was killed in mid-task; ``at`` in seconds since the epoch."""

    workflow_id: str
    at: float


@dataclass
class Figures:
    """Seconds from each kill to the failure in the history, and to the next attempt's start."""

    known: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)


class Load:
    """Keeps so many executions open, and kills their workers.

    Args:
        endpoint: The SWF.
        tries: The file in which each attempt notes its worker.
        busy: How many executions are open.
    """

    def __init__(self, endpoint: str, attempts: Path, busy: int) -> None:
        self.executions: dict[str, swf.Execution] = {}
        self.kills: list[Kill] = []
        self._endpoint = endpoint
        self._client = swf.client(endpoint)
        self._tries = attempts
        self._busy = busy
        self._read = 0
        self._dice = random.Random(1)

    def run(self, kills: int) -> None:
        """Kill so many in mid-task, one after the other."""
        until, due = time.monotonic() + kills * SECONDS_A_KILL, 0.0
        while len(self.kills) < kills:
            if time.monotonic() > until:
                raise TimeoutError(f"only {len(self.kills)} of {kills} kills in time")
            self._top_up()
            time.sleep(LOOK)
            fresh = self._fresh()
            if fresh and time.monotonic() > due:
                time.sleep(self._dice.uniform(0, crash_flow.WORK / 2))
                self._kill(*fresh[-1])
                due = time.monotonic() + self._dice.uniform(*BETWEEN)

    def finish(self) -> None:
        """Wait until what is open has completed, that of the killed included."""
        until = time.monotonic() + 3 * crash_flow.TIMEOUT
        while left := self._open():
            if time.monotonic() > until:
                raise TimeoutError(f"{left} executions are still open")
            time.sleep(0.1)

    def _top_up(self) -> None:
        for _ in range(self._busy - self._open()):
            started = swf.start(self._endpoint, crash_flow)
            self.executions[started.workflow_id] = started

    def _open(self) -> int:
        told = self._client.count_open_workflow_executions(
            domain=crash_flow.domain, startTimeFilter={"oldestDate": 0}
        )
        return int(told["count"])

    def _fresh(self) -> list[tuple[int, str]]:
        """The attempts that have begun since the last look."""
        lines = self._tries.read_text().splitlines() if self._tries.exists() else []
        fresh, self._read = lines[self._read :], len(lines)
        return [(int(line.split()[0]), line.split()[1]) for line in fresh]

    def _kill(self, pid: int, workflow_id: str) -> None:
        at = time.time()
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            self.kills.append(Kill(workflow_id, at))

    def figures(self) -> Figures:
        """The times of the kills, by the histories."""
        figures = Figures()
        for kill in self.kills:
            events = [
                (event["eventType"], event["eventTimestamp"].timestamp() - kill.at)
                for event in self.executions[kill.workflow_id].history()
            ]
            figures.known += _first(events, FAILED)
            figures.again += _first(events, ("ActivityTaskStarted",))
        return figures


def _first(events: Sequence[tuple[str, float]], kinds: Sequence[str]) -> list[float]:
    """The time of the first event of these kinds after the kill; events have whole milliseconds."""
    return [max(0.0, after) for kind, after in events if kind in kinds and after >= -0.001][:1]


@contextlib.contextmanager
def supervised(endpoint: str, workers: int, variables: dict[str, str]) -> Iterator[None]:
    """The flow under the supervisor; workers that were killed on purpose are replaced at once."""
    argv = ["--flow", "tests.benchmarks.crash_flow", "--endpoint-url", endpoint]
    argv += ["--workers", str(workers), "--poison-deaths", "1000000"]
    quick = {
        "GARCON_MIN_UPTIME": "0.01",
        "GARCON_BACKOFF_INITIAL": "0.01",
        "GARCON_BACKOFF_CAP": "0.01",
    }
    many = {"GARCON_CRASH_LOOP_DEATHS": "1000000"}
    with Supervisor(*argv, **quick, **many, **variables) as pool:
        pool.ready()
        yield


@contextlib.contextmanager
def looping(endpoint: str, workers: int, variables: dict[str, str]) -> Iterator[None]:
    """The flow in plain processes, each under a shell loop."""
    roles = ["decider", *["activity"] * workers]
    loops = [_loop(endpoint, role, variables) for role in roles]
    try:
        yield
    finally:
        for each in loops:
            os.killpg(each.pid, signal.SIGKILL)
            each.wait()


def _loop(endpoint: str, role: str, variables: dict[str, str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.benchmarks.plain", endpoint, role]
    return subprocess.Popen(
        ["sh", "-c", f"while :; do {shlex.join(command)}; done"],
        env=environment(**variables),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def measure(contender: Callable[..., Any], workers: int, kills: int) -> Figures:
    """One contender with an SWF of its own."""
    with tempfile.TemporaryDirectory() as folder, local_swf("--no-ghosts") as endpoint:
        attempts = Path(folder, "attempts")
        with contender(endpoint, workers, {"CRASH_TRIES": str(attempts)}):
            load = Load(endpoint, attempts, workers * 3 // 4)
            swf.wait_registered(endpoint, crash_flow)
            load.run(kills)
            load.finish()
            return load.figures()


def row(name: str, values: Sequence[float]) -> list[str]:
    """Median, 99th of a hundred, longest."""
    told = [measuring.median(values), measuring.p99(values), max(values)]
    return [name, str(len(values)), *(f"{each * 1000:.0f} ms" for each in told)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--plain-kills", type=int, default=24)
    parser.add_argument("--workers", type=int, default=8)
    asked = parser.parse_args()
    print(measuring.machine())
    print(f"The task's timeout is {crash_flow.TIMEOUT} s; {asked.workers} workers.\n")
    rows = [["from kill -9 in mid-task", "kills", "median", "p99", "longest"]]
    for name, contender, kills in (
        ("supervisor", supervised, asked.kills),
        ("plain loop", looping, asked.plain_kills),
    ):
        figures = measure(contender, asked.workers, kills)
        rows.append(row(f"{name}: to the failure in the history", figures.known))
        rows.append(row(f"{name}: to the next try's start", figures.again))
    print(measuring.table(rows))


if __name__ == "__main__":
    main()

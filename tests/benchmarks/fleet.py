"""A small fleet of real processes in one account with small budgets, beside one of simple rules.

``python -m tests.benchmarks.fleet [--hosts 8] [--workers 25] [--poll 20] [--quick]``

Eight supervisors of 25 workers stand for 200 hosts of 64: the budgets of the local SWF are those of
an account, divided by 64. So that the run takes minutes, a poll lasts 20 seconds, and the budgets
refill three times as fast. The *simple* fleet has ``--polls all``. Simple heartbeats (every third
of the timeout) and counts (at each turn) are in ``heartbeats`` and here, and run in virtual time.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psutil

from supervisor.sidecars.count_pace import CountPace
from tests.benchmarks import heartbeats, measuring
from tests.benchmarks.fleet_model.account import (
    COMPLETE,
    COUNT,
    DECIDE,
    HEARTBEAT,
    POLL,
    Account,
    Reply,
)
from tests.benchmarks.fleet_model.virtual_clock import VirtualTime
from tests.processes import swf
from tests.processes.harness import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.benchmarks.measuring import Program
    from tests.benchmarks.small_account import Calls

ALL_WORKERS = 200 * 64
"""Workers of the fleet that the small one stands for."""

SIDES = {"--polls all": ("--polls", "all"), "permits": ()}

READY = 600.0
"""Seconds after which a fleet that is not ready is a failure: this may be a busy machine."""

TASKS = 100
"""Tasks of the list that takes few polls."""

BACK = 4.0
"""Seconds after an outage in which the polls are counted that come back."""


@dataclass(frozen=True)
class Sizes:
    """The fleet and the times of the run, in seconds."""

    hosts: int
    workers: int
    poll: float
    idle: float
    load: float
    outage: float
    beat: float  # the shortest heartbeat timeout

    @property
    def share(self) -> float:
        """Of an account's buckets."""
        return self.hosts * self.workers / ALL_WORKERS

    @property
    def rate(self) -> float:
        """Of an account's refill: time runs faster by as much as polls are shorter."""
        return self.share * 60.0 / self.poll


class Server:
    """A small account in a process of its own, which an outage kills."""

    def __init__(self, *options: str) -> None:
        self._options = options
        self._process = self._start("0")
        self.url = self._line()

    def take(self) -> Calls:
        """The calls since the last look."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        calls: Calls = json.loads(self._line())
        return calls

    def kill(self) -> None:
        """SWF is gone."""
        self._process.kill()
        self._process.wait(measuring.LIMIT)

    def restart(self) -> None:
        """SWF is back at the same address."""
        self._process = self._start(str(urlsplit(self.url).port))
        self._line()

    def _start(self, port: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.benchmarks.small_account", "--port", port]
        return subprocess.Popen(
            [*command, *self._options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


class SmallFleet:
    """Supervisors that serve the same flow; their log lines go to files."""

    def __init__(self, url: str, sizes: Sizes, folder: Path, *flags: str, **more: str) -> None:
        argv = ["-m", "supervisor", "--flow", "tests.benchmarks.busy_flow", "--control", "none"]
        argv += ["--workers", str(sizes.workers - 1), "--endpoint-url", url]
        argv += ["--hosts", str(sizes.hosts), "--gate-replay", "off", *flags]
        measuring.ENVIRONMENT.clear()
        measuring.ENVIRONMENT.update(environment(**more))
        self.logs = [folder / f"log-{number}" for number in range(sizes.hosts)]
        self.programs: list[Program] = []
        for log in self.logs:
            with log.open("wb") as lines:
                self.programs.append(measuring.start("supervisor", argv, lines))
        until = time.monotonic() + READY
        while sum("are ready" in each for each in self.lines()) < sizes.hosts:
            assert time.monotonic() < until, "\n".join(self.lines())
            time.sleep(0.5)
        print(f"ready after {time.monotonic() - until + READY:.0f} s", file=sys.stderr)

    def lines(self) -> list[str]:
        """The lines of all logs."""
        return [line for each in self.logs for line in each.read_text("utf-8").splitlines()]

    def end(self) -> None:
        """Kill the supervisors; their workers leave."""
        trees = [each.tree for each in self.programs]
        for each in (process for tree in trees for process in tree):
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
        for program in self.programs:
            program.process.wait(measuring.LIMIT)


@contextlib.contextmanager
def running(
    sizes: Sizes, server: Sequence[str], flags: Sequence[str] = (), **more: str
) -> Iterator[tuple[Server, SmallFleet]]:
    """A fleet at an account."""
    with tempfile.TemporaryDirectory() as folder:
        account = Server("--state", f"{folder}/state", *server)
        try:
            fleet = SmallFleet(account.url, sizes, Path(folder), *flags, **more)
            try:
                yield account, fleet
            finally:
                fleet.end()
        finally:
            account.kill()


# --- figures of calls -----------------------------------------------------------------------------


def total(calls: Calls, operation: str = "", *, refused: bool | None = None) -> int:
    """Calls of an operation, or of all but the starts."""
    return sum(
        sum(each) if refused is None else each[refused]
        for name, seconds in calls.items()
        if name == operation or (not operation and name != "StartWorkflowExecution")
        for each in seconds.values()
    )


def highest(calls: Calls, begin: float, end: float) -> int:
    """Activity polls in the second with most of them, from ``begin`` to ``end``."""
    seconds = calls.get(POLL, {}).items()
    return max((sum(each) for at, each in seconds if begin <= int(at) < end), default=0)


def begun(calls: Calls, begin: float, end: float) -> int:
    """Activity polls that SWF took from ``begin`` to ``end``."""
    return sum(each[0] for at, each in calls.get(POLL, {}).items() if begin <= int(at) < end)


# --- one side: idle, load, outage -----------------------------------------------------------------


def offer(url: str, rate: float, seconds: float) -> None:
    """Start executions, so many a second for so long."""
    client, began = swf.client(url), time.monotonic()
    for number in range(round(rate * seconds)):
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        client.start_workflow_execution(
            domain="bench",
            workflowId=f"w-{time.time_ns()}",
            workflowType={"name": "bench", "version": "1.0"},
            taskList={"name": "bench"},
            input="{}",
        )


def measure_side(sizes: Sizes, flags: Sequence[str]) -> dict[str, str]:
    """The figures of idle hosts, of three loads, and of an outage."""
    options = ["--poll-seconds", str(sizes.poll), "--share", str(sizes.rate)]
    options += ["--bucket", str(sizes.share)]
    with running(sizes, options, flags, BENCH_WORK="1") as (account, fleet):
        time.sleep(sizes.poll)
        account.take()
        time.sleep(sizes.idle)
        figures = {"idle polls a second": f"{total(account.take(), POLL) / sizes.idle:.2f}"}
        for name, part in (("low", 0.1), ("medium", 0.3), ("high", 0.8)):
            offer(account.url, part * 200 * sizes.rate, sizes.load)
            time.sleep(3)
            calls = account.take()
            done = max(1, total(calls, COMPLETE, refused=False))
            figures[f"calls an activity, {name} load"] = f"{total(calls) / done:.1f} ({done} done)"
        time.sleep(2 * sizes.poll)
        return figures | measure_outage(sizes, account, fleet)


def measure_outage(sizes: Sizes, account: Server, fleet: SmallFleet) -> dict[str, str]:
    """The polls after an outage of an idle fleet, until two poll lengths later."""
    account.kill()
    time.sleep(sizes.outage)
    account.restart()
    back = time.time()
    time.sleep(2 * sizes.poll + BACK)
    calls = account.take()
    echo = back + sizes.poll
    workers = len(fleet.programs) * (sizes.workers - 1)
    early = begun(calls, back, back + BACK)
    return {
        "after an outage: polls begun within 4 s": f"{early} of {workers} workers",
        "then: highest second": f"{highest(calls, back, back + sizes.poll / 2)}",
        "then: highest second a poll later": f"{highest(calls, echo - 2, echo + sizes.poll / 2)}",
        "then: polls refused": str(total(calls, POLL, refused=True)),
    }


# --- a list that takes few polls ------------------------------------------------------------------


def measure_limited(sizes: Sizes, flags: Sequence[str]) -> dict[str, str]:
    """Two hosts of 24 workers on a list that takes 16 polls: a hundred tasks of two seconds."""
    pair = Sizes(2, 25, sizes.poll, sizes.idle, sizes.load, sizes.outage, sizes.beat)
    options = ["--poll-seconds", str(sizes.poll), "--pollers", "16"]
    with running(pair, options, flags, BENCH_WORK="2") as (account, _):
        time.sleep(5)
        account.take()
        began = time.monotonic()
        offer(account.url, 1000, TASKS / 1000)
        done = refused = 0
        while done < TASKS and time.monotonic() - began < 3 * measuring.LIMIT:
            time.sleep(0.1)
            calls = account.take()
            done += total(calls, COMPLETE, refused=False)
            refused += total(calls, POLL, refused=True)
        took = time.monotonic() - began
    return {
        "48 workers, 16 polls: 100 tasks of 2 s": f"{took:.1f} s",
        "their polls refused": str(refused),
    }


# --- heartbeats -----------------------------------------------------------------------------------


def measure_heartbeats(sizes: Sizes, excess: float, timeout: float) -> tuple[list[str], list[str]]:
    """Results refused and calls: the fixed rule in virtual time, garcon's with real processes."""
    tasks = sizes.hosts * sizes.workers // 2
    load = heartbeats.Load(tasks, sizes.hosts, timeout, excess)
    fixed = heartbeats.measure("fixed", load, seed=0)
    options = ["--poll-seconds", str(sizes.poll), "--heartbeats", str(load.budget)]
    work = str(heartbeats.LENGTH * timeout)
    more = {"BENCH_WORK": work, "BENCH_HEARTBEAT": f"{timeout:g}"}
    with running(sizes, options, **more) as (account, fleet):
        account.take()
        offer(account.url, tasks / heartbeats.START, heartbeats.START)
        time.sleep(heartbeats.LENGTH * timeout + 5 * heartbeats.START)
        calls = account.take()
        lines = sum("heartbeat" in each for each in fleet.lines())
    given = total(calls, DECIDE, refused=False)
    gone = [each[2] for name in (HEARTBEAT, COMPLETE) for each in calls.get(name, {}).values()]
    lost = sum(gone)  # the sender that learns it first sends nothing more for the task
    assert given, "no decision was taken"
    name = f"heartbeats {excess} x the budget, timeout {timeout:g} s"
    return (
        [f"{name}: results refused", f"{fixed.refused} of {tasks} (model)", f"{lost} of {tasks}"],
        [
            "their calls / taken / log lines",
            f"{fixed.calls} / {fixed.accepted} / -",
            f"{total(calls, HEARTBEAT)} / {total(calls, HEARTBEAT, refused=False)} / {lines}",
        ],
    )


# --- counts ---------------------------------------------------------------------------------------


def measure_counts(hosts: int, known: int, *, simple: bool, seconds: float = 120.0) -> str:
    """Counts of ten lists of each host, eleven times the budget, in virtual time.

    The simple rule counts at each turn, and botocore attempts each refused count five times.
    """
    clock, account, chance = VirtualTime(), Account(share=1 / 64), random.Random(0)
    lists = 10
    interval = hosts * lists / (account.rates[COUNT].refill * 11)

    def count(pace: CountPace, again: Callable[[], None], attempts: int) -> None:
        taken = account.call(COUNT, clock.now) is Reply.ACCEPTED
        if simple and not taken and attempts < 5:
            clock.later(chance.random() * 2.0 ** (attempts - 1), count, pace, again, attempts + 1)
            return
        if not simple:
            (pace.note_accepted if taken else pace.note_refused)()
        clock.later(pace.wait(chance), again)

    def begin(pace: CountPace) -> None:
        def turn() -> None:
            if simple or pace.is_due(chance):
                count(pace, turn, 1)
            else:
                clock.later(pace.wait(chance), turn)

        clock.later(pace.wait(chance), turn)

    for _ in range(hosts):
        begin(CountPace(known, lists, interval))
    clock.run(seconds)
    calls, refused = sum(account.calls[COUNT].values()), sum(account.refused[COUNT].values())
    return f"{calls - refused} of {calls}"


# --- the run --------------------------------------------------------------------------------------


def measure(sizes: Sizes) -> list[list[str]]:
    """The whole table."""
    columns = []
    for name, flags in SIDES.items():
        columns.append(measure_side(sizes, flags) | measure_limited(sizes, flags))
        print(f"{name}: {columns[-1]}", file=sys.stderr)
    rows = [["", "simple", "garcon"]]
    rows += [[name, *(column[name] for column in columns)] for name in columns[0]]
    for excess, timeout in ((2.1, 2 * sizes.beat), (4.3, sizes.beat)):
        rows += measure_heartbeats(sizes, excess, timeout)
    counts = [measure_counts(sizes.hosts, 1, simple=simple) for simple in (True, False)]
    rows.append(["counts taken, 11 x the budget, number of hosts unknown", *counts])
    known = measure_counts(sizes.hosts, sizes.hosts, simple=False)
    rows.append(["the same, known", "-", known])
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=8)
    parser.add_argument("--workers", type=int, default=25, help="of each host, one decider")
    parser.add_argument("--poll", type=float, default=20.0, help="seconds of a poll")
    parser.add_argument("--quick", action="store_true", help="3 hosts of 6 workers, short phases")
    asked = parser.parse_args()
    sizes = Sizes(asked.hosts, asked.workers, asked.poll, 2 * asked.poll, 30.0, 30.0, 9.0)
    if asked.quick:
        sizes = Sizes(3, 7, 10.0, 10.0, 10.0, 10.0, 5.0)
    began = time.monotonic()
    print(measuring.machine())
    print()
    print(measuring.table(measure(sizes)))
    print(f"\nbudget of activity polls: {200 * sizes.rate:.1f} a second")
    print(f"the run took {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()

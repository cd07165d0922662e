"""Permits beside ``--polls all``: idle polls, load, bursts, an outage, a drain.

``python -m tests.benchmarks.parking [--workers 64] [--minutes 2] [--load 20]``

Both pools run side by side, each with a counting endpoint of its own, and bursts take turns; so
whatever else the machine does, it does to both. An endpoint answers ``TRIP`` late, and ends polls
after a minute. Tasks take two seconds and no CPU, so that a load of nine tenths leaves some.
"""

from __future__ import annotations

import argparse
import contextlib
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.benchmarks import measuring
from tests.benchmarks.measuring import Endpoint, Program
from tests.benchmarks.pool import POLL

TRIP = 0.02
"""Seconds of a round trip, as to SWF in the same region."""

WORK = 2.0
"""Seconds of a task."""

QUIET = 0.3
"""Seconds without a request after which every worker that polls is seen to wait: to begin 64 polls
takes the CPUs longer than a round trip."""

BURSTS = 5

CONTENDERS = {"permits": (), "--polls all": ("--polls", "all")}


@dataclass
class Figures:
    """The figures of one contender."""

    idle_polls: float = 0.0  # a minute
    answered: int = 0  # tasks, of those that were offered
    waits: tuple[float, ...] = ()  # median, p99, longest, in seconds
    bursts: list[float] = field(default_factory=list)  # seconds until all are begun
    outage: float = 0.0  # of a core
    back: float = 0.0  # seconds from its end until as many tasks as workers are begun
    polls_waited_for: int = 0


class Contender:
    """A pool and its endpoint."""

    def __init__(self, name: str, workers: int) -> None:
        self.name = name
        self.workers = workers
        self.figures = Figures()
        self.endpoint = _prepared()
        argv = ["-m", "supervisor", "--flow", "tests.benchmarks.busy_flow", "--deciders", "0"]
        argv += ["--workers", str(workers), "--endpoint-url", self.endpoint.url]
        argv += ["--control", "none", *CONTENDERS[name]]
        measuring.ENVIRONMENT["BENCH_WORK"] = str(WORK)
        self.program: Program = measuring.start("supervisor", argv)

    def count_polls(self) -> int:
        """The polls since the last look."""
        return sum(each.operation == POLL for each in self.endpoint.taken())

    def settle(self) -> None:
        """Let the pool be idle: every open poll ends empty, some times, and is begun again."""
        time.sleep(WORK + 1)
        for _ in range(10):
            self.endpoint.command("end")
            while self._polled_within(QUIET):
                pass

    def _polled_within(self, seconds: float) -> bool:
        time.sleep(seconds)
        return bool(list(self.endpoint.taken()))  # all of them: what is left would count again

    def begin_tasks(self) -> float:
        """Seconds until each worker of the idle pool has a task."""
        began = time.monotonic()
        self.endpoint.command(f"tasks {self.workers}")
        return self.endpoint.next_of("Task", self.workers)[-1].at - began

    def lose_endpoint(self) -> None:
        """SWF is gone."""
        self.endpoint.__exit__()

    def find_endpoint(self) -> None:
        """SWF is back at the same address, with a task for each worker."""
        began = time.monotonic()
        self.endpoint = _prepared(urlsplit(self.endpoint.url).port or 0)
        self.begin_tasks()
        self.figures.back = time.monotonic() - began

    def drain(self) -> None:
        """TERM to the idle pool: how many workers have a poll to wait for."""
        self.program.stop()
        time.sleep(3)
        self.figures.polls_waited_for = len(self.program.workers())

    def end(self) -> None:
        """End what is left of it."""
        self.program.process.kill()
        self.program.process.wait(measuring.LIMIT)
        self.endpoint.__exit__()


def _prepared(port: int = 0) -> Endpoint:
    endpoint = Endpoint(port)
    endpoint.command(f"trip {TRIP}")
    endpoint.command("hold 60")
    return endpoint


def measure(contenders: list[Contender], minutes: float, load: float) -> None:
    """All figures."""
    for each in contenders:
        each.endpoint.next(POLL)
    time.sleep(10)
    measure_idling(contenders, minutes)
    measure_load(contenders, load)
    for _ in range(BURSTS):
        for each in contenders:
            each.settle()
            each.figures.bursts.append(each.begin_tasks())
    measure_outage(contenders, minutes)
    for each in contenders:
        each.settle()
        each.drain()


def measure_idling(contenders: list[Contender], minutes: float) -> None:
    """Polls a minute of pools without a task."""
    for each in contenders:
        each.endpoint.forget()
    time.sleep(minutes * 60)
    for each in contenders:
        each.figures.idle_polls = each.count_polls() / minutes


def measure_load(contenders: list[Contender], load: float) -> None:
    """Tasks come one by one, so many that nine tenths of the workers are busy.

    Each worker has had a task before: a first poll costs as much CPU as ten later ones.
    """
    for each in contenders:
        each.begin_tasks()
        each.settle()
    for each in contenders:
        each.endpoint.command(f"rate {0.9 * each.workers / (WORK + 2 * TRIP)} {load}")
    for each in contenders:
        answered, *waits = each.endpoint.next("Rate").identity.split()
        each.figures.answered, each.figures.waits = int(answered), tuple(map(float, waits))


def measure_outage(contenders: list[Contender], minutes: float) -> None:
    """CPU of the whole tree once the waits have grown, and the way back."""
    for each in contenders:
        each.settle()
        each.lose_endpoint()
    time.sleep(30)
    before = [each.program.cpu() for each in contenders]
    time.sleep(minutes * 60)
    for each, cpu in zip(contenders, before, strict=True):
        each.figures.outage = (each.program.cpu() - cpu) / (minutes * 60)
    for each in contenders:
        each.find_endpoint()


def row(name: str, figures: Figures) -> list[str]:
    """One line of the table."""
    waits = " / ".join(f"{each * 1e3:.0f}" for each in figures.waits)
    burst = measuring.median(figures.bursts)
    return [
        name,
        f"{figures.idle_polls:.1f}",
        str(figures.answered),
        f"{waits} ms",
        f"{burst * 1e3:.0f} ms, {burst / TRIP:.1f} trips",
        f"{figures.outage * 100:.3f}%",
        f"{figures.back:.1f} s",
        str(figures.polls_waited_for),
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=64)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--load", type=float, default=20.0)
    asked = parser.parse_args()
    print(measuring.machine())
    with contextlib.ExitStack() as stack:
        contenders = [Contender(name, asked.workers) for name in CONTENDERS]
        for each in contenders:
            stack.callback(each.end)
        measure(contenders, asked.minutes, asked.load)
    head = [
        "",
        "idle polls a minute",
        "tasks done at 90% load",
        "their waits: median, p99, longest",
    ]
    head += ["burst begun (median)", "outage, of a core", "all at work after it"]
    rows = [row(each.name, each.figures) for each in contenders]
    print()
    print(measuring.table([[*head, "polls a drain waits for"], *rows]))


if __name__ == "__main__":
    main()

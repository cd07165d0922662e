"""A rolling restart of many slots, idle and busy: how long, how much strength, how much memory.

``python -m tests.benchmarks.deploy [--slots 64] [--rounds 3] [--surge 100%]``

The pool sends its strength to a notify socket at every change, so no dip is missed. The endpoint
ends every poll within ``POLL`` seconds, where SWF takes a minute: so long retiring workers stay in
real life. Busy: ``BUSY`` of the workers have a task of half a second in progress at all times.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import signal
import socket
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks import busy_flow, measuring
from tests.benchmarks.measuring import Endpoint, Program

if TYPE_CHECKING:
    from collections.abc import Iterator

POLL = 2.0
BUSY = 0.75
LOOK = 0.1
"""Seconds between two looks at the memory: the sum over all processes takes as long."""

_STATUS = re.compile(r"STATUS=(\d+) of (\d+) workers ready, \d+ working(.*); generation (\d+)")


@dataclass(frozen=True)
class Picture:
    """A notification of the pool; ``at`` in monotonic seconds."""

    at: float
    ready: int
    desired: int
    generation: int
    restarting: bool


@dataclass
class Roll:
    """One rolling restart, in seconds from the signal, and MiB."""

    canaries: float = 0.0  # the new generation takes over
    renewed: float = 0.0  # all slots run new code
    alone: float = 0.0  # the last retiring worker is gone
    least: int = 0  # workers ready
    before: float = 0.0
    peak: float = 0.0


@dataclass
class Manager:
    """Receives the pool's notifications to its service manager."""

    path: str
    pictures: list[Picture] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def listen(self) -> None:
        """In a thread of its own; ends with the process."""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        threading.Thread(target=self._receive, daemon=True).start()

    def _receive(self) -> None:
        while True:
            told = self._socket.recv(65536).decode()
            if found := _STATUS.search(told):
                at = time.monotonic()
                ready, desired, more, generation = found.groups()
                numbers = int(ready), int(desired), int(generation)
                with self.changed:
                    self.pictures.append(Picture(at, *numbers, "restarting" in more))
                    self.changed.notify_all()

    def wait(self, generation: int, *, settled: bool, slots: int) -> float:
        """The time at which this generation served, or served all slots."""

        def served() -> float | None:
            for each in self.pictures:
                done = each.ready == slots and not each.restarting
                if each.generation == generation and (done or not settled):
                    return each.at
            return None

        with self.changed:
            if at := self.changed.wait_for(served, measuring.LIMIT):
                return at
        raise TimeoutError(f"generation {generation} does not serve")


@contextlib.contextmanager
def work(endpoint: Endpoint, busy: float) -> Iterator[None]:
    """End polls in turn, and keep so many workers busy."""
    over = threading.Event()

    def run() -> None:
        ended = time.monotonic()
        while not over.wait(busy_flow.WORK / 4):
            if count := round(busy / 4):
                endpoint.command(f"tasks {count}")
            if time.monotonic() - ended >= POLL:
                ended = time.monotonic()
                endpoint.command("end")

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def roll(program: Program, manager: Manager, generation: int, slots: int) -> Roll:
    """One restart, looked at until its last retiring worker is gone."""
    figures = Roll(before=program.pss(), least=slots)
    processes = slots + 2  # supervisor and zygote
    manager.pictures.clear()
    began = time.monotonic()
    program.process.send_signal(signal.SIGHUP)
    looking = threading.Event()

    def look() -> None:
        while not looking.wait(LOOK):
            figures.peak = max(figures.peak, program.pss())

    thread = threading.Thread(target=look)
    thread.start()
    figures.canaries = manager.wait(generation, settled=False, slots=slots) - began
    figures.renewed = manager.wait(generation, settled=True, slots=slots) - began
    by = time.monotonic() + measuring.LIMIT
    while len(program.tree) > processes:
        if time.monotonic() > by:
            raise TimeoutError("retiring workers do not leave")
        time.sleep(0.05)  # their end is announced to nobody; more frequent counting would slow it
    figures.alone = time.monotonic() - began
    looking.set()
    thread.join()
    figures.least = min(each.ready for each in manager.pictures)
    return figures


def measure(slots: int, rounds: int, surge: str, busy: float) -> list[Roll]:
    """So many restarts of one pool."""
    with tempfile.TemporaryDirectory() as folder, Endpoint() as endpoint:
        manager = Manager(str(Path(folder, "notify")))
        manager.listen()
        os.environ["NOTIFY_SOCKET"] = measuring.ENVIRONMENT["NOTIFY_SOCKET"] = manager.path
        argv = ["-m", "supervisor", "--flow", "tests.benchmarks.busy_flow", "--deciders", "0"]
        argv += ["--workers", str(slots), "--endpoint-url", endpoint.url, "--polls", "all"]
        argv += ["--surge", surge, "--probation", "0.01"]  # it keeps a zygote, and no more
        with (
            measuring.running(measuring.start("supervisor", argv), endpoint) as program,
            work(endpoint, busy),
        ):
            manager.wait(1, settled=True, slots=slots)
            return [roll(program, manager, number + 2, slots) for number in range(rounds)]


def row(name: str, rolls: list[Roll]) -> list[str]:
    """Medians, the least strength, the highest peak."""

    def seconds(values: list[float]) -> str:
        return f"{measuring.median(values):.1f} s"

    return [
        name,
        seconds([each.canaries for each in rolls]),
        seconds([each.renewed - each.canaries for each in rolls]),
        seconds([each.alone for each in rolls]),
        str(min(each.least for each in rolls)),
        f"{measuring.median([each.before for each in rolls]):.0f} MiB",
        f"+{max(each.peak - each.before for each in rolls):.0f} MiB",
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slots", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--surge", default="100%")
    asked = parser.parse_args()
    print(measuring.machine())
    head = [
        "signal to take-over",
        "then all slots renewed after",
        "signal to the last retiring worker's end",
    ]
    rows = [[f"{asked.slots} slots, surge {asked.surge}", *head, "least ready", "memory", "peak"]]
    for name, busy in (("idle", 0.0), ("busy", BUSY * asked.slots)):
        rows.append(row(name, measure(asked.slots, asked.rounds, asked.surge, busy)))
    print()
    print(measuring.table(rows))


if __name__ == "__main__":
    main()

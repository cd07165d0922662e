"""An endpoint that is gone for minutes: the CPU and the log lines of 64 workers, and their return.

``python -m tests.benchmarks.outage [--workers 64] [--minutes 2] [--rounds 3]``

The CPU is that of the whole tree. Its first half minute is counted apart: waits are short then.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from tests.benchmarks import measuring
from tests.benchmarks.measuring import Endpoint, Program
from tests.benchmarks.pool import POLL

BEGINNING = 30.0
"""Seconds in which the rests grow."""


def used(program: Program, seconds: float) -> float:
    """The part of a core that the tree uses in the next seconds."""
    before = program.cpu()
    time.sleep(seconds)
    return (program.cpu() - before) / seconds


def begin(workers: int, url: str, log: Path) -> Program:
    """A pool whose log lines go to a file."""
    argv = ["-m", "supervisor", "--flow", "tests.benchmarks.flow", "--deciders", "0"]
    argv += ["--workers", str(workers), "--endpoint-url", url, "--polls", "all"]
    with log.open("wb") as lines:
        return measuring.start("supervisor", argv, lines)


def measure(workers: int, minutes: float, rounds: int, log: Path) -> list[list[str]]:
    """One row an outage."""
    rows = []
    with Endpoint() as first:
        port, url = urlsplit(first.url).port or 0, first.url
        program = begin(workers, url, log)
        first.next_of(POLL, workers)
    try:
        for number in range(1, rounds + 1):
            said = len(log.read_bytes().splitlines())
            early = used(program, BEGINNING)
            later = used(program, minutes * 60 - BEGINNING)
            at = time.monotonic()
            with Endpoint(port) as back:
                last = back.next_of(POLL, workers)[-1].at - at
            lines = len(log.read_bytes().splitlines()) - said
            row = [f"{early * 100:.2f}%", f"{later * 100:.2f}%", f"{last:.1f} s", str(lines)]
            rows.append([f"outage {number}, {minutes:g} min", *row])
    finally:
        program.process.kill()
        program.process.wait(measuring.LIMIT)
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=64)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    print(measuring.machine())
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(asked.workers, asked.minutes, asked.rounds, Path(folder) / "log")
    head = [f"{asked.workers} workers", f"of a core, first {BEGINNING:g} s", "then"]
    print()
    print(measuring.table([[*head, "all polling again after", "lines"], *rows]))


if __name__ == "__main__":
    main()

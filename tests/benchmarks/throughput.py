"""No-op activities a second, and CPU per activity, beside a bare boto3 loop of poll and respond.

``python -m tests.benchmarks.throughput [--tasks 2000] [--rounds 5] [--workers 1 8]``

Both poll the same counting endpoint, which hands out a batch and prints when all is answered. The
endpoint and the load share this machine's cores, so look at the ratios. Contenders take turns.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, field

from tests.benchmarks import measuring
from tests.benchmarks.measuring import Endpoint
from tests.benchmarks.pool import POLL, begin


@dataclass
class Figures:
    """The work of one contender."""

    rate: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    calls: list[float] = field(default_factory=list)


def measure(name: str, workers: int, tasks: int, endpoint: Endpoint, figures: Figures) -> None:
    """One batch through one contender."""
    endpoint.forget()
    with measuring.running(begin(name, workers, endpoint), endpoint) as program:
        endpoint.next_of(POLL, workers)
        before, began = program.cpu(), time.monotonic()
        endpoint.command(f"batch {tasks}")
        done = endpoint.next("Batch")
        figures.rate.append(tasks / (done.at - began))
        figures.cpu.append((program.cpu() - before) / tasks)
        figures.calls.append(int(done.identity) / tasks)


def row(workers: int, name: str, figures: Figures, floor: Figures) -> list[str]:
    """One line of the table."""
    share = measuring.median(figures.rate) / measuring.median(floor.rate)
    return [
        f"{name}, {workers} worker{'s' if workers > 1 else ''}",
        f"{measuring.median(figures.rate):.0f}",
        f"{share:.2f}",
        f"{measuring.median(figures.cpu) * 1e3:.2f} ms",
        f"{measuring.median(figures.calls):.2f}",
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 8])
    asked = parser.parse_args()
    print(measuring.machine())
    rows = [["", "activities/s (median)", "of the bare loop", "CPU per activity", "calls"]]
    with Endpoint() as endpoint:
        for workers in asked.workers:
            contenders = {"supervisor": Figures(), "floor": Figures()}
            for _ in range(asked.rounds):
                for name, figures in contenders.items():
                    measure(name, workers, asked.tasks, endpoint, figures)
            for name, figures in contenders.items():
                rows.append(row(workers, name, figures, contenders["floor"]))
    print()
    print(measuring.table(rows))


if __name__ == "__main__":
    main()

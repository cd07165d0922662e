"""No-op activities a second, and CPU per activity, beside a bare boto3 loop of poll and respond.

``python -m tests.benchmarks.throughput [--workers 1 8] [--tasks 700] [--rounds 5] [--launches 8]``

Each launch starts both at once, each with an endpoint of its own, which hands out a batch and
prints when all is answered. They take turns; whoever has no batch waits in its polls and costs
nothing. The first batch is that of processes that are just made, and counts for itself. The ratio
of a launch is the median of its rounds: where the kernel has put the pages of a process holds for
its life, and makes a tenth of the rate, so one launch says little. The endpoints and the load share
this machine's cores, so look at the ratios.
"""

from __future__ import annotations

import argparse
import contextlib
import time
from dataclasses import dataclass, field

from tests.benchmarks import measuring
from tests.benchmarks.measuring import Endpoint, Program
from tests.benchmarks.pool import POLL, begin

NAMES = ("supervisor", "floor")


@dataclass
class Batch:
    """One batch through one contender."""

    rate: float  # activities a second
    cpu: float  # seconds an activity
    calls: float  # an activity


@dataclass
class Launch:
    """The batches of one start of each contender."""

    first: dict[str, Batch] = field(default_factory=dict)
    later: dict[str, list[Batch]] = field(default_factory=lambda: {name: [] for name in NAMES})

    def ratio(self) -> float:
        """The rate of the supervisor as a share of the floor's."""
        pairs = zip(*(self.later[name] for name in NAMES), strict=True)
        return measuring.median([ours.rate / least.rate for ours, least in pairs])


def measure(program: Program, endpoint: Endpoint, tasks: int) -> Batch:
    """One batch."""
    before, began = program.cpu(), time.monotonic()
    endpoint.command(f"batch {tasks}")
    done = endpoint.next("Batch")
    cpu = program.cpu() - before
    return Batch(tasks / (done.at - began), cpu / tasks, int(done.identity) / tasks)


def launch(workers: int, tasks: int, rounds: int) -> Launch:
    """Start both, and let them take turns."""
    figures = Launch()
    with contextlib.ExitStack() as stack:
        endpoints: dict[str, Endpoint] = {}
        programs: dict[str, Program] = {}
        for name in NAMES:
            endpoint = endpoints[name] = stack.enter_context(Endpoint())
            program = begin(name, workers, endpoint)
            programs[name] = stack.enter_context(measuring.running(program, endpoint))
            endpoint.next_of(POLL, workers)
        for name in NAMES:
            figures.first[name] = measure(programs[name], endpoints[name], tasks)
        for number in range(rounds):
            for name in NAMES if number % 2 else reversed(NAMES):
                figures.later[name].append(measure(programs[name], endpoints[name], tasks))
    return figures


def rows(workers: int, launches: list[Launch]) -> list[list[str]]:
    """The lines of the table for one number of workers."""
    ratios = sorted(each.ratio() for each in launches)
    firsts = [each.first[NAMES[0]].rate / each.first[NAMES[1]].rate for each in launches]
    shares = {
        NAMES[0]: [
            f"{measuring.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})",
            f"{measuring.median(firsts):.2f}",
        ],
        NAMES[1]: ["1", "1"],
    }
    found = []
    for name in NAMES:
        batches = [batch for each in launches for batch in each.later[name]]
        found.append(
            [
                f"{name}, {workers} worker{'s' if workers > 1 else ''}",
                f"{measuring.median([each.rate for each in batches]):.0f}",
                *shares[name],
                f"{measuring.median([each.cpu for each in batches]) * 1e3:.2f} ms",
                f"{measuring.median([each.calls for each in batches]):.2f}",
            ]
        )
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--tasks", type=int, default=700, help="in a batch")
    parser.add_argument("--rounds", type=int, default=5, help="of a launch, after its first batch")
    parser.add_argument("--launches", type=int, default=8)
    asked = parser.parse_args()
    print(measuring.machine())
    head = ["", "activities/s", "of the bare loop", "first batch", "CPU per activity", "calls"]
    table = [head]
    for workers in asked.workers:
        launches = [launch(workers, asked.tasks, asked.rounds) for _ in range(asked.launches)]
        table += rows(workers, launches)
    print()
    print(measuring.table(table))


if __name__ == "__main__":
    main()

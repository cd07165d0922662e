"""The pool beside its floor: starting, memory, idling, replacing, leaving.

``python -m tests.benchmarks.pool [--seats 8 64] [--kills 100] [--starts 9]``

The floor (``floor.py``) imports once, forks and waits; both poll the same counting endpoint.
Ready means: the worker's first poll has reached the endpoint. Contenders take turns.
"""

from __future__ import annotations

import argparse
import os
import signal
import time
from dataclasses import dataclass, field

import psutil

from tests.benchmarks import measuring
from tests.benchmarks.measuring import Endpoint, Program

POLL = "PollForActivityTask"
LOOKS = 5
"""How often idle polls are ended in a drain, until one worker is left."""

IDLE_SECONDS = 30.0
"""How long the idle supervisor is looked at."""


@dataclass
class Figures:
    """What was measured of one contender at one size."""

    start: list[float] = field(default_factory=list)
    pss: float = 0.0
    idle_cpu: float = 0.0
    idle_switches: float = 0.0
    replace_one: list[float] = field(default_factory=list)
    replace_all: list[float] = field(default_factory=list)
    leave: list[float] = field(default_factory=list)


def begin(name: str, seats: int, endpoint: Endpoint) -> Program:
    """Start one contender."""
    if name == "floor":
        argv = ["-m", "tests.benchmarks.floor", str(seats), endpoint.url]
    else:
        argv = ["-m", "supervisor", "--flow", "tests.benchmarks.flow", "--deciders", "0"]
        argv += ["--workers", str(seats), "--endpoint-url", endpoint.url]
        # A worker counts as good after the time that a kill here leaves it.
        os.environ["GARCON_LASTING"] = measuring.ENVIRONMENT["GARCON_LASTING"] = "0.05"
    return measuring.start(name, argv)


def measure_start(name: str, seats: int, endpoint: Endpoint, figures: Figures) -> None:
    """From exec to the last first poll, and from the last task's end to exit."""
    endpoint.forget()
    with measuring.running(begin(name, seats, endpoint), endpoint) as program:
        polls = endpoint.next_of(POLL, seats)
        figures.start.append(polls[-1].at - program.began)
        measure_leaving(program, endpoint, figures)


def measure_leaving(program: Program, endpoint: Endpoint, figures: Figures) -> None:
    """From the end of the last task in a drain to the program's exit."""
    program.stop()
    for _ in range(LOOKS):  # a worker that polled again before it heard of the drain leaves now
        time.sleep(0.1)
        endpoint.command("end 1")
    endpoint.forget()
    endpoint.command("tasks 1")
    answered = endpoint.next("RespondActivityTaskCompleted")
    figures.leave.append(program.wait() - answered.at)


def measure_life(name: str, seats: int, kills: int, endpoint: Endpoint, figures: Figures) -> None:
    """Memory, idling, and kill -9 of one and of all."""
    endpoint.forget()
    with measuring.running(begin(name, seats, endpoint), endpoint) as program:
        endpoint.next_of(POLL, seats)
        figures.pss = program.pss()
        measure_idling(program, figures)
        for _ in range(kills):
            figures.replace_one.append(replaced(program, endpoint, 1))
        for _ in range(kills):
            figures.replace_all.append(replaced(program, endpoint, seats))


def measure_idling(program: Program, figures: Figures) -> None:
    """CPU seconds and context switches of the supervising process while nothing happens."""
    root = psutil.Process(program.process.pid)
    before, switches = root.cpu_times(), root.num_ctx_switches()
    time.sleep(IDLE_SECONDS)
    after, later = root.cpu_times(), root.num_ctx_switches()
    figures.idle_cpu = after.user + after.system - before.user - before.system
    figures.idle_switches = (sum(later) - sum(switches)) / IDLE_SECONDS


def replaced(program: Program, endpoint: Endpoint, count: int) -> float:
    """Seconds from kill -9 of some workers to the last of their replacements' first polls."""
    time.sleep(0.1)  # so that those in place have lasted
    victims = program.workers()[:count]
    endpoint.forget()
    at = time.monotonic()
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    return endpoint.next_of(POLL, count)[-1].at - at


def milliseconds(values: list[float]) -> str:
    """Median and 99th of 100."""
    return f"{measuring.median(values) * 1000:.0f} / {measuring.p99(values) * 1000:.0f} ms"


def rows(seats: int, pool: Figures, floor: Figures, further: dict[str, float]) -> list[list[str]]:
    """The table of one size."""
    ratio = measuring.median(pool.start) / measuring.median(floor.start)
    return [
        [f"{seats} seats", "supervisor", "floor"],
        [
            f"exec to all ready, median (ratio {ratio:.2f})",
            f"{measuring.median(pool.start):.2f} s",
            f"{measuring.median(floor.start):.2f} s",
        ],
        ["memory of the tree (PSS)", f"{pool.pss:.0f} MiB", f"{floor.pss:.0f} MiB"],
        [
            "memory of a further worker (PSS)",
            f"{further['supervisor']:.1f} MiB",
            f"{further['floor']:.1f} MiB",
        ],
        [
            f"idle {IDLE_SECONDS:.0f} s: CPU, switches/s",
            f"{pool.idle_cpu * 1000:.0f} ms, {pool.idle_switches:.2f}",
            f"{floor.idle_cpu * 1000:.0f} ms, {floor.idle_switches:.2f}",
        ],
        [
            "kill -9 of one: polls again (median / p99)",
            milliseconds(pool.replace_one),
            milliseconds(floor.replace_one),
        ],
        [
            "kill -9 of all: all poll again (median / p99)",
            milliseconds(pool.replace_all),
            milliseconds(floor.replace_all),
        ],
        [
            "last task's end to exit (median / p99)",
            milliseconds(pool.leave),
            milliseconds(floor.leave),
        ],
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seats", type=int, nargs="+", default=[8, 64])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--starts", type=int, default=9)
    asked = parser.parse_args()
    print(measuring.machine())
    measured: dict[int, dict[str, Figures]] = {}
    with Endpoint() as endpoint:
        for seats in asked.seats:
            contenders = measured[seats] = {"supervisor": Figures(), "floor": Figures()}
            for _ in range(asked.starts):
                for name, figures in contenders.items():
                    measure_start(name, seats, endpoint, figures)
            for name, figures in contenders.items():
                measure_life(name, seats, asked.kills, endpoint, figures)
    least, most = min(asked.seats), max(asked.seats)
    span = max(1, most - least)
    for seats, contenders in measured.items():
        further = {
            name: (measured[most][name].pss - measured[least][name].pss) / span
            for name in contenders
        }
        print()
        print(measuring.table(rows(seats, contenders["supervisor"], contenders["floor"], further)))


if __name__ == "__main__":
    main()

"""The pool beside its floor: starting, memory, idling, replacing, leaving.

``python -m tests.benchmarks.pool [--slots 8 64] [--kills 100] [--starts 9]``; ``--kills 0``: start

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
"""The number of times that idle polls are ended in a drain, until one worker is left."""

IDLE_SECONDS = 30.0
"""Seconds for which the idle supervisor is looked at."""


@dataclass
class Figures:
    """The figures of one contender at one size."""

    start: list[float] = field(default_factory=list)
    start_cpu: list[float] = field(default_factory=list)
    pss: float = 0.0
    idle_cpu: float = 0.0
    idle_switches: float = 0.0
    replace_one: list[float] = field(default_factory=list)
    replace_all: list[float] = field(default_factory=list)
    leave: list[float] = field(default_factory=list)


def begin(name: str, slots: int, endpoint: Endpoint) -> Program:
    """Start one contender."""
    if name == "floor":
        argv = ["-m", "tests.benchmarks.floor", str(slots), endpoint.url]
    else:
        argv = ["-m", "supervisor", "--flow", "tests.benchmarks.flow", "--deciders", "0"]
        argv += ["--workers", str(slots), "--endpoint-url", endpoint.url, "--polls", "all"]
        # A worker counts as good after the time that a kill here leaves it.
        os.environ["GARCON_MIN_UPTIME"] = measuring.ENVIRONMENT["GARCON_MIN_UPTIME"] = "0.05"
    return measuring.start(name, argv)


def measure_start(name: str, slots: int, endpoint: Endpoint, figures: Figures) -> None:
    """From exec to the last first poll, and from the last task's end to exit."""
    endpoint.forget()
    with measuring.running(begin(name, slots, endpoint), endpoint) as program:
        polls = endpoint.next_of(POLL, slots)
        figures.start.append(polls[-1].at - program.began)
        figures.start_cpu.append(program.whole_cpu())
        measure_leaving(program, endpoint, figures)


def measure_leaving(program: Program, endpoint: Endpoint, figures: Figures) -> None:
    """From the end of the last task in a drain to the program's exit."""
    program.stop()
    for _ in range(LOOKS):  # a worker that polled again before the drain reached it leaves now
        time.sleep(0.1)
        endpoint.command("end 1")
    endpoint.forget()
    endpoint.command("tasks 1")
    answered = endpoint.next("RespondActivityTaskCompleted")
    figures.leave.append(program.wait() - answered.at)


def measure_life(name: str, slots: int, kills: int, endpoint: Endpoint, figures: Figures) -> None:
    """Memory, idling, and kill -9 of one and of all."""
    endpoint.forget()
    with measuring.running(begin(name, slots, endpoint), endpoint) as program:
        endpoint.next_of(POLL, slots)
        figures.pss = program.pss()
        measure_idling(program, figures)
        for _ in range(kills):
            figures.replace_one.append(replaced(program, endpoint, 1))
        for _ in range(kills):
            figures.replace_all.append(replaced(program, endpoint, slots))


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


def start_rows(slots: int, pool: Figures, floor: Figures) -> list[list[str]]:
    """The start of one size; the ratios are medians of those of each pair of starts."""
    return [
        [f"{slots} slots", "supervisor", "floor"],
        compared("exec to all ready", pool.start, floor.start),
        compared("CPU of all processes until then", pool.start_cpu, floor.start_cpu),
    ]


def compared(what: str, pool: list[float], floor: list[float]) -> list[str]:
    """Medians in seconds, and the ratio."""
    ratio = measuring.median([ours / least for ours, least in zip(pool, floor, strict=True)])
    ours, least = measuring.median(pool), measuring.median(floor)
    return [f"{what} (ratio {ratio:.2f})", f"{ours:.2f} s", f"{least:.2f} s"]


def life_rows(pool: Figures, floor: Figures, further: dict[str, float]) -> list[list[str]]:
    """The rows that follow the start."""
    return [
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


def measure_all(slots: int, starts: int, kills: int, endpoint: Endpoint) -> dict[str, Figures]:
    """Both contenders at one size; without ``kills`` their starts only."""
    contenders = {"supervisor": Figures(), "floor": Figures()}
    for _ in range(starts):
        for name, figures in contenders.items():
            measure_start(name, slots, endpoint, figures)
    for name, figures in contenders.items():
        if kills:
            measure_life(name, slots, kills, endpoint, figures)
    return contenders


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slots", type=int, nargs="+", default=[8, 64])
    parser.add_argument("--kills", type=int, default=100, help="0 measures the start only")
    parser.add_argument("--starts", type=int, default=9)
    asked = parser.parse_args()
    print(measuring.machine())
    with Endpoint() as endpoint:
        measured = {
            slots: measure_all(slots, asked.starts, asked.kills, endpoint) for slots in asked.slots
        }
    least, most = min(asked.slots), max(asked.slots)
    span = max(1, most - least)
    for slots, contenders in measured.items():
        further = {
            name: (measured[most][name].pss - measured[least][name].pss) / span
            for name in contenders
        }
        pool, floor = contenders["supervisor"], contenders["floor"]
        rows = start_rows(slots, pool, floor)
        if asked.kills:
            rows += life_rows(pool, floor, further)
        print()
        print(measuring.table(rows))


if __name__ == "__main__":
    main()

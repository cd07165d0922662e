"""Costs of being observed: throughput and CPU with and without it, and an idle supervisor.

``python -m tests.benchmarks.observing [--rounds 20] [--tasks 600] [--workers 8]``

A pool with ``--http`` is idle for 30 s, and is not scraped. An idle pool with ``--http`` and
``--emf`` is scraped once a second for a minute: its CPU, as a share of all cores, is what a busy
pool has less. Then two pools run side by side, each with a counting endpoint of its own, and take
turns with a batch of activities that do nothing. *observed* has ``--http``, scraped once a batch,
and ``--emf``; *plain* has neither. The first to go changes with each round. Two free cores do a
batch of 600 in a second, so that is a scrape a second; on a machine that others use it is a scrape
in many seconds, and all that happens by the clock weighs more than it should.
"""

from __future__ import annotations

import argparse
import contextlib
import socket
import tempfile
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from garcon.aws import usage
from supervisor.child.worker_meter import WorkerMeter
from supervisor.ipc.counter_table import CounterTable
from tests.benchmarks import measuring
from tests.benchmarks.measuring import Endpoint, Program
from tests.benchmarks.pool import IDLE_SECONDS, POLL, Figures, measure_idling

if TYPE_CHECKING:
    from collections.abc import Iterator

COUNTS = 200_000

WATCHED_SECONDS = 60
"""A minute: one turn of ``--emf``."""


@dataclass
class Pool:
    """A pool under test, and its figures, one a round."""

    endpoint: Endpoint
    program: Program
    url: str = ""
    rate: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def free_port() -> int:
    """A port that nothing listens at."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def begin(endpoint: Endpoint, workers: int, folder: Path, *more: str) -> Program:
    """Start a pool whose control socket lies in the folder."""
    argv = ["-m", "supervisor", "--flow", "tests.benchmarks.flow", "--deciders", "0"]
    argv += ["--workers", str(workers), "--endpoint-url", endpoint.url, "--polls", "all"]
    return measuring.start("supervisor", [*argv, "--control", str(folder / "control"), *more])


@contextlib.contextmanager
def scraped(pool: Pool) -> Iterator[None]:
    """Scrape it once while the block runs, if it has a monitor."""

    def scrape() -> None:
        with urllib.request.urlopen(f"{pool.url}/metrics", timeout=60) as answer:  # noqa: S310 - our own
            answer.read()

    thread = threading.Thread(target=scrape)
    if pool.url:
        thread.start()
    try:
        yield
    finally:
        if pool.url:
            thread.join()


def run_batch(pool: Pool, tasks: int) -> None:
    """One batch: activities a second, and CPU of all processes for one."""
    pool.endpoint.forget()
    before, began = pool.program.cpu(), time.monotonic()
    with scraped(pool):
        pool.endpoint.command(f"batch {tasks}")
        done = pool.endpoint.next("Batch")
    pool.rate.append(tasks / (done.at - began))
    pool.cpu.append((pool.program.cpu() - before) / tasks)


def wait_served(url: str) -> None:
    """Wait until the monitor answers."""
    until = time.monotonic() + measuring.LIMIT
    while time.monotonic() < until:
        with contextlib.suppress(urllib.error.URLError):
            urllib.request.urlopen(f"{url}/live", timeout=60).close()  # noqa: S310 - our own
            return
        time.sleep(0.1)
    raise TimeoutError(f"no monitor answers at {url}")


def paired(one: list[float], other: list[float]) -> str:
    """The median of the ratios of each round, and where the middle half of them lies."""
    ratios = sorted(a / b for a, b in zip(one, other, strict=True))
    low, high = ratios[len(ratios) // 4], ratios[-1 - len(ratios) // 4]
    return f"{measuring.median(ratios):.3f} ({low:.3f} to {high:.3f})"


def measure_load(rounds: int, tasks: int, workers: int, folder: Path) -> None:
    """Both pools in turns; prints the table."""
    url = f"http://127.0.0.1:{free_port()}"
    options = ("--http", url.removeprefix("http://"), "--emf", str(folder / "emf.json"))
    (folder / "plain").mkdir()
    with Endpoint() as first, Endpoint() as second, contextlib.ExitStack() as stack:
        plain = Pool(first, begin(first, workers, folder / "plain"))
        observed = Pool(second, begin(second, workers, folder, *options), url)
        for pool in (plain, observed):
            stack.enter_context(measuring.running(pool.program, pool.endpoint))
            pool.endpoint.next_of(POLL, workers)
        wait_served(url)
        for number in range(-1, rounds):
            for pool in (plain, observed) if number % 2 else (observed, plain):
                run_batch(pool, tasks)
            if number < 0:  # caches are warm now
                plain.rate, plain.cpu, observed.rate, observed.cpu = [], [], [], []
    rows = [
        [f"{workers} workers", "plain", "observed", "ratio, and the middle half of rounds"],
        [
            "activities a second",
            f"{measuring.median(plain.rate):.0f}",
            f"{measuring.median(observed.rate):.0f}",
            paired(observed.rate, plain.rate),
        ],
        [
            "CPU per activity, all processes",
            f"{measuring.median(plain.cpu) * 1e3:.2f} ms",
            f"{measuring.median(observed.cpu) * 1e3:.2f} ms",
            paired(observed.cpu, plain.cpu),
        ],
    ]
    print(measuring.table(rows))


def measure_idle(workers: int, folder: Path) -> None:
    """Context switches of a supervisor whose monitor is not asked; prints them."""
    url = f"http://127.0.0.1:{free_port()}"
    with Endpoint() as endpoint:
        program = begin(endpoint, workers, folder, "--http", url.removeprefix("http://"))
        with measuring.running(program, endpoint):
            endpoint.next_of(POLL, workers)
            wait_served(url)
            time.sleep(2.0)  # the last ones of the start
            figures = Figures()
            measure_idling(program, figures)
    switches = figures.idle_switches * IDLE_SECONDS
    print(
        f"idle for {IDLE_SECONDS:.0f} s with --http: {switches:.0f} context switches,"
        f" {max(0.0, figures.idle_cpu) * 1000:.0f} ms CPU"
    )


def measure_watched(workers: int, folder: Path) -> None:
    """CPU of an idle pool that is scraped once a second, and writes ``--emf``; prints it."""
    url = f"http://127.0.0.1:{free_port()}"
    options = ("--http", url.removeprefix("http://"), "--emf", str(folder / "emf.json"))
    with Endpoint() as endpoint:
        pool = Pool(endpoint, begin(endpoint, workers, folder, *options), url)
        with measuring.running(pool.program, endpoint):
            endpoint.next_of(POLL, workers)
            wait_served(url)
            time.sleep(2.0)  # the last ones of the start
            before, began = pool.program.cpu(), time.monotonic()
            for second in range(WATCHED_SECONDS):
                with scraped(pool):
                    time.sleep(max(0.0, began + second + 1 - time.monotonic()))
            each = (pool.program.cpu() - before) / WATCHED_SECONDS
    share = each / (psutil.cpu_count() or 1)
    print(f"watched, {workers} workers: {each * 1e3:.0f} ms CPU a second, {share:.1%} of all cores")


def measure_count() -> None:
    """Measure the cost of one count of a call to a worker; prints it."""
    usage.meter = WorkerMeter(CounterTable(bytearray(4096)), "bench_noop")
    began = time.process_time()
    for _ in range(COUNTS):
        usage._note_response("response-received.swf.PollForActivityTask", {"status_code": 200}, {})
    each = (time.process_time() - began) / COUNTS
    print(f"counting one call: {each * 1e6:.2f} us")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--tasks", type=int, default=600)
    parser.add_argument("--workers", type=int, default=8)
    asked = parser.parse_args()
    print(measuring.machine())
    measure_count()
    with tempfile.TemporaryDirectory() as name:
        measure_idle(asked.workers, Path(name))
    with tempfile.TemporaryDirectory() as name:
        measure_watched(asked.workers, Path(name))
    with tempfile.TemporaryDirectory() as name:
        measure_load(asked.rounds, asked.tasks, asked.workers, Path(name))


if __name__ == "__main__":
    main()

"""The start of the supervisor beside that of other programs: from exec to the last first poll.

``python -m tests.benchmarks.peers --python ENVIRONMENT/bin/python [--slots 8 64] [--starts 5]``

In ENVIRONMENT are boto3, simpleflow and gunicorn. simpleflow starts its worker pool. gunicorn
(``--preload``) imports boto3, and each of its workers polls once, in a thread. Both poll the
counting endpoint that the supervisor and the floor poll. Contenders take turns.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from tests.benchmarks import measuring
from tests.benchmarks.measuring import Endpoint, Program
from tests.benchmarks.pool import POLL, begin

if TYPE_CHECKING:
    from collections.abc import Callable

GUNICORN = """
import threading

import boto3

bind = "127.0.0.1:0"
client = boto3.client("swf")


def post_fork(server, worker):
    poll = {"domain": "bench", "taskList": {"name": "bench_noop"}}
    threading.Thread(target=client.poll_for_activity_task, kwargs=poll, daemon=True).start()
"""
"""Its configuration; the application is never asked."""

APPLICATION = "def application(environ, start_response): ...\n"


def contenders(python: str, slots: int, endpoint: Endpoint) -> dict[str, Callable[[], Program]]:
    """What starts each of them."""
    measuring.ENVIRONMENT["AWS_ENDPOINT_URL_SWF"] = endpoint.url
    simpleflow = str(Path(python).with_name("simpleflow"))
    pool = ("worker.start", "-d", "bench", "-t", "bench_noop", "-N", str(slots))
    web = ("-m", "gunicorn", "--preload", "-w", str(slots), "-c", "python:gunicorn_bench")
    return {
        "supervisor": lambda: begin("supervisor", slots, endpoint),
        "floor": lambda: begin("floor", slots, endpoint),
        "simpleflow": lambda: measuring.start("simpleflow", (simpleflow, *pool), python=python),
        "gunicorn": lambda: measuring.start("gunicorn", (*web, "bench_application"), python=python),
    }


def start_seconds(begun: Callable[[], Program], slots: int, endpoint: Endpoint) -> float:
    """From exec to the last first poll; then the program is killed."""
    endpoint.forget()
    program = begun()
    try:
        return endpoint.next_of(POLL, slots)[-1].at - program.began
    finally:
        for each in program.tree:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
        program.process.wait()


def measure(python: str, slots: int, starts: int) -> list[list[str]]:
    """The table of one size."""
    with Endpoint() as endpoint:
        begun = contenders(python, slots, endpoint)
        taken: dict[str, list[float]] = {name: [] for name in begun}
        for name in begun:  # the first start of each finds cold caches
            start_seconds(begun[name], slots, endpoint)
        for _ in range(starts):
            for name in begun:
                taken[name].append(start_seconds(begun[name], slots, endpoint))
    rows = [[f"{slots} slots", "exec to all ready", "of the floor, median (each pair)"]]
    for name, seconds in taken.items():
        ratios = sorted(one / least for one, least in zip(seconds, taken["floor"], strict=True))
        pairs = " ".join(f"{ratio:.2f}" for ratio in ratios)
        median = measuring.median(ratios)
        rows.append([name, f"{measuring.median(seconds):.2f} s", f"{median:.2f} ({pairs})"])
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", required=True, help="of the environment with the others")
    parser.add_argument("--slots", type=int, nargs="+", default=[8, 64])
    parser.add_argument("--starts", type=int, default=5)
    asked = parser.parse_args()
    print(measuring.machine())
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "gunicorn_bench.py").write_text(GUNICORN)
        (Path(folder) / "bench_application.py").write_text(APPLICATION)
        measuring.ENVIRONMENT["PYTHONPATH"] = folder
        for slots in asked.slots:
            print()
            print(measuring.table(measure(asked.python, slots, asked.starts)))


if __name__ == "__main__":
    main()

"""Parts that benchmarks share: the counting endpoint, programs under test, figures, tables."""

from __future__ import annotations

import compileall
import contextlib
import os
import queue
import signal
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).parent.parent.parent

LIMIT = 60.0
"""Seconds after which a wait is a failure: far more than anything measured here takes."""

ENVIRONMENT = {
    **os.environ,
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "PYTHONDONTWRITEBYTECODE": "",  # hosts keep byte code; without it each start compiles anew
}


@dataclass(frozen=True)
class Request:
    """One request that reached the endpoint; ``at`` in monotonic seconds."""

    at: float
    operation: str
    identity: str


class Endpoint:
    """The counting endpoint in a process of its own, and what reached it; port 0 is a free one."""

    def __init__(self, port: int = 0) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.endpoint", str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.url = f"http://127.0.0.1:{int(self._out.readline())}"
        self._requests: queue.SimpleQueue[Request] = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def _out(self) -> IO[str]:
        assert self._process.stdout is not None
        return self._process.stdout

    def _listen(self) -> None:
        for line in self._out:
            at, operation, identity = line.split(maxsplit=2)
            self._requests.put(Request(float(at), operation, identity.strip()))

    def next(self, operation: str) -> Request:
        """Wait for the next request of this operation."""
        while True:
            request = self._requests.get(timeout=LIMIT)
            if request.operation == operation:
                return request

    def next_of(self, operation: str, count: int) -> list[Request]:
        """Wait for this many of them."""
        return [self.next(operation) for _ in range(count)]

    def taken(self) -> Iterator[Request]:
        """The requests that have arrived and were not waited for."""
        with contextlib.suppress(queue.Empty):
            while True:
                yield self._requests.get_nowait()

    def forget(self) -> None:
        """Drop the requests that have arrived and were not waited for."""
        for _ in self.taken():
            pass

    def command(self, line: str) -> None:
        """Send it a line: ``tasks N`` or ``end``."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(LIMIT)
        self._out.close()


@dataclass
class Program:
    """A pool under test."""

    name: str
    process: subprocess.Popen[bytes]
    began: float

    @property
    def tree(self) -> list[psutil.Process]:
        """It and everything below it."""
        root = psutil.Process(self.process.pid)
        return [root, *root.children(recursive=True)]

    def pss(self) -> float:
        """Memory of the whole tree in MiB, shared pages shared out (PSS)."""
        total = 0
        for each in self.tree:
            with contextlib.suppress(psutil.NoSuchProcess):  # it has just ended
                total += each.memory_full_info().pss
        return total / 2**20

    def cpu(self) -> float:
        """CPU seconds of the whole tree so far."""
        total = 0.0
        for each in self.tree:
            with contextlib.suppress(psutil.NoSuchProcess):  # it has just ended
                times = each.cpu_times()
                total += times.user + times.system
        return total

    def whole_cpu(self) -> float:
        """CPU seconds of the whole tree so far, of its ended processes as well."""
        total = 0.0
        for each in self.tree:
            with contextlib.suppress(psutil.NoSuchProcess, OSError):  # it has just ended
                ended = each.cpu_times()
                # In nanoseconds: ``cpu_times`` counts in hundredths, and a worker took less.
                threads = Path(f"/proc/{each.pid}/task").glob("*/schedstat")
                running = sum(int(thread.read_text().split()[0]) for thread in threads)
                total += running / 1e9 + ended.children_user + ended.children_system
        return total

    def workers(self) -> list[int]:
        """The pids that poll: of a supervisor those titled activity, of others all below."""
        below = self.tree[1:]
        titled = [each for each in below if " activity " in " ".join(each.cmdline())]
        return [each.pid for each in titled or below]

    def stop(self) -> float:
        """Ask it to drain; returns the monotonic second of the request."""
        at = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        return at

    def wait(self) -> float:
        """Wait for its end; returns the monotonic second of it."""
        self.process.wait(LIMIT)
        return time.monotonic()


def start(
    name: str, argv: Sequence[str], lines: IO[bytes] | None = None, python: str = sys.executable
) -> Program:
    """Start a program whose log goes to ``lines``; the clock starts before exec."""
    unseen = None if os.environ.get("BENCH_VERBOSE") else subprocess.DEVNULL
    began = time.monotonic()
    process = subprocess.Popen(
        [python, *argv],
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=lines or unseen,
    )
    return Program(name, process, began)


@contextlib.contextmanager
def running(program: Program, endpoint: Endpoint) -> Iterator[Program]:
    """The program while it is looked at; drained afterwards, killed if that fails."""
    try:
        yield program
        if program.process.poll() is None:
            program.stop()
            until = time.monotonic() + LIMIT
            while program.process.poll() is None and time.monotonic() < until:
                endpoint.command("end")
                time.sleep(0.05)
    finally:
        if program.process.poll() is None:
            for each in program.tree:
                with contextlib.suppress(psutil.NoSuchProcess):
                    each.kill()
            program.process.wait()


def p99(values: Sequence[float]) -> float:
    """The 99th of 100."""
    return sorted(values)[max(0, int(len(values) * 0.99) - 1)]


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return statistics.median(values)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows as a Markdown table, the first one its head."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def _compile() -> None:
    """Compile the sources, as an installer does: no start measured here is the first one."""
    for folder in ("garcon", "supervisor", "tests/benchmarks"):
        compileall.compile_dir(ROOT / folder, quiet=1)


def machine() -> str:
    """One line about where this ran; called before anything is measured."""
    import boto3  # noqa: PLC0415 - only for its version

    _compile()

    return (
        f"{psutil.cpu_count()} cores, Linux {os.uname().release.split('-')[0]},"
        f" Python {sys.version.split()[0]}, boto3 {boto3.__version__}"
    )

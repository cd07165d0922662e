"""The measured servers, each in a process of its own."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop

from tests.benchmarks.local_swf.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]


@dataclass
class Running:
    """A server process."""

    name: str
    port: int
    process: subprocess.Popen[str]


@contextlib.contextmanager
def local(*argv: str) -> Iterator[Running]:
    """The local SWF."""
    with _process("-m", "garcon.local", "--port", "0", *argv) as process:
        assert process.stdout
        port = int(process.stdout.readline().rsplit(":", 1)[1])
        yield Running("local SWF", port, process)


@contextlib.contextmanager
def moto() -> Iterator[Running]:
    """Moto's server."""
    script = (
        "import logging, moto.server; logging.disable();"
        "moto.server.main(['-H', '127.0.0.1', '-p', '4797'])"
    )
    with _process("-c", script) as process:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                uvloop.run(_touch(4797))
                break
            time.sleep(0.2)
        yield Running("moto", 4797, process)


async def _touch(port: int) -> None:
    (await Wire.to(port)).close()


@contextlib.contextmanager
def _process(*argv: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, *argv],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)

"""The measured servers, each in a process of its own."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

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
        "import logging, signal; from moto.server import ThreadedMotoServer; logging.disable();"
        "server = ThreadedMotoServer('127.0.0.1', 0, verbose=False); server.start();"
        "print(server.get_host_and_port()[1], flush=True); signal.pause()"
    )
    with _process("-c", script) as process:
        assert process.stdout
        yield Running("moto", int(process.stdout.readline()), process)


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

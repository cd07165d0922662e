"""State that a forked worker inherits from the flow's import."""

from __future__ import annotations

import socket
import sqlite3
import subprocess
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

from supervisor.child import inheritance

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

EXITING = """
import atexit, os, weakref
from supervisor.child import inheritance
class Thing: pass
imported = Thing()
atexit.register(print, "import's atexit")
weakref.finalize(imported, print, "import's finalizer")
if os.fork() == 0:
    inheritance.disown()
    own = Thing()
    atexit.register(print, "worker's atexit")
    weakref.finalize(own, print, "worker's finalizer")
    atexit._run_exitfuncs()
    os._exit(0)
os.wait()
os._exit(0)
"""


def test_a_worker_runs_its_own_exit_handlers_only() -> None:
    """Those of the import belong to the zygote."""
    ran = subprocess.run(
        [sys.executable, "-u", "-c", EXITING],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert sorted(ran.stdout.splitlines()) == ["worker's atexit", "worker's finalizer"]


def test_the_legacy_generator_of_numpy_is_reseeded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers draw different numbers, if the import has loaded numpy."""
    seeded: list[bool] = []
    generator = SimpleNamespace(seed=lambda: seeded.append(True))
    monkeypatch.setitem(sys.modules, "numpy", SimpleNamespace(random=generator))
    monkeypatch.setattr(inheritance, "_forget_exit_handlers", lambda: None)
    inheritance.disown()
    assert seeded == [True]


def test_open_connections_are_named(tmp_path: Path) -> None:
    """A connected socket with its peer, a listening one, and a database."""
    database = sqlite3.connect(tmp_path / "shop.db")
    database.execute("create table dishes (name)")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            found = set(inheritance.open_connections(()))
    database.close()
    assert f"a connection to 127.0.0.1:{port}" in found
    assert f"a socket at 127.0.0.1:{port}" in found
    assert f"the database {tmp_path / 'shop.db'}" in found

"""Imports that the start does without: the first poll waits for every import before it."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = "import sys, {}; print(*sys.modules)"

NOT_IMPORTED = {
    "supervisor.__main__": {"ctypes", "dataclasses", "msgspec", "supervisor.ipc.messages"},
    "supervisor.child.zygote": {"asyncio", "backoff", "garcon.decider.worker", "garcon.executions"},
}


@pytest.mark.parametrize("module", NOT_IMPORTED)
def test_the_start_imports_little(module: str) -> None:
    """Before the first zygote is spawned, and before it loads a flow without deciders."""
    program = [sys.executable, "-c", PROGRAM.format(module)]
    ended = subprocess.run(program, capture_output=True, text=True, timeout=60, check=True)
    assert NOT_IMPORTED[module].isdisjoint(ended.stdout.split())

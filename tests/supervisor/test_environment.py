"""What of the supervisor's environment its children get."""

from __future__ import annotations

import json
import os
import select
from typing import TYPE_CHECKING

from supervisor import environment, kernel

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

SAID_TO_US = {"NOTIFY_SOCKET": "/run/notify", "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1"}

TELLS = f"""
import json, os, socket
names = sorted(os.environ)
socket.socket(fileno={kernel.CHANNEL_DESCRIPTOR}).send(json.dumps(names).encode())
"""
"""A module that tells at the other end of its channel which variables it has."""


def test_all_passes_but_what_is_said_to_us() -> None:
    """The service manager's words are for the main process; the rest may be the flow's."""
    theirs = {"PATH": "/bin", "AWS_PROFILE": "x", "GARCON_CLAIMS": "/c", "MINE": "1"}
    assert environment.for_children({**theirs, **SAID_TO_US}) == theirs


def test_a_spawned_process_gets_just_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a zygote's process really finds in its environment."""
    (tmp_path / "tells.py").write_text(TELLS)
    for name, value in {**SAID_TO_US, "MINE": "1", "PYTHONPATH": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    pid, end = kernel.spawn("tells")
    with end:
        select.select([end], [], [], 40)
        found = set(json.loads(end.recv(1 << 18)))
    os.waitpid(pid, 0)
    assert set(os.environ) - found == set(SAID_TO_US)
    assert "MINE" in found

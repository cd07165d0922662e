"""The supervisor on a terminal: what closing it means, and what HUP means without one."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys

from tests.processes.harness import LIMIT, ROOT, Supervisor, environment, local_swf

SCRIPT = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "supervisor", *sys.argv[1:]])
"""
"""Makes standard input the controlling terminal, as a shell in a new window does."""


def test_closing_the_terminal_drains() -> None:
    """Who closes the window wants the program to leave, not to restart and go on unseen."""
    with local_swf("--poll-seconds", "1") as endpoint:
        ours, theirs = pty.openpty()
        flow = ("--flow", "tests.processes.flow", "--endpoint-url", endpoint)
        with subprocess.Popen(
            [sys.executable, "-c", SCRIPT, *flow],
            cwd=ROOT,
            env=environment(),
            stdin=theirs,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as program:
            os.close(theirs)
            assert program.stderr is not None
            said = iter(program.stderr.readline, "")
            assert any("are ready" in line for line in said)
            os.close(ours)
            assert any("the terminal was closed" in line for line in said)
            assert program.wait(LIMIT) == 0


def test_hup_without_a_terminal_asks_for_a_restart() -> None:
    """A daemon's HUP replaces the generation, and the pool goes on."""
    with (
        local_swf("--poll-seconds", "1") as endpoint,
        Supervisor(
            *("--flow", "tests.processes.flow", "--endpoint-url", endpoint),
            GARCON_LASTING="0.1",
        ) as supervisor,
    ):
        supervisor.wait_for("full_strength")
        supervisor.signal(signal.SIGHUP)
        supervisor.wait_for("generation_current", generation=2)
        supervisor.wait_for("full_strength", generation=2)
        supervisor.signal(signal.SIGTERM)
        assert supervisor.wait() == 0

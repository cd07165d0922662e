"""The supervisor on a terminal: what closing it means, and what HUP means without one."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil

from tests.processes import flow, swf
from tests.processes.harness import (
    LIMIT,
    ROOT,
    Lines,
    Program,
    Supervisor,
    environment,
    local_swf,
)
from tests.supervisor.sidecars.vt100 import Screen

if TYPE_CHECKING:
    from pathlib import Path

BACKGROUND = """
import fcntl, os, subprocess, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
mode = termios.tcgetattr(0)
mode[3] |= termios.TOSTOP
termios.tcsetattr(0, termios.TCSANOW, mode)
program = [sys.executable, "-m", "supervisor", *sys.argv[1:]]
sys.exit(subprocess.run(program, process_group=0).returncode)
"""
"""The steps of a shell for ``stty tostop`` and a command that ends with ``&``."""

SCRIPT = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "supervisor", *sys.argv[1:]])
"""
"""Makes standard input the controlling terminal, as a shell in a new window does."""


def test_closing_the_terminal_drains() -> None:
    """A person who closes the window wants the program to leave, not to restart unseen."""
    with local_swf("--poll-seconds", "1") as endpoint:
        ours, theirs = pty.openpty()
        served = ("--flow", "tests.processes.flow", "--endpoint-url", endpoint)
        with subprocess.Popen(
            [sys.executable, "-c", SCRIPT, *served],
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


class OnTerminal(Program):
    """A supervisor on a terminal, to which it and all below it write; a script may start it."""

    def __init__(self, *argv: str, script: str = SCRIPT, **variables: str) -> None:
        ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", script, *argv],
            cwd=ROOT,
            env=environment(**variables),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            text=True,
        )
        os.close(theirs)
        self.out = self.err = Lines(os.fdopen(ours, errors="replace"))


class InBackground(OnTerminal):
    """The same in the background of the terminal."""

    def __init__(self, *argv: str) -> None:
        super().__init__(*argv, script=BACKGROUND)

    def signal(self, number: signal.Signals) -> None:
        """Send the supervisor a signal."""
        (supervisor,) = psutil.Process(self.pid).children()
        supervisor.send_signal(number)


def test_writing_from_the_background_does_not_shrink_the_pool() -> None:
    """The terminal's TTOU stops no process and changes no size; one that is sent does."""
    with (
        local_swf("--poll-seconds", "1") as endpoint,
        InBackground(
            *("--flow", "tests.processes.flow", "--endpoint-url", endpoint, "--workers", "2")
        ) as pool,
    ):
        pool.out.wait_for(lambda line: "are ready" in line, "full strength")
        execution = swf.start(endpoint, flow, gate=os.devnull, then="")
        pool.out.wait_for(lambda line: "at the gate" in line, "line of a worker")
        assert execution.wait_closed() == "WorkflowExecutionCompleted"
        pool.signal(signal.SIGTTOU)
        pool.out.wait_for(lambda line: "SIGTTOU" in line, "smaller pool")
        pool.signal(signal.SIGTERM)
        assert pool.wait() == 0
        told = [line for line in pool.out.rest().splitlines() if "SIGTTOU" in line]
    assert all("is scaled from 2 to 1 workers" in line for line in told)


def test_what_stays_on_the_terminal_shows_every_list() -> None:
    """However quickly it all went, the last picture has the workers and what they have done."""
    with OnTerminal(
        *("--flow", "examples.coffee", "--local", "--once", "--start", '{"order": "Ann"}')
    ) as shop:
        assert shop.wait() == 0
        last = shop.out.rest().rpartition("task list")[2]
    plain = re.sub("\x1b\\[[0-9;]*m", "", last)  # without colours
    (order,) = [line.split() for line in plain.splitlines() if "take_order" in line]
    assert "1/1" in order
    assert order[-1] == "1"


LOUD = """
import logging, subprocess, sys
from garcon import activity, runner, task

domain, name = "shop", "orders"

@task.decorate(timeout=20)
def work():
    for number in range(20):
        print(f"print {number} {'p' * 300}.", file=sys.stderr)
        subprocess.run(["echo", f"program {number} {'q' * 300}."])
        logging.getLogger("shop").warning("log %s %s.", number, "w" * 300)
    raise ValueError("the one thing that matters " + "e" * 300 + ".")

make = activity.create(domain, name)(name="make", run=runner.Sync(work.fill()))
"""


def test_a_live_table_leaves_all_other_lines_whole(tmp_path: Path) -> None:
    """Prints, programs of a task, log lines and tracebacks scroll above it."""
    (tmp_path / "loud.py").write_text(LOUD)
    with OnTerminal(
        *("--flow", "loud", "--local", "--once", "--start", "{}"),
        PYTHONPATH=str(tmp_path),
        TERM="xterm",
        LINES="30",
        COLUMNS="100",
    ) as shop:
        assert shop.wait() == 1
        screen = Screen(30, 100)
        screen.feed(shop.out.rest() + "\n")
    text = screen.text()
    for number in range(20):
        for what, letter in (("print", "p"), ("program", "q"), ("log", "w")):
            assert text.count(f"{what} {number} {letter * 300}.") == 1
    assert f"ValueError: the one thing that matters {'e' * 300}." in text
    assert "\x1b[1;" in shop.out.text, "a scrolling region"
    assert screen.region == (0, 29)
    assert text.rstrip().endswith("0 of 1 executions completed")


TICKING = """
import os, time
from garcon import activity, runner, task

domain, name = "shop", "orders"

@task.decorate(timeout=60)
def work():
    for _ in range(600):
        if os.path.exists(os.environ["ENOUGH"]):
            break
        print("tick", flush=True)
        time.sleep(0.05)

make = activity.create(domain, name)(name="make", run=runner.Sync(work.fill()))
"""


def test_a_killed_starter_leaves_the_whole_terminal_to_scroll(tmp_path: Path) -> None:
    """The supervisor survives it, and ends the region of the live table."""
    (tmp_path / "ticking.py").write_text(TICKING)
    with OnTerminal(
        *("--flow", "ticking", "--local", "--once", "--start", "{}"),
        PYTHONPATH=str(tmp_path),
        ENOUGH=str(tmp_path / "enough"),
        TERM="xterm",
        LINES="30",
        COLUMNS="100",
    ) as pool:
        pool.out.wait_for(lambda line: "\x1b[1;" in line, "scrolling region")
        (starter,) = pool.titled("garcon: starter")
        starter.kill()
        pool.out.wait_for(lambda line: "the starter ended" in line, "loss of the starter")
        (tmp_path / "enough").touch()
        pool.wait()
        screen = Screen(30, 100)
        screen.feed(pool.out.rest() + "\n")
    assert screen.region == (0, 29)


def test_hup_without_a_terminal_asks_for_a_restart() -> None:
    """A daemon's HUP replaces the generation, and the pool goes on."""
    with (
        local_swf("--poll-seconds", "1") as endpoint,
        Supervisor(
            *("--flow", "tests.processes.flow", "--endpoint-url", endpoint),
            GARCON_MIN_UPTIME="0.1",
        ) as supervisor,
    ):
        supervisor.wait_for("full_strength")
        supervisor.signal(signal.SIGHUP)
        supervisor.wait_for("generation_active", generation=2)
        supervisor.wait_for("full_strength", generation=2)
        supervisor.signal(signal.SIGTERM)
        assert supervisor.wait() == 0

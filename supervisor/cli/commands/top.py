"""``top``: the status, live on the terminal.

Rules:

1. One key chooses what is shown: ``l`` lists, ``w`` workers, ``t`` tasks, ``a`` all; ``q`` ends.
2. The state is asked for once in ``--interval`` seconds and after a key, over one connection each
   time: a supervisor that has ended is named, and the next one at the same socket is shown.
3. Without a terminal there is nothing to draw on: ``status`` is the command for programs.
"""

from __future__ import annotations

import contextlib
import os
import select
import sys
import termios
import tty
from typing import TYPE_CHECKING

from supervisor.cli.commands import status, tasks
from supervisor.ipc.control_client import CommandFailed
from supervisor.logs.control_characters import escape

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from rich.live import Live

    from supervisor.ipc.messages import Status

VIEWS = {"l": "lists", "w": "workers", "t": "tasks", "a": "all"}

QUIT = ("q", "\x03")
"""``q``, and Ctrl-C where the terminal sends it as a character."""


def run(given: argparse.Namespace) -> int:
    """Show the status until ``q`` is pressed."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise CommandFailed("top needs a terminal: run 'status', or 'status --json' for programs.")
    try:
        from rich.live import Live  # noqa: PLC0415 - of the extra 'local'
    except ImportError:
        raise CommandFailed("top needs rich: install it with pip install 'garcon[local]'") from None
    status.fetch(given)  # without a supervisor this is a sentence, not a screen
    with _keys_at_once(), Live(screen=True, auto_refresh=False) as live:
        _show(given, live)
    return 0


def _show(given: argparse.Namespace, live: Live) -> None:
    view = "a"
    while True:
        live.update(screen(given, view, live.console.height), refresh=True)
        ready, _, _ = select.select([sys.stdin], [], [], given.interval)
        # Read past the buffer: ``select`` does not see what it holds.
        key = os.read(sys.stdin.fileno(), 1).decode("ascii", "replace") if ready else ""
        if key in QUIT or (ready and not key):
            return
        view = key if key in VIEWS else view


def screen(given: argparse.Namespace, view: str, height: int) -> str:
    """The text of one screen, cut to the terminal's height."""
    try:
        lines = [escape(each) for each in view_lines(status.fetch(given), view)]
    except CommandFailed as error:
        lines = [str(error)]
    shown = height - 2
    if len(lines) > shown:
        lines = [*lines[: shown - 1], f"… {len(lines) - shown + 1} more lines"]
    keys = "  ".join(f"{key} {name}" for key, name in VIEWS.items())
    return "\n".join([*lines, "", f"{keys}  q quit"])


def view_lines(now: Status, view: str) -> Iterator[str]:
    """The lines of a view."""
    if view == "t":
        return tasks.lines(now)
    memory = status.memory_of(now, workers=view != "l")
    return status.status_lines(now, memory, lists=view != "w", workers=view != "l")


@contextlib.contextmanager
def _keys_at_once() -> Iterator[None]:
    """Give keys to the program as they are pressed; the terminal is put back at the end."""
    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setcbreak(sys.stdin)
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)

"""``stacks PID``: where a worker is right now, thread by thread.

The worker writes it down by itself, even while C code holds the interpreter; one that is stopped,
or that the kernel holds in a system call, does not.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from supervisor.commands import showing
from supervisor.commands.asking import Failed, Supervisor, connect
from supervisor.messages import asks

if TYPE_CHECKING:
    import argparse

PATIENCE, PAUSE = 3.0, 0.05
"""Seconds for the worker to write it all down, which takes milliseconds, and between two looks."""


def run(given: argparse.Namespace) -> int:
    """Show them."""
    with connect(given) as supervisor:
        supervisor.done(asks.AskStacks(pid=given.pid))
        lines = _written(supervisor, given.pid)
    if given.json:
        showing.as_json({"pid": given.pid, "stacks": lines})
    else:
        for each in lines:
            showing.line(each)
    return 0


def _written(supervisor: Supervisor, pid: int) -> tuple[str, ...]:
    by = time.monotonic() + PATIENCE
    while time.monotonic() < by:
        supervisor.ask(asks.AskStacks(pid=pid, read=True))
        said = supervisor.answer()
        if isinstance(said, asks.Stacks) and said.is_whole:
            return said.lines
        time.sleep(PAUSE)
    raise Failed(f"{pid} has not written anything within {PATIENCE:g} s: it may be stopped.")

"""``stacks PID``: the stack traces of a worker, thread by thread.

The worker writes them itself, even while C code holds the interpreter. It cannot while it is
stopped, or held in a system call.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from supervisor.cli.commands import formatting
from supervisor.cli.commands.connection import connect
from supervisor.ipc.control_client import CommandFailed
from supervisor.ipc.messages.control_protocol import StacksReply, StacksRequest

if TYPE_CHECKING:
    import argparse

    from supervisor.ipc.control_client import Connection

TIMEOUT, PAUSE = 3.0, 0.05
"""Seconds for the worker to write all of it, which takes milliseconds, and between two reads."""


def run(given: argparse.Namespace) -> int:
    """Print them."""
    with connect(given) as connection:
        connection.call(StacksRequest(pid=given.pid))
        lines = _wait_for_stacks(connection, given.pid)
    if given.json:
        formatting.print_json({"pid": given.pid, "stacks": lines})
    else:
        formatting.print_lines(lines)
    return 0


def _wait_for_stacks(connection: Connection, pid: int) -> tuple[str, ...]:
    by = time.monotonic() + TIMEOUT
    while time.monotonic() < by:
        connection.send(StacksRequest(pid=pid, read=True))
        reply = connection.receive()
        if isinstance(reply, StacksReply) and reply.is_complete:
            return reply.lines
        time.sleep(PAUSE)
    raise CommandFailed(
        f"Worker {pid} has written no stack traces within {TIMEOUT:g} s: it may be stopped."
    )

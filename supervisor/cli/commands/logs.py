"""``logs``: the recent notes of the supervisor, and with ``-f`` those to come."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from supervisor.cli.commands import formatting
from supervisor.cli.commands.connection import connect
from supervisor.ipc.messages.control_protocol import LogsRequest, NoteReply
from supervisor.logs.formatters import timestamp

if TYPE_CHECKING:
    import argparse


def run(given: argparse.Namespace) -> int:
    """Print them, oldest first."""
    with connect(given) as connection:
        connection.send(LogsRequest(follow=given.follow))
        while isinstance(reply := connection.receive(), NoteReply):
            _print(reply, json=given.json)
        if given.follow:
            for note in connection.notes():
                _print(note, json=given.json)
    return 0


def _print(note: NoteReply, *, json: bool) -> None:
    """Print a note as the log has it: the compact line of a terminal, or the JSON object."""
    if json:
        members = {"timestamp": timestamp(note.time), "level": note.level, "message": note.text}
        formatting.print_json({**members, "event": note.event, **note.facts})
    else:
        clock = time.strftime("%H:%M:%S", time.localtime(note.time))
        formatting.print_prose(f"{clock} {note.level.upper():<7} {note.text}", indent=" " * 17)
    sys.stdout.flush()  # a follower reads each line as it comes

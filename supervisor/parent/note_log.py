"""The core's log entries: written to the log, and kept for clients that read or follow it."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

from supervisor.ipc.messages import control_protocol
from supervisor.logs import log

if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.ipc.messages import Note
    from supervisor.parent.control_socket import Client, ControlSocket

KEPT = 200
"""Entries: the last deploy and what led to it, and less than a client may leave unread."""


class NoteLog:
    """Writes entries, keeps the last ``KEPT``, and sends new ones to the clients that follow.

    Args:
        control: Sends to the clients.
        pid_of: The pid of a worker, which the core does not know.
    """

    def __init__(self, control: ControlSocket, pid_of: Callable[[object], int | None]) -> None:
        self._control = control
        self._pid_of = pid_of
        self._kept: deque[control_protocol.NoteReply] = deque(maxlen=KEPT)

    def write(self, note: Note) -> None:
        """Write one entry."""
        facts = {**note.facts, "pid": self._pid_of(note.facts.get("worker"))}
        log.write(note.level, note.text, {"event": note.event, **facts})
        reply = control_protocol.NoteReply(
            time=time.time(),
            level=note.level.name.lower(),
            event=note.event,
            text=note.text,
            facts={name: value for name, value in facts.items() if value is not None},
        )
        self._kept.append(reply)
        self._control.send_to_followers(reply)

    def send_kept(self, client: Client) -> None:
        """Send the kept entries to one client."""
        for reply in self._kept:
            self._control.send(client, reply)

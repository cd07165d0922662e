"""The state of the pool, asked of the supervisor over its control socket."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from supervisor.ipc.control_client import CommandFailed, Connection
from supervisor.ipc.messages import RETIRED
from supervisor.ipc.messages.control_protocol import (
    DoneReply,
    LogsRequest,
    MetricsReply,
    MetricsRequest,
    NoteReply,
    StatusReply,
    StatusRequest,
)
from supervisor.process_memory import unique, unique_with_children

if TYPE_CHECKING:
    from supervisor.ipc.messages import Status
    from supervisor.ipc.messages.control_protocol import Reply
    from supervisor.ipc.messages.tallies import Tallies

OTHER_REPLY = "The supervisor has replied to another request."
NO_SOCKET = "The supervisor has no control socket, which metrics are read from: give --control."


class NoAnswer(Exception):
    """The supervisor does not answer; the message is a sentence."""


@dataclass(frozen=True)
class Observation:
    """The pool at one moment.

    Attributes:
        status: The state.
        tallies: The counts since the supervisor's start.
        memory: Unique memory in bytes, by pid; that of retired code includes all below it.
        at: The moment, in monotonic seconds.
    """

    status: Status
    tallies: Tallies
    memory: dict[int, int]
    at: float = 0.0


@dataclass(frozen=True)
class Source:
    """Asks a supervisor.

    Attributes:
        control: The path of its control socket; empty if it has none.
        flow: The name of its flow.
    """

    control: str
    flow: str

    def status(self) -> Status:
        """The state alone, for a probe that comes every few seconds. Raises ``NoAnswer``."""
        with self._connect() as connection:
            reply = _call(connection, StatusRequest())
        if not isinstance(reply, StatusReply):
            raise NoAnswer(OTHER_REPLY)
        return reply.status

    def observe(self) -> Observation:
        """The pool now. Raises ``NoAnswer``."""
        with self._connect() as connection:
            return self._observe(connection)

    def observe_with_notes(self) -> tuple[Observation, list[NoteReply]]:
        """The pool now, and the recent log entries, oldest first. Raises ``NoAnswer``."""
        with self._connect() as connection:
            try:
                connection.send(LogsRequest())
                notes = []
                while not isinstance(reply := connection.receive(), DoneReply):
                    if isinstance(reply, NoteReply):
                        notes.append(reply)
            except CommandFailed as error:
                raise NoAnswer(str(error)) from error
            return self._observe(connection), notes

    def _connect(self) -> Connection:
        if not self.control:
            raise NoAnswer(NO_SOCKET)
        try:
            return Connection(Path(self.control))
        except CommandFailed as error:
            raise NoAnswer(str(error)) from error

    def _observe(self, connection: Connection) -> Observation:
        reply = _call(connection, MetricsRequest())
        if not isinstance(reply, MetricsReply):
            raise NoAnswer(OTHER_REPLY)
        pids = [each.pid for each in reply.status.workers if each.pid]
        sizes = {pid: unique(pid) for pid in pids}
        sidecars = reply.status.sidecars
        retired = [each.pid for each in sidecars if each.pid and each.name.startswith(RETIRED)]
        sizes |= {pid: unique_with_children(pid) for pid in retired}
        known = {pid: size for pid, size in sizes.items() if size is not None}
        return Observation(reply.status, reply.tallies, known, time.monotonic())


def _call(connection: Connection, request: StatusRequest | MetricsRequest) -> Reply:
    """The reply to a request. Raises ``NoAnswer``."""
    try:
        connection.send(request)
        return connection.receive()
    except CommandFailed as error:
        raise NoAnswer(str(error)) from error

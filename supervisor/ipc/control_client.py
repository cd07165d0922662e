"""A client of the supervisor's control socket, for commands and sidecars."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Self

from supervisor.ipc.messages import control_protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from supervisor.ipc.messages.control_protocol import DoneReply, NoteReply, Reply, Request

TIMEOUT = 10.0
"""Seconds to wait for a reply. A supervisor replies within milliseconds, a stopped one never."""

LONGEST_REPLY = 64 << 20
"""Bytes of a line that are read: more than the metrics of ten thousand workers. Another program may
listen at the path that was named."""

NOT_DONE, NO_SUPERVISOR = 1, 2
"""Exit codes: the supervisor refused or failed; no supervisor answers, or none can be chosen."""


class CommandFailed(Exception):
    """A command is not done; the message is a sentence, ``code`` the exit code."""

    def __init__(self, why: str, code: int = NOT_DONE) -> None:
        super().__init__(why)
        self.code = code


class Connection:
    """A connection to one supervisor. All methods raise ``CommandFailed``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(TIMEOUT)
        try:
            self._socket.connect(os.fspath(path))
        except OSError as error:
            self._socket.close()
            raise self._no_answer(error.strerror or str(error)) from error
        self._lines = self._socket.makefile("rb")
        self._early_notes: list[NoteReply] = []  # notes that arrived before a reply

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        self._socket.close()

    def send(self, request: Request) -> None:
        """Send a request."""
        try:
            line = control_protocol.encode_line(request)
        except UnicodeEncodeError as error:
            raise CommandFailed("A task list's name is UTF-8 text.", NO_SUPERVISOR) from error
        try:
            self._socket.sendall(line)
        except (BrokenPipeError, ConnectionResetError):
            return  # a refusal may have arrived before the end: ``receive`` reads it
        except OSError as error:
            raise self._no_answer(error.strerror or str(error)) from error

    def receive(self) -> Reply:
        """The next reply; a refusal raises ``CommandFailed``."""
        reply = self._read()
        if reply is None:
            raise CommandFailed("The supervisor closed the connection without a reply.")
        if isinstance(reply, control_protocol.RefusedReply):
            raise CommandFailed(reply.why)
        return reply

    def call(self, request: Request) -> DoneReply:
        """Send a request that changes something, and wait until it is done or has begun."""
        self.send(request)
        while not isinstance(reply := self.receive(), control_protocol.DoneReply):
            if isinstance(reply, control_protocol.NoteReply):
                self._early_notes.append(reply)
        return reply

    def follow(self) -> None:
        """Receive the notes to come as well, from before the next request on."""
        self.call(control_protocol.LogsRequest(follow=True))
        self._early_notes.clear()

    def notes(self) -> Iterator[NoteReply]:
        """The notes as they come, until the supervisor exits."""
        yield from self._early_notes
        self._socket.settimeout(None)
        while (reply := self._read()) is not None:
            if isinstance(reply, control_protocol.NoteReply):
                yield reply

    def _read(self) -> Reply | None:
        try:
            line = self._lines.readline(LONGEST_REPLY)
        except TimeoutError as error:
            raise self._no_answer(f"no reply within {TIMEOUT:g} s") from error
        except OSError:
            return None
        try:
            return control_protocol.parse_reply(line) if line else None
        except control_protocol.InvalidReply as error:
            raise CommandFailed(str(error)) from error

    def _no_answer(self, why: str) -> CommandFailed:
        return CommandFailed(f"No supervisor answers at {self._path}: {why}.", NO_SUPERVISOR)

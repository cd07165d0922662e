"""The clients of the control socket: lines in, lines out. ``control_handler`` answers the requests.

Rules of this file:

1. Only the supervisor's own user and root are served; the kernel says who connects
   (``SO_PEERCRED``).
2. No client holds the loop up. Nothing here blocks. The length of a line, the bytes that wait for a
   client, and the number of clients are bounded: a client that exceeds a bound is dropped, and the
   oldest idle client makes room for a new one.
3. A client that has closed its sending side is still answered; one that is gone is dropped.
4. Every connection is accepted, or the loop would be woken without end. If no descriptor is left, a
   spare one is closed for the connection, which is then refused.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from supervisor.ipc.messages import control_protocol
from supervisor.logs import log

if TYPE_CHECKING:
    from supervisor.parent.control_listener import Listener

LINE_BYTES = 4096
"""Longest request; the longest sensible one names a task list, of 256 characters."""

OUT_BYTES = 1 << 20
"""Bytes that may wait for a client: several replies to ``status`` of a thousand workers."""

CLIENTS = 16
"""Clients at once: each may cost ``OUT_BYTES``."""

_NO_DESCRIPTOR = (errno.EMFILE, errno.ENFILE)

_CREDENTIALS = struct.Struct("3i")  # struct ucred: pid, uid, gid (unix(7))
_ROOT = 0


@dataclass(eq=False)
class Client:
    """A connected client.

    Attributes:
        socket: Its connection.
        uid: Of the user who has connected.
        received: The beginning of a line that is not complete.
        unsent: Bytes that the client has not read yet.
        follows: Whether it is sent new log entries.
        is_done: Whether it has closed its sending side.
    """

    socket: socket.socket
    uid: int
    received: bytes = b""
    unsent: bytearray = field(default_factory=bytearray)
    follows: bool = False
    is_done: bool = False

    @property
    def events(self) -> int:
        """The events to poll for: no request is read from a client that does not read replies."""
        if self.unsent:
            return select.POLLOUT
        return 0 if self.is_done else select.POLLIN


ClientRequest = tuple[Client, "control_protocol.Request | control_protocol.RefusedReply"]
"""A client, and its request; an invalid request comes as the reply that refuses it."""


class ControlSocket:
    """Serves the clients.

    Args:
        listener: Accepts them; ``None`` for no control socket.
        poll: Waits for them.
    """

    def __init__(self, listener: Listener | None, poll: select.poll) -> None:
        self._listener = listener
        self._poll = poll
        self._clients: dict[int, Client] = {}  # by descriptor, the oldest first
        self._spare = _spare_descriptor() if listener else None
        if listener:
            poll.register(listener.socket, select.POLLIN)

    def receive(self, descriptor: int, events: int) -> list[ClientRequest]:
        """The requests behind a descriptor that is ready."""
        if self._listener and descriptor == self._listener.socket.fileno():
            self._accept(self._listener.socket)
            return []
        client = self._clients.get(descriptor)
        if client is None:
            return []
        requests = self._read(client) if events & select.POLLIN else []
        if events & (select.POLLHUP | select.POLLERR) and not events & select.POLLIN:
            self._drop(client)
        elif not requests:  # otherwise the reply continues it
            self._continue(client)
        return requests

    def send(self, client: Client, reply: control_protocol.Reply) -> None:
        """Send one client a reply, as far as it reads."""
        if self._clients.get(client.socket.fileno()) is client:
            client.unsent += control_protocol.encode_line(reply)
            self._continue(client)

    def send_to_followers(self, note: control_protocol.NoteReply) -> None:
        """Send a log entry to every client that follows the log."""
        for client in [each for each in self._clients.values() if each.follows]:
            self.send(client, note)

    def close(self) -> None:
        """Send what can still be sent, and close everything."""
        for client in list(self._clients.values()):
            _flush(client)
            self._drop(client)
        if self._listener:
            self._poll.unregister(self._listener.socket)
            self._listener.close()
        self._close_spare()

    # --- accepting

    def _accept(self, listener: socket.socket) -> None:
        if self._spare is None:  # none was left after the last refusal
            self._spare = _spare_descriptor()
        try:
            accepted, _ = listener.accept()
        except OSError as error:  # other errors: the client has gone again
            if error.errno in _NO_DESCRIPTOR:
                self._refuse_next(listener)
            return
        accepted.setblocking(False)  # noqa: FBT003 - the standard library has no keyword here
        client = Client(accepted, _uid_of(accepted))
        if client.uid not in (_ROOT, os.geteuid()):
            log.LOGGER.warning("The control socket has refused a client of uid %d.", client.uid)
            _refuse(accepted, "Only the supervisor's own user and root may send requests.")
        elif not self._has_room():
            _refuse(accepted, f"{CLIENTS} others follow the log: end one of them.")
        else:
            self._clients[accepted.fileno()] = client
            self._poll.register(accepted, client.events)

    def _refuse_next(self, listener: socket.socket) -> None:
        """Rule 4."""
        self._close_spare()
        with contextlib.suppress(OSError):
            accepted, _ = listener.accept()
            _refuse(accepted, "The supervisor has no descriptor left: raise LimitNOFILE=.")
        self._spare = _spare_descriptor()

    def _close_spare(self) -> None:
        if self._spare is not None:
            os.close(self._spare)
            self._spare = None

    def _has_room(self) -> bool:
        """Whether one more client can be served; drops the oldest idle one if need be."""
        if len(self._clients) >= CLIENTS:
            idle = (each for each in self._clients.values() if not each.follows)
            if oldest := next(idle, None):
                self._drop(oldest)
        return len(self._clients) < CLIENTS

    # --- serving

    def _continue(self, client: Client) -> None:
        """Send what the client reads now, and poll for what comes next, if anything does."""
        is_connected = _flush(client)
        is_over = client.is_done and not client.unsent and not client.follows
        if not is_connected or is_over or len(client.unsent) > OUT_BYTES:
            self._drop(client)
        else:
            self._poll.modify(client.socket, client.events)

    def _drop(self, client: Client) -> None:
        if self._clients.pop(client.socket.fileno(), None):
            self._poll.unregister(client.socket)
            client.socket.close()

    def _read(self, client: Client) -> list[ClientRequest]:
        """One line at most, so that a client with many requests does not keep others waiting."""
        data = _read_up_to_newline(client.socket)
        if data is None:
            return []
        client.is_done = not data
        client.received += data
        if len(client.received) > LINE_BYTES:
            client.received, client.is_done = b"", True
            why = f"A request is longer than {LINE_BYTES} bytes."
            return [(client, control_protocol.RefusedReply(why=why))]
        if not client.received.endswith(b"\n"):
            return []
        line, client.received = client.received, b""
        return [(client, _parse(line))]


def _spare_descriptor() -> int | None:
    """A descriptor to close when none is left (rule 4); ``None`` if none is left now."""
    try:
        return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None


def _parse(line: bytes) -> control_protocol.Request | control_protocol.RefusedReply:
    try:
        return control_protocol.parse_request(line)
    except control_protocol.InvalidRequest as error:
        return control_protocol.RefusedReply(why=str(error))


def _read_up_to_newline(client: socket.socket) -> bytes | None:
    """The next bytes, up to a newline; empty at the end, ``None`` if there are none yet."""
    try:
        # A look first, so that bytes behind the newline stay in the kernel, and poll reports them.
        seen = client.recv(LINE_BYTES + 1, socket.MSG_PEEK)
        return client.recv(seen.find(b"\n") + 1 or len(seen)) if seen else b""
    except BlockingIOError:
        return None
    except OSError:
        return b""


def _flush(client: Client) -> bool:
    """Send what can be sent without waiting; false if the client is gone."""
    try:
        while client.unsent:
            sent = client.socket.send(client.unsent, socket.MSG_NOSIGNAL)
            del client.unsent[:sent]
    except BlockingIOError:
        return True
    except OSError:
        return False
    return True


def _refuse(accepted: socket.socket, why: str) -> None:
    line = control_protocol.encode_line(control_protocol.RefusedReply(why=why))
    with contextlib.suppress(OSError):
        accepted.send(line, socket.MSG_NOSIGNAL)
    accepted.close()


def _uid_of(accepted: socket.socket) -> int:
    credentials = accepted.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, _ = _CREDENTIALS.unpack(credentials)
    return int(uid)

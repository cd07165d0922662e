"""The control socket: who may connect, and lines in and out. What a request means is ``desk``'s.

Rules of this file:

1. Only the supervisor's own user and root are listened to: the file's mode says so, and the kernel
   (``SO_PEERCRED``) says who has come.
2. Nobody holds the loop up. Nothing here blocks. A line, what waits to be read by a client, and the
   number of clients are bounded; who exceeds a bound is dropped, and of idle clients the oldest
   makes room for a new one.
3. Who listens holds a lock beside the socket. What a dead supervisor left is replaced; beside a
   living one nobody else may listen.
4. A client that has said its last word is still answered; one that is gone is forgotten.
5. Nobody is left at the door: the loop would be woken for them without end. Where there is no
   descriptor for a client, it is turned away by the one that is kept for that.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import select
import socket
import stat
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from supervisor import log
from supervisor.messages import asks
from supervisor.whereabouts import LONGEST, socket_of

if TYPE_CHECKING:
    from pathlib import Path

LINE_BYTES = 4096
"""Longest request; the longest sensible one names a task list, of 256 characters."""

OUT_BYTES = 1 << 20
"""What may wait for a client: some pictures of a pool of a thousand workers."""

CLIENTS = 16
"""Clients at once: each may cost ``OUT_BYTES``, and people have few terminals open."""

WAITING = 128
"""Clients that may have knocked and not been let in yet: one turn of the loop lets one in."""

_NO_DESCRIPTOR = (errno.EMFILE, errno.ENFILE)

_CREDENTIALS = struct.Struct("3i")  # struct ucred: pid, uid, gid (unix(7))
_ROOT = 0


class CannotListen(OSError):
    """There can be no control socket at this place; the message is a sentence for who chose it."""


class Taken(CannotListen):
    """Another supervisor listens there."""


@dataclass
class Listener:
    """A socket that is listened on, and the lock that says so."""

    path: Path
    socket: socket.socket
    lock: int

    def close(self) -> None:
        """Listen no more, and leave nothing behind but the lock's empty file."""
        self.socket.close()
        with contextlib.suppress(OSError):
            self.path.unlink()
        os.close(self.lock)


def listen_for(flow: str, given: str | None) -> Listener | None:
    """Listen where ``--control`` says, else where a flow's supervisor does; ``None`` for nowhere.

    Raises ``CannotListen`` for a place that was given: who names it relies on it. No socket at the
    usual place is no reason not to run. A host may have two supervisors of a flow, and mean it: one
    drains while the next begins, one has the deciders and one a list, somebody tries ``--local``
    beside the service. Tasks wait meanwhile, and commands can do without.
    """
    path = socket_of(flow, given, os.environ, os.geteuid())
    try:
        return listen(path) if path else None
    except CannotListen as error:
        if given is not None:
            raise
        log.LOGGER.warning("%s No command reaches this supervisor.", error)
        return None


def listen(path: Path) -> Listener:
    """Listen there. Raises ``CannotListen``."""
    if len(os.fsencode(path)) > LONGEST:
        raise CannotListen(f"The control socket's path is longer than {LONGEST} bytes: {path}.")
    try:
        lock = _lock(path)
        try:
            return Listener(path, _bind(path), lock)
        except BaseException:
            os.close(lock)
            raise
    except CannotListen:
        raise
    except OSError as error:
        why = error.strerror or error
        raise CannotListen(f"There can be no control socket at {path}: {why}.") from error


def _lock(path: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    lock = os.open(f"{path}.lock", flags, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        raise Taken(
            f"Another supervisor listens at {path}. Give this one another --control, or 'none'."
        ) from error
    return lock


def _bind(path: Path) -> socket.socket:
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise CannotListen(f"{path} is there, and is no socket: choose another --control.")
        path.unlink()
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    before = os.umask(0o177)
    try:
        bound.bind(os.fspath(path))
        bound.listen(WAITING)
    except BaseException:
        bound.close()
        raise
    finally:
        os.umask(before)
    return bound


@dataclass(eq=False)
class Client:
    """Somebody who has connected."""

    socket: socket.socket
    user: int
    heard: bytes = b""  # of a line that has not ended
    unsaid: bytearray = field(default_factory=bytearray)
    follows: bool = False
    is_mute: bool = False  # it will say nothing more

    @property
    def events(self) -> int:
        """What to wait for: who does not listen to an answer is not asked for more."""
        if self.unsaid:
            return select.POLLOUT
        return 0 if self.is_mute else select.POLLIN


Asked = tuple[Client, "asks.Ask | asks.Refused"]
"""Who wants what; what is no request is its own answer."""


class Control:
    """Serves those who connect.

    Args:
        listener: Where; ``None`` for nowhere.
        poll: What the loop waits with.
    """

    def __init__(self, listener: Listener | None, poll: select.poll) -> None:
        self._listener = listener
        self._poll = poll
        self._clients: dict[int, Client] = {}  # by descriptor, the oldest first
        self._spare = _spare() if listener else None
        if listener:
            poll.register(listener.socket, select.POLLIN)

    def hear(self, descriptor: int, events: int) -> list[Asked]:
        """Something is to be done with a descriptor of ours; returns what was asked for."""
        if self._listener and descriptor == self._listener.socket.fileno():
            self._accept(self._listener.socket)
            return []
        client = self._clients.get(descriptor)
        if client is None:
            return []
        asked = self._read(client) if events & select.POLLIN else []
        if events & (select.POLLHUP | select.POLLERR) and not events & select.POLLIN:
            self._drop(client)
        elif not asked:  # else it goes on when it is answered
            self._go_on(client)
        return asked

    def say(self, client: Client, line: asks.Answer) -> None:
        """Answer one client, as far as it listens."""
        if self._clients.get(client.socket.fileno()) is client:
            client.unsaid += asks.as_line(line)
            self._go_on(client)

    def tell(self, told: asks.Told) -> None:
        """Tell all who follow."""
        for client in [each for each in self._clients.values() if each.follows]:
            self.say(client, told)

    def close(self) -> None:
        """Say what can still be said, and end."""
        for client in list(self._clients.values()):
            _flush(client)
            self._drop(client)
        if self._listener:
            self._poll.unregister(self._listener.socket)
            self._listener.close()
        self._give_up_spare()

    # --- coming and going

    def _accept(self, listener: socket.socket) -> None:
        if self._spare is None:  # somebody was quicker than its owner
            self._spare = _spare()
        try:
            accepted, _ = listener.accept()
        except OSError as error:  # else it has gone again
            if error.errno in _NO_DESCRIPTOR:
                self._turn_away_next(listener)
            return
        accepted.setblocking(False)  # noqa: FBT003 - the standard library has no keyword here
        client = Client(accepted, _user_of(accepted))
        if client.user not in (_ROOT, os.geteuid()):
            log.LOGGER.warning("The control socket was refused to the user %d.", client.user)
            _turn_away(accepted, "Only the supervisor's own user and root may ask.")
        elif not self._has_room():
            _turn_away(accepted, f"{CLIENTS} others follow the log: end one of them.")
        else:
            self._clients[accepted.fileno()] = client
            self._poll.register(accepted, client.events)

    def _turn_away_next(self, listener: socket.socket) -> None:
        """Rule 5."""
        self._give_up_spare()
        with contextlib.suppress(OSError):
            accepted, _ = listener.accept()
            _turn_away(accepted, "The supervisor has no descriptor left: raise LimitNOFILE=.")
        self._spare = _spare()

    def _give_up_spare(self) -> None:
        if self._spare is not None:
            os.close(self._spare)
            self._spare = None

    def _has_room(self) -> bool:
        """Whether one more can be served, now that an idle one has made room for it."""
        if len(self._clients) >= CLIENTS:
            idle = (each for each in self._clients.values() if not each.follows)
            if oldest := next(idle, None):
                self._drop(oldest)
        return len(self._clients) < CLIENTS

    def _go_on(self, client: Client) -> None:
        """Say what can be said now, and wait for what comes next, if anything does."""
        alive = _flush(client)
        is_over = client.is_mute and not client.unsaid and not client.follows
        if not alive or is_over or len(client.unsaid) > OUT_BYTES:
            self._drop(client)
        else:
            self._poll.modify(client.socket, client.events)

    def _drop(self, client: Client) -> None:
        if self._clients.pop(client.socket.fileno(), None):
            self._poll.unregister(client.socket)
            client.socket.close()

    def _read(self, client: Client) -> list[Asked]:
        """One line at most, so that nobody who asks much keeps others waiting."""
        data = _up_to_newline(client.socket)
        if data is None:
            return []
        client.is_mute = not data
        client.heard += data
        if len(client.heard) > LINE_BYTES:
            client.heard, client.is_mute = b"", True
            return [(client, asks.Refused(why=f"A request has {LINE_BYTES} bytes at most."))]
        if not client.heard.endswith(b"\n"):
            return []
        line, client.heard = client.heard, b""
        return [(client, _understood(line))]


def _spare() -> int | None:
    """A descriptor to be given up for another; ``None`` if there is none even now."""
    try:
        return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None


def _understood(line: bytes) -> asks.Ask | asks.Refused:
    try:
        return asks.understand(line)
    except asks.Nonsense as error:
        return asks.Refused(why=str(error))


def _up_to_newline(client: socket.socket) -> bytes | None:
    """The next bytes, a newline as the last at most; empty at the end, ``None`` if none yet."""
    try:
        seen = client.recv(LINE_BYTES + 1, socket.MSG_PEEK)
        return client.recv(seen.find(b"\n") + 1 or len(seen)) if seen else b""
    except BlockingIOError:
        return None
    except OSError:
        return b""


def _flush(client: Client) -> bool:
    """Say what can be said without waiting; false if nobody is there."""
    try:
        while client.unsaid:
            sent = client.socket.send(client.unsaid, socket.MSG_NOSIGNAL)
            del client.unsaid[:sent]
    except BlockingIOError:
        return True
    except OSError:
        return False
    return True


def _turn_away(accepted: socket.socket, why: str) -> None:
    with contextlib.suppress(OSError):
        accepted.send(asks.as_line(asks.Refused(why=why)), socket.MSG_NOSIGNAL)
    accepted.close()


def _user_of(accepted: socket.socket) -> int:
    told = accepted.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, user, _ = _CREDENTIALS.unpack(told)
    return int(user)

"""The listening control socket: its path, its lock, and the user that may connect.

Rules of this file:

1. The socket's mode lets only its owner and root connect.
2. The listener holds a lock beside the socket. A socket that a dead supervisor left is replaced;
   beside a living supervisor no other may listen at the same path.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from supervisor.ipc import private_files, socket_path
from supervisor.ipc.socket_path import LONGEST
from supervisor.logs import log

if TYPE_CHECKING:
    from pathlib import Path

BACKLOG = 128
"""Clients that may wait to be accepted: one turn of the loop accepts one."""


class CannotListen(OSError):
    """No control socket can be opened at this path; the text says why, and what to do."""


class Taken(CannotListen):
    """Another supervisor listens there."""


@dataclass
class Listener:
    """A listening socket, and the descriptor of its lock."""

    path: Path
    socket: socket.socket
    lock: int

    def close(self) -> None:
        """Close and remove the socket; the lock's empty file stays."""
        self.socket.close()
        with contextlib.suppress(OSError):
            self.path.unlink()
        # The lock's file stays: another supervisor may have opened it already, and would then hold
        # the lock of a file that a third one no longer finds.
        os.close(self.lock)


def listen_for(flow: str, given: str | None) -> Listener | None:
    """Listen where ``--control`` says, else at the default path of a flow; ``None`` for nowhere.

    Raises ``CannotListen`` for a path that was given, because its user relies on it. At the default
    path it is only a warning: a host may run two supervisors of a flow on purpose. One drains while
    the next begins, one has the deciders and one a list, or ``--local`` runs beside the service.
    """
    path = socket_path.socket_of(flow, given, os.environ, os.geteuid())
    try:
        if path and given is None:
            _make_fallback(path.parent, os.geteuid())
        return listen(path) if path else None
    except CannotListen as error:
        if given is not None:
            raise
        log.LOGGER.warning("%s No command reaches this supervisor.", error)
        return None


def _make_fallback(where: Path, user: int) -> None:
    """Make the folder that no other one replaces. Raises ``CannotListen`` if it is not private."""
    if where != socket_path.fallback(user):
        return
    with contextlib.suppress(OSError):  # it exists, or ``listen`` says why it cannot be made
        where.mkdir(mode=0o700)
    if socket_path.is_untrusted(where, user):
        raise CannotListen(
            f"The folder {where} is not a private folder of this user, so another user could listen"
            " there. Give --control PATH."
        )


def listen(path: Path) -> Listener:
    """Listen at this path. Raises ``CannotListen``."""
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
        raise CannotListen(f"The control socket cannot be opened at {path}: {why}.") from error


def _lock(path: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    lock = os.open(f"{path}.lock", flags, 0o600)
    if not private_files.try_lock(lock, fcntl.LOCK_EX):
        os.close(lock)
        raise Taken(
            f"Another supervisor listens at {path}. Give this one another --control, or 'none'."
        )
    return lock


def _bind(path: Path) -> socket.socket:
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise CannotListen(f"{path} exists and is not a socket: choose another --control.")
        path.unlink()
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    # The umask gives the socket its mode as it is made. With a chmod afterwards there would be a
    # moment in which any user can connect.
    before = os.umask(0o177)
    try:
        bound.bind(os.fspath(path))
        bound.listen(BACKLOG)
    except BaseException:
        bound.close()
        raise
    finally:
        os.umask(before)
    return bound

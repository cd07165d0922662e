"""Writes that never wait for a reader, to a descriptor that other processes write to as well.

O_NONBLOCK belongs to the open file description, which the launcher and the programs of tasks
share: they would meet errors that they do not expect. So each kind of file has its own way:

1. A socket (systemd's journal) takes the wish with each call.
2. A pipe or a terminal is opened a second time, which gives a description of its own.
3. A pipe that this user may not open again (``--user``, a container's USER) takes pages of another
   pipe by ``splice``, which takes the wish with each call, too.
4. A plain file has no reader.
"""

from __future__ import annotations

import functools
import os
import select
import socket
import stat
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

ATOMIC = select.PIPE_BUF
"""Bytes that a pipe takes as a whole or not at all."""


class Writer(NamedTuple):
    """Writes that do not wait, and the end of what they need beside the descriptor."""

    write: Callable[[bytes], int]
    """Writes what there is room for, and returns its length. Raises ``BlockingIOError`` if there is
    no room, and other ``OSError`` as ``os.write`` does."""

    close: Callable[[], object] = bool


def writer(descriptor: int) -> Writer:
    """The way for this descriptor."""
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISSOCK(mode):
        return _socket_writer(descriptor)
    if not (stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)):
        return Writer(functools.partial(os.write, descriptor))
    try:
        again = _open_again(descriptor)
    except OSError:  # not this user's
        write = _splice if stat.S_ISFIFO(mode) else os.write
        return Writer(functools.partial(write, descriptor))
    return Writer(functools.partial(os.write, again), functools.partial(os.close, again))


def _open_again(descriptor: int) -> int:
    flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_APPEND | os.O_CLOEXEC
    return os.open(f"/proc/self/fd/{descriptor}", flags)


def _socket_writer(descriptor: int) -> Writer:
    end = socket.socket(fileno=os.dup(descriptor))
    flags = socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL
    return Writer(lambda data: end.send(data, flags), end.close)


def _splice(descriptor: int, data: bytes) -> int:
    reader, pages = os.pipe2(os.O_CLOEXEC)  # a fresh one: forked processes would share it
    try:
        length = os.write(pages, data[:ATOMIC])
        return os.splice(reader, descriptor, length, flags=os.SPLICE_F_NONBLOCK)
    finally:
        os.close(reader)
        os.close(pages)

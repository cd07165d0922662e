"""A channel: a pair of connected sockets that carries whole messages between two processes.

Rules of this file:

1. One message is one packet (``SOCK_SEQPACKET``): it arrives whole, in order, or not at all. What
   a process said before it died can still be heard after its death.
2. The supervisor's end never blocks: a peer that does not listen costs it nothing. A child's end
   blocks when it speaks: a worker must not forget to tell what it holds.
3. Descriptors can ride on a message. That is how a zygote gets the channel and the will of the
   worker it is to fork. They are closed on exec: what a task starts does not inherit them.
4. The end of the peer is ``closed``, never an exception when hearing; speaking to a dead peer
   raises ``ChannelClosed``.
5. Of a peer that died with something unread the kernel says "connection reset" once, before what
   the peer has said (``unix_release_sock`` in Linux's ``af_unix.c``). That is no end yet: whoever
   hears asks again.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from typing import TYPE_CHECKING, TypeVar

from supervisor import kernel, messages

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

PACKET_BYTES = 204 << 10
"""Largest packet: a result of 32,768 characters, each up to six bytes in JSON, and its frame. Linux
takes 212,960 bytes if nobody has changed ``net.core.wmem_default`` (socket(7))."""

RIDERS = 2
"""Descriptors that ride on one message at most: a worker's channel and its will."""


class ChannelClosed(ConnectionError):
    """The process at the other end is gone."""


class ChannelFull(BlockingIOError):
    """The process at the other end does not listen; the message was not said."""


class MessageTooLong(OSError):
    """The message does not fit a packet, ours or the kernel's; the text says which and how long."""


class Channel:
    """One end. ``messages`` says what may be said."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self.closed = False

    @classmethod
    def inherited(cls, descriptor: int) -> Channel:
        """The end that a parent left open for us under this descriptor; nobody inherits it on."""
        os.set_inheritable(descriptor, False)  # noqa: FBT003 - the standard library's signature
        return cls(socket.socket(fileno=descriptor))

    def fileno(self) -> int:
        """For waiting on it."""
        return self._socket.fileno()

    def close(self) -> None:
        """Give the end up; the peer hears end-of-file."""
        self._socket.close()

    def shut(self) -> None:
        """Say no more: the peer hears end-of-file, and we still hear its last words."""
        with contextlib.suppress(OSError):  # the peer may have been quicker
            self._socket.shutdown(socket.SHUT_WR)

    def has_ended(self) -> bool:
        """Whether the peer is gone and has left nothing to be heard; without waiting."""
        try:
            peek = socket.MSG_PEEK | socket.MSG_DONTWAIT
            return not _past_reset(lambda: self._socket.recv(1, peek))
        except BlockingIOError:
            return False

    def say(self, message: messages.Said, *descriptors: int) -> None:
        """Send one message, with a copy of each descriptor.

        Raises ``ChannelClosed``, ``MessageTooLong``, and ``ChannelFull`` at an end that does not
        block.
        """
        packet = messages.encode(message)
        if len(packet) > PACKET_BYTES:
            raise _too_long(message, packet)
        try:
            if descriptors:
                socket.send_fds(self._socket, [packet], list(descriptors), socket.MSG_NOSIGNAL)
            else:
                self._socket.send(packet, socket.MSG_NOSIGNAL)
        except BlockingIOError as error:
            raise ChannelFull(*error.args) from error
        except (BrokenPipeError, ConnectionResetError) as error:
            raise ChannelClosed("the process at the other end is gone") from error
        except OSError as error:
            if error.errno != errno.EMSGSIZE:
                raise
            raise _too_long(message, packet) from error

    def hear(self) -> messages.Said | None:
        """The next message; None at the end, or when an end that does not block has none.

        Raises ``messages.NotUnderstood`` for a packet that is no message.
        """
        try:
            packet = _past_reset(lambda: self._socket.recv(PACKET_BYTES))
        except BlockingIOError:
            return None
        self.closed = not packet
        return messages.decode(packet) if packet else None

    def hear_with_descriptors(self) -> tuple[messages.Said | None, list[int]]:
        """As ``hear``, with the descriptors that rode on the message, now ours to close."""
        packet, descriptors, _, _ = _past_reset(
            lambda: socket.recv_fds(self._socket, PACKET_BYTES, RIDERS)
        )
        for each in descriptors:
            os.set_inheritable(each, False)  # noqa: FBT003 - the standard library's signature
        self.closed = not packet
        return messages.decode(packet) if packet else None, descriptors


def pair() -> tuple[Channel, Channel]:
    """The supervisor's end, which never blocks, and the child's, which does."""
    ours, theirs = kernel.socket_pair()
    return Channel(ours), Channel(theirs)


def _too_long(message: messages.Said, packet: bytes) -> MessageTooLong:
    what = f"a {type(message).__name__} of {len(packet):,} bytes"
    return MessageTooLong(f"{what} does not fit a packet")


def _past_reset(receive: Callable[[], T]) -> T:
    """What it receives, asked a second time if the kernel speaks of a reset first (rule 5)."""
    try:
        return receive()
    except ConnectionResetError:
        return receive()

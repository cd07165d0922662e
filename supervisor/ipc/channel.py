"""Channels: pairs of connected sockets that carry whole messages between two processes.

Rules of this file:

1. One message is one packet (``SOCK_SEQPACKET``): it arrives whole and in order, or not at all. The
   kernel keeps the packets of a process that has died, so its last messages can still be received.
2. The supervisor's end never blocks: a child that does not read cannot hold it up. A child's end
   blocks when it sends: the supervisor must learn of every task that a worker has.
3. Descriptors can travel with a message. That is how a zygote gets the channel and the crash record
   of a worker that it forks. They are closed on exec: programs of a task do not inherit them.
4. The end of the peer sets ``closed`` when receiving, and raises ``ChannelClosed`` when sending.
5. If a peer died with unread packets, the kernel reports "connection reset" once, ahead of the
   packets that the peer has sent (``unix_release_sock`` in Linux's ``af_unix.c``). So a reset is
   not the end: the receiver calls again.
"""

from __future__ import annotations

import array
import contextlib
import errno
import os
import socket
from typing import TYPE_CHECKING, TypeVar

from supervisor.ipc import messages
from supervisor.ipc.conventions import socket_pair

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

PACKET_BYTES = 204 << 10
"""Largest packet: a result of 32,768 characters, each up to six bytes in JSON, and its frame. Linux
takes 212,960 bytes with the default ``net.core.wmem_default`` (socket(7))."""

MAX_DESCRIPTORS = 2
"""Descriptors that travel with one message: a worker's channel and its crash record."""

_DESCRIPTORS_ROOM = socket.CMSG_LEN(MAX_DESCRIPTORS * array.array("i").itemsize)


class ChannelClosed(ConnectionError):
    """The process at the other end has died or closed its end."""


class ChannelFull(BlockingIOError):
    """The process at the other end does not read; the message was not sent."""


class MessageTooLong(OSError):
    """The message does not fit a packet; the text says which message and how long."""


class Channel:
    """One end of a channel."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self.closed = False

    @classmethod
    def inherited(cls, descriptor: int) -> Channel:
        """The end that a parent has passed under this descriptor."""
        # It came over an exec, so it is inheritable. If a program of a task held it as well, the
        # supervisor would not see the end of the worker.
        os.set_inheritable(descriptor, False)  # noqa: FBT003 - the standard library's signature
        return cls(socket.socket(fileno=descriptor))

    def fileno(self) -> int:
        """The descriptor, for ``poll``."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close this end; the peer receives end-of-file."""
        self._socket.close()

    def close_sending(self) -> None:
        """Close one direction: the peer receives end-of-file; its last messages still arrive."""
        with contextlib.suppress(OSError):  # ENOTCONN: the peer has closed its end first
            self._socket.shutdown(socket.SHUT_WR)

    def has_ended(self) -> bool:
        """Whether the peer is gone and nothing is left to receive; does not wait."""
        try:
            peek = socket.MSG_PEEK | socket.MSG_DONTWAIT
            return not _past_reset(self._socket.recv, 1, peek)
        except BlockingIOError:
            return False

    def send(self, message: messages.ChannelMessage, *descriptors: int) -> None:
        """Send one message, with a copy of each descriptor.

        Raises ``ChannelClosed``, ``MessageTooLong``, ``ChannelFull`` at an end that does not block,
        and other ``OSError`` if the kernel lacks memory or descriptors.
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

    def receive(self) -> messages.ChannelMessage | None:
        """The next message; ``None`` at the end, or if an end that does not block has none.

        Raises ``messages.InvalidMessage`` for a packet that is not a message.
        """
        try:
            packet = _past_reset(self._socket.recv, PACKET_BYTES)
        except BlockingIOError:
            return None
        self.closed = not packet
        return messages.decode(packet) if packet else None

    def receive_with_descriptors(
        self, *, wait: bool = True
    ) -> tuple[messages.ChannelMessage | None, list[int]]:
        """As ``receive``, with the descriptors that came along; the caller closes them.

        Args:
            wait: Whether an end that blocks waits for a message.
        """
        flags = 0 if wait else socket.MSG_DONTWAIT
        try:
            # Not ``socket.recv_fds``, which ignores its flags.
            packet, ancillary, _, _ = _past_reset(
                self._socket.recvmsg, PACKET_BYTES, _DESCRIPTORS_ROOM, flags
            )
        except BlockingIOError:
            return None, []
        descriptors = [*array.array("i", b"".join(data for _, _, data in ancillary))]
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)  # noqa: FBT003 - the standard library's signature
        self.closed = not packet
        return messages.decode(packet) if packet else None, descriptors


def pair() -> tuple[Channel, Channel]:
    """A channel's ends: the supervisor's, which never blocks, and a child's, which does."""
    ours, theirs = socket_pair()
    return Channel(ours), Channel(theirs)


def _too_long(message: messages.ChannelMessage, packet: bytes) -> MessageTooLong:
    what = f"a {type(message).__name__} of {len(packet):,} bytes"
    return MessageTooLong(f"{what} does not fit a packet")


def _past_reset(receive: Callable[..., T], *how: int) -> T:
    """The result of ``receive``, called a second time if the kernel reports a reset (rule 5)."""
    try:
        return receive(*how)
    except ConnectionResetError:
        return receive(*how)

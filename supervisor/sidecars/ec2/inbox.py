"""Messages and signals that the sidecar receives while it waits."""

from __future__ import annotations

import select
import signal
from typing import TYPE_CHECKING

from supervisor.ipc import messages, signal_wakeup
from supervisor.ipc.channel import ChannelClosed

if TYPE_CHECKING:
    from supervisor.ipc.channel import Channel


class Inbox:
    """The sidecar's channel, its signals, and what has come by them.

    Args:
        channel: To the supervisor.
        signals: The descriptor on which signals arrive as bytes (``signal_wakeup``).
    """

    def __init__(self, channel: Channel, signals: int) -> None:
        self.end_requested = False  # the supervisor has no task and no report left
        self.supervisor_lost = False
        self.launch = messages.Launch.PENDING  # as the supervisor said last
        self._in_progress: int | None = None
        self._channel = channel
        self._signals = signals

    def send(self, message: messages.ChannelMessage) -> None:
        """Send to the supervisor, if it is still there."""
        try:
            self._channel.send(message)
        except ChannelClosed:
            self.supervisor_lost = True

    def take_in_progress(self) -> int | None:
        """The number of tasks in progress, if the supervisor has sent one since the last call."""
        received, self._in_progress = self._in_progress, None
        return received

    def wait(self, seconds: float) -> None:
        """Wait for a signal or a message, at most so long."""
        both = (self._signals, self._channel.fileno())
        ready, _, _ = select.select(both, [], [], max(0.0, seconds))
        if self._signals in ready:
            self.end_requested |= signal.SIGTERM in signal_wakeup.drain_bytes(self._signals)
        if self._channel.fileno() in ready:
            self._receive()

    def _receive(self) -> None:
        message = self._channel.receive()
        if message is None:
            self.supervisor_lost = True
        elif isinstance(message, messages.PoolState):
            self._in_progress = message.in_progress
            self.launch = message.launch

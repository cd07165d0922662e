"""What the attendant hears while it waits: that it is to end or alone, and how the pool does."""

from __future__ import annotations

import select
import signal
from typing import TYPE_CHECKING

from supervisor import kernel, messages
from supervisor.channel import ChannelClosed

if TYPE_CHECKING:
    from supervisor.channel import Channel


class Ear:
    """Set up once.

    Args:
        channel: To the supervisor.
        signals: Where signals arrive as bytes (``kernel.wake_up``).
    """

    def __init__(self, channel: Channel, signals: int) -> None:
        self.asked = False  # to end: the program has nothing left to do
        self.alone = False  # the supervisor is gone
        self.in_hand: int | None = None  # tasks, as far as told since it was last taken
        self._channel = channel
        self._signals = signals

    def say(self, message: messages.Said) -> None:
        """Tell the supervisor, if it is there."""
        try:
            self._channel.say(message)
        except ChannelClosed:
            self.alone = True

    def take_in_hand(self) -> int | None:
        """Tasks in hand, if they were told since the last time."""
        told, self.in_hand = self.in_hand, None
        return told

    def wait(self, seconds: float) -> None:
        """Wait at most so long; less if something is heard."""
        both = (self._signals, self._channel.fileno())
        ready, _, _ = select.select(both, [], [], max(0.0, seconds))
        if self._signals in ready:
            self.asked |= signal.SIGTERM in kernel.drain_bytes(self._signals)
        if self._channel.fileno() in ready:
            self._hear()

    def _hear(self) -> None:
        message = self._channel.hear()
        if message is None:
            self.alone = True
        elif isinstance(message, messages.PoolState):
            self.in_hand = message.in_hand

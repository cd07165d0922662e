"""A worker's ear: whether it was asked to leave, and its voice, which notices a lost supervisor.

Rules of this file:

1. There are two reasons to leave: SIGTERM (or SIGINT sent to this very process), and the end of
   the channel. Both only set a flag; the loop looks at it when nothing is in hand.
2. A rest ends when a reason to leave comes, or something to do.
3. Being asked is not missed: from before the supervisor knows of this process until it listens,
   the signals are held back. (The zygote ignores them, and an ignored signal leaves no trace.)
4. They ask the worker alone. What a task forks ends by them, like any process of its own, from its
   first moment on: they are held back while it is forked.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from typing import TYPE_CHECKING, Self

from supervisor.channel import Channel, ChannelClosed

if TYPE_CHECKING:
    from types import TracebackType

    from supervisor import messages


_ASKING = (signal.SIGTERM, signal.SIGINT)


def hold_back() -> None:
    """Keep the signals that ask to leave until somebody listens (rule 3)."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _ASKING)


def _listen() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ASKING)


def _end_by_them() -> None:
    """Rule 4, in the child: ours would set a flag that nobody there looks at."""
    for each in _ASKING:
        signal.signal(each, signal.SIG_DFL)
    _listen()


class Leaving:
    """Set up once in a worker, after the fork."""

    def __init__(self, channel: Channel) -> None:
        self.asked_at: float | None = None
        self._channel = channel
        self._reader, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def __enter__(self) -> Self:
        """Listen from now on."""
        for each in _ASKING:
            signal.signal(each, self._ask)
        os.register_at_fork(before=hold_back, after_in_parent=_listen, after_in_child=_end_by_them)
        _listen()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Hear nothing more: what is left is the process's end."""
        for each in _ASKING:
            signal.signal(each, signal.SIG_IGN)

    @property
    def asked(self) -> bool:
        """Whether there is a reason to leave."""
        return self.asked_at is not None

    @property
    def seconds(self) -> float:
        """How long there has been one; 0 if there is none."""
        return 0.0 if self.asked_at is None else time.monotonic() - self.asked_at

    def _ask(self, _number: int, _frame: object) -> None:
        self._leave()
        self.wake()

    def _leave(self) -> None:
        if self.asked_at is None:
            self.asked_at = time.monotonic()

    def say(self, message: messages.Said) -> None:
        """Tell the supervisor; if it is gone, that is a reason to leave."""
        try:
            self._channel.say(message)
        except ChannelClosed:
            self._leave()

    def wake(self) -> None:
        """End the rest that is, or the next one, because there is something to do; any thread."""
        with contextlib.suppress(BlockingIOError):  # it has been told so often enough
            os.write(self._writer, b".")

    def rest(self, seconds: float) -> bool:
        """Do nothing for this long, or until woken; whether there is no reason to leave."""
        ear, mouth = self._reader, self._channel.fileno()
        readable, _, _ = select.select([ear, mouth], [], [], seconds)
        if ear in readable:
            os.read(ear, select.PIPE_BUF * 16)
        if mouth in readable:  # nothing is ever said to a worker but its end
            self._leave()
        return not self.asked

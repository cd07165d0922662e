"""A worker's channel: shutdown requests (SIGTERM, or the channel's end), and permits to poll.

Rules:

1. SIGTERM, a SIGINT to this very process, and the end of the channel request a shutdown. Each only
   sets a flag; the worker reads it between tasks.
2. A wait ends early on a request and on ``wake``. A permit that arrives meanwhile is kept.
3. TERM and INT stay blocked from before the pid is announced until the handlers are installed, so
   none is lost.
4. The handlers belong to the worker alone. A process that a task forks dies of TERM and INT like
   any other program, from its first moment on.
"""

from __future__ import annotations

import contextlib
import math
import os
import select
import signal
import time
from typing import TYPE_CHECKING, Self

from supervisor.ipc import messages
from supervisor.ipc.channel import Channel, ChannelClosed

if TYPE_CHECKING:
    from types import TracebackType


_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def block_signals() -> None:
    """Keep TERM and INT pending until the handlers are installed (rule 3).

    The zygote ignores both, and a worker inherits that. The kernel drops an ignored signal, but
    keeps a blocked one, whatever its action is at that time.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)


def _unblock_signals() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


def _restore_default_actions() -> None:
    """Rule 4, in the new child: the worker's handler would set a flag that nothing there reads."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    _unblock_signals()


class Shutdown:
    """A worker's shutdown flag and its channel; set up once, after the fork."""

    def __init__(self, channel: Channel) -> None:
        self.requested_at: float | None = None
        self.is_orphan = False
        self._has_permit = False
        self._process = os.getpid()
        self._channel = channel
        # A byte in this pipe ends a ``select``: a flag set by a handler alone would not, because
        # Python resumes an interrupted ``select`` for the rest of its time (PEP 475).
        self._reader, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def __enter__(self) -> Self:
        """Install the handlers and let pending signals in."""
        self.install_handlers()
        # Blocked across the fork: a signal between the child's first instruction and its default
        # actions waits for them, and does not run the worker's handler in the child.
        os.register_at_fork(
            before=block_signals,
            after_in_parent=_unblock_signals,
            after_in_child=_restore_default_actions,
        )
        _unblock_signals()
        return self

    def install_handlers(self) -> None:
        """Install the handlers, also over those of the flow's code."""
        for number in _SIGNALS:
            signal.signal(number, self._on_signal)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ignore further signals: the process is about to end and keeps its exit code."""
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    @property
    def requested(self) -> bool:
        """Whether the worker has to leave."""
        return self.requested_at is not None

    @property
    def seconds_ago(self) -> float:
        """Seconds since the request; 0 without one."""
        return 0.0 if self.requested_at is None else time.monotonic() - self.requested_at

    def _on_signal(self, _number: int, _frame: object) -> None:
        self.request()
        self.wake()

    def request(self) -> None:
        """Request a shutdown; the first request counts."""
        if self.requested_at is None:
            self.requested_at = time.monotonic()

    def _become_orphan(self) -> None:
        self.is_orphan = True
        self.request()

    def send(self, message: messages.ChannelMessage) -> None:
        """Send to the supervisor; a closed channel is a shutdown request.

        A process that a task forks has the same channel, and sends nothing.
        """
        if os.getpid() != self._process:
            return
        try:
            self._channel.send(message)
        except ChannelClosed:
            self._become_orphan()

    def wake(self) -> None:
        """End the current wait, or else the next one; from any thread."""
        with contextlib.suppress(BlockingIOError):  # the pipe is full: the wait will end anyway
            os.write(self._writer, b".")

    def wait(self, seconds: float) -> bool:
        """Wait for so long, or until woken; returns whether the worker may go on."""
        self._wait(math.ceil(seconds * 1000))
        return not self.requested

    def wait_for_permit(self) -> bool:
        """Wait for a permit to poll; returns whether the worker got one and may go on."""
        while not self._has_permit and not self.requested:
            self._wait(None)
        self._has_permit = False
        return not self.requested

    def _wait(self, milliseconds: int | None) -> None:
        wakeups, channel = self._reader, self._channel.fileno()
        poll = select.poll()  # ``select`` refuses descriptors above 1,023; tasks may hold as many
        poll.register(wakeups, select.POLLIN)
        poll.register(channel, select.POLLIN)
        readable = {number for number, _ in poll.poll(milliseconds)}
        if wakeups in readable:
            os.read(wakeups, select.PIPE_BUF * 16)  # all of them: the pipe holds no more
        if channel in readable:
            self._receive()

    def _receive(self) -> None:
        message = self._channel.receive()
        if isinstance(message, messages.PermitGranted):
            self._has_permit = True
        elif message is None:  # end-of-file
            self._become_orphan()

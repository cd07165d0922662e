"""Signals as bytes on a descriptor that a loop can wait for.

Rules of this file:

1. Signal handlers do nothing. Python's C handler writes the signal's number as a byte to the
   wake-up descriptor, where it waits for the loop: no signal is lost between two turns, and no
   handler changes anything in the middle of a turn.
2. SIGTTOU is unblocked only while the supervisor waits. It has two senders: a person who wants
   fewer workers, and the terminal, which stops a background process that writes to it
   (``stty tostop``). A terminal lets a process write that blocks the signal; otherwise every log
   line would send it again.
3. All other signals are let in, whatever the launcher blocked: a blocked mask outlives an exec, and
   TERM would never arrive.
4. Meaningless signals have a handler too, or they would end the process. It is not "ignore", which
   programs that a task starts would inherit.
"""

from __future__ import annotations

# What ``signal`` wraps: it makes a member of an ``enum`` of each signal of the mask, at each turn.
import _signal  # type: ignore[import-not-found] # the standard library's, without stubs
import contextlib
import os
import signal
from typing import TYPE_CHECKING

from supervisor.ipc.conventions import MEANINGLESS_SIGNALS, SUPERVISOR_SIGNALS

if TYPE_CHECKING:
    import select
    from collections.abc import Iterator


_OF_TERMINAL = (signal.SIGTTOU,)  # rule 2

_HELD = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP)


def _do_nothing(_number: int, _frame: object) -> None:
    """A handler must exist, or the default action would end the process (rule 1)."""


def disregard_meaningless() -> None:
    """Let no meaningless signal end this process (rule 4)."""
    for each in MEANINGLESS_SIGNALS:
        signal.signal(each, _do_nothing)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, MEANINGLESS_SIGNALS)


def hold() -> None:
    """Let the signals that end or reload a program wait, from the start to the process's end.

    One that comes before the loop is there for its first turn. One after the loop would end the
    process before its exit code. They are not ignored: that would drop those that wait already.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _HELD)
    for each in _HELD:
        signal.signal(each, _do_nothing)


@contextlib.contextmanager
def wake_up() -> Iterator[int]:
    """A descriptor on which signals arrive as bytes; restores the old handlers."""
    # Not blocking: a handler must never wait for room in the pipe. If 64 KiB of bytes are unread, a
    # further one is lost, but the loop is awake anyway, and the same signals are in the pipe.
    reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    # All are blocked until the handlers are there: a pending TERM would end the process.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    handled = (*SUPERVISOR_SIGNALS, *MEANINGLESS_SIGNALS)
    before = {each: signal.signal(each, _do_nothing) for each in handled}
    old = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    signal.pthread_sigmask(signal.SIG_SETMASK, {signal.SIGTTOU})
    try:
        yield reader
    finally:
        signal.set_wakeup_fd(old)
        for each, handler in before.items():
            signal.signal(each, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        os.close(reader)
        os.close(writer)


def wait(poll: select.poll, milliseconds: int | None = None) -> None:
    """Wait for a descriptor or a signal; ``None`` waits without limit."""
    _signal.pthread_sigmask(signal.SIG_UNBLOCK, _OF_TERMINAL)
    try:
        poll.poll(milliseconds)  # a signal that came just before it has left its byte
    finally:
        _signal.pthread_sigmask(signal.SIG_BLOCK, _OF_TERMINAL)


def drain_bytes(reader: int) -> bytes:
    """The signals that have arrived on the wake-up descriptor, one byte each."""
    try:
        return os.read(reader, 4096)
    except BlockingIOError:
        return b""

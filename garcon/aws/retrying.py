"""Retries: a call repeated until SWF accepts it, and the pause of a loop whose poll failed.

Finished work must reach SWF, whatever the network does meanwhile; and a loop whose poll fails must
pause, or it spins.
"""

import time
from collections.abc import Callable
from typing import TypeVar

import msgspec

from garcon.aws import aws_errors
from garcon.aws.backoff import Backoff

T = TypeVar("T")

CALL_BACKOFF = Backoff(first=1.0, factor=2.0, cap=30.0)
"""A throttle refills hundreds of calls in a second; after an outage work goes on within half a
minute."""


class Clock(msgspec.Struct, frozen=True):
    """A source of time, and a way to let it pass; tests and virtual time bring their own.

    Attributes:
        now: Gives monotonic seconds.
        sleep: Lets so many seconds pass. ``False`` means that the process is to end: the retries
            stop.
    """

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], bool | None] = time.sleep


CLOCK = Clock()


def _ignore(_error: Exception, _wait: float) -> None:
    """No hook for retries."""


def call_until_accepted(
    call: Callable[[], T],
    timeout: float,
    on_retry: Callable[[Exception, float], object] = _ignore,
    *,
    clock: Clock = CLOCK,
    is_transient: Callable[[Exception], bool] = aws_errors.is_transient,
    backoff: Backoff = CALL_BACKOFF,
) -> T:
    """Repeat a call until it returns, with growing waits after transient errors.

    Args:
        call: The call to AWS.
        timeout: Seconds for all attempts together.
        on_retry: Called before each wait with the error and the seconds to wait, to log them.
        clock: Source of time; its ``sleep`` may end the retries, see ``Clock``.
        is_transient: Says which errors another attempt may cure.
        backoff: The waits.

    Returns:
        What the call returned.

    Raises:
        Exception: The call's last error, if it is permanent, the next wait would end after the
            timeout, or the clock's ``sleep`` returned ``False``.
    """
    deadline = clock.now() + timeout
    attempts = 0
    while True:
        try:
            return call()
        except aws_errors.ERRORS as error:
            attempts += 1
            wait = backoff.wait_after(attempts)
            if not is_transient(error) or clock.now() + wait > deadline:
                raise
            on_retry(error, wait)
            if clock.sleep(wait) is False:
                raise


class PollBackoff(msgspec.Struct):
    """Pauses of a polling loop: longer while its polls keep failing, none after a success.

    Attributes:
        clock: Source of time.
        backoff: The waits.
    """

    clock: Clock = CLOCK
    backoff: Backoff = CALL_BACKOFF
    _failures: int = 0

    def pause(self) -> None:
        """Wait after a failed poll."""
        self._failures += 1
        self.clock.sleep(self.backoff.wait_after(self._failures))

    def reset(self) -> None:
        """Start over: a poll succeeded."""
        self._failures = 0

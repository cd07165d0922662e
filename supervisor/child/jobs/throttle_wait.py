"""Waits of the startup jobs for throttled calls: a fleet that starts at once shares few calls.

The hosts of a fleet that start, or restart, in the same seconds list types and read histories at
the same time. The account's budgets then last for some of them, and the others have to wait a
minute, not to fail. A throttle also shows that address and credentials are right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from garcon.aws import aws_errors
from garcon.aws.retrying import Clock, call_until_accepted
from supervisor.child.poll_backoff import BACKOFF, OutageLog, retry_logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.child.shutdown import Shutdown

T = TypeVar("T")

THROTTLED_SECONDS = 100.0
"""Seconds for which one call is repeated: a little less than the core gives the whole job."""


class ThrottleWait:
    """Repeats calls while SWF is busy; other errors are the caller's.

    Args:
        what: What the job does, for the log: "registering shop in the domain d".
        shutdown: A request to leave ends the waits.
    """

    def __init__(self, what: str, shutdown: Shutdown) -> None:
        self._log_retry = retry_logger(what, OutageLog())
        self._clock = Clock(sleep=shutdown.wait)

    def call(self, attempt: Callable[[], T]) -> T:
        """The result of the call, once SWF takes it."""
        return call_until_accepted(
            attempt,
            THROTTLED_SECONDS,
            self._log_retry,
            clock=self._clock,
            is_transient=aws_errors.is_busy,
            backoff=BACKOFF,
        )

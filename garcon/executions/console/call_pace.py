"""The pace of calls whose account-wide allowance is small.

SWF allows an account 6 calls a second of the operations below (Developer Guide, quotas), and the
account's other programs live on the same allowance.
"""

import threading
from typing import Any

from garcon.aws.retrying import CLOCK, Clock
from garcon.executions.errors import RequestRefused

PACED = frozenset(
    {
        "CountClosedWorkflowExecutions",
        "CountOpenWorkflowExecutions",
        "CountPendingActivityTasks",
        "CountPendingDecisionTasks",
        "DescribeActivityType",
        "DescribeWorkflowExecution",
        "DescribeWorkflowType",
        "ListActivityTypes",
        "ListClosedWorkflowExecutions",
        "ListWorkflowTypes",
    }
)
"""Operations of 6 calls a second that the console uses or may come to use."""

INTERVAL = 0.5
"""Seconds from one call of an operation to the next: a third of the account's allowance."""

LONGEST_WAIT = 5.0
"""Seconds that a call waits for its turn before the viewer reads that there are too many."""


class ConsoleBusy(RequestRefused):
    """Too many calls of one operation wait for their turn."""


class CallPace:
    """Lets calls of an operation pass one after the other.

    Args:
        clock: Source of time.
    """

    def __init__(self, clock: Clock = CLOCK) -> None:
        self._clock = clock
        self._free_at: dict[str, float] = {}
        self._lock = threading.Lock()

    def install(self, client: Any) -> None:
        """Slow down the calls of a client of botocore; a fake client stays as it is."""
        if hasattr(client, "meta"):
            client.meta.events.register("before-call.swf", self._before_call)

    def wait_for_turn(self, operation: str) -> None:
        """Wait until a call of this operation may be sent.

        Raises:
            ConsoleBusy: That would take too long.
        """
        if operation in PACED:
            self._clock.sleep(self._reserve(operation))

    def _before_call(self, model: Any, **_: Any) -> None:
        self.wait_for_turn(model.name)

    def _reserve(self, operation: str) -> float:
        """Take the next turn; returns the seconds until then."""
        with self._lock:
            now = self._clock.now()
            turn = max(now, self._free_at.get(operation, now))
            if turn - now > LONGEST_WAIT:
                raise ConsoleBusy(
                    f"Too many calls of {operation} wait: the console sends at most "
                    f"{1 / INTERVAL:g} a second. Try again in some seconds.",
                    transient=True,
                )
            self._free_at[operation] = turn + INTERVAL
            return turn - now

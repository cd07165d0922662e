"""The budgets of a simulated account: the local SWF's token buckets, and the calls of each second.

A share scales the budgets, so that a small fleet meets what a large one meets.
"""

from __future__ import annotations

import enum
from collections import Counter, defaultdict
from math import inf
from typing import TYPE_CHECKING

from garcon.local.engine import throttle
from garcon.local.engine.throttle import Rate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from garcon.local.engine.entities import TokenBucket

POLL, DECISION_POLL = "PollForActivityTask", "PollForDecisionTask"
COMPLETE, FAIL = "RespondActivityTaskCompleted", "RespondActivityTaskFailed"
DECIDE = "RespondDecisionTaskCompleted"
HEARTBEAT = "RecordActivityTaskHeartbeat"
COUNT, DECISION_COUNT = "CountPendingActivityTasks", "CountPendingDecisionTasks"
HISTORY, LIST_OPEN = "GetWorkflowExecutionHistory", "ListOpenWorkflowExecutions"
TYPES = ("ListDomains", "ListWorkflowTypes", "ListActivityTypes")
"""The calls of a registrar when all types are registered, in their order."""

REPLAY = (LIST_OPEN, LIST_OPEN, *[HISTORY] * 20)
"""The calls of a replayer with ``--gate-replay open:20``, for histories of a page."""


class Reply(enum.Enum):
    """The outcome of a call."""

    ACCEPTED = enum.auto()
    THROTTLED = enum.auto()
    UNREACHABLE = enum.auto()


class Account:
    """One account: each operation has a bucket.

    Attributes:
        rates: The rate of each operation.
        calls: The calls of each second that reached SWF, by operation.
        refused: Those of them that SWF throttled.
        outages: Times at which SWF is not reached, as (begin, end).
    """

    def __init__(self, share: float = 1.0, outages: Iterable[tuple[float, float]] = ()) -> None:
        self.rates = {
            name: Rate(max(1.0, rate.size * share), rate.refill * share)
            for name, rate in throttle.ACCOUNT.items()
        }
        self.calls: defaultdict[str, Counter[int]] = defaultdict(Counter)
        self.refused: defaultdict[str, Counter[int]] = defaultdict(Counter)
        self.outages = tuple(outages)
        self._buckets: dict[str, TokenBucket] = {}
        self._next_outage = iter(self.outages)
        self._begins, self._ends = next(self._next_outage, (inf, inf))

    def is_down(self, now: float) -> bool:
        """Whether SWF is not reached; ``now`` never goes back."""
        while now >= self._ends:
            self._begins, self._ends = next(self._next_outage, (inf, inf))
        return now >= self._begins

    def call(self, operation: str, now: float) -> Reply:
        """One call."""
        if self.is_down(now):
            return Reply.UNREACHABLE
        second = int(now)
        self.calls[operation][second] += 1
        bucket, taken = throttle.take(self._buckets.get(operation), self.rates[operation], now)
        self._buckets[operation] = bucket
        if taken:
            return Reply.ACCEPTED
        self.refused[operation][second] += 1
        return Reply.THROTTLED

"""Demand of a fleet of equal hosts for the account's budgets, and the hosts that they carry. Pure.

Rules:

1. A budget is the rate at which SWF refills a bucket of the whole account (SWF Developer Guide,
   quotas). Each can be raised, by AWS.
2. The demand is that of the flow's settings: idle polls while nothing happens, heartbeats while
   every worker is busy. Real demand lies between; other flows of the account come on top.
3. A heartbeat is due in 0.625 of its timeout on average, and while SWF throttles in 0.875
   (``garcon/activity/heartbeat_pace.py``). A task that ends before its first one sends none, so
   this demand is the highest.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, inf
from typing import TYPE_CHECKING

from supervisor.config.call_budgets import REFILL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

POLLS, ANSWERS = REFILL["PollForActivityTask"], REFILL["RespondActivityTaskCompleted"]
HEARTBEATS, COUNTS = REFILL["RecordActivityTaskHeartbeat"], REFILL["CountPendingActivityTasks"]
"""Calls a second that SWF takes of an account, for each operation."""

COUNT_RATE = 1.0
"""Counts a second of all hosts together, at most (``supervisor/sidecars/count_pace.py``)."""

POLLERS = 1000.0
"""Polls that a task list may have open; SWF may refuse earlier (LimitExceeded)."""

POLL_SECONDS = 60.0
"""Seconds for which SWF holds a poll without a task."""

INTERVAL, THROTTLED_INTERVAL = 0.625, 0.875
"""Shares of the heartbeat timeout from one heartbeat to the next, on average."""


@dataclass(frozen=True)
class ListLoad:
    """One task list of each host.

    Attributes:
        name: Its name.
        decides: Whether it is the decider's.
        workers: Workers of a host.
        pollers: How many of them poll while none is busy.
        heartbeat_timeout: Seconds, for an activity's.
        own_lists: Lists of their own that idle workers poll as well: those of sticky deciders.
        counted: Whether its waiting tasks are counted, for ``--scale``.
    """

    name: str
    decides: bool
    workers: int
    pollers: int
    heartbeat_timeout: float = inf
    own_lists: int = 0
    counted: bool = False


@dataclass(frozen=True)
class Demand:
    """A fleet's demand of one budget.

    Attributes:
        what: The budget, and when the demand is this high.
        amount: The demand of all hosts.
        budget: What the account has, in the same unit.
        unit: The unit.
        grows: Whether more hosts demand more.
    """

    what: str
    amount: float
    budget: float
    unit: str
    grows: bool = True

    @property
    def share(self) -> float:
        """The part of the budget that is demanded."""
        return self.amount / self.budget

    def carried(self, hosts: int) -> float:
        """The hosts that the budget carries; ``inf`` if their number does not matter."""
        # A little more: 59,999.99… hosts are 60,000.
        return floor(hosts / self.share + 1e-6) if self.grows and self.amount else inf


def demands(hosts: int, lists: Sequence[ListLoad]) -> list[Demand]:
    """The demands of so many hosts, each with these lists.

    Args:
        hosts: Hosts of the fleet.
        lists: The lists of each host; without workers they demand nothing.
    """
    served = [each for each in lists if each.workers]
    return [*_polls(hosts, served), *_heartbeats(hosts, served), *_counts(served)]


def shortest_tasks(hosts: int, lists: Sequence[ListLoad]) -> float:
    """Seconds that tasks must last on average if all workers are to be busy at once.

    Each task costs a poll and an answer.
    """
    return hosts * sum(each.workers for each in lists if not each.decides) / min(POLLS, ANSWERS)


def _polls(hosts: int, lists: Sequence[ListLoad]) -> Iterator[Demand]:
    for decides, kind in ((False, "activity"), (True, "decision")):
        own = [each for each in lists if each.decides is decides]
        polls = sum(each.pollers + each.own_lists for each in own)
        yield Demand(f"{kind} polls, idle", hosts * polls / POLL_SECONDS, POLLS, "a second")
    if lists:
        most = max(lists, key=lambda each: each.pollers)
        yield Demand(f"open polls of {most.name}", hosts * most.pollers, POLLERS, "polls")


def _heartbeats(hosts: int, lists: Sequence[ListLoad]) -> Iterator[Demand]:
    rate = hosts * sum(each.workers / each.heartbeat_timeout for each in lists)
    yield Demand("heartbeats, all busy", rate / INTERVAL, HEARTBEATS, "a second")
    yield Demand("the same, throttled", rate / THROTTLED_INTERVAL, HEARTBEATS, "a second")


def _counts(lists: Sequence[ListLoad]) -> Iterator[Demand]:
    if any(each.counted for each in lists):
        yield Demand("counts of backlogs", COUNT_RATE, COUNTS, "a second", grows=False)

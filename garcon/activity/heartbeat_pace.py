"""The moments at which a task's heartbeats are due: by the time left to its deadline. Pure.

The deadline is one heartbeat timeout after the last heartbeat that SWF accepted, or after the
task's receipt.

Rules:

1. A heartbeat is due at a random moment between half and three quarters of the timeout after the
   last accepted one, so that tasks which began together do not call together. The first is due at
   a random moment from a tenth on; a shorter task costs no call.
2. A refused heartbeat is sent again after 10 to 30% of the time left to the deadline, each time:
   the nearer the deadline, the sooner. So the tasks that need a heartbeat most get what the account
   has left.
3. While SWF throttles heartbeats, all tasks of the host send theirs later, up to nine tenths of the
   timeout: the account pays for fewer, and none is late.
4. Less than a fiftieth of the timeout before the deadline, there is nothing left to try for. The
   next heartbeat finds out what SWF did with the task. It waits for one or two timeouts, because it
   takes from the budget that saves the other tasks.
5. An error that another attempt does not cure counts as no refusal of rule 2: the next heartbeat
   goes out as after an accepted one, while the deadline stays.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

FIRST = 0.1
"""Share of the timeout before which no first heartbeat is due."""

EARLIEST, LATEST = 0.5, 0.75
"""Shares of the timeout between which every other heartbeat is due."""

THROTTLED_EARLIEST, THROTTLED_LATEST = 0.85, 0.9
"""The same while heartbeats are throttled."""

SHORTEST_RETRY, LONGEST_RETRY = 0.1, 0.3
"""Shares of the time left to the deadline after which a refused heartbeat is sent again."""

TOO_LATE = 0.02
"""Share of the timeout; with less time left than this, no attempt is worth its call."""

Chance = Callable[[float, float], float]
"""Draws a number between two others, like ``random.uniform``."""


@dataclass
class HeartbeatPace:
    """The times of one task's heartbeats, in monotonic seconds.

    Attributes:
        timeout: The heartbeat timeout, in seconds.
        accepted_at: When the last accepted heartbeat was sent, or the task received.
        refusal: Why SWF refuses heartbeats since then; empty if it refused none.
        chance: The source of chance.
    """

    timeout: float
    accepted_at: float
    refusal: str = field(default="", init=False)
    # The module's own generator is seeded anew in each fork; one made here would not be.
    chance: Chance = random.uniform
    _from: float = field(init=False)
    _earliest: float = field(default=FIRST, init=False)
    _draw: float = field(init=False)
    _retry_at: float | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Draw the moment of the first heartbeat."""
        self._from = self.accepted_at
        self._draw = self.chance(0.0, 1.0)

    @property
    def deadline(self) -> float:
        """Time at which SWF times the task out, unless it accepts a heartbeat before."""
        return self.accepted_at + self.timeout

    def due(self, throttling: float) -> float:
        """Time at which the next heartbeat is due.

        Args:
            throttling: How much SWF throttles the host's heartbeats, from 0 to 1 (rule 3).
        """
        if self._retry_at is not None:
            return self._retry_at
        earliest = self._earliest + throttling * (THROTTLED_EARLIEST - self._earliest)
        latest = LATEST + throttling * (THROTTLED_LATEST - LATEST)
        return self._from + self.timeout * (earliest + self._draw * (latest - earliest))

    def note_accepted(self, sent_at: float) -> None:
        """SWF accepted a heartbeat that was sent at this time."""
        self.accepted_at, self.refusal = sent_at, ""
        self._begin_interval(sent_at)

    def note_refused(self, now: float, why: str) -> None:
        """SWF refused a heartbeat, or was not reached."""
        self.refusal = why
        left = self.deadline - now
        if left < self.timeout * TOO_LATE:
            self._retry_at = now + self.timeout * self.chance(1.0, 2.0)
        else:
            self._retry_at = now + left * self.chance(SHORTEST_RETRY, LONGEST_RETRY)

    def note_failed(self, now: float, why: str) -> None:
        """A heartbeat failed for a reason that another attempt does not cure (rule 5)."""
        self.refusal = why
        self._begin_interval(now)

    def explain_loss(self, now: float) -> str:
        """The part of refused heartbeats in the loss of the task; empty if they had none."""
        if not self.refusal or now < self.deadline:
            return ""
        return f"its heartbeats were refused for {now - self.accepted_at:.0f} s ({self.refusal})"

    def _begin_interval(self, now: float) -> None:
        self._from, self._earliest, self._retry_at = now, EARLIEST, None
        self._draw = self.chance(0.0, 1.0)

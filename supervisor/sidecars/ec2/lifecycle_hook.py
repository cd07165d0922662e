"""A termination hook's time: when its wait ends, and when the next heartbeat is due. Pure.

Rules:

1. The group waits ``heartbeat`` seconds from the start, and again from each heartbeat that it has
   accepted, but in all no longer than ``limit``: 48 hours, or 100 times the heartbeat timeout (EC2
   Auto Scaling user guide, "Amazon EC2 Auto Scaling lifecycle hooks").
2. The first heartbeat goes out at once and shows whether they are permitted. Then three go out in
   each heartbeat timeout: two may be lost. None goes out that would not move the end.
3. After a refused heartbeat the end stays where the accepted ones have put it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

SHORTEST_TIMEOUT = 30.0
"""Seconds of the shortest heartbeat timeout that EC2 allows: assumed where it cannot be read."""

LONGEST_WAIT, MOST_TIMEOUTS = 48 * 3600.0, 100
"""Bounds of the whole wait: seconds, and heartbeat timeouts."""

HEARTBEATS_PER_TIMEOUT = 3

RETRY_AFTER = 5.0
"""Seconds after which a heartbeat without a response is repeated."""


@dataclass(frozen=True)
class TerminationHook:
    """A termination hook; its times are seconds."""

    group: str
    name: str
    heartbeat: float = SHORTEST_TIMEOUT
    limit: float = SHORTEST_TIMEOUT * MOST_TIMEOUTS


def limit(heartbeat: float) -> float:
    """Seconds of the whole wait, at most."""
    return min(LONGEST_WAIT, heartbeat * MOST_TIMEOUTS)


class HookWait:
    """A group's wait at a hook. Times are monotonic seconds.

    Args:
        hook: The hook.
        since: When the wait began.
    """

    def __init__(self, hook: TerminationHook, since: float) -> None:
        self.hook = hook
        self.heartbeat_at = since  # when the next heartbeat is due; inf for never
        self._limit_at = since + hook.limit
        self._granted_until = since + hook.heartbeat
        self._is_refused = False
        self._interval = hook.heartbeat / HEARTBEATS_PER_TIMEOUT

    @property
    def ends_at(self) -> float:
        """Time at which the group ends its wait, if it accepts all further heartbeats."""
        return self._granted_until if self._is_refused else self._limit_at

    def accepted(self, now: float) -> None:
        """A heartbeat was accepted."""
        self._granted_until = min(now + self.hook.heartbeat, self._limit_at)
        at_limit = self._granted_until == self._limit_at
        self.heartbeat_at = inf if at_limit else now + self._interval

    def unanswered(self, now: float) -> None:
        """A heartbeat got no response: it may have been accepted or not."""
        self.heartbeat_at = now + min(RETRY_AFTER, self._interval)

    def refused(self) -> None:
        """A heartbeat was refused, and so will be all further ones."""
        self._is_refused, self.heartbeat_at = True, inf

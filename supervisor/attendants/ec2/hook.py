"""The clock of a termination hook: how long the group waits for us, and when to ask for more. Pure.

1. The group waits ``heartbeat`` seconds from the start, and again from each heartbeat that it has
   taken; in all no longer than ``limit``: 48 hours, or 100 times the heartbeat timeout (EC2 Auto
   Scaling user guide, "Amazon EC2 Auto Scaling lifecycle hooks").
2. A heartbeat goes out at once, which also tells whether it may, and then three times in the time
   that one buys: two may be lost. None goes out that could buy nothing more.
3. Refused heartbeats leave us the time that was bought already.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

LEAST = 30.0
"""Seconds of the shortest heartbeat timeout that there is: what holds where we may not ask."""

LONGEST, TIMES = 48 * 3600.0, 100

BEATS = 3
SOON = 5.0
"""Seconds after which a heartbeat is tried again whose answer was not to be had."""


@dataclass(frozen=True)
class Hook:
    """A termination hook; its times in seconds."""

    group: str
    name: str
    heartbeat: float = LEAST
    limit: float = LEAST * TIMES


def limit(heartbeat: float) -> float:
    """The longest that a group waits in all."""
    return min(LONGEST, heartbeat * TIMES)


class Waiting:
    """A group waits at a hook since ``since``, seconds on a clock that never goes back."""

    def __init__(self, hook: Hook, since: float) -> None:
        self.hook = hook
        self._last = since + hook.limit
        self._bought = since + hook.heartbeat
        self._refused = False
        self.beat_at = since

    @property
    def ends(self) -> float:
        """When the group goes on without us."""
        return self._bought if self._refused else self._last

    def beaten(self, now: float) -> None:
        """A heartbeat was taken."""
        self._bought = min(now + self.hook.heartbeat, self._last)
        self.beat_at = inf if self._bought == self._last else now + self.hook.heartbeat / BEATS

    def missed(self, now: float) -> None:
        """Nobody knows what became of a heartbeat."""
        self.beat_at = now + min(SOON, self.hook.heartbeat / BEATS)

    def refuse(self) -> None:
        """No heartbeat will be taken."""
        self._refused, self.beat_at = True, inf

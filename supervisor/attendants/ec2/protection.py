"""When to protect the instance from scale-in: while tasks are in hand. Pure.

1. At most one call a minute, but for the last one: nobody is left protected by who is gone.
2. Protected as soon as a task is seen in hand; not any more when none was seen for a minute, so
   that a pool that takes task after task stays as it is.
3. What the group says at the start is believed; until then it counts as not protected.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

MINUTE = 60.0
"""Seconds between two calls, and of idling before the protection is taken away."""


@dataclass
class Protection:
    """One instance's, as far as we know."""

    on: bool = False
    asked_at: float = -inf
    busy_at: float = -inf

    def wish(self, in_hand: int, now: float) -> bool | None:
        """Whether it is to be on or off from now on; None to leave it."""
        if in_hand:
            self.busy_at = now
        wanted = now - self.busy_at < MINUTE
        if wanted == self.on or now - self.asked_at < MINUTE:
            return None
        self.asked_at = now
        return wanted

    def last_wish(self) -> bool | None:
        """The same at our end."""
        return False if self.on else None

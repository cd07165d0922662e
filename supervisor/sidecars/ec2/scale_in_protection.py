"""Scale-in protection of the instance while tasks are in progress. Pure.

Rules:

1. At most one call a minute, except for the last: no instance stays protected after its supervisor.
2. Protection starts with the first task seen in progress. It ends when none was seen for a minute,
   so a pool that takes task after task stays protected.
3. The group's own record holds at the start; until it is known the instance counts as unprotected.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

MINUTE = 60.0
"""Seconds between two calls, and without a task before the protection ends."""


@dataclass
class ScaleInProtection:
    """One instance's protection, as far as known."""

    on: bool = False
    requested_at: float = -inf
    busy_at: float = -inf

    def due_change(self, in_progress: int, now: float) -> bool | None:
        """The state to request now; ``None`` to leave it."""
        if in_progress:
            self.busy_at = now
        desired = now - self.busy_at < MINUTE
        if desired == self.on or now - self.requested_at < MINUTE:
            return None
        self.requested_at = now
        return desired

    def last_change(self) -> bool | None:
        """The state to request when the sidecar ends; ``None`` to leave it."""
        return False if self.on else None

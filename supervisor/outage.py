"""When SWF does not answer: how long to rest, and which lines to write.

Rules of this file:

1. Rests grow and are jittered, so that a fleet that lost its endpoint does not come back as one
   wave; the cap is small enough that all are polling again within seconds of its return.
2. One line when the trouble begins, one a minute while it lasts, one when it ends.
3. Pure: the clock and the dice are given.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

FIRST_REST = 0.25
"""Seconds: a hiccup costs little, and a worker that fails at once still makes few calls."""

LONGEST_REST = 8.0
"""Seconds: 64 workers then make at most 16 calls a second, and are back within eight."""

LINE_EVERY = 60.0
"""Seconds between lines while trouble lasts."""


@dataclass
class Outage:
    """One worker's view of a stretch of failing polls."""

    dice: random.Random
    began: float | None = field(default=None, init=False)
    _fails: int = field(default=0, init=False)
    _said: float = field(default=0.0, init=False)

    def failed(self, now: float) -> tuple[float, bool]:
        """A poll failed: seconds to rest, and whether to write a line about it."""
        speak = self.began is None or now - self._said >= LINE_EVERY
        if self.began is None:
            self.began = now
        if speak:
            self._said = now
        rest = min(LONGEST_REST, FIRST_REST * 2.0 ** min(self._fails, 16))
        self._fails += 1
        # Half of it is dice: enough to spread a fleet, and never a rest near zero.
        return rest * self.dice.uniform(0.5, 1.0), speak

    def over(self, now: float) -> float | None:
        """A poll succeeded: seconds that the trouble lasted, None if there was none."""
        if self.began is None:
            return None
        lasted = now - self.began
        self.began, self._fails = None, 0
        return lasted

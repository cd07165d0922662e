"""The wait before the next attempt, longer after every failure.

Rules:

1. The first wait is ``first``; each further failure multiplies it by ``factor``, up to ``cap``.
2. ``jitter`` is the share of a wait that chance takes away: with 0.5 a wait lies between half of it
   and all of it. Clients that failed together then do not come back together. Jitter never adds, so
   ``cap`` is a promise; below 1 it leaves a rest, so a failing client never spins.
3. Without a failure there is no wait.
4. Pure: the caller counts the failures and passes the source of chance, so a run can be repeated.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from random import Random


class Backoff(msgspec.Struct, frozen=True):
    """Waits that grow with the number of failed attempts.

    Attributes:
        first: Seconds of the first wait.
        factor: Growth from one wait to the next; 1 or more.
        cap: Seconds of the longest wait.
        jitter: Share of a wait, 0 to 1, that chance may take away.
    """

    first: float
    factor: float
    cap: float
    jitter: float = 0.5

    def wait_after(self, attempts: int, random: Random) -> float:
        """Seconds to wait after this many failed attempts in a row; 0.0 after none."""
        return self._full_wait(attempts) * random.uniform(1.0 - self.jitter, 1.0)

    def longest_wait(self, random: Random) -> float:
        """Seconds of the longest wait: that of an attempt known to be hopeless for now."""
        return self.cap * random.uniform(1.0 - self.jitter, 1.0)

    def _full_wait(self, attempts: int) -> float:
        if attempts <= 0:
            return 0.0
        try:
            # Not ``**``: between two integers it would build a number of as many digits.
            return min(self.cap, self.first * math.pow(self.factor, attempts - 1))
        except OverflowError:
            return self.cap

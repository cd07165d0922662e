"""The wait before the next attempt, longer after every failure.

Rules:

1. The first wait is ``first`` seconds; each further failure multiplies it by ``factor``, up to
   ``cap``.
2. ``jitter`` is the share of a wait that chance takes away: with 0.5 a wait lies between half of it
   and all of it, so clients that failed together do not come back together. Jitter never adds, so
   ``cap`` is a promise.
3. Without a failure there is no wait.
4. Pure: the caller counts the failures and lets the time pass.
"""

import math
import random as process_random
from random import Random

import msgspec


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

    def wait_after(self, attempts: int, random: Random | None = None) -> float:
        """Seconds to wait after this many failed attempts in a row; 0.0 after none.

        Args:
            attempts: Failed attempts so far.
            random: Source of chance; the ``random`` module's own if not given.
        """
        # The module's own generator is seeded anew in each fork; one made here would not be, and
        # all workers of a zygote would draw the same waits.
        draw = process_random.uniform if random is None else random.uniform
        return self._full_wait(attempts) * draw(1.0 - self.jitter, 1.0)

    def _full_wait(self, attempts: int) -> float:
        if attempts <= 0:
            return 0.0
        try:
            # Not ``**``: between two integers it would build a number of as many digits.
            return min(self.cap, self.first * math.pow(self.factor, attempts - 1))
        except OverflowError:
            return self.cap

"""Trying again: growing, jittered rests, and a call that is repeated until it is accepted.

Work that is done must reach SWF, whatever the network does meanwhile; and a loop whose poll fails
must rest, or it spins. Rests are drawn at random below a doubling bound, so that many workers that
failed together do not come back together.
"""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from garcon.trouble import ERRORS, is_passing

T = TypeVar("T")

FIRST_REST = 1.0  # seconds; SWF's throttles refill hundreds of calls in that time
LONGEST_REST = 30.0  # seconds; after an outage work is seen again within half a minute


def rests(draw: Callable[[], float] = random.random) -> Iterator[float]:
    """Seconds to wait before each further try; at least half of a bound that doubles.

    Args:
        draw: A number from 0 up to 1.
    """
    bound = FIRST_REST
    while True:
        yield bound * (0.5 + draw() / 2)
        bound = min(bound * 2, LONGEST_REST)


@dataclass(frozen=True)
class Clock:
    """The time (seconds, monotonic), and how to let it pass; tests bring their own."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


CLOCK = Clock()


def insist(
    send: Callable[[], T],
    deadline: float,
    tell: Callable[[Exception, float], None],
    clock: Clock = CLOCK,
    passes: Callable[[BaseException], bool] = is_passing,
) -> T:
    """Call until it returns; passing troubles are rested on.

    Args:
        send: The call.
        deadline: When to give up, by the clock.
        tell: Hears each trouble and the rest that follows.
        clock: The time.
        passes: Which troubles count as passing.

    Returns:
        What the call returned.

    Raises:
        Exception: The call's own error, if it is permanent or the deadline is too near.
    """
    for rest in rests():
        try:
            return send()
        except ERRORS as error:
            if not passes(error) or clock.now() + rest > deadline:
                raise
            tell(error, rest)
            clock.sleep(rest)
    raise AssertionError("rests never end")


@dataclass
class Patience:
    """Rests that grow while a loop's poll keeps failing, and start over once it succeeds."""

    clock: Clock = CLOCK
    _rests: Iterator[float] = field(default_factory=rests)

    def rest(self) -> None:
        """The poll failed: wait."""
        self.clock.sleep(next(self._rests))

    def reset(self) -> None:
        """The poll succeeded."""
        self._rests = rests()

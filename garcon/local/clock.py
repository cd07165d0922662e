"""Whose time it is: the wall's, or a time of our own that stands still until it is moved.

A virtual clock never flows. Deadlines then do not depend on how quick the machine is, and whoever
works on a task has all the time in the world; somebody who knows that nobody works moves it.
"""

import math
import time
from typing import Protocol


class Clock(Protocol):
    """What tells the time, in seconds since the epoch."""

    virtual: bool
    """Whether it stands still unless moved."""

    def now(self) -> float:
        """The time."""
        ...


PASSING = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""The clock that nobody sets; on Linux it goes on while a laptop sleeps."""


class WallClock:
    """The machine's time when it was made, or `start` if that is later, and what has passed since.

    An engine's time does not go back, and what was served with virtual time may be in the future:
    the time goes on from there. Nor does it follow when the machine's clock is set: what is due in
    a minute stays due in a minute.
    """

    virtual = False

    def __init__(self, start: float = 0.0) -> None:
        self._origin = max(start, time.time()) - time.clock_gettime(PASSING)

    def now(self) -> float:
        """The time."""
        return self._origin + time.clock_gettime(PASSING)


class VirtualClock:
    """A time that stands still until it is moved."""

    virtual = True

    def __init__(self, start: float) -> None:
        self._now = start

    def now(self) -> float:
        """The time."""
        return self._now

    def move_to(self, moment: float) -> None:
        """Go to a moment; one that has passed changes nothing."""
        self._now = max(self._now, moment)


IDLE_WINDOWS = 3
"""Windows of polls that end in vain, one after the other, before the time jumps beyond them. Less,
and a test that polls once to see that there is nothing would find its executions timed out; more,
and a timer of a year would cost more empty polls."""


class Leaps:
    """How far a virtual clock may jump, once everybody waits.

    At first to the next thing due, which may be the end of a poll's window: nobody waits longer
    than in the service. When some windows have ended with nothing in between, those who poll do
    nothing else: then the time jumps to the next thing due that is no such end, and the polls that
    would have come and gone until then are spared.
    """

    def __init__(self) -> None:
        self._in_vain = 0

    def happened(self) -> None:
        """Somebody did something, or was given something to do."""
        self._in_vain = 0

    def target(self, work: float, window: float) -> float:
        """Where to jump: `work` is due next, `window` is the next end of a poll's window."""
        is_spared = self._in_vain >= IDLE_WINDOWS and work < math.inf
        return work if is_spared else min(work, window)

    def jumped(self, work: float, target: float) -> None:
        """The clock was moved to a target."""
        if target < work:
            self._in_vain += 1

"""The clocks of a service: the machine's time, or a virtual time that stands still until moved.

With a virtual clock, deadlines do not depend on the speed of the machine, and a worker has all the
time it needs for a task; the clock is moved only when no worker is busy.
"""

import math
import time
from typing import Protocol


class ServiceClock(Protocol):
    """A clock, in seconds since the epoch."""

    virtual: bool
    """Whether the time stands still until it is moved."""

    def now(self) -> float:
        """The time."""
        ...


STEADY_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""The clock that cannot be set; on Linux it goes on while a laptop sleeps."""


class WallClock:
    """The machine's time at its creation, or `start` if that is later, and what passes since.

    An engine's time never goes back, and a state that was served with virtual time may be in the
    future: the time goes on from there. It does not follow when the machine's clock is set, so a
    deadline a minute ahead stays a minute ahead.
    """

    virtual = False

    def __init__(self, start: float = 0.0) -> None:
        self._origin = max(start, time.time()) - time.clock_gettime(STEADY_CLOCK)

    def now(self) -> float:
        """The time."""
        return self._origin + time.clock_gettime(STEADY_CLOCK)


class VirtualClock:
    """A time that stands still until it is moved."""

    virtual = True

    def __init__(self, start: float) -> None:
        self._now = start

    def now(self) -> float:
        """The time."""
        return self._now

    def move_to(self, moment: float) -> None:
        """Move the time forward to a moment; an earlier moment changes nothing."""
        self._now = max(self._now, moment)


IDLE_WINDOWS = 3
"""Empty poll windows in a row before the time jumps beyond further ones. With fewer, a test that
polls once to see an empty list would find its executions timed out; with more, a timer of a year
would cost more empty polls."""


class TimeJumps:
    """The distance that a virtual clock may jump while all clients wait.

    A jump goes to the next due time, which may be the end of a poll window: no client waits longer
    than in the service. After some empty windows in a row the clients only poll; then a jump goes
    to the next due work, past the ends of windows, and the polls in between are saved.
    """

    def __init__(self) -> None:
        self._empty_windows = 0

    def note_activity(self) -> None:
        """Note that a client changed something or was given a task."""
        self._empty_windows = 0

    def target(self, work: float, window: float) -> float:
        """The time to jump to: `work` is due next, or `window` is the next end of a window."""
        skips_windows = self._empty_windows >= IDLE_WINDOWS and work < math.inf
        return work if skips_windows else min(work, window)

    def note_jump(self, work: float, target: float) -> None:
        """Note that the clock was moved to the target."""
        if target < work:
            self._empty_windows += 1

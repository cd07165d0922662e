"""Whose time it is: the wall's, or a time of our own that stands still until it is moved.

A virtual clock never flows. Deadlines then do not depend on how quick the machine is, and whoever
works on a task has all the time in the world; somebody who knows that nobody works moves it.
"""

import time
from typing import Protocol


class Clock(Protocol):
    """What tells the time, in seconds since the epoch."""

    virtual: bool
    """Whether it stands still unless moved."""

    def now(self) -> float:
        """The time."""
        ...


class WallClock:
    """The machine's time, but never earlier than `start`: an engine's time does not go back."""

    virtual = False

    def __init__(self, start: float = 0.0) -> None:
        self._start = start

    def now(self) -> float:
        """The time."""
        return max(self._start, time.time())


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

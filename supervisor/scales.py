"""How big the working workers are: looked at from outside, for a task that does not come to an end.

Once a second, and only while there is a hard limit and somebody works: a worker that waits for a
task looks at itself (``share``).
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from supervisor.memory import resident
from supervisor.messages import TooBig

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from supervisor.children import Child

EVERY = 1.0
"""Seconds between two looks: what fills a host's memory quicker is the OOM killer's."""


class Scales:
    """Weighs who works.

    Args:
        limit: Bytes that a worker may hold; ``None`` for no limit.
        memory: Tells the bytes that a process holds.
    """

    def __init__(self, limit: int | None, memory: Callable[[int], int] = resident) -> None:
        self._limit = limit
        self._memory = memory
        self._next = 0.0

    def use(self, limit: int | None) -> None:
        """This is the limit from now on."""
        self._limit = limit

    def next_look(self, children: Iterable[Child]) -> float:
        """When to look again, in monotonic seconds; ``inf`` while there is nobody to look at."""
        if self._limit is None or not any(_works(each) for each in children):
            return inf
        return self._next

    def look(self, children: Iterable[Child], now: float) -> list[TooBig]:
        """Who is too big, if it is time to look."""
        if self._limit is None or now < self._next:
            return []
        self._next = now + EVERY
        return [found for child in children if _works(child) for found in self._weigh(child)]

    def _weigh(self, child: Child) -> list[TooBig]:
        held = self._memory(child.pid or 0)
        return [TooBig(int(child.key), held)] if held > (self._limit or 0) else []


def _works(child: Child) -> bool:
    return child.working and not child.killed and child.pid is not None

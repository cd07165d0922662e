"""Virtual time: what is due next happens next."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class VirtualTime:
    """A clock that jumps from one happening to the next."""

    def __init__(self) -> None:
        self.now = 0.0
        self._due: list[tuple[float, int, Callable[..., object], tuple[Any, ...]]] = []
        self._order = 0

    def later(self, seconds: float, do: Callable[..., object], *args: Any) -> None:
        """Do this after so many seconds."""
        self._order += 1
        heapq.heappush(self._due, (self.now + seconds, self._order, do, args))

    def run(self, until: float) -> None:
        """Let everything happen that is due until then."""
        due = self._due
        while due and due[0][0] <= until:
            self.now, _, do, args = heapq.heappop(due)
            do(*args)
        self.now = until

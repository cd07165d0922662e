"""A wakeup for the heartbeat thread by which tests decide when its waits pass."""

from __future__ import annotations

import contextlib
import queue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT = 10.0  # seconds that a test waits for the other thread


class ManualWakeup:
    """A wakeup whose waits pass when the test lets them, and a clock that they move.

    Args:
        seconds: Called with the seconds of each wait that passes.
    """

    def __init__(self, seconds: Callable[[float], None] = lambda _: None) -> None:
        self._seconds = seconds
        self._now = 0.0
        self._waits: queue.SimpleQueue[float] = queue.SimpleQueue()
        self._over: queue.SimpleQueue[None] = queue.SimpleQueue()  # passed, or woken

    def now(self) -> float:
        return self._now

    def wait(self, timeout: float) -> None:
        self._waits.put(timeout)
        with contextlib.suppress(queue.Empty):  # its test is over
            self._over.get(timeout=LIMIT)

    def set(self) -> None:
        self._over.put(None)

    def clear(self) -> None:
        pass

    def passes(self) -> None:
        """Let one wait pass; the heartbeat before it has been sent."""
        seconds = self._waits.get(timeout=LIMIT)
        self._now += seconds
        self._seconds(seconds)
        self._over.put(None)

    def waits(self) -> None:
        """Block until the next wait begins: the heartbeat before it has been sent then."""
        self._waits.put(self._waits.get(timeout=LIMIT))

    def passes_for(self, heartbeats: int) -> None:
        """Let the time of so many heartbeats pass; the thread wakes once before the first."""
        for _ in range(1 + heartbeats):
            self.passes()
        self.waits()

"""The memory of working workers, checked from outside, so that a runaway task can be killed.

Once a second, and only while there is a hard limit and a worker works. A worker between two tasks
checks its own memory (``child.worker_limits``).
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from supervisor.ipc.messages import MemoryExceeded
from supervisor.process_memory import resident

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from supervisor.parent.process_table import Child

INTERVAL = 1.0
"""Seconds between two checks; a task that fills a host faster is left to the OOM killer."""


class MemoryWatchdog:
    """Finds workers above the hard limit.

    Args:
        limit: Resident bytes that a worker may have; ``None`` for no limit.
        memory: The resident bytes of a process.
    """

    def __init__(self, limit: int | None, memory: Callable[[int], int] = resident) -> None:
        self.limit = limit
        self._memory = memory
        self._next = 0.0

    def next_check(self, children: Iterable[Child]) -> float:
        """Time at which ``check`` is due, on the shell's clock; ``inf`` while no worker works."""
        if self.limit is None or not any(_is_checked(child) for child in children):
            return inf
        return self._next

    def check(self, children: Iterable[Child], now: float) -> list[MemoryExceeded]:
        """The workers above the limit, if a check is due."""
        if self.limit is None or now < self._next:
            return []
        self._next = now + INTERVAL
        sizes = {
            child.key: self._memory(child.pid or 0) for child in children if _is_checked(child)
        }
        return [
            MemoryExceeded(int(worker), size) for worker, size in sizes.items() if size > self.limit
        ]


def _is_checked(child: Child) -> bool:
    return child.working and not child.killed and child.pid is not None

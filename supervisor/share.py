"""A worker's share: how many tasks it does, and how big it grows, before it asks to be replaced.

It looks between tasks, and goes on until it is told to leave. Each worker draws its own share,
a tenth below the limit at most, so that seats that were filled together do not recycle together.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from supervisor.memory import resident

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

SPREAD = 0.1
"""Part of the limit that the dice may take off: enough to spread a pool, too little to matter."""


class Share:
    """What one worker may do.

    Args:
        max_tasks: Tasks; ``None`` for no end.
        max_memory: Bytes; ``None`` for no bound.
        dice: For this worker's own share.
        memory: Tells the bytes that a process holds.
    """

    def __init__(
        self,
        max_tasks: int | None,
        max_memory: int | None,
        dice: random.Random,
        memory: Callable[[int], int] = resident,
    ) -> None:
        part = dice.uniform(1 - SPREAD, 1)
        self._tasks = None if max_tasks is None else max(1, round(max_tasks * part))
        self._bytes = None if max_memory is None else int(max_memory * part)
        self._memory = memory
        self._done = 0
        self._asked = False

    def spent(self) -> str:
        """A task is done: why the worker asks to be replaced, once; else nothing."""
        self._done += 1
        why = "" if self._asked else self._why()
        self._asked = self._asked or bool(why)
        return why

    def _why(self) -> str:
        if self._tasks is not None and self._done >= self._tasks:
            return f"it has done {self._done} tasks"
        if self._bytes is not None and (held := self._memory(os.getpid())) >= self._bytes:
            return f"it holds {held >> 20} MiB of memory"
        return ""

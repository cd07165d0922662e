"""A worker's limits: the tasks it does and the memory it holds before it asks to be replaced.

Rules:

1. Both are checked between tasks. The worker asks once, and serves on until it is asked to leave.
2. Each worker draws limits of its own, at most a tenth below the settings', so that slots that were
   filled together do not recycle together.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from supervisor.process_memory import resident

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

SPREAD = 0.1
"""Share of a limit that the draw may take off: enough to spread a pool, too little to matter."""


class WorkerLimits:
    """One worker's limits.

    Args:
        max_tasks: Tasks; ``None`` for no limit.
        max_memory: Bytes; ``None`` for no limit.
        jitter: The source of this worker's draw.
        memory: Returns the bytes that the process of a pid holds.
    """

    def __init__(
        self,
        max_tasks: int | None,
        max_memory: int | None,
        jitter: random.Random,
        memory: Callable[[int], int] = resident,
    ) -> None:
        share = jitter.uniform(1 - SPREAD, 1)
        self._max_tasks = None if max_tasks is None else max(1, round(max_tasks * share))
        self._max_memory = None if max_memory is None else int(max_memory * share)
        self._memory = memory
        self._tasks = 0
        self._has_asked = False

    def reason_to_leave(self) -> str:
        """Count a task that is done; returns the limit reached, the first time, else nothing."""
        self._tasks += 1
        reason = "" if self._has_asked else self._reached()
        self._has_asked = self._has_asked or bool(reason)
        return reason

    def _reached(self) -> str:
        if self._max_tasks is not None and self._tasks >= self._max_tasks:
            return f"task limit reached, {self._tasks} done"
        if self._max_memory is not None and (held := self._memory(os.getpid())) >= self._max_memory:
            return f"memory limit reached, {held >> 20} MiB held"
        return ""

"""The meter of a child: counts into memory that the supervisor reads (``counter_table``).

A process that a task forks does not count: it would write over what its worker counts.
"""

from __future__ import annotations

import os
import time
from bisect import bisect_left
from typing import TYPE_CHECKING

from garcon.aws import usage
from supervisor.ipc.messages.tallies import (
    BOUNDS,
    DECISION_BOUNDS,
    LOOKED_AT,
    OPEN,
    SAMPLED_AT,
    Row,
    Sampled,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from supervisor.ipc.counter_table import CounterTable

FETCHED, STORED = "fetched", "stored"
KEPT, READ = "kept", "read"


class WorkerMeter:
    """Counts what one child does (``usage.Meter``).

    Args:
        table: Its counters.
        task_list: The list that it serves; empty if it serves none.
    """

    def __init__(self, table: CounterTable, task_list: str = "") -> None:
        self._table = table
        self._task_list = task_list

    def note_call(self, operation: str, result: usage.CallResult) -> None:
        """One attempt at a call to SWF."""
        self._table.add((Row.CALLS, operation, result))
        if operation == usage.HEARTBEAT and self._task_list:
            self._table.add((Row.HEARTBEATS, self._task_list, result))

    def note_history(self, events: int, *, is_continued: bool | None) -> None:
        """A decider has read so many events."""
        self._table.add((Row.EVENTS,), events)
        if is_continued is not None:
            self._table.add((Row.STATES, KEPT if is_continued else READ))

    def note_decision(self, seconds: float) -> None:
        """A decider has read and decided for so long."""
        self._observe((Row.DECISIONS,), DECISION_BOUNDS, seconds)

    def note_wait(self, task_list: str, seconds: float) -> None:
        """An activity task has waited for a worker of its list."""
        self._observe((Row.WAITS, task_list), BOUNDS, seconds)

    def note_stored_claim(self, size: int) -> None:
        """A text of so many bytes is in the claim store now."""
        self._table.observe((Row.CLAIMS, STORED), 2, 0, size)

    def note_fetched_claim(self, size: int) -> None:
        """A text of so many bytes was read from the claim store."""
        self._table.observe((Row.CLAIMS, FETCHED), 2, 0, size)

    def note_sample(self, open_ones: int, looked_at: int, causes: Mapping[str, int]) -> None:
        """A look at executions is over."""
        known = {cause: causes.get(cause, 0) for cause in Sampled}
        facts = {OPEN: open_ones, LOOKED_AT: looked_at, SAMPLED_AT: time.monotonic()}
        for label, value in (known | facts).items():
            self._table.put((Row.SAMPLE, label), value)

    def _observe(self, key: tuple[str, ...], bounds: tuple[float, ...], seconds: float) -> None:
        # One number for each bound, one for longer times, and the sum.
        self._table.observe(key, len(bounds) + 2, bisect_left(bounds, seconds), seconds)


def start(table: CounterTable, task_list: str = "") -> None:
    """Count what this process does from now on."""
    usage.meter = WorkerMeter(table, task_list)
    os.register_at_fork(after_in_child=_stop)


def _stop() -> None:
    usage.meter = None

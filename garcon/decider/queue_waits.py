"""Waits of activity tasks for a worker: from being scheduled to being started.

A worker cannot know it, because a poll brings no time of scheduling. The history has both times, by
SWF's clock, and the decider reads them anyway. A task that is never started has no such time.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from garcon.history.event_types import member_of, timestamp_of

Event = Mapping[str, Any]

_LEAVES_QUEUE = frozenset({"ActivityTaskStarted", "ActivityTaskTimedOut", "ActivityTaskCanceled"})


@dataclass(frozen=True, slots=True)
class QueueWait:
    """The wait of one task.

    Attributes:
        event_id: Number of its ActivityTaskStarted event.
        task_list: The list in which it waited.
        seconds: How long.
    """

    event_id: int
    task_list: str
    seconds: float


@dataclass
class QueuedTasks:
    """The tasks of one execution that wait for a worker, as far as its events were folded."""

    _scheduled: dict[int, tuple[str, float]] = field(default_factory=dict)

    def fold(self, events: Iterable[Event]) -> list[QueueWait]:
        """Take the next events; the waits that they end."""
        ended: list[QueueWait] = []
        for event in events:
            kind = event["eventType"]
            if kind == "ActivityTaskScheduled":
                name = event.get(member_of(kind), {}).get("taskList", {}).get("name", "")
                self._scheduled[event["eventId"]] = name, timestamp_of(event)
            elif kind in _LEAVES_QUEUE:
                number = event.get(member_of(kind), {}).get("scheduledEventId", 0)
                task_list, since = self._scheduled.pop(number, ("", 0.0))
                if task_list and kind == "ActivityTaskStarted":
                    wait = max(0.0, timestamp_of(event) - since)
                    ended.append(QueueWait(event["eventId"], task_list, wait))
        return ended

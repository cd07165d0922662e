"""Waits of activity tasks, by a history's events."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from garcon.decider.queue_waits import QueuedTasks, QueueWait

Event = dict[str, Any]


def scheduled(number: int, at: float) -> Event:
    """An ActivityTaskScheduled event."""
    return {
        "eventId": number,
        "eventType": "ActivityTaskScheduled",
        "eventTimestamp": at,
        "activityTaskScheduledEventAttributes": {"taskList": {"name": "album_resize"}},
    }


def following(kind: str, number: int, of: int, at: float) -> Event:
    """An event of a scheduled activity."""
    member = f"{kind[0].lower()}{kind[1:]}EventAttributes"
    members = {"scheduledEventId": of}
    return {"eventId": number, "eventType": kind, "eventTimestamp": at, member: members}


HISTORY = [
    scheduled(5, 100.0),
    scheduled(6, 100.0),
    scheduled(7, 100.0),
    following("ActivityTaskStarted", 8, 6, 101.5),
    following("ActivityTaskCompleted", 9, 6, 103.0),
    following("ActivityTaskTimedOut", 10, 7, 160.0),
    following("ActivityTaskStarted", 11, 5, 190.0),
]


def test_a_wait_is_from_the_scheduling_to_the_start() -> None:
    """A task that timed out in its queue has none, nor one that still waits."""
    assert QueuedTasks().fold(HISTORY) == [
        QueueWait(8, "album_resize", 1.5),
        QueueWait(11, "album_resize", 90.0),
    ]


@given(st.integers(0, len(HISTORY)))
def test_the_fold_goes_on_where_it_stopped(cut: int) -> None:
    """Wherever the decisions fall, each wait ends once."""
    queued = QueuedTasks()
    parts = queued.fold(HISTORY[:cut]) + queued.fold(HISTORY[cut:])
    assert parts == QueuedTasks().fold(HISTORY)


def test_a_start_whose_scheduling_was_never_seen_has_no_wait() -> None:
    """A flow may be handed a part of a history."""
    assert QueuedTasks().fold(HISTORY[3:4]) == []

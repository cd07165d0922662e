"""Histories become lines and counts; each event is read once."""

from __future__ import annotations

import datetime as dt
from typing import Any

from supervisor.attendants.progress import Execution, State

BEGAN = dt.datetime(2026, 11, 23, 10, 0, 0, tzinfo=dt.UTC)


def event(number: int, kind: str, seconds: float = 0.0, **told: Any) -> dict[str, Any]:
    """A history event as boto3 gives it."""
    return {
        "eventId": number,
        "eventType": kind,
        "eventTimestamp": BEGAN + dt.timedelta(seconds=seconds),
        f"{kind[0].lower()}{kind[1:]}EventAttributes": told,
    }


HISTORY = [
    event(1, "WorkflowExecutionStarted"),
    event(2, "DecisionTaskScheduled"),
    event(5, "ActivityTaskScheduled", activityId="make-1", activityType={"name": "shop_make"}),
    event(6, "ActivityTaskStarted", 1.0, scheduledEventId=5, identity="host:7:activity"),
    event(7, "ActivityTaskFailed", 1.5, scheduledEventId=5, startedEventId=6, reason="no beans"),
    event(11, "ActivityTaskScheduled", 2, activityId="make-1", activityType={"name": "shop_make"}),
    event(12, "ActivityTaskTimedOut", 3, scheduledEventId=11, timeoutType="SCHEDULE_TO_START"),
    event(16, "WorkflowExecutionFailed", 4.0, reason="gave up"),
]


def test_lines_tell_what_people_ask_about() -> None:
    """Start, each activity's end with who and how long, and the close, with their reasons."""
    execution = Execution("order-1", "run")
    assert execution.read(HISTORY) == [
        "order-1  started",
        "order-1  make-1  failed (0.50 s by host:7:activity): no beans",
        "order-1  make-1  timed out (never started): SCHEDULE_TO_START",
        "order-1  failed after 4.00 s: gave up",
    ]
    assert (execution.closed, execution.why) == ("failed", ": gave up")


def test_events_are_read_once() -> None:
    """A second look at the same history tells nothing, and a longer one only what is new."""
    execution = Execution("order-1", "run")
    execution.read(HISTORY[:4])
    assert execution.states() == {("shop_make", State.STARTED): 1}
    assert execution.read(HISTORY[:4]) == []
    assert len(execution.read(HISTORY)) == 3
    assert execution.states() == {
        ("shop_make", State.FAILED): 1,
        ("shop_make", State.TIMED_OUT): 1,
    }


def test_the_last_result_is_kept() -> None:
    """The result of the activity that completed last is there to be shown."""
    execution = Execution("order-1", "run")
    execution.read(
        [
            *HISTORY[:4],
            event(7, "ActivityTaskCompleted", 2.0, scheduledEventId=5, result='{"cup": 1}'),
        ]
    )
    assert execution.last_result == '{"cup": 1}'

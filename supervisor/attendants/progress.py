"""What has happened to the executions that we started, as far as their histories tell. Pure.

Rules of this file:

1. A history is a list of events as ``GetWorkflowExecutionHistory`` returns them; only those past
   the last one seen are read, so that a long history is not read again and again.
2. Every event that people ask about becomes one line; every activity is in one state.
"""

from __future__ import annotations

import enum
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Event = Mapping[str, Any]


class State(enum.StrEnum):
    """Where an activity is, in the order in which they are shown."""

    SCHEDULED = "scheduled"
    STARTED = "started"
    COMPLETED = "completed"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    CANCELED = "canceled"


_ENDS = {
    "ActivityTaskCompleted": State.COMPLETED,
    "ActivityTaskFailed": State.FAILED,
    "ActivityTaskTimedOut": State.TIMED_OUT,
    "ActivityTaskCanceled": State.CANCELED,
}

_CLOSED = {
    "WorkflowExecutionCompleted": "completed",
    "WorkflowExecutionFailed": "failed",
    "WorkflowExecutionTimedOut": "timed out",
    "WorkflowExecutionCanceled": "canceled",
    "WorkflowExecutionTerminated": "terminated",
    "WorkflowExecutionContinuedAsNew": "continued as new",
}


@dataclass
class Activity:
    """One scheduled activity, by its ActivityTaskScheduled event."""

    name: str
    activity_id: str
    state: State = State.SCHEDULED
    started: float = 0.0
    identity: str = ""


@dataclass
class Execution:
    """One execution's history, folded."""

    workflow_id: str
    run_id: str
    seen: int = 0  # last event id that was read
    began: float = 0.0
    closed: str = ""  # how, once it has
    why: str = ""
    last_result: str = ""
    activities: dict[int, Activity] = field(default_factory=dict)

    def read(self, events: Iterable[Event]) -> list[str]:
        """Take the events that are new; returns a line for each that people ask about."""
        lines = []
        for event in events:
            if event["eventId"] > self.seen:
                self.seen = event["eventId"]
                lines += self._read(event)
        return lines

    def states(self) -> Counter[tuple[str, State]]:
        """How many of each activity are in each state."""
        return Counter((each.name, each.state) for each in self.activities.values())

    def _read(self, event: Event) -> list[str]:
        kind, at = event["eventType"], event["eventTimestamp"].timestamp()
        told = event.get(_attributes(kind), {})
        if kind == "WorkflowExecutionStarted":
            self.began = at
            return [f"{self.workflow_id}  started"]
        if kind == "ActivityTaskScheduled":
            self.activities[event["eventId"]] = Activity(
                told["activityType"]["name"], told["activityId"]
            )
        elif kind == "ActivityTaskStarted":
            self._started(self.activities[told["scheduledEventId"]], told, at)
        elif kind in _ENDS:
            return [self._ended(self.activities[told["scheduledEventId"]], kind, told, at)]
        elif kind in _CLOSED:
            return [self._close(_CLOSED[kind], told, at)]
        return []

    def _started(self, activity: Activity, told: Event, at: float) -> None:
        activity.state, activity.started = State.STARTED, at
        activity.identity = told.get("identity", "")

    def _ended(self, activity: Activity, kind: str, told: Event, at: float) -> str:
        activity.state = _ENDS[kind]
        if kind == "ActivityTaskCompleted":
            self.last_result = told.get("result", "")
        took = f"{at - activity.started:.2f} s" if activity.started else "never started"
        by = f" by {activity.identity}" if activity.identity else ""
        why = _why(told)
        return f"{self.workflow_id}  {activity.activity_id}  {activity.state} ({took}{by}){why}"

    def _close(self, how: str, told: Event, at: float) -> str:
        self.closed, self.why = how, _why(told)
        return f"{self.workflow_id}  {how} after {at - self.began:.2f} s{self.why}"


def _attributes(kind: str) -> str:
    return f"{kind[0].lower()}{kind[1:]}EventAttributes"


def _why(told: Event) -> str:
    reason = told.get("reason") or told.get("timeoutType") or told.get("cause")
    return f": {reason}" if reason else ""

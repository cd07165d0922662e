"""The open things of an execution, by its history: since when, which attempt, until when.

Pure. Heartbeats leave no event, so a deadline is that of the other timeouts.
"""

import enum
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from garcon.executions.recorded_history import Event, attributes, moment
from garcon.history.event_types import CHILD, LAMBDA, TIMER, Lifecycle
from garcon.history.reserved_timers import OWN_TIMERS, RETRY_TIMER


class PendingKind(enum.StrEnum):
    """The kind of something that is open."""

    DECISION = "decision"
    ACTIVITY = "activity"
    RETRY = "retry"
    TIMER = "timer"
    CHILD = "child"
    LAMBDA = "lambda"


@dataclass(frozen=True, slots=True)
class Pending:
    """Something that is open.

    Attributes:
        kind: Its kind; a retry is the wait before an activity's next attempt.
        id: Its id; of a retry, the activity's.
        since: When it began: was scheduled, or started in the case of a timer.
        started: When a worker took it; ``None`` if none has, and for timers.
        worker: The worker's identity; empty if none has it.
        attempt: Number of the attempt; of a retry, of the one that follows.
        until: When a timer fires, or the next attempt begins, or a timeout ends it; ``None`` if
            nothing does.
        task_list: Its task list; empty if it has none.
        backlog: Number of tasks that wait in its task list, if that was asked for; SWF's estimate.
    """

    kind: PendingKind
    id: str
    since: datetime
    started: datetime | None = None
    worker: str = ""
    attempt: int = 1
    until: datetime | None = None
    task_list: str = ""
    backlog: int | None = None


_OTHERS: Mapping[str, tuple[PendingKind, Lifecycle]] = {
    life.begin: (kind, life)
    for kind, life in (
        (PendingKind.TIMER, TIMER),
        (PendingKind.CHILD, CHILD),
        (PendingKind.LAMBDA, LAMBDA),
    )
}
_OTHER_ENDS = {
    kind: life.begin_reference for life in (TIMER, CHILD, LAMBDA) for kind in life.ends
} | {"StartChildWorkflowExecutionFailed": "initiatedEventId"}
_ACTIVITY_ENDS = frozenset(
    f"ActivityTask{how}" for how in ("Completed", "Failed", "TimedOut", "Canceled")
)
_DECISION_ENDS = frozenset({"DecisionTaskCompleted", "DecisionTaskTimedOut"})


def pending(events: Iterable[Event]) -> list[Pending]:
    """Everything that is open after these events, oldest first.

    Args:
        events: A history from its first event on.
    """
    found = _Open()
    for event in events:
        found.add(event, event["eventType"], attributes(event))
    return list(found.by_event.values())


class _Open:
    """The open things so far, by the number of the event in which each began."""

    def __init__(self) -> None:
        self.by_event: dict[int, Pending] = {}
        self._attempts: Counter[str] = Counter()
        self._timeouts: dict[int, Mapping[str, Any]] = {}

    def add(self, event: Event, kind: str, members: Mapping[str, Any]) -> None:
        """Take the next event."""
        number = event["eventId"]
        if kind == "ActivityTaskScheduled":
            self._schedule_activity(number, event, members)
        elif kind == "DecisionTaskScheduled":
            task_list = members.get("taskList", {}).get("name", "")
            self.by_event[number] = Pending(
                PendingKind.DECISION, "", _time(event), task_list=task_list
            )
        elif kind in {"ActivityTaskStarted", "DecisionTaskStarted", "LambdaFunctionStarted"}:
            self._start(members.get("scheduledEventId", 0), event, members)
        elif kind in _ACTIVITY_ENDS or kind in _DECISION_ENDS:
            self.by_event.pop(members.get("scheduledEventId", 0), None)
        elif kind in _OTHERS:
            self._begin(number, event, members, *_OTHERS[kind])
        elif kind in _OTHER_ENDS:
            self.by_event.pop(members.get(_OTHER_ENDS[kind], 0), None)

    def _schedule_activity(self, number: int, event: Event, members: Mapping[str, Any]) -> None:
        id_ = str(members.get("activityId"))
        self._attempts[id_] += 1
        self._timeouts[number] = members
        since = _time(event)
        self.by_event[number] = Pending(
            PendingKind.ACTIVITY,
            id_,
            since,
            attempt=self._attempts[id_],
            until=_earliest(
                _after(since, members.get("scheduleToStartTimeout")),
                _after(since, members.get("scheduleToCloseTimeout")),
            ),
            task_list=members.get("taskList", {}).get("name", ""),
        )

    def _start(self, number: int, event: Event, members: Mapping[str, Any]) -> None:
        if waiting := self.by_event.get(number):
            timeouts, started = self._timeouts.get(number, {}), _time(event)
            self.by_event[number] = replace(
                waiting,
                started=started,
                worker=str(members.get("identity", "")),
                until=_earliest(
                    _after(started, timeouts.get("startToCloseTimeout")),
                    _after(waiting.since, timeouts.get("scheduleToCloseTimeout")),
                ),
            )

    def _begin(
        self,
        number: int,
        event: Event,
        members: Mapping[str, Any],
        kind: PendingKind,
        life: Lifecycle,
    ) -> None:
        id_, since = str(members.get(life.id_member)), _time(event)
        until = _after(since, members.get("startToFireTimeout"))
        begun = Pending(kind, id_, since, until=until)
        if id_.startswith(RETRY_TIMER):
            activity_id = id_.removeprefix(RETRY_TIMER)
            attempt = self._attempts[activity_id] + 1
            begun = replace(begun, kind=PendingKind.RETRY, id=activity_id, attempt=attempt)
        elif id_.startswith(OWN_TIMERS):
            return  # the wait of a standstill, which is shown by itself
        self.by_event[number] = begun


def task_lists(found: Sequence[Pending]) -> set[tuple[PendingKind, str]]:
    """The kinds and task lists of tasks that no worker has taken."""
    return {(each.kind, each.task_list) for each in found if each.task_list and not each.started}


def _time(event: Event) -> datetime:
    return datetime.fromtimestamp(moment(event), UTC)


def _after(since: datetime, seconds: Any) -> datetime | None:
    text = str(seconds)
    return since + timedelta(seconds=int(text)) if text.isdigit() else None


def _earliest(*times: datetime | None) -> datetime | None:
    return min((each for each in times if each), default=None)

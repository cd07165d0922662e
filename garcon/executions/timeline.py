"""The timeline of a history: rows of bars, one bar for each attempt. Pure.

Rules:

1. Whatever SWF schedules and ends is a *bar*: scheduled, started by a worker, ended. An instant (a
   signal, a refused decision) is a bar without length.
2. Bars of one kind and label are one *row*: the attempts at an activity id, a timer, all decisions.
3. A bar without an ending event is open; when the execution closes, it becomes unfinished.
4. ``TimelineBuilder.add`` takes one event at a time and returns the bar that it changed, so that
   progress can be reported while the execution runs.
5. Events of unknown types, and events about something that the history lacks, are skipped.
"""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from garcon.executions import parsing
from garcon.executions.recorded_history import Event, attributes, moment
from garcon.executions.values import Status


class BarKind(enum.StrEnum):
    """The subject of a row."""

    DECISION = "decision"
    ACTIVITY = "activity"
    LAMBDA = "lambda"
    TIMER = "timer"
    CHILD = "child workflow"
    SIGNAL = "signal"
    CANCEL = "cancel request"
    MARKER = "marker"
    CLOSING = "closing"


class BarState(enum.StrEnum):
    """The state of a bar."""

    WAITING = "waiting"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    CANCELED = "cancelled"
    TERMINATED = "terminated"
    REFUSED = "refused"
    UNFINISHED = "unfinished"

    @property
    def open(self) -> bool:
        """Whether the bar has not ended."""
        return self in (BarState.WAITING, BarState.RUNNING)

    @property
    def bad(self) -> bool:
        """Whether the bar failed, so that its reason matters."""
        return self in (BarState.FAILED, BarState.TIMED_OUT, BarState.REFUSED, BarState.TERMINATED)


@dataclass(frozen=True, slots=True)
class Bar:
    """One attempt; times are seconds since the epoch.

    Attributes:
        event_id: Number of the event that opened it.
        kind: Its subject.
        label: Which one of the kind, such as the activity's id.
        scheduled: Time at which it was scheduled.
        started: Time at which it started, if it did.
        ended: Time at which it ended, if it did.
        state: Its state.
        reason: Why it ended in this state, if SWF or its worker gave a reason.
        identity: Identity of its worker.
        activity_type: Name of the activity type, of an activity.
    """

    event_id: int
    kind: BarKind
    label: str
    scheduled: float
    started: float | None = None
    ended: float | None = None
    state: BarState = BarState.WAITING
    reason: str = ""
    identity: str = ""
    activity_type: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """The attempts of one subject, oldest first."""

    kind: BarKind
    label: str
    bars: tuple[Bar, ...]

    @property
    def last(self) -> Bar:
        """The latest attempt."""
        return self.bars[-1]


@dataclass(frozen=True, slots=True)
class Timeline:
    """An execution over time.

    Attributes:
        name: Name of its workflow type, the flow's.
        version: Version of its workflow type.
        status: Open, or how it closed.
        started: Time of its start, in seconds since the epoch.
        ended: Time of its end; of an open one, the last known moment.
        events: Number of events in its history.
        reason: Why it closed in this way.
        rows: Its rows, in the order in which they were first scheduled.
    """

    name: str
    version: str
    status: Status
    started: float
    ended: float
    events: int
    reason: str
    rows: tuple[Row, ...]

    @property
    def seconds(self) -> float:
        """Seconds that it was open, so far."""
        return self.ended - self.started


@dataclass(frozen=True, slots=True)
class _Opening:
    kind: BarKind
    label_member: str = ""
    at_once: bool = False


_OPENINGS: Mapping[str, _Opening] = {
    "DecisionTaskScheduled": _Opening(BarKind.DECISION),
    "ActivityTaskScheduled": _Opening(BarKind.ACTIVITY, "activityId"),
    "LambdaFunctionScheduled": _Opening(BarKind.LAMBDA, "id"),
    "TimerStarted": _Opening(BarKind.TIMER, "timerId", at_once=True),
    "StartChildWorkflowExecutionInitiated": _Opening(BarKind.CHILD, "workflowId"),
    "SignalExternalWorkflowExecutionInitiated": _Opening(BarKind.SIGNAL, "signalName"),
    "RequestCancelExternalWorkflowExecutionInitiated": _Opening(BarKind.CANCEL, "workflowId"),
}

_STARTS = frozenset(
    {
        "DecisionTaskStarted",
        "ActivityTaskStarted",
        "LambdaFunctionStarted",
        "ChildWorkflowExecutionStarted",
    }
)

_ENDS: Mapping[str, BarState] = {
    "DecisionTaskCompleted": BarState.COMPLETED,
    "DecisionTaskTimedOut": BarState.TIMED_OUT,
    "ActivityTaskCompleted": BarState.COMPLETED,
    "ActivityTaskFailed": BarState.FAILED,
    "ActivityTaskTimedOut": BarState.TIMED_OUT,
    "ActivityTaskCanceled": BarState.CANCELED,
    "LambdaFunctionCompleted": BarState.COMPLETED,
    "LambdaFunctionFailed": BarState.FAILED,
    "LambdaFunctionTimedOut": BarState.TIMED_OUT,
    "StartLambdaFunctionFailed": BarState.REFUSED,
    "TimerFired": BarState.COMPLETED,
    "TimerCanceled": BarState.CANCELED,
    "ChildWorkflowExecutionCompleted": BarState.COMPLETED,
    "ChildWorkflowExecutionFailed": BarState.FAILED,
    "ChildWorkflowExecutionTimedOut": BarState.TIMED_OUT,
    "ChildWorkflowExecutionCanceled": BarState.CANCELED,
    "ChildWorkflowExecutionTerminated": BarState.TERMINATED,
    "StartChildWorkflowExecutionFailed": BarState.REFUSED,
    "ExternalWorkflowExecutionSignaled": BarState.COMPLETED,
    "SignalExternalWorkflowExecutionFailed": BarState.REFUSED,
    "ExternalWorkflowExecutionCancelRequested": BarState.COMPLETED,
    "RequestCancelExternalWorkflowExecutionFailed": BarState.REFUSED,
}

_INSTANTS: Mapping[str, tuple[BarKind, str, BarState]] = {
    "WorkflowExecutionSignaled": (BarKind.SIGNAL, "signalName", BarState.COMPLETED),
    "WorkflowExecutionCancelRequested": (BarKind.CANCEL, "", BarState.COMPLETED),
    "MarkerRecorded": (BarKind.MARKER, "markerName", BarState.COMPLETED),
    "ScheduleActivityTaskFailed": (BarKind.ACTIVITY, "activityId", BarState.REFUSED),
    "RequestCancelActivityTaskFailed": (BarKind.CANCEL, "activityId", BarState.REFUSED),
    "ScheduleLambdaFunctionFailed": (BarKind.LAMBDA, "id", BarState.REFUSED),
    "StartChildWorkflowExecutionFailed": (BarKind.CHILD, "workflowId", BarState.REFUSED),
    "StartTimerFailed": (BarKind.TIMER, "timerId", BarState.REFUSED),
    "CancelTimerFailed": (BarKind.TIMER, "timerId", BarState.REFUSED),
    "RecordMarkerFailed": (BarKind.MARKER, "markerName", BarState.REFUSED),
    "CompleteWorkflowExecutionFailed": (BarKind.CLOSING, "", BarState.REFUSED),
    "FailWorkflowExecutionFailed": (BarKind.CLOSING, "", BarState.REFUSED),
    "CancelWorkflowExecutionFailed": (BarKind.CLOSING, "", BarState.REFUSED),
    "ContinueAsNewWorkflowExecutionFailed": (BarKind.CLOSING, "", BarState.REFUSED),
}

# Members that name the event that opened a bar; those of timers have the last only.
_REFERENCES = ("scheduledEventId", "initiatedEventId", "startedEventId")


@dataclass
class TimelineBuilder:
    """The timeline of a history that is read event by event."""

    _bars: dict[int, Bar] = field(default_factory=dict)
    _first: Event | None = None
    _last: Event | None = None

    @property
    def bars(self) -> Iterable[Bar]:
        """All bars so far, oldest first."""
        return self._bars.values()

    def add(self, event: Event) -> Bar | None:
        """Add the next event; returns the bar that it opened or changed, if any."""
        self._first, self._last = self._first or event, event
        bar = self._changed_bar(event, attributes(event))
        if bar:
            self._bars[bar.event_id] = bar
        return bar

    def _changed_bar(self, event: Event, members: Mapping[str, object]) -> Bar | None:
        event_type = event["eventType"]
        if opening := _OPENINGS.get(event_type):
            return _opened(event, opening, members)
        bar = self._referenced_bar(members)
        if bar and event_type in _STARTS:
            identity = str(members.get("identity", ""))
            return replace(bar, started=moment(event), state=BarState.RUNNING, identity=identity)
        if bar and event_type in _ENDS:
            state, reason = _ENDS[event_type], _reason(members)
            return replace(bar, ended=moment(event), state=state, reason=reason)
        return _instant(event, members) if event_type in _INSTANTS else None

    def _referenced_bar(self, members: Mapping[str, object]) -> Bar | None:
        number = next((members[name] for name in _REFERENCES if members.get(name)), None)
        return self._bars.get(number) if isinstance(number, int) else None

    def timeline(self, now: float = 0.0) -> Timeline:
        """The timeline so far, of at least one event; an open execution lasts until ``now``."""
        if not (self._first and self._last):
            raise ValueError("A timeline begins with an event.")
        status, ended = parsing.status(self._last), moment(self._last)
        if status is Status.OPEN:
            ended = max(ended, now)
        workflow_type = attributes(self._first).get("workflowType", {})
        return Timeline(
            name=workflow_type.get("name", ""),
            version=workflow_type.get("version", ""),
            status=status,
            started=moment(self._first),
            ended=ended,
            events=self._last["eventId"],
            reason="" if status is Status.OPEN else _reason(attributes(self._last)),
            rows=_rows(_settled(bar, status, ended) for bar in self._bars.values()),
        )


def timeline(events: Iterable[Event], now: float = 0.0) -> Timeline:
    """The timeline of a history.

    Args:
        events: The events from the first on, at least that one.
        now: Seconds since the epoch; an open execution is drawn until then.

    Raises:
        NotAHistory: An event has no time.
    """
    builder = TimelineBuilder()
    for event in events:
        builder.add(event)
    return builder.timeline(now)


def _opened(event: Event, opening: _Opening, members: Mapping[str, Any]) -> Bar:
    now, label = moment(event), str(members.get(opening.label_member, ""))
    started, state = (now, BarState.RUNNING) if opening.at_once else (None, BarState.WAITING)
    type_ = str(members.get("activityType", {}).get("name", ""))
    number, kind = event["eventId"], opening.kind
    return Bar(number, kind, label, now, started, state=state, activity_type=type_)


def _instant(event: Event, members: Mapping[str, object]) -> Bar:
    kind, member, state = _INSTANTS[event["eventType"]]
    now, label = moment(event), str(members.get(member, ""))
    return Bar(event["eventId"], kind, label, now, None, now, state, _reason(members))


def _reason(members: Mapping[str, object]) -> str:
    names = ("reason", "timeoutType", "cause")
    return next((str(members[name]) for name in names if members.get(name)), "")


def _settled(bar: Bar, status: Status, ended: float) -> Bar:
    """The bar as it stands once the execution has this status."""
    if status is Status.OPEN or not bar.state.open:
        return bar
    return replace(bar, ended=ended, state=BarState.UNFINISHED)


def _rows(bars: Iterable[Bar]) -> tuple[Row, ...]:
    rows: dict[tuple[BarKind, str], list[Bar]] = {}
    for bar in bars:
        rows.setdefault((bar.kind, bar.label), []).append(bar)
    return tuple(Row(*key, tuple(attempts)) for key, attempts in rows.items())

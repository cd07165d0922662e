"""From a history to what happened when: rows of bars, one bar a try. Pure.

Rules:

1. What SWF schedules and ends is a *bar*: from when it was asked for, to when somebody began it, to
   its end. What happens at once (a signal, a refused decision) is a bar without length.
2. Bars of one kind and label are one *row*: the tries of an activity id, a timer's, all decisions.
3. A bar that nothing ended is open; the execution's own end closes it as left behind.
4. ``Fold.add`` takes events one by one, so whoever waits can tell what each of them changed.
5. Events of unknown type, or about something the history does not have, are skipped.
"""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from garcon.workflow import closing
from garcon.workflow.history import Event, attributes, moment
from garcon.workflow.values import Status


class Kind(enum.StrEnum):
    """What a row is about."""

    DECISION = "decision"
    ACTIVITY = "activity"
    LAMBDA = "lambda"
    TIMER = "timer"
    CHILD = "child workflow"
    SIGNAL = "signal"
    CANCEL = "cancel request"
    MARKER = "marker"
    CLOSING = "closing"


class State(enum.StrEnum):
    """What has become of a bar."""

    WAITING = "waiting"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    CANCELED = "cancelled"
    TERMINATED = "terminated"
    REFUSED = "refused"
    LEFT = "left behind"

    @property
    def open(self) -> bool:
        """Whether it goes on."""
        return self in (State.WAITING, State.RUNNING)

    @property
    def bad(self) -> bool:
        """Whether somebody may want to know why."""
        return self in (State.FAILED, State.TIMED_OUT, State.REFUSED, State.TERMINATED)


@dataclass(frozen=True, slots=True)
class Bar:
    """One try; times are seconds since the epoch.

    Attributes:
        event_id: Of the event that opened it.
        kind: What it is about.
        label: Which one of the kind, such as the activity's id.
        asked: When it was scheduled.
        begun: When somebody began it, if so.
        ended: When it ended, if it has.
        state: What has become of it.
        note: Why it ended as it did.
        by: Who did it.
        type: Of an activity: the name of its type.
    """

    event_id: int
    kind: Kind
    label: str
    asked: float
    begun: float | None = None
    ended: float | None = None
    state: State = State.WAITING
    note: str = ""
    by: str = ""
    type: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """The tries of one thing, oldest first."""

    kind: Kind
    label: str
    bars: tuple[Bar, ...]

    @property
    def last(self) -> Bar:
        """The latest try."""
        return self.bars[-1]


@dataclass(frozen=True, slots=True)
class Timeline:
    """An execution over time.

    Attributes:
        name: Name of its workflow type, the flow's.
        version: Version of its workflow type.
        status: Open, or how it closed.
        began: When it was started, in seconds since the epoch.
        ended: When it closed; of an open one, the last moment that is known of.
        events: How many events its history has.
        reason: Why it closed as it did.
        rows: What happened, in the order in which it was first asked for.
    """

    name: str
    version: str
    status: Status
    began: float
    ended: float
    events: int
    reason: str
    rows: tuple[Row, ...]

    @property
    def seconds(self) -> float:
        """How long it was open, so far."""
        return self.ended - self.began


@dataclass(frozen=True, slots=True)
class _Opening:
    kind: Kind
    label: str = ""  # the member that tells
    at_once: bool = False  # begun as soon as it is asked for


_OPENINGS: Mapping[str, _Opening] = {
    "DecisionTaskScheduled": _Opening(Kind.DECISION),
    "ActivityTaskScheduled": _Opening(Kind.ACTIVITY, "activityId"),
    "LambdaFunctionScheduled": _Opening(Kind.LAMBDA, "id"),
    "TimerStarted": _Opening(Kind.TIMER, "timerId", at_once=True),
    "StartChildWorkflowExecutionInitiated": _Opening(Kind.CHILD, "workflowId"),
    "SignalExternalWorkflowExecutionInitiated": _Opening(Kind.SIGNAL, "signalName"),
    "RequestCancelExternalWorkflowExecutionInitiated": _Opening(Kind.CANCEL, "workflowId"),
}

_BEGINNINGS = frozenset(
    {
        "DecisionTaskStarted",
        "ActivityTaskStarted",
        "LambdaFunctionStarted",
        "ChildWorkflowExecutionStarted",
    }
)

_ENDS: Mapping[str, State] = {
    "DecisionTaskCompleted": State.COMPLETED,
    "DecisionTaskTimedOut": State.TIMED_OUT,
    "ActivityTaskCompleted": State.COMPLETED,
    "ActivityTaskFailed": State.FAILED,
    "ActivityTaskTimedOut": State.TIMED_OUT,
    "ActivityTaskCanceled": State.CANCELED,
    "LambdaFunctionCompleted": State.COMPLETED,
    "LambdaFunctionFailed": State.FAILED,
    "LambdaFunctionTimedOut": State.TIMED_OUT,
    "StartLambdaFunctionFailed": State.REFUSED,
    "TimerFired": State.COMPLETED,
    "TimerCanceled": State.CANCELED,
    "ChildWorkflowExecutionCompleted": State.COMPLETED,
    "ChildWorkflowExecutionFailed": State.FAILED,
    "ChildWorkflowExecutionTimedOut": State.TIMED_OUT,
    "ChildWorkflowExecutionCanceled": State.CANCELED,
    "ChildWorkflowExecutionTerminated": State.TERMINATED,
    "StartChildWorkflowExecutionFailed": State.REFUSED,
    "ExternalWorkflowExecutionSignaled": State.COMPLETED,
    "SignalExternalWorkflowExecutionFailed": State.REFUSED,
    "ExternalWorkflowExecutionCancelRequested": State.COMPLETED,
    "RequestCancelExternalWorkflowExecutionFailed": State.REFUSED,
}

_AT_ONCE: Mapping[str, tuple[Kind, str, State]] = {
    "WorkflowExecutionSignaled": (Kind.SIGNAL, "signalName", State.COMPLETED),
    "WorkflowExecutionCancelRequested": (Kind.CANCEL, "", State.COMPLETED),
    "MarkerRecorded": (Kind.MARKER, "markerName", State.COMPLETED),
    "ScheduleActivityTaskFailed": (Kind.ACTIVITY, "activityId", State.REFUSED),
    "RequestCancelActivityTaskFailed": (Kind.CANCEL, "activityId", State.REFUSED),
    "ScheduleLambdaFunctionFailed": (Kind.LAMBDA, "id", State.REFUSED),
    "StartChildWorkflowExecutionFailed": (Kind.CHILD, "workflowId", State.REFUSED),
    "StartTimerFailed": (Kind.TIMER, "timerId", State.REFUSED),
    "CancelTimerFailed": (Kind.TIMER, "timerId", State.REFUSED),
    "RecordMarkerFailed": (Kind.MARKER, "markerName", State.REFUSED),
    "CompleteWorkflowExecutionFailed": (Kind.CLOSING, "", State.REFUSED),
    "FailWorkflowExecutionFailed": (Kind.CLOSING, "", State.REFUSED),
    "CancelWorkflowExecutionFailed": (Kind.CLOSING, "", State.REFUSED),
    "ContinueAsNewWorkflowExecutionFailed": (Kind.CLOSING, "", State.REFUSED),
}

# Which event an event is about; those of timers have the last only.
_REFERENCES = ("scheduledEventId", "initiatedEventId", "startedEventId")


@dataclass
class Fold:
    """A history so far."""

    _bars: dict[int, Bar] = field(default_factory=dict)
    _first: Event | None = None
    _last: Event | None = None

    @property
    def bars(self) -> Iterable[Bar]:
        """All so far, oldest first."""
        return self._bars.values()

    def add(self, event: Event) -> Bar | None:
        """Take the next event; the bar that it made or changed, if it did."""
        self._first, self._last = self._first or event, event
        bar = self._after(event, attributes(event))
        if bar:
            self._bars[bar.event_id] = bar
        return bar

    def _after(self, event: Event, told: Mapping[str, object]) -> Bar | None:
        kind = event["eventType"]
        if opening := _OPENINGS.get(kind):
            return _opened(event, opening, told)
        about = self._about(told)
        if about and kind in _BEGINNINGS:
            by = str(told.get("identity", ""))
            return replace(about, begun=moment(event), state=State.RUNNING, by=by)
        if about and kind in _ENDS:
            return replace(about, ended=moment(event), state=_ENDS[kind], note=_why(told))
        return _happened(event, told) if kind in _AT_ONCE else None

    def _about(self, told: Mapping[str, object]) -> Bar | None:
        number = next((told[name] for name in _REFERENCES if told.get(name)), None)
        return self._bars.get(number) if isinstance(number, int) else None

    def timeline(self, now: float = 0.0) -> Timeline:
        """What has happened so far; at least one event must have been added.

        Args:
            now: Seconds since the epoch; an open execution lasts until then, as far as is known.
        """
        if not (self._first and self._last):
            raise ValueError("A timeline begins with an event.")
        status, ended = closing.status(self._last), moment(self._last)
        if status is Status.OPEN:
            ended = max(ended, now)
        of_type = attributes(self._first).get("workflowType", {})
        return Timeline(
            name=of_type.get("name", ""),
            version=of_type.get("version", ""),
            status=status,
            began=moment(self._first),
            ended=ended,
            events=self._last["eventId"],
            reason="" if status is Status.OPEN else _why(attributes(self._last)),
            rows=_rows(_closed(each, status, ended) for each in self._bars.values()),
        )


def timeline(events: Iterable[Event], now: float = 0.0) -> Timeline:
    """A history as a timeline.

    Args:
        events: From the first on, at least that one.
        now: Seconds since the epoch; an open execution lasts until then, as far as is known.

    Raises:
        NotAHistory: An event has no time.
    """
    fold = Fold()
    for event in events:
        fold.add(event)
    return fold.timeline(now)


def _opened(event: Event, opening: _Opening, told: Mapping[str, Any]) -> Bar:
    now = moment(event)
    begun, state = (now, State.RUNNING) if opening.at_once else (None, State.WAITING)
    label = str(told.get(opening.label, ""))
    of_type = str(told.get("activityType", {}).get("name", ""))
    return Bar(event["eventId"], opening.kind, label, now, begun=begun, state=state, type=of_type)


def _happened(event: Event, told: Mapping[str, object]) -> Bar:
    kind, member, state = _AT_ONCE[event["eventType"]]
    now, label = moment(event), str(told.get(member, ""))
    return Bar(event["eventId"], kind, label, now, None, now, state, _why(told))


def _why(told: Mapping[str, object]) -> str:
    names = ("reason", "timeoutType", "cause")
    return next((str(told[name]) for name in names if told.get(name)), "")


def _closed(bar: Bar, status: Status, ended: float) -> Bar:
    if status is Status.OPEN or not bar.state.open:
        return bar
    return replace(bar, ended=ended, state=State.LEFT)


def _rows(bars: Iterable[Bar]) -> tuple[Row, ...]:
    rows: dict[tuple[Kind, str], list[Bar]] = {}
    for bar in bars:
        rows.setdefault((bar.kind, bar.label), []).append(bar)
    return tuple(Row(*key, tuple(tries)) for key, tries in rows.items())

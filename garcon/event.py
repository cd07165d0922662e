"""History to states: a fold over events, each taken once, in order.

Rules:

1. Everything that began is a state, and its end an outcome: activities (``ActivityState``) and, by
   the table ``LIFECYCLES``, timers, children, lambda functions and messages. A timeout is a
   failure; of two completions of one id the later counts.
2. SWF's refusals of decisions are events too. A moot one changes nothing if the thing runs.
   Transient ones are held back until one wait timer fires; a permanent one stands, and fails the
   workflow when the flow asks for the thing.
3. Of the events of decision tasks only the build notes of answers are kept. Starts and closings
   change nothing, nor do events of unknown types, which SWF may add, and events that refer to one
   that was never seen.
4. ``History.add`` is the whole fold, so it can go on from where it stopped. Deciding leaves the
   states as they are.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from garcon.activity import ActivityState
from garcon.aws import limits
from garcon.context import ExecutionContext, input_and_inherited
from garcon.errors import GarconError
from garcon.history import build_notes, decision_failures
from garcon.history.build_notes import BuildNote
from garcon.history.event_types import (
    CANCELLATION,
    CHILD,
    EVENT_TYPES,
    LIFECYCLES,
    TIMER,
    Lifecycle,
    member_of,
    outcome_of,
    seconds_of,
    timestamp_of,
)
from garcon.history.refusals import Refusals
from garcon.history.reserved_timers import (
    OWN_TIMERS,
    RETRY_TIMER,
    WAIT_TIMER,
    WAKE_SIGNAL,
    retry_timer_id,
)
from garcon.history.states import EndKind, State, StateOutcome, value_of
from garcon.payload import codec

Event = Mapping[str, Any]
States = dict[str, dict[str, ActivityState]]
_Take = Callable[["History", Event, Mapping[str, Any]], None]

# Characters of an activity id beyond which the id of its retry timer is cut.
_LONG = limits.ACTIVITY_ID - len(RETRY_TIMER)

_logger = logging.getLogger(__name__)


class TruncatedHistory(GarconError, ValueError):
    """The first events of a history are missing, so its states cannot be known."""


class History:
    """The states that the events so far amount to.

    Attributes:
        activities: States of activities, by activity name and id.
        context: Workflow input and results.
        states_by_kind: States of timers, children, lambda functions and messages, by kind and id.
        signals: Signals by name, in order: number of the event and value.
        markers: Details of markers by name, in order.
        cancel_requested: Number of the event that asks to cancel the execution; 0 if there is none.
        refusals: SWF's refusals of decisions.
        start: Attributes of WorkflowExecutionStarted but the input.
        started_at: When that was, in seconds since the epoch.
        note_text: The text of the latest note of a build.
        was_taken: Whether a decider has taken a decision task since, and not answered in time.
        was_left: Whether no decider has taken a decision task since, within the time for that.
        last: Number of the latest event.
        replayed_markers: In a replay, the details of the recorded decision's markers, by name.
    """

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.activities: States = defaultdict(dict)
        self.context = ExecutionContext()
        self.states_by_kind: dict[str, dict[str, State]] = {life.kind: {} for life in LIFECYCLES}
        self.signals: dict[str, list[tuple[int, Any]]] = {}
        self.markers: dict[str, list[str | None]] = {}
        self.cancel_requested = 0
        self.refusals = Refusals()
        self.start: dict[str, Any] = {}
        self.started_at = 0.0
        self.last = 0
        self.replayed_markers: Mapping[str, list[str | None]] | None = None
        self.note_text: str | None = None
        self.was_taken = self.was_left = False
        self._stamp: Any = 0.0
        self._open: Counter[str] = Counter()
        self._scheduled: dict[int, ActivityState] = {}
        self._begun: dict[int, State] = {}
        self._by_id: dict[str, ActivityState] = {}
        for event in events:
            self.add(event)

    def add(self, event: Event) -> None:
        """Take the next event.

        Raises:
            codec.NotReadable: The workflow's input is not a JSON object, or a result not JSON.
        """
        kind = event["eventType"]
        self.last, self._stamp = event.get("eventId", self.last), event.get("eventTimestamp", 0.0)
        if take := self._takes.get(kind):
            take(self, event, event.get(member_of(kind), {}))
        elif kind not in EVENT_TYPES:
            _logger.debug("Skipped an event of unknown type %s.", kind)

    @property
    def seed(self) -> str:
        """Seed of jitter: always the same for one history, and rarely the same for two."""
        return f"{self.last} {round(seconds_of(self._stamp) * 1000)}"

    @property
    def build_note(self) -> BuildNote | None:
        """The latest note of a build, if there is one."""
        return build_notes.read(self.note_text)

    @property
    def open_activities(self) -> int:
        """Number of activities that are scheduled or started."""
        return self._open["activity"]

    @property
    def open_timers(self) -> int:
        """Number of timers that run."""
        return self._open[TIMER.kind]

    def open_count(self, kind: str) -> int:
        """Number of states of this kind that have begun and not ended."""
        return self._open[kind]

    @property
    def pending(self) -> bool:
        """Whether the end of something open will bring the next decision."""
        return any(self._open.values())

    @property
    def waiting(self) -> bool:
        """Whether the wait timer runs."""
        timer = self.states_by_kind[TIMER.kind].get(WAIT_TIMER)
        return timer is not None and timer.open

    def _state(self, attributes: Mapping[str, Any]) -> ActivityState:
        name, activity_id = attributes["activityType"]["name"], attributes["activityId"]
        state = self.activities[name].get(activity_id)
        if state is None:
            state = self.activities[name][activity_id] = ActivityState(activity_id)
            self._by_id[activity_id] = state
            if len(activity_id) > _LONG:  # its retry timer's id is cut, and does not end with it
                self._by_id[retry_timer_id(activity_id)] = state
        return state

    def _started(self, event: Event, attributes: Mapping[str, Any]) -> None:
        self.start = {name: value for name, value in attributes.items() if name != "input"}
        self.started_at = timestamp_of(event)
        self.context.set_execution_input(event)
        for inherited in input_and_inherited(event)[1]:
            self.add(inherited)

    def _cancel_requested(self, event: Event, _: Mapping[str, Any]) -> None:
        self.cancel_requested = self.cancel_requested or event.get("eventId", 1)

    def _signaled(self, event: Event, attributes: Mapping[str, Any]) -> None:
        if attributes["signalName"] == WAKE_SIGNAL:
            return  # ours: no flow waits for it
        signal = (event.get("eventId", 0), value_of(attributes.get("input")))
        self.signals.setdefault(attributes["signalName"], []).append(signal)

    def _marked(self, _: Event, attributes: Mapping[str, Any]) -> None:
        self.markers.setdefault(attributes["markerName"], []).append(attributes.get("details"))

    def _decision_timed_out(self, _: Event, attributes: Mapping[str, Any]) -> None:
        # Where SWF permits neither closing nor a timer, a decider leaves its task to time out.
        self.refusals.lift_without_timer()
        self.was_taken |= attributes.get("timeoutType") == "START_TO_CLOSE"
        self.was_left |= attributes.get("timeoutType") == "SCHEDULE_TO_START"

    def _decided(self, _: Event, attributes: Mapping[str, Any]) -> None:
        context = attributes.get("executionContext")
        if build_notes.may_be_note(context):
            self.note_text = context  # read when it is asked for: a long history has thousands
            self.was_taken = self.was_left = False

    def _activity_scheduled(self, event: Event, attributes: Mapping[str, Any]) -> None:
        number = event.get("eventId", 0)
        state = self._scheduled[number] = self._state(attributes)
        self._open["activity"] += not state.open
        state.begin(number, timestamp_of(event), attributes.get("control"))
        self.refusals.forget(state)

    def _activity_completed(self, event: Event, attributes: Mapping[str, Any]) -> None:
        if state := self._closing(attributes):
            what = f"The result of {state.activity_id} (event {event.get('eventId')})"
            result = codec.decode(attributes.get("result"), what)
            state.complete(result, event.get("eventId", 0))
            self.context.merge(result)

    def _activity_ended(self, event: Event, attributes: Mapping[str, Any]) -> None:
        if state := self._closing(attributes):
            state.end(outcome_of(_ACTIVITY_ENDS[event["eventType"]], event, attributes))

    def _closing(self, attributes: Mapping[str, Any]) -> ActivityState | None:
        state = self._scheduled.pop(attributes["scheduledEventId"], None)
        if state:
            self._open["activity"] -= state.open
            self.refusals.lift_without_timer()
        return state

    def _activity_refused(self, _: Event, attributes: Mapping[str, Any]) -> None:
        state = self._state(attributes)
        # An id in use belongs to an activity that is open; its end will come as an event.
        if not state.open:
            self.refusals.refuse(state, attributes["cause"])

    def _activity_cancel_requested(self, _: Event, attributes: Mapping[str, Any]) -> None:
        if state := self._by_id.get(attributes["activityId"]):
            state.cancel_requested = True

    def _not_permitted(self, event: Event, attributes: Mapping[str, Any]) -> None:
        if attributes["cause"] not in decision_failures.MOOT:
            self.refusals.permanent[event["eventType"].removesuffix("Failed")] = attributes["cause"]

    def _closing_refused(self, _: Event, attributes: Mapping[str, Any]) -> None:
        # UNHANDLED_DECISION only means that new events came, which the next decision will see.
        if attributes["cause"] not in decision_failures.MOOT:
            self.refusals.refuse_closing()

    def _continuing_refused(self, event: Event, attributes: Mapping[str, Any]) -> None:
        # A workflow whose continuation is refused for good can still fail.
        transient = attributes["cause"] in decision_failures.TRANSIENT
        (self._closing_refused if transient else self._not_permitted)(event, attributes)

    def _begin(self, event: Event, attributes: Mapping[str, Any], life: Lifecycle) -> None:
        state = self._state_of(life, attributes[life.id_member])
        number = event.get("eventId", 0)
        self._open[life.kind] += not state.open
        self._begun[number] = state
        state.begin(number, attributes.get("control"))
        self.refusals.forget(state)
        if life is TIMER and state.id.startswith(OWN_TIMERS):
            self._own_timer_started(state)
        elif life is CANCELLATION:
            self._child_cancelled(state.id, requested=True)

    def _end(self, event: Event, attributes: Mapping[str, Any], life: Lifecycle) -> None:
        state = self._begun.pop(attributes[life.begin_reference], None)
        if state is None or not state.open:
            return
        self._open[life.kind] -= 1
        kind = event["eventType"]
        state.end(outcome_of(life.ends[kind], event, attributes), attributes.get("result"))
        if life is TIMER and state.id == WAIT_TIMER:
            self.refusals.lift()
        else:
            self.refusals.lift_without_timer()

    def _refused(self, event: Event, attributes: Mapping[str, Any], life: Lifecycle) -> None:
        id_, cause = attributes[life.id_member], attributes["cause"]
        initiated = attributes.get("initiatedEventId", 0)  # 0: it was not even initiated
        state = self._begun.pop(initiated, None) or self._state_of(life, id_)
        if life is TIMER and id_ == WAIT_TIMER:
            self.refusals.wait_timer = None if state.open else cause
        elif life is TIMER and (activity := self._retried_by(id_)):
            self._retry_timer_refused(activity, cause)
        elif state.open and not initiated:
            return  # moot: the one that is open will end by an event
        else:
            self._open[life.kind] -= state.open
            self._begin_refused(state, event, cause)
            if life is CANCELLATION:
                self._child_cancelled(id_, requested=cause in decision_failures.MOOT)

    def _begin_refused(self, state: State, event: Event, cause: str) -> None:
        """A moot refusal ends the thing: the other execution no longer exists."""
        state.event_id = 0
        if cause in decision_failures.MOOT:
            number, at = event.get("eventId", 0), timestamp_of(event)
            state.end(StateOutcome(EndKind.REFUSED, cause, None, number, at))
        else:
            self.refusals.refuse(state, cause)

    def _child_started(self, _: Event, attributes: Mapping[str, Any]) -> None:
        if state := self._begun.get(attributes["initiatedEventId"]):
            state.run_id = attributes["workflowExecution"]["runId"]

    def _child_cancelled(self, id_: str, *, requested: bool) -> None:
        if child := self.states_by_kind[CHILD.kind].get(id_):
            child.cancel_requested = requested

    def _state_of(self, life: Lifecycle, id_: str) -> State:
        return self.states_by_kind[life.kind].setdefault(id_, State(life.kind, id_))

    def _own_timer_started(self, timer: State) -> None:
        if timer.id == WAIT_TIMER:
            self.refusals.wait_timer = None
        elif activity := self._retried_by(timer.id):
            activity.retry_timer = timer

    def _retried_by(self, timer_id: str) -> ActivityState | None:
        """The activity whose retry this timer delays, if it is a retry timer."""
        if not timer_id.startswith(RETRY_TIMER):
            return None
        activity = self._by_id.get(timer_id.removeprefix(RETRY_TIMER))
        return activity or self._by_id.get(timer_id)

    def _retry_timer_refused(self, activity: ActivityState, cause: str) -> None:
        timer = activity.retry_timer
        if not (activity.open or (timer and timer.open)):
            self.refusals.refuse(activity, cause)

    _takes: ClassVar[dict[str, _Take]] = {
        "WorkflowExecutionStarted": _started,
        "WorkflowExecutionCancelRequested": _cancel_requested,
        "WorkflowExecutionSignaled": _signaled,
        "MarkerRecorded": _marked,
        "DecisionTaskCompleted": _decided,
        "DecisionTaskTimedOut": _decision_timed_out,
        "ActivityTaskScheduled": _activity_scheduled,
        "ActivityTaskCompleted": _activity_completed,
        "ActivityTaskFailed": _activity_ended,
        "ActivityTaskTimedOut": _activity_ended,
        "ActivityTaskCanceled": _activity_ended,
        "ActivityTaskCancelRequested": _activity_cancel_requested,
        "ScheduleActivityTaskFailed": _activity_refused,
        "RequestCancelActivityTaskFailed": _not_permitted,
        "CancelTimerFailed": _not_permitted,
        "RecordMarkerFailed": _not_permitted,
        "ChildWorkflowExecutionStarted": _child_started,
        "CompleteWorkflowExecutionFailed": _closing_refused,
        "FailWorkflowExecutionFailed": _closing_refused,
        "CancelWorkflowExecutionFailed": _closing_refused,
        "ContinueAsNewWorkflowExecutionFailed": _continuing_refused,
    }


def _taking(life: Lifecycle, take: Callable[..., None]) -> _Take:
    return lambda history, event, attributes: take(history, event, attributes, life)


for _life in LIFECYCLES:
    History._takes[_life.begin] = _taking(_life, History._begin)  # noqa: SLF001 - our own table
    History._takes[_life.refusal] = _taking(_life, History._refused)  # noqa: SLF001 - same
    for _end in _life.ends:
        History._takes[_end] = _taking(_life, History._end)  # noqa: SLF001 - same


_ACTIVITY_ENDS = {
    "ActivityTaskFailed": EndKind.FAILED,
    "ActivityTaskTimedOut": EndKind.TIMED_OUT,
    "ActivityTaskCanceled": EndKind.CANCELED,
}


def activity_states_from_events(events: Iterable[Event]) -> States:
    """The states of all activities that were ever scheduled, by activity name and id.

    Args:
        events: SWF history events in order, as boto3 gives them.

    Raises:
        TruncatedHistory: They do not begin with event 1.
    """
    return dict(History(_from_event_1(events)).activities)


def get_current_context(events: Iterable[Event]) -> ExecutionContext:
    """Workflow input and results, merged in event order; a dictionary.

    Args:
        events: SWF history events in order, as boto3 gives them.

    Raises:
        TruncatedHistory: They do not begin with event 1.
    """
    return ExecutionContext(_from_event_1(events))


def _from_event_1(events: Iterable[Event]) -> list[Event]:
    """The events; raises ``TruncatedHistory`` unless the first is number 1."""
    complete = list(events)
    number = complete[0].get("eventId", 1) if complete else 1
    if number > 1:
        raise TruncatedHistory(
            f"The history begins with event {number}; earlier events are missing. Pass all events "
            "in order, from event 1; DeciderWorker.get_history reads them."
        )
    return complete

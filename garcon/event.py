"""History to states: a fold over events, each event taken once, in order.

Rules:

1. Whatever began and whatever ended is a state with an outcome: activities (``ActivityState``), and
   by the table in ``lifecycles`` timers, children, lambda functions and messages. A timeout is a
   failure; a second completion of one id counts.
2. SWF's answers to a decision that it could not carry out are events too. A moot one leaves no
   trace where the thing runs. Passing ones are waited for by one timer, whose firing lifts them; a
   permanent one stands, and ends the workflow when the flow asks for the thing.
3. The remaining events (of decision tasks, starts, closings) are known by name and leave no trace.
   An event of unknown type is skipped: SWF may learn new ones. So is one that refers to an event
   that was never seen: nobody asked for what it tells.
4. ``History.add`` is the whole fold, so it can go on from where it stopped. Deciding leaves the
   states as they are.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from garcon import causes, limits, payload
from garcon.activity import ActivityState
from garcon.context import ExecutionContext, begun_with
from garcon.eventtypes import EVENT_TYPES, member_of
from garcon.lifecycles import CANCELLATION, CHILD, LIFECYCLES, TIMER, Lifecycle
from garcon.states import How, Outcome, State, value_of
from garcon.timers import OWN_TIMERS, REST_TIMER, WAIT_TIMER, rest_timer
from garcon.whole import from_the_first

Event = Mapping[str, Any]
States = dict[str, dict[str, ActivityState]]
_Take = Callable[["History", Event, Mapping[str, Any]], None]

# Characters of an activity id beyond which the name of its timer for rests is cut.
_LONG = limits.ACTIVITY_ID - len(REST_TIMER)

_logger = logging.getLogger(__name__)


class History:
    """What the events so far amount to.

    Attributes:
        activities: The states, by activity name and id.
        context: Workflow input and results.
        things: Timers, children, lambda functions, messages: states by kind and id.
        signals: What was signalled, by name, in order: number of the event and value.
        markers: What was recorded, by name, in order.
        cancel_requested: Number of the event that asks to cancel the execution; 0 if none does.
        timer_refused: Why the wait timer could not be started at the last try, if so.
        refused: Decisions that SWF does not permit: what, and the cause.
        closing_refused: How often SWF did not let the execution be closed.
        closing_blocked: Whether it refused so since the last wait.
        start: What the execution was started with, but its input (WorkflowExecutionStarted).
        last: Number of the latest event.
    """

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.activities: States = defaultdict(dict)
        self.context = ExecutionContext()
        self.things: dict[str, dict[str, State]] = {each.kind: {} for each in LIFECYCLES}
        self.signals: dict[str, list[tuple[int, Any]]] = {}
        self.markers: dict[str, list[str | None]] = {}
        self.cancel_requested = 0
        self.timer_refused: str | None = None
        self.refused: dict[str, str] = {}
        self.closing_refused = 0
        self.closing_blocked = False
        self.start: dict[str, Any] = {}
        self.last = 0
        self._stamp: Any = 0.0
        self._open: Counter[str] = Counter()
        self._scheduled: dict[int, ActivityState] = {}
        self._begun: dict[int, State] = {}
        self._by_id: dict[str, ActivityState] = {}
        self._held: dict[str, ActivityState | State] = {}
        for event in events:
            self.add(event)

    def add(self, event: Event) -> None:
        """Take the next event.

        Raises:
            payload.NotReadable: The workflow's input is not a JSON object, or a result not JSON.
        """
        kind = event["eventType"]
        self.last, self._stamp = event.get("eventId", self.last), event.get("eventTimestamp", 0.0)
        if take := self._takes.get(kind):
            take(self, event, event.get(member_of(kind), {}))
        elif kind not in EVENT_TYPES:
            _logger.debug("Skipped an event of unknown type %s.", kind)

    @property
    def seed(self) -> str:
        """What jitter is drawn from: the same for the same history, and rarely for two."""
        return f"{self.last} {round(_seconds(self._stamp) * 1000)}"

    @property
    def open_activities(self) -> int:
        """How many activities are scheduled or started."""
        return self._open["activity"]

    @property
    def open_timers(self) -> int:
        """How many timers run."""
        return self._open[TIMER.kind]

    def open_things(self, kind: str) -> int:
        """How many of a kind have begun and not ended."""
        return self._open[kind]

    @property
    def pending(self) -> bool:
        """Whether anything has begun and not ended, so that its end brings the next decision."""
        return any(self._open.values())

    @property
    def held_back(self) -> list[ActivityState | State]:
        """What SWF would not begin just now."""
        return list(self._held.values())

    @property
    def waiting(self) -> bool:
        """Whether the wait timer runs."""
        timer = self.things[TIMER.kind].get(WAIT_TIMER)
        return timer is not None and timer.open

    def _state(self, attributes: Mapping[str, Any]) -> ActivityState:
        name, activity_id = attributes["activityType"]["name"], attributes["activityId"]
        state = self.activities[name].get(activity_id)
        if state is None:
            state = self.activities[name][activity_id] = ActivityState(activity_id)
            self._by_id[activity_id] = state
            if len(activity_id) > _LONG:  # its timer's name is cut, and does not end with the id
                self._by_id[rest_timer(activity_id)] = state
        return state

    def _started(self, event: Event, attributes: Mapping[str, Any]) -> None:
        self.start = {name: value for name, value in attributes.items() if name != "input"}
        self.context.set_execution_input(event)
        for each in begun_with(event)[1]:  # carried over from an earlier run
            self.add(each)

    def _cancel_requested(self, event: Event, _: Mapping[str, Any]) -> None:
        self.cancel_requested = self.cancel_requested or event.get("eventId", 1)

    def _signaled(self, event: Event, attributes: Mapping[str, Any]) -> None:
        told = (event.get("eventId", 0), value_of(attributes.get("input")))
        self.signals.setdefault(attributes["signalName"], []).append(told)

    def _marked(self, _: Event, attributes: Mapping[str, Any]) -> None:
        self.markers.setdefault(attributes["markerName"], []).append(attributes.get("details"))

    def _decision_timed_out(self, _: Event, __: Mapping[str, Any]) -> None:
        # A task left unanswered is a wait, where nothing else is permitted.
        self._something_ended()

    def _activity_scheduled(self, event: Event, attributes: Mapping[str, Any]) -> None:
        number = event.get("eventId", 0)
        state = self._scheduled[number] = self._state(attributes)
        self._open["activity"] += not state.open
        state.begin(number, at_of(event), attributes.get("control"))
        self._held.pop(state.what, None)

    def _activity_completed(self, event: Event, attributes: Mapping[str, Any]) -> None:
        if state := self._closing(attributes):
            what = f"The result of {state.activity_id} (event {event.get('eventId')})"
            result = payload.decode(attributes.get("result"), what)
            state.complete(result, event.get("eventId", 0))
            self.context.merge(result)

    def _activity_ended(self, event: Event, attributes: Mapping[str, Any]) -> None:
        if state := self._closing(attributes):
            state.end(_outcome(_ACTIVITY_ENDS[event["eventType"]], event, attributes))

    def _closing(self, attributes: Mapping[str, Any]) -> ActivityState | None:
        state = self._scheduled.pop(attributes["scheduledEventId"], None)
        if state:
            self._open["activity"] -= state.open
            self._something_ended()
        return state

    def _activity_refused(self, _: Event, attributes: Mapping[str, Any]) -> None:
        state = self._state(attributes)
        # An id in use belongs to one that runs: its end will be heard of.
        if not state.open:
            self._refuse(state, attributes["cause"])

    def _activity_cancel_requested(self, _: Event, attributes: Mapping[str, Any]) -> None:
        if state := self._by_id.get(attributes["activityId"]):
            state.cancel_requested = True

    def _not_permitted(self, event: Event, attributes: Mapping[str, Any]) -> None:
        if attributes["cause"] not in causes.MOOT:
            self.refused[event["eventType"].removesuffix("Failed")] = attributes["cause"]

    def _closing_refused(self, _: Event, attributes: Mapping[str, Any]) -> None:
        # UNHANDLED_DECISION only says that more has happened: the next decision knows it.
        if attributes["cause"] not in causes.MOOT:
            self.closing_refused += 1
            self.closing_blocked = True

    def _continuing_refused(self, event: Event, attributes: Mapping[str, Any]) -> None:
        # Other than completing and failing: if it never will be done, the workflow can still fail.
        passing = attributes["cause"] in causes.PASSING
        (self._closing_refused if passing else self._not_permitted)(event, attributes)

    def _begin(self, event: Event, attributes: Mapping[str, Any], life: Lifecycle) -> None:
        state = self._thing(life, attributes[life.named])
        number = event.get("eventId", 0)
        self._open[life.kind] += not state.open
        self._begun[number] = state
        state.begin(number, attributes.get("control"))
        self._held.pop(state.what, None)
        if life is TIMER and state.id.startswith(OWN_TIMERS):
            self._own_timer_started(state)
        elif life is CANCELLATION:
            self._child_cancelled(state.id, requested=True)

    def _end(self, event: Event, attributes: Mapping[str, Any], life: Lifecycle) -> None:
        state = self._begun.pop(attributes[life.refers], None)
        if state is None or not state.open:
            return
        self._open[life.kind] -= 1
        kind = event["eventType"]
        state.end(_outcome(life.ends[kind], event, attributes), attributes.get("result"))
        if life is TIMER and state.id == WAIT_TIMER:
            self.closing_blocked = False
            self._lift()
        else:
            self._something_ended()

    def _refused(self, event: Event, attributes: Mapping[str, Any], life: Lifecycle) -> None:
        id_, cause = attributes[life.named], attributes["cause"]
        initiated = attributes.get("initiatedEventId", 0)  # 0: it was not even initiated
        state = self._begun.pop(initiated, None) or self._thing(life, id_)
        if life is TIMER and id_ == WAIT_TIMER:
            self.timer_refused = None if state.open else cause
        elif life is TIMER and (resting := self._resting(id_)):
            self._rest_refused(resting, cause)
        elif state.open and not initiated:
            return  # moot: the one that runs will be heard of
        else:
            self._open[life.kind] -= state.open
            self._not_begun(state, event, cause)
            if life is CANCELLATION:
                self._child_cancelled(id_, requested=cause in causes.MOOT)

    def _not_begun(self, state: State, event: Event, cause: str) -> None:
        """A refusal that is moot is an end: there is nobody to be told."""
        state.event_id = 0
        if cause in causes.MOOT:
            state.end(Outcome(How.REFUSED, cause, None, event.get("eventId", 0), at_of(event)))
        else:
            self._refuse(state, cause)

    def _child_started(self, _: Event, attributes: Mapping[str, Any]) -> None:
        if state := self._begun.get(attributes["initiatedEventId"]):
            state.run_id = attributes["workflowExecution"]["runId"]

    def _child_cancelled(self, id_: str, *, requested: bool) -> None:
        if child := self.things[CHILD.kind].get(id_):
            child.cancel_requested = requested

    def _thing(self, life: Lifecycle, id_: str) -> State:
        return self.things[life.kind].setdefault(id_, State(life.kind, id_))

    def _own_timer_started(self, timer: State) -> None:
        if timer.id == WAIT_TIMER:
            self.timer_refused = None
        elif resting := self._resting(timer.id):
            resting.rest = timer

    def _resting(self, timer_id: str) -> ActivityState | None:
        """The activity that rests by this timer, if it is one for that."""
        if not timer_id.startswith(REST_TIMER):
            return None
        found = self._by_id.get(timer_id.removeprefix(REST_TIMER))
        return found or self._by_id.get(timer_id)

    def _rest_refused(self, activity: ActivityState, cause: str) -> None:
        if not (activity.open or (activity.rest and activity.rest.open)):
            self._refuse(activity, cause)

    def _refuse(self, state: ActivityState | State, cause: str) -> None:
        state.refuse(cause)
        if state.refusal and state.refusal.passing:
            self._held[state.what] = state

    def _something_ended(self) -> None:
        # Where no timer can be had, the end of anything else is what is waited for.
        if self.timer_refused:
            self.timer_refused = None
            self.closing_blocked = False
            self._lift()

    def _lift(self) -> None:
        for state in self._held.values():
            state.refusal = None
        self._held.clear()

    _takes: ClassVar[dict[str, _Take]] = {
        "WorkflowExecutionStarted": _started,
        "WorkflowExecutionCancelRequested": _cancel_requested,
        "WorkflowExecutionSignaled": _signaled,
        "MarkerRecorded": _marked,
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
    History._takes[_life.begun] = _taking(_life, History._begin)  # noqa: SLF001 - our own table
    History._takes[_life.refused] = _taking(_life, History._refused)  # noqa: SLF001 - same
    for _end in _life.ends:
        History._takes[_end] = _taking(_life, History._end)  # noqa: SLF001 - same


_ACTIVITY_ENDS = {
    "ActivityTaskFailed": How.FAILED,
    "ActivityTaskTimedOut": How.TIMED_OUT,
    "ActivityTaskCanceled": How.CANCELED,
}


def activity_states_from_events(events: Iterable[Event]) -> States:
    """The states of the activities that were ever to be scheduled, by activity name and id.

    Args:
        events: SWF history events in order, as boto3 gives them.

    Raises:
        NotWhole: They do not begin with the first.
    """
    return dict(History(from_the_first(events)).activities)


def get_current_context(events: Iterable[Event]) -> ExecutionContext:
    """Workflow input and results, merged in event order; a dictionary.

    Args:
        events: SWF history events in order, as boto3 gives them.

    Raises:
        NotWhole: They do not begin with the first.
    """
    return ExecutionContext(from_the_first(events))


def at_of(event: Event) -> float:
    """When the event was, in seconds since the epoch; 0 if it does not tell."""
    return _seconds(event.get("eventTimestamp", 0.0))


def _seconds(stamp: Any) -> float:
    return float(stamp.timestamp() if hasattr(stamp, "timestamp") else stamp)


def _outcome(how: How, event: Event, attributes: Mapping[str, Any]) -> Outcome:
    said = (attributes.get(name) for name in ("reason", "timeoutType", "cause"))
    details = attributes.get("details") or attributes.get("message")
    cause = next((each for each in said if each), None)
    return Outcome(how, cause, details, event.get("eventId", 0), at_of(event))

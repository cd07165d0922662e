"""History to states: a fold over events, each event taken once, in order.

Rules:

1. An activity's state is what its latest events say. A timeout is a failure; a refusal to schedule
   it, a cancellation and a second completion of one id have their own notes (``ActivityState``).
2. SWF's answers to a decision that it could not carry out are events too. Those that pass are
   waited for by one timer, whose firing lifts them; ``History`` says what is to be waited for.
3. Events that a garcon decider never causes are known by name and leave no trace. An event of
   unknown type is skipped: SWF may learn new ones.
4. ``History.add`` is the whole fold, so it can go on from where it stopped.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from garcon import payload
from garcon.activity import ACTIVITY_SCHEDULED, ActivityState
from garcon.context import ExecutionContext

Event = Mapping[str, Any]
States = dict[str, dict[str, ActivityState]]
_Take = Callable[["History", Event, Mapping[str, Any]], None]

# The timer that lifts passing refusals; one is open at a time in an execution.
WAIT_TIMER = "garcon-wait"

EVENT_TYPES = frozenset(
    """
    WorkflowExecutionStarted WorkflowExecutionCancelRequested WorkflowExecutionCompleted
    CompleteWorkflowExecutionFailed WorkflowExecutionFailed FailWorkflowExecutionFailed
    WorkflowExecutionTimedOut WorkflowExecutionCanceled CancelWorkflowExecutionFailed
    WorkflowExecutionContinuedAsNew ContinueAsNewWorkflowExecutionFailed
    WorkflowExecutionTerminated DecisionTaskScheduled DecisionTaskStarted DecisionTaskCompleted
    DecisionTaskTimedOut ActivityTaskScheduled ScheduleActivityTaskFailed ActivityTaskStarted
    ActivityTaskCompleted ActivityTaskFailed ActivityTaskTimedOut ActivityTaskCanceled
    ActivityTaskCancelRequested RequestCancelActivityTaskFailed WorkflowExecutionSignaled
    MarkerRecorded RecordMarkerFailed TimerStarted StartTimerFailed TimerFired TimerCanceled
    CancelTimerFailed StartChildWorkflowExecutionInitiated StartChildWorkflowExecutionFailed
    ChildWorkflowExecutionStarted ChildWorkflowExecutionCompleted ChildWorkflowExecutionFailed
    ChildWorkflowExecutionTimedOut ChildWorkflowExecutionCanceled
    ChildWorkflowExecutionTerminated SignalExternalWorkflowExecutionInitiated
    SignalExternalWorkflowExecutionFailed ExternalWorkflowExecutionSignaled
    RequestCancelExternalWorkflowExecutionInitiated RequestCancelExternalWorkflowExecutionFailed
    ExternalWorkflowExecutionCancelRequested LambdaFunctionScheduled LambdaFunctionStarted
    LambdaFunctionCompleted LambdaFunctionFailed LambdaFunctionTimedOut
    ScheduleLambdaFunctionFailed StartLambdaFunctionFailed
    """.split()  # noqa: SIM905 - the 54 names read better without quotes
)

_logger = logging.getLogger(__name__)


class History:
    """What the events so far amount to.

    Attributes:
        activities: The states, by activity name and id.
        context: Workflow input and results.
        open_timers: Ids of the timers that run.
        timer_refused: Why the wait timer could not be started at the last try, if so.
        closing_refused: How often SWF did not permit the execution to be closed.
        closing_blocked: Whether it refused so since the last wait.
    """

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.activities: States = defaultdict(dict)
        self.context = ExecutionContext()
        self.open_timers: set[str] = set()
        self.timer_refused: str | None = None
        self.closing_refused = 0
        self.closing_blocked = False
        self._scheduled: dict[int, ActivityState] = {}
        for event in events:
            self.add(event)

    def add(self, event: Event) -> None:
        """Take the next event.

        Raises:
            payload.NotReadable: The workflow's input is not a JSON object, or a result not JSON.
        """
        kind = event["eventType"]
        if take := self._takes.get(kind):
            take(self, event, event.get(_attributes_of(kind), {}))
        elif kind not in EVENT_TYPES:
            _logger.debug("Skipped an event of unknown type %s.", kind)

    @property
    def open_activities(self) -> int:
        """How many activities are scheduled or started."""
        return sum(state.get_last_state() == ACTIVITY_SCHEDULED for state in self._states())

    @property
    def held_back(self) -> list[ActivityState]:
        """The activities that SWF would not schedule just now."""
        return [state for state in self._states() if state.refusal and state.refusal.passing]

    @property
    def waiting(self) -> bool:
        """Whether the wait timer runs."""
        return WAIT_TIMER in self.open_timers

    def _states(self) -> Iterable[ActivityState]:
        return (state for of_name in self.activities.values() for state in of_name.values())

    def _state(self, attributes: Mapping[str, Any]) -> ActivityState:
        name, activity_id = attributes["activityType"]["name"], attributes["activityId"]
        return self.activities[name].setdefault(activity_id, ActivityState(activity_id))

    def _started(self, event: Event, _: Mapping[str, Any]) -> None:
        self.context.set_execution_input(event)

    def _activity_scheduled(self, event: Event, attributes: Mapping[str, Any]) -> None:
        state = self._scheduled[event["eventId"]] = self._state(attributes)
        state.begin()

    def _activity_completed(self, event: Event, attributes: Mapping[str, Any]) -> None:
        state = self._of(attributes)
        what = f"The result of {state.activity_id} (event {event.get('eventId')})"
        result = payload.decode(attributes.get("result"), what)
        state.complete(result)
        self.context.merge(result)
        self._activity_closed()

    def _activity_failed(self, _: Event, attributes: Mapping[str, Any]) -> None:
        self._of(attributes).fail(attributes.get("reason") or "failed without a reason")
        self._activity_closed()

    def _activity_timed_out(self, _: Event, attributes: Mapping[str, Any]) -> None:
        self._of(attributes).fail(f"timed out ({attributes.get('timeoutType')})")
        self._activity_closed()

    def _activity_canceled(self, _: Event, attributes: Mapping[str, Any]) -> None:
        self._of(attributes).cancel()
        self._activity_closed()

    def _activity_refused(self, _: Event, attributes: Mapping[str, Any]) -> None:
        state = self._state(attributes)
        # An id in use belongs to one that runs: its end will be heard of.
        if state.get_last_state() != ACTIVITY_SCHEDULED:
            state.refuse(attributes["cause"])

    def _timer_started(self, _: Event, attributes: Mapping[str, Any]) -> None:
        self.open_timers.add(attributes["timerId"])
        self.timer_refused = None

    def _timer_fired(self, _: Event, attributes: Mapping[str, Any]) -> None:
        self.open_timers.discard(attributes["timerId"])
        if attributes["timerId"] == WAIT_TIMER:
            self.closing_blocked = False
            self._lift()

    def _timer_refused(self, _: Event, attributes: Mapping[str, Any]) -> None:
        if attributes["timerId"] == WAIT_TIMER and not self.waiting:
            self.timer_refused = attributes["cause"]

    def _closing_refused(self, _: Event, attributes: Mapping[str, Any]) -> None:
        # UNHANDLED_DECISION only says that more has happened: the next decision knows it.
        if attributes["cause"] == "OPERATION_NOT_PERMITTED":
            self.closing_refused += 1
            self.closing_blocked = True

    def _activity_closed(self) -> None:
        # Where no timer can be had, the end of an activity is what is waited for.
        if self.timer_refused:
            self.timer_refused = None
            self._lift()

    def _lift(self) -> None:
        for state in self.held_back:
            state.refusal = None

    def _of(self, attributes: Mapping[str, Any]) -> ActivityState:
        return self._scheduled[attributes["scheduledEventId"]]

    _takes: ClassVar[Mapping[str, _Take]] = {
        "WorkflowExecutionStarted": _started,
        "ActivityTaskScheduled": _activity_scheduled,
        "ActivityTaskCompleted": _activity_completed,
        "ActivityTaskFailed": _activity_failed,
        "ActivityTaskTimedOut": _activity_timed_out,
        "ActivityTaskCanceled": _activity_canceled,
        "ScheduleActivityTaskFailed": _activity_refused,
        "TimerStarted": _timer_started,
        "TimerFired": _timer_fired,
        "TimerCanceled": _timer_fired,
        "StartTimerFailed": _timer_refused,
        "CompleteWorkflowExecutionFailed": _closing_refused,
        "FailWorkflowExecutionFailed": _closing_refused,
    }


def activity_states_from_events(events: Iterable[Event]) -> States:
    """The states of the activities that were ever to be scheduled, by activity name and id.

    Args:
        events: SWF history events in order, as boto3 gives them.
    """
    return dict(History(events).activities)


def get_current_context(events: Iterable[Event]) -> ExecutionContext:
    """Workflow input and results, merged in event order; a dictionary.

    Args:
        events: SWF history events in order, as boto3 gives them.
    """
    return ExecutionContext(events)


def _attributes_of(kind: str) -> str:
    return f"{kind[0].lower()}{kind[1:]}EventAttributes"

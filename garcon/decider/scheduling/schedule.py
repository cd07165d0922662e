"""The object that a flow's own decider is called with: ``schedule``.

Rules:

1. Each method requests something under an id. In the first run that becomes a decision of SWF; in
   every later run the history says what became of it. The same id with another input is an error.
2. Anything that has not ended keeps the workflow open, except signals and what the flow itself
   cancelled.
3. A failure raises, and so fails the workflow; with ``may_fail`` the state has it instead.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from garcon.activity import Activity, ActivityInstanceNotReadyException, ActivityState
from garcon.aws import limits
from garcon.decider import decisions as to
from garcon.decider.decisions import Decision
from garcon.decider.flow_defaults import activity_priority, tags_of
from garcon.decider.nondeterminism import first_not_requested
from garcon.decider.scheduling.activity_requests import ScheduleContext, States, schedule
from garcon.decider.scheduling.arguments import check_id, check_schedule
from garcon.decider.scheduling.canceller import Canceller
from garcon.decider.scheduling.combinators import KnownValue, MissingSignal, all_of, any_of
from garcon.decider.scheduling.markers import MarkerRecorder
from garcon.decider.scheduling.run_record import RunRecord
from garcon.event import History
from garcon.flow import flow_attributes
from garcon.history.event_types import CHILD, LAMBDA, TIMER
from garcon.history.reserved_timers import OWN_TIMERS
from garcon.history.states import State, Waitable
from garcon.payload import codec

Input = Mapping[str, Any]


class ContinuesAsNew(ActivityInstanceNotReadyException):
    """The run of the decider ends here, because the execution continues as new."""


class Schedule:
    """One run of a decider over one history.

    Args:
        flow: The flow.
        history: The history so far.
        decisions: Receives the decisions.
        activities: The states of the activities, if not the history's.
        context: The context of the execution, if not the history's.

    Attributes:
        record: The requests and decisions of the run.
    """

    __name__ = "schedule"  # it was a function: flows may log its name
    all_of = staticmethod(all_of)
    any_of = staticmethod(any_of)

    def __init__(
        self,
        flow: Any,
        history: History,
        decisions: list[Decision],
        activities: States | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> None:
        self.record = RunRecord(flow, history, decisions)
        self._activities = history.activities if activities is None else activities
        self._context = history.context if context is None else getattr(context, "current", context)
        self._canceller = Canceller(self.record)
        self._markers = MarkerRecorder(self.record)
        self._signals: Counter[str] = Counter()

    def __call__(
        self,
        schedule_id: str,
        current_activity: Activity,
        requires: Iterable[Waitable] | None = None,
        input: Input | None = None,  # noqa: A002 - the documented name
        version: str | None = None,
        *,
        priority: int | None = None,
        may_fail: bool = False,
    ) -> ActivityState:
        """Schedule an activity, or return its state; see ``decider.schedule``.

        Raises:
            ActivityInstanceNotReadyException: A requirement has not completed.
            ActivityImpossible: It will not complete, and ``may_fail`` was not given.
            InputMismatch: The id was used for another input in this run.
            garcon.errors.InvalidFlow: An argument is of the wrong type, or not an id for SWF.
        """
        check_schedule(schedule_id, current_activity, input)
        key = str(current_activity.name), str(schedule_id)
        found = self.record.find(key, input)
        if isinstance(found, ActivityState):
            return found
        if version is None:
            version = flow_attributes.version(self.record.flow)
        if priority is None:
            priority = activity_priority(current_activity, self.record.flow)
        request = schedule_id, current_activity, requires, input, version
        state = self._request_activity(*request, priority=priority, may_fail=may_fail)
        self.record.remember(key, input, state, state.uses)
        return state

    # Python calls the function so when an argument is missing.
    __call__.__qualname__ = "schedule"

    def _request_activity(self, *request: Any, **options: Any) -> ActivityState:
        decisions = self.record.decisions
        earlier = len(decisions)
        run = decisions, ScheduleContext(), self._activities, self._context
        try:
            state = schedule(*run, *request, **options)
        except ActivityInstanceNotReadyException:
            self.record.progress.mark_uncompleted()
            raise
        if len(decisions) > earlier:
            self.record.note_line()
        return state

    def timer(self, id: str, seconds: float) -> State:  # noqa: A002 - as the other methods
        """Wait so many seconds (StartTimer); ready when they are over.

        Raises:
            ValueError: The id is reserved for the library.
        """
        check_id(id, "A timer")
        if id.startswith(OWN_TIMERS):
            raise ValueError(
                f"The timer {id}: names that begin with {OWN_TIMERS} are the library's own. Rename "
                "it."
            )
        return self.record.request(TIMER, id, lambda _: to.start_timer(id, seconds))

    def signal(self, name: str) -> Waitable:
        """The next signal of that name: the n-th call of a run gives the n-th that came.

        Its result is the signal's input, read as JSON if it is JSON.
        """
        number, self._signals[name] = self._signals[name], self._signals[name] + 1
        received = self.record.history.signals.get(name, [])
        if number < len(received):
            event_id, value = received[number]
            return KnownValue(f"The signal {name}", value, event_id)
        self.record.awaited_signals.add(name)
        return MissingSignal(f"The signal {name}")

    def child(
        self,
        id: str,  # noqa: A002 - as the other methods
        flow: Any,
        input: Input | None = None,  # noqa: A002 - as the other methods
        *,
        may_fail: bool = False,
        tags: Iterable[str] | None = None,
        priority: int | None = None,
        timeout: float | None = None,
        policy: str = "TERMINATE",
    ) -> State:
        """Run another flow as a child workflow; its result is the workflow's result.

        Args:
            id: Joined by a dash to this execution's workflow id, it is the child's workflow id.
            flow: The other flow, in the same domain.
            input: Its workflow input.
            may_fail: Return a state that ``failed`` instead of raising.
            tags: Up to five; those of its flow if not given.
            priority: Of its decision tasks, higher first; that of its flow if not given.
            timeout: Seconds it may last; as its type says if not given.
            policy: Its fate when this execution ends early: TERMINATE, REQUEST_CANCEL or ABANDON.
        """
        workflow_id = limits.activity_id(f"{self._context.get('execution.workflow_id')}-{id}")
        members = {
            "childPolicy": policy,
            "tagList": tags_of(flow, tags),
            "taskPriority": _text(flow_attributes.priority(flow) if priority is None else priority),
            "executionStartToCloseTimeout": timeout and limits.seconds(timeout),
        }

        def start(control: str | None) -> Decision:
            text = codec.encode(input or {}, f"The input of the child workflow {id}")
            return to.start_child(workflow_id, flow, text, control=control, **members)

        return self.record.request(CHILD, workflow_id, start, input, may_fail=may_fail)

    def lambda_(
        self,
        id: str,  # noqa: A002 - as the other methods
        name: str,
        input: Any = None,  # noqa: A002 - as the other methods
        *,
        timeout: float | None = None,
        may_fail: bool = False,
    ) -> State:
        """Run an AWS Lambda function; the execution must have been started with a lambda role.

        Args:
            id: Its id.
            name: The function's name or ARN.
            input: Any value that JSON has a form for.
            timeout: Seconds it may take, up to 900, the default.
            may_fail: Return a state that ``failed`` instead of raising.
        """

        def run(control: str | None) -> Decision:
            text = codec.encode(input, f"The input of the lambda function {id}")
            return to.schedule_lambda(id, name, text, timeout, control)

        return self.record.request(LAMBDA, id, run, input, may_fail=may_fail)

    def marker(self, name: str, details: Any = None) -> Waitable:
        """Record a value in the history, once: the n-th call of a run is the n-th marker.

        Its result is the recorded value.
        """
        return KnownValue(f"The marker {name}", self._markers.value(name, lambda: details))

    def side_effect(self, find: Callable[[], Any], id: str | None = None) -> Any:  # noqa: A002 - same
        """The value that ``find`` returned at its first call; later decisions read the record.

        It is called again only if the decision in which it was called was lost.

        Args:
            find: Returns a value for JSON that may differ each time: a random number, the time, a
                row of a database.
            id: Its name, where several are not always called in the same order.
        """
        name = id or getattr(find, "__qualname__", type(find).__name__)
        return self._markers.effect(f"garcon-side-effect-{name}", find)

    def version(self, change: str, max: int) -> int:  # noqa: A002 - the common name for it
        """The version of a change that this execution follows: from 0 (before it) to ``max``.

        An execution is past this point if its history has something that this run has not requested
        yet; it follows version 0. Any other follows the newest. The answer is recorded. A replay of
        a decision that was made before the change follows version 0.
        """
        name = f"garcon-version-{change}"
        if self._markers.is_skipped(name):
            return 0
        history, requested = self.record.history, self.record.requested
        is_past = not self._markers.is_recorded(name) and first_not_requested(history, requested)
        newest = 0 if is_past else max
        return int(self._markers.effect(name, lambda: newest))

    def expose(self, **values: Any) -> None:
        """Show values of the execution to people: ``python -m garcon state``, ``Client.state``.

        They go with the answer of this decision, which is sent anyway, and stay readable when the
        execution has closed and no decider runs. Up to 16,000 characters of JSON; what is longer is
        replaced by a sentence.

        Args:
            values: By name; a later value of the same name replaces the earlier one.
        """
        self.record.exposed.update(values)

    def cancel(self, *states: Waitable) -> None:
        """Cancel activities, timers or children; they no longer keep the workflow open.

        An activity receives the request with its next heartbeat.

        Raises:
            ValueError: SWF has no call to cancel such a thing.
        """
        self._canceller.cancel(*states)

    def cancel_all(self) -> None:
        """Cancel everything that is open, requested in this run or not, and wait for its end.

        After a request to cancel the execution: everything that began before the request.

        Raises:
            ActivityInstanceNotReadyException: Something still runs.
        """
        self._canceller.cancel_all()

    def continue_as_new(
        self,
        input: Input | None = None,  # noqa: A002 - as the other methods
        *,
        version: str | None = None,
        tags: Iterable[str] | None = None,
    ) -> None:
        """End this run, and continue in a new one with an empty history (ContinueAsNew…).

        Args:
            input: The new run's workflow input.
            version: The new run's version of the workflow type; the same if not given.
            tags: The new run's tags; the same if not given.

        Raises:
            ContinuesAsNew: Always: the run of the decider ends here.
        """
        start = self.record.history.start
        self.record.closing = to.continue_as_new(start, input or {}, version=version, tags=tags)
        self.record.note_line()
        raise ContinuesAsNew("The execution continues as new.")


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)

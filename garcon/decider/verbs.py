"""What a flow's own decider can say: the object that it is given as ``schedule``.

Rules:

1. Every verb asks for something under an id. At the first decision that becomes a decision of SWF,
   at every later one the history says what became of it. The same id with another input is an
   error.
2. Whatever has not ended keeps the workflow open, but signals and what the flow itself cancelled.
3. What failed raises, and so fails the workflow; with ``may_fail`` the state says so instead.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from garcon import limits, payload, usual
from garcon.activity import Activity, ActivityInstanceNotReadyException, ActivityState
from garcon.decider import decisions as to
from garcon.decider.arguments import check_id, check_schedule
from garcon.decider.asking import States
from garcon.decider.cancelling import Cancelling
from garcon.decider.combining import Awaited, Known, all_of, any_of
from garcon.decider.contradicting import forgotten
from garcon.decider.decisions import Decision
from garcon.decider.recording import Recorder
from garcon.decider.registering import activity_priority, activity_version, tags_of
from garcon.decider.scheduling import ScheduleContext, schedule
from garcon.event import History
from garcon.lifecycles import CHILD, LAMBDA, TIMER
from garcon.states import State, Waitable
from garcon.timers import OWN_TIMERS

Input = Mapping[str, Any]


class Continued(ActivityInstanceNotReadyException):
    """The run ends here, because the execution goes on as a new one."""


class Schedule(Cancelling):
    """One run of a decider over one history; the arguments are those of ``Asking``."""

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
        super().__init__(flow, history, decisions, activities, context)
        self._signals: Counter[str] = Counter()
        self._recorder = Recorder(history, self._add)

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
        """Schedule an activity, or find out what became of it; see ``decider.schedule``.

        Raises:
            ActivityInstanceNotReadyException: A requirement has not completed.
            ActivityImpossible: It will not complete, and ``may_fail`` was not said.
            OtherInput: The id was used for another input in this run.
            garcon.errors.InvalidFlow: An argument is of the wrong kind, or no id for SWF.
        """
        check_schedule(schedule_id, current_activity, input)
        key = str(current_activity.name), str(schedule_id)
        found = self._again(key, input)
        if isinstance(found, ActivityState):
            return found
        if version is None:
            version = activity_version(current_activity, self.flow)
        if priority is None:
            priority = activity_priority(current_activity, self.flow)
        asked = schedule_id, current_activity, requires, input, version
        state = self._scheduled(*asked, priority=priority, may_fail=may_fail)
        self._remember(key, input, state, state.uses)
        return state

    # Python names the function so when an argument is missing.
    __call__.__qualname__ = "schedule"

    def _scheduled(self, *asked: Any, **how: Any) -> ActivityState:
        before = len(self._decisions)
        told = self._decisions, ScheduleContext(), self._activities, self._context
        try:
            state = schedule(*told, *asked, **how)
        except ActivityInstanceNotReadyException:
            self.progress.mark_uncompleted()
            raise
        self._note_line(since=before)
        return state

    def timer(self, id: str, seconds: float) -> State:  # noqa: A002 - as the other verbs
        """Wait so many seconds (StartTimer); ready when they are over.

        Raises:
            ValueError: The id is one of ours.
        """
        check_id(id, "A timer")
        if id.startswith(OWN_TIMERS):
            raise ValueError(f"Timers named {OWN_TIMERS}… are the library's own: rename {id}.")
        return self._thing(TIMER, id, lambda _: to.start_timer(id, seconds))

    def signal(self, name: str) -> Waitable:
        """The next signal of that name: the n-th call of a run gives the n-th that came.

        Its result is the signal's input, read as JSON if it is.
        """
        number, self._signals[name] = self._signals[name], self._signals[name] + 1
        came = self._history.signals.get(name, [])
        if number < len(came):
            event_id, value = came[number]
            return Known(f"The signal {name}", value, event_id)
        self.listens.add(name)
        return Awaited(f"The signal {name}")

    def child(
        self,
        id: str,  # noqa: A002 - as the other verbs
        flow: Any,
        input: Input | None = None,  # noqa: A002 - as the other verbs
        *,
        may_fail: bool = False,
        tags: Iterable[str] | None = None,
        priority: int | None = None,
        timeout: float | None = None,
        policy: str = "TERMINATE",
    ) -> State:
        """Run another flow as a child workflow; its result is the workflow's result.

        Args:
            id: Its workflow id is the one of this execution and this, joined by a dash.
            flow: The other flow, in the same domain.
            input: Its workflow input.
            may_fail: Whether a state that has ``failed`` is wanted, rather than an error.
            tags: Up to five; those of its flow if not given.
            priority: Of its decision tasks, higher first; that of its flow if not given.
            timeout: Seconds it may last; as its type says if not given.
            policy: What becomes of it when this execution ends early: TERMINATE, REQUEST_CANCEL
                or ABANDON.
        """
        workflow_id = limits.activity_id(f"{self._context.get('execution.workflow_id')}-{id}")
        more = {
            "childPolicy": policy,
            "tagList": tags_of(flow, tags),
            "taskPriority": _text(usual.priority(flow) if priority is None else priority),
            "executionStartToCloseTimeout": timeout and limits.seconds(timeout),
        }

        def start(control: str | None) -> Decision:
            text = payload.encode(input or {}, f"The input of the child workflow {id}")
            return to.start_child(workflow_id, flow, text, control=control, **more)

        return self._thing(CHILD, workflow_id, start, input, may_fail=may_fail)

    def lambda_(
        self,
        id: str,  # noqa: A002 - as the other verbs
        name: str,
        input: Any = None,  # noqa: A002 - as the other verbs
        *,
        timeout: float | None = None,
        may_fail: bool = False,
    ) -> State:
        """Run an AWS Lambda function; the execution must have been started with a lambda role.

        Args:
            id: Its id.
            name: The function's name or ARN.
            input: Anything JSON can say.
            timeout: Seconds it may take, up to 900, which it has if not given.
            may_fail: Whether a state that has ``failed`` is wanted, rather than an error.
        """

        def run(control: str | None) -> Decision:
            text = payload.encode(input, f"The input of the lambda function {id}")
            return to.schedule_lambda(id, name, text, timeout, control)

        return self._thing(LAMBDA, id, run, input, may_fail=may_fail)

    def marker(self, name: str, details: Any = None) -> Waitable:
        """Write something into the history, once: the n-th call of a run is the n-th marker.

        Its result is what was recorded.
        """
        return Known(f"The marker {name}", self._recorder.value(name, lambda: details))

    def side_effect(self, find: Callable[[], Any], id: str | None = None) -> Any:  # noqa: A002 - same
        """What ``find`` returned when it was asked first; JSON. Later decisions read the record.

        It is asked again only if the decision in which it was asked was lost.

        Args:
            find: A random number, the time, a look at a database: what may differ each time.
            id: Tells it apart, where the order of several is not always the same.
        """
        called = id or getattr(find, "__qualname__", type(find).__name__)
        return self._recorder.value(f"garcon-side-effect-{called}", find)

    def version(self, change: str, max: int) -> int:  # noqa: A002 - the common name for it
        """Which version of a change this execution lives by, from 0 (before it) to ``max``.

        An execution that has gone past this point without it, with things in its history that this
        run has not asked for yet, lives by 0; any other by the newest. The answer is recorded.
        """
        name = f"garcon-version-{change}"
        if not self._recorder.is_recorded(name) and forgotten(self._history, self.asked):
            newest = 0
        else:
            newest = max
        return int(self._recorder.value(name, lambda: newest))

    def continue_as_new(
        self,
        input: Input | None = None,  # noqa: A002 - as the other verbs
        *,
        version: str | None = None,
        tags: Iterable[str] | None = None,
    ) -> None:
        """End this run, and go on in a new one with an empty history (ContinueAsNew…).

        Args:
            input: The new run's workflow input.
            version: Of the workflow type that goes on; the same if not given.
            tags: Of the new run; the same if not given.

        Raises:
            Continued: Always: the run of the decider ends here.
        """
        start = self._history.start
        self.closing = to.continue_as_new(start, input or {}, version=version, tags=tags)
        self._note_line(since=-1)
        raise Continued("The execution goes on as a new one.")


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)

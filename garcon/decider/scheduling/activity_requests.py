"""``schedule``: schedule an activity, or return its state.

Rules:

1. The user's decider is run from its start for every decision. An activity scheduled before is
   found in the history; one that is not ready ends the run quietly; a new one becomes a decision.
2. An activity that will not complete raises, and so fails the workflow; with ``may_fail`` its state
   has the outcome instead. So does the state of one that the decider itself cancelled.
3. A digest of ``input`` is noted with the activity, so that the same id with another input is
   detected at the next decision.
4. With generators, an activity has several instances and one state: complete when all instances
   are, with their results merged.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from garcon.activity import (
    ACTIVITY_COMPLETED,
    ACTIVITY_SCHEDULED,
    Activity,
    ActivityImpossible,
    ActivityInstance,
    ActivityInstanceNotReadyException,
    ActivityState,
    RetryDelay,
    Step,
    attempts,
    step_of,
)
from garcon.aws import limits
from garcon.decider.decisions import Decision, retry_timer, schedule_activity_task
from garcon.decider.scheduling.arguments import check_requirement, check_requirements
from garcon.decider.scheduling.control_notes import digest
from garcon.flow.argument_checks import shown
from garcon.history.states import EndKind, StateOutcome, Waitable

States = Mapping[str, Mapping[str, ActivityState]]


class ScheduleContext:
    """Whether everything that the decider requested has completed.

    Attributes:
        completed: True until something was found that has not.
    """

    def __init__(self) -> None:
        self.completed = True

    def mark_uncompleted(self) -> None:
        """Something has not completed: the execution cannot close yet."""
        self.completed = False


def ensure_requirements(requires: Iterable[Waitable | None] | None) -> None:
    """Go on only if all of these have completed.

    Args:
        requires: States of activities, timers, signals or children; ``None`` among them counts as
            one that has not completed.

    Raises:
        ActivityInstanceNotReadyException: One has not.
        garcon.errors.InvalidFlow: One is not a state.
    """
    if not requires:
        return
    check_requirements(requires)
    for state in requires:
        if state is None:
            raise ActivityInstanceNotReadyException("A requirement is None: it is not known yet.")
        check_requirement(state)
        state.wait()
        if _is_behind(state):
            raise ActivityInstanceNotReadyException(f"{shown(state)} has not completed yet.")


def _is_behind(state: Any) -> bool:
    """Whether a mock of a state, as in users' tests, says by its last state that it waits."""
    last = None if isinstance(state, Waitable) else getattr(state, "get_last_state", None)
    return last is not None and last() != ACTIVITY_COMPLETED


def schedule(  # noqa: PLR0917 - the documented signature
    decisions: list[Decision],
    schedule_context: ScheduleContext,
    history: States,
    context: Mapping[str, Any],
    schedule_id: str,
    current_activity: Activity,
    requires: Iterable[Waitable | None] | None = None,
    input: Mapping[str, Any] | None = None,  # noqa: A002 - the documented name
    version: str = "1.0",
    *,
    priority: int | None = None,
    may_fail: bool = False,
) -> ActivityState:
    """Schedule an activity, or find its state.

    Args:
        decisions: The decisions so far; new ones are added.
        schedule_context: Marked uncompleted if the activity has not completed.
        history: The states, by activity name and id.
        context: The context of the execution.
        schedule_id: Distinguishes several uses of the activity; part of its id in the history.
        current_activity: The activity.
        requires: States that have to be completed before.
        input: Values on top of the context.
        version: The version of its activity type.
        priority: On the task list, higher first; that of the activity if not given.
        may_fail: Return a state that ``failed`` instead of raising.

    Raises:
        ActivityInstanceNotReadyException: A requirement has not completed.
        ActivityImpossible: It failed too often, was cancelled, or SWF refuses it.
    """
    _ensure(requires, schedule_context)
    if use := _single_use(current_activity, schedule_id, history):
        return _summary(use, f"{current_activity.name}-{schedule_id}", schedule_context)
    uses = _uses(current_activity, schedule_id, context, input)
    options = {"may_fail": may_fail, "version": version, "priority": priority, "values": input}
    state = ActivityState(f"{current_activity.name}-{schedule_id}")
    return _combine(state, uses, history, decisions, schedule_context, **options)


def _ensure(requires: Iterable[Waitable | None] | None, schedule_context: ScheduleContext) -> None:
    try:
        ensure_requirements(requires)
    except ActivityInstanceNotReadyException:
        schedule_context.mark_uncompleted()
        raise


def _single_use(activity: Activity, schedule_id: str, history: States) -> ActivityState | None:
    """The one use of an activity, if it runs or has completed: there is nothing to decide.

    In every run a decider comes here for all that it ever scheduled, so no instance is made.
    """
    if activity.generators:
        return None
    first = limits.activity_id(f"{activity.name}-1")
    use = history.get(str(activity.name), {}).get(limits.activity_id(f"{first}-{schedule_id}"))
    return use if use and (use.ready or use.open) else None


def _summary(use: ActivityState, id_: str, schedule_context: ScheduleContext) -> ActivityState:
    """The state that the flow receives for a single use, as ``_combine`` makes it for several."""
    state = ActivityState(id_)
    state.uses = [use]
    if use.ready:
        state.complete(use.result)
    else:
        state.add_state(ACTIVITY_SCHEDULED)
        schedule_context.mark_uncompleted()
    return state


def _uses(
    activity: Activity, schedule_id: str, context: Mapping[str, Any], values: Any
) -> dict[str, ActivityInstance]:
    """The instances, by the ids that they have in the history."""
    # Without need the context is not copied: a decider may come here thousands of times.
    needs_copy = values or activity.generators
    instances = activity.instances({**context, **(values or {})} if needs_copy else context)
    return {limits.activity_id(f"{each.id}-{schedule_id}"): each for each in instances}


def _combine(
    state: ActivityState,
    uses: Mapping[str, ActivityInstance],
    history: States,
    decisions: list[Decision],
    schedule_context: ScheduleContext,
    **options: Any,
) -> ActivityState:
    """Fill the state from the history of all uses, and decide their next steps."""
    known = {id_: history.get(each.activity_name, {}).get(id_) for id_, each in uses.items()}
    state.uses = [each or ActivityState(id_) for id_, each in known.items()]
    if all(each.ready for each in state.uses):
        state.complete(_merge([each.result for each in state.uses]))
        return state
    state.given_up = _decide(decisions, uses, known, **options)
    if not state.given_up:
        schedule_context.mark_uncompleted()
    state.add_state(ACTIVITY_SCHEDULED)
    return state


def _merge(results: list[Any]) -> Any:
    if len(results) == 1:
        return results[0]
    return {key: value for each in results if isinstance(each, dict) for key, value in each.items()}


def _decide(
    decisions: list[Decision],
    uses: Mapping[str, ActivityInstance],
    known: Mapping[str, ActivityState | None],
    *,
    may_fail: bool,
    **options: Any,
) -> StateOutcome | None:
    """Take the next step for each use; returns the outcome if one of them is given up."""
    given_up = None
    for activity_id, instance in uses.items():
        state = known[activity_id]
        try:
            take_step(decisions, instance, state, activity_id, **options)
        except ActivityImpossible as error:
            is_cancelled = state is not None and state.cancel_requested and state.canceled
            if not (may_fail or is_cancelled):
                raise
            last = state.outcomes[-1] if state and state.outcomes else None
            given_up = last or StateOutcome(EndKind.REFUSED, str(error), error.details)
    return given_up


def take_step(
    decisions: list[Decision],
    instance: ActivityInstance,
    state: ActivityState | None,
    activity_id: str,
    *,
    version: str,
    priority: int | None = None,
    values: Mapping[str, Any] | None = None,
) -> None:
    """Add the decision that an instance needs now, if any.

    Args:
        decisions: The decisions so far.
        instance: The instance.
        state: Its state; None if the history does not have it.
        activity_id: Its id in the history.
        version: The version of its activity type.
        priority: On the task list, higher first.
        values: Its own input; a digest of it is noted.

    Raises:
        ActivityImpossible: It will never complete.
    """
    step = step_of(instance, state)
    if isinstance(step, RetryDelay):
        decisions.append(retry_timer(step))
    elif step is Step.SCHEDULE:
        control: dict[str, Any] = {"input": digest(values)} if values else {}
        if failed_attempts := attempts(state):
            control["attempt"] = failed_attempts + 1
        schedule_activity_task(
            decisions, instance, version, activity_id, priority=priority, control=control
        )

"""``schedule``: schedule an activity, or find out what became of it.

Rules:

1. Each decision runs the user's decider from the start. What was scheduled before is found in the
   history, what is not ready ends the run quietly, what is new becomes a decision.
2. An activity that will not complete raises, and so fails the workflow; with ``may_fail`` its state
   says so instead. So does the state of one that the decider itself cancelled.
3. A digest of ``input`` is noted with the activity, so that the same id with another input is
   noticed at the next decision.
4. With generators it has several instances and one state: complete when all are, and its result is
   all of theirs, merged.
"""

import hashlib
import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from garcon import limits, untrusted
from garcon.activity import (
    ACTIVITY_SCHEDULED,
    Activity,
    ActivityImpossible,
    ActivityInstance,
    ActivityInstanceNotReadyException,
    ActivityState,
    Rest,
    Step,
    attempts,
    step_of,
)
from garcon.decider.arguments import check_requirement
from garcon.decider.decisions import Decision, rest, schedule_activity_task
from garcon.states import How, Outcome, Waitable

States = Mapping[str, Mapping[str, ActivityState]]

_encode = json.JSONEncoder(sort_keys=True, default=str).encode


class ScheduleContext:
    """Whether everything the decider asked for has completed.

    Attributes:
        completed: True until something was found that has not.
    """

    def __init__(self) -> None:
        self.completed = True

    def mark_uncompleted(self) -> None:
        """Something has not completed: the execution cannot be closed yet."""
        self.completed = False


def ensure_requirements(requires: Iterable[Waitable] | None) -> None:
    """Go on only if all of these have completed.

    Args:
        requires: What ``schedule`` returned for them, or a timer, a signal, a child.

    Raises:
        ActivityInstanceNotReadyException: One has not.
        garcon.errors.InvalidFlow: One is nothing to wait for.
    """
    for state in requires or ():
        check_requirement(state)
        state.wait()


def schedule(  # noqa: PLR0917 - the documented signature
    decisions: list[Decision],
    schedule_context: ScheduleContext,
    history: States,
    context: Mapping[str, Any],
    schedule_id: str,
    current_activity: Activity,
    requires: Iterable[Waitable] | None = None,
    input: Mapping[str, Any] | None = None,  # noqa: A002 - the documented name
    version: str = "1.0",
    *,
    priority: int | None = None,
    may_fail: bool = False,
) -> ActivityState:
    """Schedule an activity, or find out what became of it: gives its state.

    Args:
        decisions: The decisions so far; new ones are added.
        schedule_context: Told if the activity has not completed.
        history: The states, by activity name and id.
        context: The context of the execution.
        schedule_id: Tells apart several uses of the activity; part of its id in the history.
        current_activity: The activity.
        requires: What has to be completed before.
        input: Values on top of the context.
        version: The version of its activity type.
        priority: On the task list, higher first; that of the activity if not given.
        may_fail: Whether a state that has ``failed`` is wanted, rather than an error.

    Raises:
        ActivityInstanceNotReadyException: A requirement has not completed.
        ActivityImpossible: It failed too often, was cancelled, or SWF refuses it.
    """
    _ensure(requires, schedule_context)
    if use := _only_use(current_activity, schedule_id, history):
        return _told(use, f"{current_activity.name}-{schedule_id}", schedule_context)
    uses = _uses(current_activity, schedule_id, context, input)
    how = {"may_fail": may_fail, "version": version, "priority": priority, "given": input}
    state = ActivityState(f"{current_activity.name}-{schedule_id}")
    return _followed(state, uses, history, decisions, schedule_context, **how)


def _only_use(activity: Activity, schedule_id: str, history: States) -> ActivityState | None:
    """The one use of an activity, if it runs or has completed: nothing is to be decided about it.

    A decider comes here for all that it ever scheduled, so what needs no instance makes none.
    """
    if activity.generators:
        return None
    first = limits.activity_id(f"{activity.name}-1")
    use = history.get(str(activity.name), {}).get(limits.activity_id(f"{first}-{schedule_id}"))
    return use if use and (use.ready or use.open) else None


def _told(use: ActivityState, id_: str, schedule_context: ScheduleContext) -> ActivityState:
    """What the flow is told of one use, as ``_followed`` does of several."""
    state = ActivityState(id_)
    state.uses = [use]
    if use.ready:
        state.complete(use.result)
    else:
        state.add_state(ACTIVITY_SCHEDULED)
        schedule_context.mark_uncompleted()
    return state


def _uses(
    activity: Activity, schedule_id: str, context: Mapping[str, Any], given: Any
) -> dict[str, ActivityInstance]:
    """The instances, by the ids that they have in the history."""
    # Without need the context is not copied: a decider may come here thousands of times.
    values = {**context, **(given or {})} if given or activity.generators else context
    instances = activity.instances(values)
    return {limits.activity_id(f"{each.id}-{schedule_id}"): each for each in instances}


def _followed(
    state: ActivityState,
    uses: Mapping[str, ActivityInstance],
    history: States,
    decisions: list[Decision],
    schedule_context: ScheduleContext,
    **how: Any,
) -> ActivityState:
    """The state, with what history says of all its uses, and what is to be decided about them."""
    known = {id_: history.get(each.activity_name, {}).get(id_) for id_, each in uses.items()}
    state.uses = [each or ActivityState(id_) for id_, each in known.items()]
    if all(each.ready for each in state.uses):
        state.complete(_merged([each.result for each in state.uses]))
        return state
    state.given_up = _decide(decisions, uses, known, **how)
    if not state.given_up:
        schedule_context.mark_uncompleted()
    state.add_state(ACTIVITY_SCHEDULED)
    return state


def digest(values: Any) -> str:
    """A short key of an input: the same content, the same key."""
    return hashlib.sha1(_encode(values).encode(), usedforsecurity=False).hexdigest()[:16]


def control_of(text: str | None) -> dict[str, Any]:
    """What the decider noted with an activity, a child or a lambda function."""
    try:
        told = untrusted.loads(text or "{}")
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _ensure(requires: Iterable[Waitable] | None, schedule_context: ScheduleContext) -> None:
    try:
        ensure_requirements(requires)
    except ActivityInstanceNotReadyException:
        schedule_context.mark_uncompleted()
        raise


def _decide(
    decisions: list[Decision],
    uses: Mapping[str, ActivityInstance],
    known: Mapping[str, ActivityState | None],
    *,
    may_fail: bool,
    **how: Any,
) -> Outcome | None:
    """Take the next step for each use; the outcome, if one of them is given up."""
    given_up = None
    for activity_id, instance in uses.items():
        state = known[activity_id]
        try:
            take_step(decisions, instance, state, activity_id, **how)
        except ActivityImpossible as error:
            asked_for = state is not None and state.cancel_requested and state.canceled
            if not (may_fail or asked_for):
                raise
            last = state.outcomes[-1] if state and state.outcomes else None
            given_up = last or Outcome(How.REFUSED, str(error), error.details)
    return given_up


def take_step(
    decisions: list[Decision],
    instance: ActivityInstance,
    state: ActivityState | None,
    activity_id: str,
    *,
    version: str,
    priority: int | None = None,
    given: Mapping[str, Any] | None = None,
) -> None:
    """Add the decision that an instance needs now, if any; of ``given`` a digest is noted with it.

    Raises:
        ActivityImpossible: It never will complete.
    """
    step = step_of(instance, state)
    if isinstance(step, Rest):
        decisions.append(rest(step))
    elif step is Step.SCHEDULE:
        noted = {"input": digest(given)} if given else {}
        again = {"attempt": attempts(state) + 1} if attempts(state) else {}
        schedule_activity_task(
            decisions,
            instance,
            version,
            activity_id,
            priority=priority,
            control={**noted, **again},
        )


def _merged(results: list[Any]) -> Any:
    if len(results) == 1:
        return results[0]
    return {key: value for each in results if isinstance(each, dict) for key, value in each.items()}


def consult(
    decider: Callable[..., Any], schedule_next: Callable[..., Any], workflow_input: Any
) -> None:
    """Run a flow's decider: ``decider(schedule)`` or ``decider(schedule, context)``.

    Its signature says which: a parameter called ``context``, or a second one that it needs.
    """
    asked = inspect.signature(decider).parameters.values()
    if any(each.name == "context" and each.kind is not each.POSITIONAL_ONLY for each in asked):
        decider(schedule_next, context=workflow_input)
        return
    positional = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}
    needed = [each for each in asked if each.kind in positional and each.default is each.empty]
    decider(*(schedule_next, workflow_input)[: max(1, len(needed))])

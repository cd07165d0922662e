"""What a custom decider calls: ``schedule`` an activity, and use its result once there is one.

Each decision runs the user's decider from the start. What was scheduled before is found in the
history, what is not ready ends the run quietly, what is new becomes a decision.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from garcon import limits
from garcon.activity import (
    ACTIVITY_SCHEDULED,
    Activity,
    ActivityInstance,
    ActivityInstanceNotReadyException,
    ActivityState,
    may_schedule,
)
from garcon.decider.decisions import Decision, schedule_activity_task

States = Mapping[str, Mapping[str, ActivityState]]


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


def ensure_requirements(requires: Iterable[ActivityState] | None) -> None:
    """Go on only if all of these have completed.

    Args:
        requires: What ``schedule`` returned for them.

    Raises:
        ActivityInstanceNotReadyException: One has not.
    """
    for state in requires or ():
        state.wait()


def schedule(  # noqa: PLR0917 - the documented signature
    decisions: list[Decision],
    schedule_context: ScheduleContext,
    history: States,
    context: Mapping[str, Any],
    schedule_id: str,
    current_activity: Activity,
    requires: Iterable[ActivityState] | None = None,
    input: Mapping[str, Any] | None = None,  # noqa: A002 - the documented name
    version: str = "1.0",
) -> ActivityState:
    """Schedule an activity, or find out what became of it.

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

    Returns:
        Its state; with generators, the results of all instances merged.

    Raises:
        ActivityInstanceNotReadyException: A requirement has not completed.
        ActivityImpossible: It failed too often, was cancelled, or SWF refuses it.
    """
    _ensure(requires, schedule_context)
    instances = current_activity.instances({**context, **(input or {})})
    uses = {limits.activity_id(f"{each.id}-{schedule_id}"): each for each in instances}
    known = {id_: history.get(each.activity_name, {}).get(id_) for id_, each in uses.items()}
    state = ActivityState(f"{current_activity.name}-{schedule_id}")
    if all(each and each.ready for each in known.values()):
        state.complete(_merged([each.result for each in known.values() if each]))
    else:
        schedule_context.mark_uncompleted()
        _schedule_all(decisions, uses, known, version)
        state.add_state(ACTIVITY_SCHEDULED)
    return state


def _ensure(requires: Iterable[ActivityState] | None, schedule_context: ScheduleContext) -> None:
    try:
        ensure_requirements(requires)
    except ActivityInstanceNotReadyException:
        schedule_context.mark_uncompleted()
        raise


def _schedule_all(
    decisions: list[Decision],
    uses: Mapping[str, ActivityInstance],
    known: Mapping[str, ActivityState | None],
    version: str,
) -> None:
    for activity_id, instance in uses.items():
        if may_schedule(known[activity_id], instance.retry):
            schedule_activity_task(decisions, instance, version, activity_id)


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

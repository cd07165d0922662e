"""The activities of a flow, and their instances that can run now."""

from collections.abc import Iterator, Mapping
from typing import Any

from garcon.activity.activity import Activity
from garcon.activity.activity_state import ActivityState
from garcon.activity.instance import ActivityInstance
from garcon.activity.retry_step import RetryDelay, Step, next_step

Context = Mapping[str, Any]
States = Mapping[str, Mapping[str, ActivityState]]
"""States by activity name, then by activity id."""


def find_workflow_activities(flow: Any) -> list[Activity]:
    """The activities among a flow's attributes, in ``dir()`` order, each once.

    Args:
        flow: The flow, a module or any object.
    """
    attributes = (getattr(flow, name, None) for name in dir(flow))
    return list(dict.fromkeys(value for value in attributes if isinstance(value, Activity)))


def find_activities(flow: Any, context: Context) -> list[ActivityInstance]:
    """All instances of all activities of a flow, whatever their state."""
    return [
        instance
        for activity in find_workflow_activities(flow)
        for instance in activity.instances(context)
    ]


def find_available_activities(
    flow: Any, history: States, context: Context
) -> Iterator[ActivityInstance]:
    """The instances to schedule now: not open, and all activities they require completed.

    Args:
        flow: The flow, a module or any object.
        history: The states, by activity name and id.
        context: The context of the execution.

    Raises:
        ActivityImpossible: An instance will never complete.
    """
    progress = FlowProgress(history, context)
    for activity in find_workflow_activities(flow):
        yield from progress.available(activity)


def find_uncomplete_activities(
    flow: Any, history: States, context: Context
) -> Iterator[ActivityInstance]:
    """The instances that have not completed, scheduled or not."""
    for instance in find_activities(flow, context):
        if not _is_ready(instance, history):
            yield instance


class FlowProgress:
    """The progress of one execution's activities.

    The generators of an activity run once, and not before the activities it requires have
    completed, because they may use their results.

    Args:
        history: The states, by activity name and id.
        context: The context of the execution.
    """

    def __init__(self, history: States, context: Context) -> None:
        self.history = history
        self.context = context
        self._instances: dict[Activity, list[ActivityInstance]] = {}
        self._completed: dict[Activity, bool] = {}

    def completed(self, activity: Activity) -> bool:
        """Whether all its instances have completed, and all activities it requires."""
        if activity not in self._completed:
            self._completed[activity] = self._may_run(activity) and all(
                _is_ready(instance, self.history) for instance in self.instances(activity)
            )
        return self._completed[activity]

    def available(self, activity: Activity) -> list[ActivityInstance]:
        """Its instances to schedule now, each id once.

        Raises:
            ActivityImpossible: An instance will never complete.
        """
        return [instance for instance in self.runnable(activity) if self._may_start(instance)]

    def runnable(self, activity: Activity) -> list[ActivityInstance]:
        """Its instances, each id once; none before all activities it requires have completed."""
        if not self._may_run(activity):
            return []
        # Equal values of a generator have one id, and SWF lets an id be open only once.
        return list({instance.id: instance for instance in self.instances(activity)}.values())

    def instances(self, activity: Activity) -> list[ActivityInstance]:
        """All its instances."""
        if activity not in self._instances:
            self._instances[activity] = activity.instances(self.context)
        return self._instances[activity]

    def _may_run(self, activity: Activity) -> bool:
        return all(self.completed(required) for required in activity.requires)

    def _may_start(self, instance: ActivityInstance) -> bool:
        return step_of(instance, state_of(instance, self.history)) is Step.SCHEDULE


def state_of(instance: ActivityInstance, history: States) -> ActivityState | None:
    """The state of an instance, if the history has it."""
    return history.get(instance.activity_name, {}).get(instance.id)


def step_of(instance: ActivityInstance, state: ActivityState | None) -> Step | RetryDelay:
    """The next step of an instance.

    Raises:
        ActivityImpossible: It will never complete.
    """
    return next_step(state, instance.policy, restartable=instance.restartable)


def _is_ready(instance: ActivityInstance, history: States) -> bool:
    state = state_of(instance, history)
    return state is not None and state.ready

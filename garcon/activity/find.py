"""Which activities a flow has, and which of their instances can run now."""

from collections.abc import Iterator, Mapping
from typing import Any

from garcon.activity.base import Activity
from garcon.activity.instance import ActivityInstance
from garcon.activity.retrying import Rest, Step, next_step
from garcon.activity.states import ActivityState

Context = Mapping[str, Any]
# By activity name, then by activity id.
States = Mapping[str, Mapping[str, ActivityState]]


def find_workflow_activities(flow: Any) -> list[Activity]:
    """The activities among a flow's attributes, in ``dir()`` order, each once.

    Args:
        flow: The flow, a module or any object.
    """
    attributes = (getattr(flow, name, None) for name in dir(flow))
    return list(dict.fromkeys(each for each in attributes if isinstance(each, Activity)))


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
    """The instances to schedule now: not running, and all they require completed.

    Args:
        flow: The flow, a module or any object.
        history: The states, by activity name and id.
        context: The context of the execution.

    Raises:
        ActivityImpossible: An instance never will complete.
    """
    progress = Progress(history, context)
    for activity in find_workflow_activities(flow):
        yield from progress.available(activity)


def find_uncomplete_activities(
    flow: Any, history: States, context: Context
) -> Iterator[ActivityInstance]:
    """The instances that have not completed, scheduled or not."""
    for instance in find_activities(flow, context):
        if not _is_ready(instance, history):
            yield instance


class Progress:
    """How far the activities of one execution are; each activity's instances are asked for once.

    The generators of an activity are asked only when what it requires has completed, because they
    may use its results.
    """

    def __init__(self, history: States, context: Context) -> None:
        self.history = history
        self.context = context
        self._instances: dict[Activity, list[ActivityInstance]] = {}
        self._completed: dict[Activity, bool] = {}

    def completed(self, activity: Activity) -> bool:
        """Whether all its instances have completed, and all it requires."""
        if activity not in self._completed:
            self._completed[activity] = self._may_run(activity) and all(
                _is_ready(each, self.history) for each in self.instances(activity)
            )
        return self._completed[activity]

    def available(self, activity: Activity) -> list[ActivityInstance]:
        """Its instances that are to be scheduled now, each id once.

        Raises:
            ActivityImpossible: An instance never will complete.
        """
        return [each for each in self.runnable(activity) if self._may_start(each)]

    def runnable(self, activity: Activity) -> list[ActivityInstance]:
        """Its instances, each id once, whatever their state, once all it requires is ready."""
        if not self._may_run(activity):
            return []
        # Generators that give the same values twice ask for one activity: an id can be open once.
        return list({each.id: each for each in self.instances(activity)}.values())

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
    """What is known of an instance, if anything."""
    return history.get(instance.activity_name, {}).get(instance.id)


def step_of(instance: ActivityInstance, state: ActivityState | None) -> Step | Rest:
    """What to do about an instance.

    Raises:
        ActivityImpossible: It never will complete.
    """
    return next_step(state, instance.policy, restartable=instance.restartable)


def _is_ready(instance: ActivityInstance, history: States) -> bool:
    state = state_of(instance, history)
    return state is not None and state.ready

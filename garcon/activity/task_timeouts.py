"""The timeouts of a received task, computed as the decider did: SWF's answer does not hold them.

Rules:

1. Those of an activity without task lists are the same for every context, and are computed once.
2. Task lists are the user's code. An error of theirs leaves the timeouts unknown; the execution of
   the task meets it again, and reports it.
"""

from typing import Any, Protocol

from garcon.activity.instance import ActivityInstance, Schedulable
from garcon.activity.task_execution import ActivityExecution
from garcon.user_code.exceptions import ENDS_PROCESS
from garcon.user_code.forks import ParentOnly


class Timed(Schedulable, Protocol):
    """The part of an activity that its timeouts depend on, and its logger."""

    runner: Any

    @property
    def logger(self) -> Any:
        """Logs why there are none."""


class TaskTimeouts:
    """The timeouts of one activity's tasks."""

    def __init__(self) -> None:
        self._fixed: tuple[Any, float, float] | None = None  # the runner's tasks, and their two

    def set(self, activity: Timed, execution: ActivityExecution) -> None:
        """Set start-to-close and heartbeat timeout of a task, as far as they can be known."""
        if (fixed := self._fixed) and fixed[0] is getattr(activity.runner, "tasks", None):
            _, execution.start_to_close, execution.heartbeat_timeout = fixed
            return
        try:
            with ParentOnly(f"the activity {activity.name}"):
                self._compute(activity, execution)
        except ENDS_PROCESS:
            raise
        except BaseException:  # rule 2
            activity.logger.debug("No timeouts for %s.", execution.activity_id, exc_info=True)

    def _compute(self, activity: Timed, execution: ActivityExecution) -> None:
        runner = activity.runner
        if not runner:
            return
        instance = ActivityInstance(activity, None, execution.context)
        execution.start_to_close = instance.timeout
        execution.heartbeat_timeout = instance.heartbeat_timeout
        if getattr(runner, "has_fixed_timeouts", False):
            self._fixed = runner.tasks, instance.timeout, instance.heartbeat_timeout

"""The timeouts of a received task, computed as the decider did: SWF's answer does not hold them.

Rules:

1. Those of an activity without task lists are the same for every context, and are computed once,
   as long as it keeps its runner, and the runner its tasks. A runner of the user's own is asked
   each time.
2. Task lists are the user's code. An error of theirs leaves the timeouts unknown; the execution of
   the task meets it again, and reports it.
"""

from typing import Any, Protocol

from garcon.activity.instance import ActivityInstance, Schedulable
from garcon.activity.task_execution import ActivityExecution
from garcon.runner import Async, BaseRunner, Sync
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
        # The runner and its tasks, and their two timeouts.
        self._fixed: tuple[Any, Any, float, float] | None = None

    def set(self, activity: Timed, execution: ActivityExecution) -> None:
        """Set start-to-close and heartbeat timeout of a task, in seconds; ``None`` if unknown."""
        runner, fixed = activity.runner, self._fixed
        if fixed and fixed[0] is runner and fixed[1] is runner.tasks and _is_plain(runner):
            execution.start_to_close, execution.heartbeat_timeout = fixed[2:]
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
        start_to_close, heartbeat = instance.timeout, instance.heartbeat_timeout
        execution.start_to_close, execution.heartbeat_timeout = start_to_close, heartbeat
        is_fixed = _is_plain(runner) and not runner.has_task_lists
        self._fixed = (runner, runner.tasks, start_to_close, heartbeat) if is_fixed else None


def _is_plain(runner: Any) -> bool:
    """Whether its timeouts are those of its tasks: nobody has given it a rule of their own."""
    kind = type(runner)
    return (
        kind in (Sync, Async)
        and type(runner.tasks) is tuple
        and not _RULES & vars(runner).keys()
        and (kind.timeout, kind.heartbeat) == (BaseRunner.timeout, BaseRunner.heartbeat)
    )


_RULES = frozenset({"timeout", "heartbeat"})

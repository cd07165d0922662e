"""One activity to be scheduled: the activity itself, and the values of one turn of its generators.

Its id must come out the same at every decision, because it is how the history is read.
"""

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from garcon import limits, runner, utils
from garcon.retry import Retry, policy_of

if TYPE_CHECKING:
    from garcon.activity.base import Activity

WHERE = ("execution.domain", "execution.run_id", "execution.workflow_id")


class ActivityInstance:
    """One run of an activity in one execution.

    Args:
        activity_worker: The activity.
        local_context: What the generators gave this instance.
        execution_context: The context of the execution.
        pool_size: How many instances of the activity there are.
    """

    def __init__(
        self,
        activity_worker: "Activity",
        local_context: Mapping[str, Any] | None = None,
        execution_context: Mapping[str, Any] | None = None,
        *,
        pool_size: int = 1,
    ) -> None:
        self.activity_worker = activity_worker
        self.local_context = dict(local_context or {})
        self.execution_context = execution_context or {}
        self.pool_size = pool_size

    @functools.cached_property
    def context(self) -> Mapping[str, Any]:
        """The execution's context with the instance's own values, which win.

        A copy, unless it is the execution's own and no code of the flow is shown it: an execution
        of thousands of results is not to copy them for each.
        """
        looks = getattr(getattr(self.activity_worker, "runner", None), "looks", True)
        if self.local_context or looks:
            return {**self.execution_context, **self.local_context}
        return self.execution_context

    @property
    def activity_name(self) -> str:
        """The name of the activity type, which is its task list too."""
        return str(self.activity_worker.name)

    @functools.cached_property
    def id(self) -> str:
        """The id in the history: ``{name}-1``, or the key of what the generators gave."""
        key = utils.create_dictionary_key(self.local_context) if self._generated else "1"
        return limits.activity_id(f"{self.activity_name}-{key}")

    @property
    def _generated(self) -> bool:
        return bool(self.local_context or self.activity_worker.generators)

    @property
    def retry(self) -> int:
        """How often it may be repeated."""
        return int(self.activity_worker.retry)

    @property
    def policy(self) -> Retry:
        """When it may be repeated."""
        return policy_of(self.activity_worker.retry)

    @property
    def restartable(self) -> bool:
        """Whether a worker's death costs no retry."""
        return self.activity_worker.restartable

    @property
    def priority(self) -> int | None:
        """Its activity's priority on the task list, if it has one."""
        return self.activity_worker.priority

    @property
    def runner(self) -> runner.BaseRunner:
        """What does the tasks.

        Raises:
            runner.RunnerMissing: The activity has none, so nothing is known of its timeouts.
        """
        found: runner.BaseRunner | None = getattr(self.activity_worker, "runner", None)
        if not found:
            raise runner.RunnerMissing(f"The activity {self.activity_name} has no run=.")
        return found

    @property
    def timeout(self) -> float:
        """Start to close: seconds that the tasks may last."""
        return self.runner.timeout(self.context)

    @property
    def heartbeat_timeout(self) -> float:
        """Seconds between two signs of life."""
        return self.runner.heartbeat(self.context)

    @property
    def schedule_to_start(self) -> float:
        """Seconds it may wait: those of one times the instances, as if there were one worker."""
        return self.pool_size * self.activity_worker.schedule_to_start

    @property
    def schedule_to_close(self) -> float:
        """Seconds from scheduling to the end: waiting and working."""
        return self.schedule_to_start + self.timeout

    def create_execution_input(self) -> dict[str, Any]:
        """The input: the keys that the tasks need and have a value, else the whole context."""
        context = self.context
        try:
            needed = self.runner.requirements(context)
        except runner.NoRunnerRequirementsFound:
            return dict(context)
        keys = [*sorted(needed), *WHERE]
        return {key: context[key] for key in keys if context.get(key) is not None}

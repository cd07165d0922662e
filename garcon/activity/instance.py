"""An activity instance: the activity, and the values of one turn of its generators.

The id must be the same at every decision: it is the instance's key in the history.
"""

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

from garcon import runner, task, utils
from garcon.aws import limits
from garcon.errors import NotADictionary
from garcon.flow import argument_checks
from garcon.flow.argument_checks import shown
from garcon.retry import Retry, policy_of

EXECUTION_KEYS = ("execution.domain", "execution.run_id", "execution.workflow_id")


class Schedulable(Protocol):
    """The part of an activity that an instance reads: names, timeouts, retries."""

    name: str | None
    task_list: str | None
    generators: Any
    retry: int | Retry
    restartable: bool
    priority: int | None
    pool_size: int
    schedule_to_start_timeout: float


class ActivityInstance:
    """One activity of an execution, with an id of its own.

    Args:
        activity_worker: The activity.
        local_context: The values of this instance, from the generators.
        execution_context: The context of the execution.
        pool_size: Number of instances of the activity; the activity's own if not given.
    """

    def __init__(
        self,
        activity_worker: Schedulable,
        local_context: Mapping[str, Any] | None = None,
        execution_context: Mapping[str, Any] | None = None,
        *,
        pool_size: int | None = None,
    ) -> None:
        self.activity_worker = activity_worker
        self.local_context = dict(local_context or {})
        self.execution_context = getattr(execution_context, "current", execution_context) or {}
        self._pool_size = pool_size

    @property
    def pool_size(self) -> int:
        """Number of instances of the activity."""
        return self.activity_worker.pool_size if self._pool_size is None else self._pool_size

    @property
    def global_context(self) -> Mapping[str, Any]:
        """The name of ``context`` in 1.1.1."""
        return self.context

    @global_context.setter
    def global_context(self, context: Mapping[str, Any]) -> None:
        self.context = context

    @functools.cached_property
    def context(self) -> Mapping[str, Any]:
        """The execution's context, merged with the instance's own values, which win."""
        # The execution's own context is not copied unless the flow's code may change it: it may
        # hold thousands of results, and there may be thousands of instances.
        runner_ = getattr(self.activity_worker, "runner", None)
        if self.local_context or getattr(runner_, "has_task_lists", True):
            return {**self.execution_context, **self.local_context}
        return self.execution_context

    @property
    def activity_name(self) -> str:
        """Name of the activity type, and of its task list."""
        return str(self.activity_worker.name)

    @functools.cached_property
    def id(self) -> str:
        """The id in the history: ``{name}-1``, or ``{name}-{key of its own values}``."""
        # Running executions carry these ids: a generator's empty dictionary gives "-1", too.
        key = utils.create_dictionary_key(self.local_context) if self.local_context else "1"
        return limits.activity_id(f"{self.activity_name}-{key}")

    @property
    def retry(self) -> int:
        """Number of retries."""
        return int(self.activity_worker.retry)

    @property
    def policy(self) -> Retry:
        """The rule for its retries."""
        return policy_of(self.activity_worker.retry)

    @property
    def restartable(self) -> bool:
        """Whether the death of a worker costs no retry."""
        return self.activity_worker.restartable

    @property
    def priority(self) -> int | None:
        """The activity's priority on the task list, if it has one."""
        return self.activity_worker.priority

    @property
    def runner(self) -> runner.BaseRunner:
        """The activity's runner.

        Raises:
            runner.RunnerMissing: The activity has none, so its timeouts are unknown.
        """
        own: runner.BaseRunner | None = getattr(self.activity_worker, "runner", None)
        if not own:
            raise runner.RunnerMissing(f"The activity {self.activity_name} has no run=.")
        return own

    @property
    def timeout(self) -> float:
        """Start-to-close timeout: seconds that the tasks may last."""
        given: float = self._given(self.runner.timeout(self.context), "timeout")
        return given

    @property
    def heartbeat_timeout(self) -> float:
        """Heartbeat timeout: seconds between two heartbeats."""
        given: float = self._given(self.runner.heartbeat(self.context), "heartbeat")
        return given

    def _given(self, seconds: Any, method: str) -> Any:
        what = f"The runner of the activity {self.activity_name}: {method}()"
        return argument_checks.seconds_given(seconds, what)

    @property
    def schedule_to_start(self) -> float:
        """Schedule-to-start timeout in seconds.

        That of the activity times the number of instances, as if there were one worker.
        """
        return self.pool_size * self.activity_worker.schedule_to_start_timeout

    @property
    def schedule_to_close(self) -> float:
        """Schedule-to-close timeout in seconds: schedule-to-start and start-to-close together."""
        return self.schedule_to_start + self.timeout

    def create_execution_input(self) -> dict[str, Any]:
        """The input: the context keys that the tasks need and that are not ``None``.

        The whole context if a task does not name the keys it needs.
        """
        context = self.context
        try:
            needed = self.runner.requirements(context)
        except runner.NoRunnerRequirementsFound:
            return dict(context)
        known = {key: context[key] for key in sorted(needed) if context.get(key) is not None}
        return known | {key: context.get(key) for key in EXECUTION_KEYS}


class InstanceList(list[ActivityInstance]):
    """Instances: a list, as documented, that ``next`` steps through, as in 1.1.1."""

    _steps: Iterator[ActivityInstance] | None = None

    def __next__(self) -> ActivityInstance:
        self._steps = self._steps or iter(self)
        return next(self._steps)


def instances_of(activity: Schedulable, context: Mapping[str, Any]) -> InstanceList:
    """All instances of an activity for this context: see ``Activity.instances``."""
    context = getattr(context, "current", context)  # an ``ExecutionContext`` will do
    generators = activity.generators
    if callable(generators):  # one function, as flows for 1.1.1 may give it
        generators = [generators]
    values = [_values(generator, activity, context) for generator in generators]
    turns = [
        {key: value for part in turn for key, value in part.items()}
        for turn in itertools.product(*values)
    ]
    return InstanceList(
        ActivityInstance(activity, turn, context, pool_size=len(turns)) for turn in turns
    )


def _values(
    generator: Callable[..., Any], activity: Schedulable, context: Mapping[str, Any]
) -> list[Mapping[str, Any]]:
    """The dictionaries that a generator gives for this context."""
    given = generator(context)
    what = f"The generator {task.name_of(generator)} of the activity {activity.name}"
    if isinstance(given, str | Mapping) or not isinstance(given, Iterable):
        raise NotADictionary(f"{what} gave {shown(given)}; a generator gives dictionaries.")
    values = list(given)
    for value in values:
        if not isinstance(value, Mapping):
            raise NotADictionary(f"{what} gave {shown(value)}; a generator gives dictionaries.")
    return values

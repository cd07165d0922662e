"""Runners: execute the tasks of an activity, and compute its timeouts and the keys it needs.

Rules:

1. Timeouts are pessimistic: the sum of the tasks' timeouts, the longest of their heartbeats. A task
   without a timeout may last ten minutes.
2. A heartbeat is sent before each task, but not before the first if the poll was answered less than
   a second ago: an activity of one quick task costs a poll and an answer.
3. A task sees the activity's context and the results so far; the activity's own context wins.
"""

import contextvars
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from garcon import task as tasks_of
from garcon.errors import GarconError, InvalidFlow, NotADictionary
from garcon.flow import argument_checks
from garcon.flow.argument_checks import shown
from garcon.flow.tracked_dict import TrackedDict
from garcon.user_code.forks import ParentOnly

Context = Mapping[str, Any]

DEFAULT_TASK_TIMEOUT = 600  # seconds; ten minutes, as in 1.1.1
DEFAULT_TASK_HEARTBEAT = 600  # seconds; as the timeout, so a task need not send heartbeats
FRESH = 1.0  # seconds; no heartbeat timeout is shorter, so a poll this recent replaces one


class NoRunnerRequirementsFound(GarconError):
    """A task does not name the context keys it needs, so it gets the whole context."""


class RunnerMissing(GarconError):
    """The activity has no runner; pass ``run=`` when creating it."""


class BaseRunner:
    """Base of all runners; a runner of one's own inherits and defines ``execute``.

    Args:
        args: Tasks and task lists.
    """

    def __init__(self, *args: Any) -> None:
        self.tasks = args

    def execute(self, activity: Any, context: Context) -> dict[str, Any]:
        """Execute the tasks.

        Args:
            activity: The execution, for heartbeats and the logger.
            context: The activity's input.

        Returns:
            The results of all tasks in one dictionary: the activity's result.
        """
        raise NotImplementedError

    def timeout(self, context: Context | None = None) -> float:
        """Seconds that all tasks may last together; without tasks, the default of one.

        Args:
            context: The context, for task lists.
        """
        return sum(task_timeout(one) for one in self._flat(context)) or DEFAULT_TASK_TIMEOUT

    def heartbeat(self, context: Context | None = None) -> float:
        """Seconds between two heartbeats: the longest of the tasks' heartbeats.

        Args:
            context: The context, for task lists.
        """
        return max(
            (task_heartbeat(one) for one in self._flat(context)), default=DEFAULT_TASK_HEARTBEAT
        )

    @property
    def has_task_lists(self) -> bool:
        """Whether it has task lists, which are the flow's code and read the context."""
        return any(map(tasks_of.is_task_list, self.tasks))

    def requirements(self, context: Context | None = None) -> set[str]:
        """The context keys that the tasks are filled from, and those that task lists read.

        Args:
            context: The context, for task lists.

        Raises:
            NoRunnerRequirementsFound: A task is not filled.
        """
        tracked = TrackedDict(context if self.has_task_lists else None)
        needed: set[str] = set()
        for one in self._flat(tracked):
            requirements = tasks_of.marks_of(one).get("requirements")
            if requirements is None:
                raise NoRunnerRequirementsFound(
                    f"The task {tasks_of.name_of(one)} does not name the context keys it needs."
                )
            needed.update(requirements)
        return needed | tracked.keys_read

    def _flat(self, context: Context | None) -> list[Any]:
        return list(tasks_of.flatten(self.tasks, context))


class Sync(BaseRunner):
    """One task after the other."""

    def execute(self, activity: Any, context: Context) -> dict[str, Any]:
        """Execute the tasks in order; later ones see the results of earlier ones."""
        result: dict[str, Any] = {}
        for number, one in enumerate(tasks_of.flatten(self.tasks, context)):
            _heartbeat_before(number, activity)
            _add(result, activity, one, tasks_of.call(one, activity, {**result, **context}))
        return result


class Async(BaseRunner):
    """Several tasks at once, in threads.

    Args:
        args: Tasks and task lists.
        max_workers: Number of threads; ``None`` for as many as ``concurrent.futures`` makes.
        unknown: Other options, which are ignored with a ``UserWarning``.
    """

    def __init__(self, *args: Any, max_workers: int | None = 3, **unknown: Any) -> None:
        super().__init__(*args)
        self.max_workers = max_workers
        if unknown:  # garcon 1.1.1 ignores any
            names = ", ".join(unknown)
            warnings.warn(f"Async has no option {names}; it has max_workers.", stacklevel=2)

    def execute(self, activity: Any, context: Context) -> dict[str, Any]:
        """Execute the tasks in parallel; the first error, in the tasks' order, is raised."""
        with ThreadPoolExecutor(self.max_workers) as pool:
            futures = [
                (one, pool.submit(_in_this_context(_perform), number, one, activity, context))
                for number, one in enumerate(tasks_of.flatten(self.tasks, context))
            ]
            try:
                return _merged(futures, activity)
            finally:
                pool.shutdown(cancel_futures=True)


class External(BaseRunner):
    """The runner of an external activity: it has timeouts, and no tasks.

    Args:
        timeout: Seconds it may last.
        heartbeat: Seconds between two heartbeats; the timeout if not given.
        needs: Keys of the context that the other program gets; the whole context if not given.

    Raises:
        garcon.errors.InvalidFlow: No timeout, or one that is not a number above 0; or the keys are
            not texts.
    """

    def __init__(
        self,
        timeout: float | None = None,
        heartbeat: float | None = None,
        needs: Iterable[str] | None = None,
    ) -> None:
        super().__init__()
        if timeout is None:
            raise InvalidFlow("An external activity needs timeout=, in seconds.")
        argument_checks.check_seconds(timeout, "An external activity: timeout=")
        argument_checks.check_seconds(heartbeat, "An external activity: heartbeat=")
        self._timeout = timeout
        self._heartbeat = heartbeat or timeout
        self._needs = None if needs is None else _keys(needs)

    def timeout(self, context: Context | None = None) -> float:  # noqa: ARG002 - the same for all
        """Seconds it may last."""
        return self._timeout

    def heartbeat(self, context: Context | None = None) -> float:  # noqa: ARG002 - the same for all
        """Seconds between two heartbeats."""
        return self._heartbeat

    def requirements(self, context: Context | None = None) -> set[str]:  # noqa: ARG002 - as above
        """The keys that the other program needs.

        Raises:
            NoRunnerRequirementsFound: It gets the whole context.
        """
        if self._needs is None:
            raise NoRunnerRequirementsFound("An external activity gets the whole context.")
        return set(self._needs)


def _keys(needs: Any) -> frozenset[str]:
    if isinstance(needs, str) or not isinstance(needs, Iterable):
        raise InvalidFlow(f"An external activity: needs= has to be a list, not {shown(needs)}.")
    keys = frozenset(needs)
    if wrong := [each for each in keys if not isinstance(each, str)]:
        raise InvalidFlow(f"An external activity: needs= has texts, not {shown(wrong[0])}.")
    return keys


def task_timeout(fn: Any) -> float:
    """Seconds that one task may last."""
    return tasks_of.marks_of(fn).get("timeout") or DEFAULT_TASK_TIMEOUT


def task_heartbeat(fn: Any) -> float:
    """Seconds between two heartbeats of one task."""
    return tasks_of.marks_of(fn).get("heartbeat") or DEFAULT_TASK_HEARTBEAT


def _heartbeat_before(number: int, activity: Any) -> None:
    """Send the heartbeat that is due before the task of this number, from 0 (rule 2)."""
    received = getattr(activity, "received", None)
    fresh = isinstance(received, float) and time.monotonic() - received < FRESH
    if number or not fresh:
        activity.heartbeat()


def _perform(number: int, fn: Any, activity: Any, context: Context) -> Any:
    # A child that the task forks has this thread only, and would wait here for more tasks.
    with ParentOnly(f"the task {tasks_of.name_of(fn)}"):
        _heartbeat_before(number, activity)
        return tasks_of.call(fn, activity, context)


def _in_this_context(fn: Callable[..., Any]) -> Callable[..., Any]:
    # The logger of the execution is a context variable, which a new thread does not inherit.
    current = contextvars.copy_context()
    return lambda *args: current.run(fn, *args)


def _merged(futures: list[tuple[Any, Future[Any]]], activity: Any) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for one, future in futures:
        _add(result, activity, one, future.result())
    return result


def _add(result: dict[str, Any], activity: Any, fn: Any, returned: Any) -> None:
    """Merge what a task returned: a dictionary, pairs of keys and values, or nothing."""
    if not returned:  # as in 1.1.1, 0 and '' are nothing, too
        return
    try:
        result.update(returned)
    except (TypeError, ValueError) as error:
        name = getattr(activity, "activity_id", None) or getattr(activity, "name", None)
        raise NotADictionary(
            f"The task {tasks_of.name_of(fn)} of the activity {name} returned "
            f"{shown(returned)}; a task returns a dictionary or nothing."
        ) from error

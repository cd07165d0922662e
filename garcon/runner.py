"""Runners: do the tasks of an activity, and add up what they need and how long they may last.

Rules:

1. The sums are pessimistic: the timeouts of all tasks added up, the longest of their heartbeats. A
   task that says nothing may last ten minutes.
2. Before each task SWF is told that the activity is alive. Only before the first task the call is
   spared, if the poll was answered less than a second ago: SWF knows, and an activity of one quick
   task costs a poll and an answer.
3. A task sees the activity's context and the results so far; the activity's own context wins.
"""

import contextvars
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from garcon import figures
from garcon import task as tasks_of
from garcon.errors import GarconError, InvalidFlow, NotADictionary
from garcon.figures import shown
from garcon.watched import Watched

Context = Mapping[str, Any]

DEFAULT_TASK_TIMEOUT = 600  # seconds; ten minutes, as released
DEFAULT_TASK_HEARTBEAT = 600  # seconds; no earlier than the timeout, so silence is allowed
_TIMED = (tasks_of.Task, tasks_of.FilledTask)
FRESH = 1.0  # seconds; no heartbeat timeout is shorter, so a poll this recent is sign enough


class NoRunnerRequirementsFound(GarconError):
    """A task does not say which keys of the context it needs, so it has to be given all."""


class RunnerMissing(GarconError):
    """The activity has no runner: give ``create`` its ``run=``."""


class BaseRunner:
    """What all runners share; an own runner inherits and gives ``execute``.

    Args:
        args: Tasks and task lists.
    """

    def __init__(self, *args: Any) -> None:
        self.tasks = args

    def execute(self, activity: Any, context: Context) -> dict[str, Any]:
        """Do the tasks.

        Args:
            activity: The execution, for heartbeat and logger.
            context: The activity's input.

        Returns:
            The results of all tasks in one dictionary: the activity's result.
        """
        raise NotImplementedError

    def timeout(self, context: Context | None = None) -> float:
        """Seconds that all tasks may last together; without any, what one task may."""
        return sum(task_timeout(each) for each in self._flat(context)) or DEFAULT_TASK_TIMEOUT

    def heartbeat(self, context: Context | None = None) -> float:
        """Seconds between two signs of life: the longest of the tasks' heartbeats."""
        return max(
            (task_heartbeat(each) for each in self._flat(context)), default=DEFAULT_TASK_HEARTBEAT
        )

    @property
    def looks(self) -> bool:
        """Whether there are task lists, which look at the context."""
        return any(map(tasks_of.is_task_list, self.tasks))

    def requirements(self, context: Context | None = None) -> set[str]:
        """The keys of the context that the tasks are filled with, and that their lists look at.

        Raises:
            NoRunnerRequirementsFound: A task is not filled.
        """
        watched = Watched(context if self.looks else None)
        needed: set[str] = set()
        for each in self._flat(watched):
            if not isinstance(each, tasks_of.FilledTask):
                raise NoRunnerRequirementsFound(
                    f"{tasks_of.name_of(each)} does not say what it needs."
                )
            needed |= each.requirements
        return needed | watched.looked_at

    def _flat(self, context: Context | None) -> list[Any]:
        return list(tasks_of.flatten(self.tasks, context))


class Sync(BaseRunner):
    """One task after the other."""

    def execute(self, activity: Any, context: Context) -> dict[str, Any]:
        """Do the tasks in order; later ones see the results of earlier ones."""
        result: dict[str, Any] = {}
        for number, each in enumerate(tasks_of.flatten(self.tasks, context)):
            _show_life(activity, number)
            _add(result, activity, each, tasks_of.call(each, activity, {**result, **context}))
        return result


class Async(BaseRunner):
    """Several tasks at once, in threads.

    Args:
        args: Tasks and task lists.
        max_workers: Threads.
    """

    def __init__(self, *args: Any, max_workers: int = 3) -> None:
        super().__init__(*args)
        self.max_workers = max_workers

    def execute(self, activity: Any, context: Context) -> dict[str, Any]:
        """Do the tasks side by side. The first error, in the tasks' order, ends the activity."""
        with ThreadPoolExecutor(self.max_workers) as pool:
            futures = [
                (each, pool.submit(_in_this_context(_perform), number, each, activity, context))
                for number, each in enumerate(tasks_of.flatten(self.tasks, context))
            ]
            try:
                return _merged(futures, activity)
            finally:
                pool.shutdown(cancel_futures=True)


class External(BaseRunner):
    """Stands for work that another program does.

    Args:
        timeout: Seconds it may last.
        heartbeat: Seconds between two signs of life; the timeout if not given.

    Raises:
        garcon.errors.InvalidFlow: No timeout; nobody else could know it.
    """

    def __init__(self, timeout: float | None = None, heartbeat: float | None = None) -> None:
        super().__init__()
        if timeout is None:
            raise InvalidFlow("An external activity needs timeout=, in seconds.")
        figures.check_seconds(timeout, "An external activity: timeout=")
        figures.check_seconds(heartbeat, "An external activity: heartbeat=")
        self._timeout = timeout
        self._heartbeat = heartbeat or timeout

    def timeout(self, context: Context | None = None) -> float:  # noqa: ARG002 - the same for all
        """Seconds it may last."""
        return self._timeout

    def heartbeat(self, context: Context | None = None) -> float:  # noqa: ARG002 - the same for all
        """Seconds between two signs of life."""
        return self._heartbeat

    def requirements(self, context: Context | None = None) -> set[str]:  # noqa: ARG002 - as above
        """Unknown: the other program gets the whole context."""
        raise NoRunnerRequirementsFound("An external activity is given the whole context.")


def task_timeout(each: Any) -> float:
    """Seconds that one task may last."""
    return (each.time if isinstance(each, _TIMED) else None) or DEFAULT_TASK_TIMEOUT


def task_heartbeat(each: Any) -> float:
    """Seconds between two signs of life of one task."""
    return (each.heartbeat if isinstance(each, _TIMED) else None) or DEFAULT_TASK_HEARTBEAT


def _show_life(activity: Any, number: int) -> None:
    """Tell SWF before the task of this number, from 0, that the activity is alive."""
    received = getattr(activity, "received", None)
    fresh = isinstance(received, float) and time.monotonic() - received < FRESH
    if number or not fresh:
        activity.heartbeat()


def _perform(number: int, each: Any, activity: Any, context: Context) -> Any:
    _show_life(activity, number)
    return tasks_of.call(each, activity, context)


def _in_this_context(fn: Callable[..., Any]) -> Callable[..., Any]:
    # The thread's logger is that of the execution, as in the thread that started it.
    current = contextvars.copy_context()
    return lambda *args: current.run(fn, *args)


def _merged(futures: list[tuple[Any, Future[Any]]], activity: Any) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for each, future in futures:
        _add(result, activity, each, future.result())
    return result


def _add(result: dict[str, Any], activity: Any, each: Any, returned: Any) -> None:
    if isinstance(returned, Mapping):
        result.update(returned)
    elif returned is not None:
        where = getattr(activity, "activity_id", None) or getattr(activity, "name", None)
        raise NotADictionary(
            f"The task {tasks_of.name_of(each)} of the activity {where} returned "
            f"{shown(returned)}; a task returns a dictionary or nothing."
        )

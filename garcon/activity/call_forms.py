"""The forms of an activity's documented methods, and the tasks that an override of them gives.

Rules:

1. ``poll_for_activity`` is documented with ``**kwargs``; 1.1.1 passes ``identity`` by position. An
   override is called as its signature asks.
2. ``execute_activity`` is documented with the context; 1.1.1 passes the execution. An override
   whose parameter is called ``context`` gets a dictionary that has the execution's attributes, too.
3. An override of the poll, or a test that replaces it, may return SWF's answer itself, or a
   stand-in for an execution. A stand-in is answered by its own ``complete`` or ``fail``, once.
"""

import inspect
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

from garcon.activity.task_execution import ActivityExecution
from garcon.aws import limits
from garcon.user_code.exceptions import ENDS_PROCESS
from garcon.user_code.forks import ParentOnly
from garcon.user_code.signatures import signature_of

_in_progress: ContextVar[tuple[Any, ActivityExecution] | None] = ContextVar(
    "garcon_execution_in_progress", default=None
)
"""The activity that executes a task in this thread, and the task."""


class TaskInput(dict[str, Any]):
    """The input of a task, with the attributes of its execution."""

    def __init__(self, execution: ActivityExecution) -> None:
        super().__init__(execution.context)
        self._execution = execution

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # copy() and pickle ask for these before they set attributes
            raise AttributeError(name)
        return getattr(self._execution, name)


def poll(activity: Any, identity: str | None) -> Any:
    """The result of ``poll_for_activity``: an execution or a stand-in; ``None`` without a task."""
    method: Callable[..., Any] = activity.poll_for_activity
    parameters = _parameters(method)
    if any(each.kind in _BY_PLACE for each in parameters):
        polled = method(identity)
    else:
        polled = method(**({"identity": identity} if parameters else {}))
    if isinstance(polled, Mapping):
        return activity.received(polled) if polled.get("taskToken") else None
    return polled


def execute(activity: Any, execution: ActivityExecution) -> Any:
    """The result of ``execute_activity``, called in the form that it has."""
    method: Callable[..., Any] = activity.execute_activity
    names = {each.name for each in _parameters(method)}
    is_documented = "context" in names and "activity" not in names
    token = _in_progress.set((activity, execution))
    try:
        return method(TaskInput(execution) if is_documented else execution)
    finally:
        _in_progress.reset(token)


def executing(activity: Any) -> Any:
    """The argument ``activity`` of tasks: the execution in progress, else the activity itself."""
    current = _in_progress.get()
    return current[1] if current and current[0] is activity else activity


def answer_stand_in(activity: Any, stand_in: Any) -> None:
    """Execute the tasks for an object that is not garcon's, and answer through it, as in 1.1.1."""
    try:
        with ParentOnly(f"the activity {activity.name}"):
            result = activity.execute_activity(stand_in)
        stand_in.complete(result)
    except ENDS_PROCESS:
        raise
    except BaseException as error:  # noqa: BLE001 - the tasks and the stand-in are the user's code
        activity.report(error)
        stand_in.fail(limits.reason(error))


_BY_PLACE = frozenset(
    {
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        inspect.Parameter.VAR_POSITIONAL,
    }
)


def _parameters(method: Callable[..., Any]) -> list[inspect.Parameter]:
    function = getattr(method, "__func__", None)  # its signature is read once, not at each task
    if function is None:
        return list(signature_of(method).parameters.values())
    return list(signature_of(function).parameters.values())[1:]

"""Tasks: plain functions, what they take from the context, and how long they may last.

Rules:

1. A decorator gives a new task and leaves the function as it was: the same function may be
   decorated twice with different timeouts.
2. ``fill`` says which arguments come from which keys of the context. A filled task gets those, and
   ``activity`` if it asks for it; it may not ask for ``context``, because only the keys it named
   are sent to the activity.
3. A task that is not filled gets the whole context and the activity, in whichever of the forms in
   production its signature allows (see ``call``).
4. A task list is a function that looks at the context and yields tasks.
"""

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MethodType
from typing import Any, Generic, ParamSpec, TypeVar

from garcon import figures, param
from garcon.errors import InvalidFlow

P = ParamSpec("P")
R = TypeVar("R")
Context = Mapping[str, Any]


class Task(Generic[P, R]):
    """A function that knows its timeouts; called, it is the function.

    Attributes:
        time: Seconds it may last, ``None`` if nobody said.
        heartbeat: Seconds between two signs of life, ``None`` if nobody said.
    """

    __name__: str

    def __init__(
        self, fn: Callable[P, R], time: float | None = None, heartbeat: float | None = None
    ) -> None:
        functools.update_wrapper(self, fn)
        self.fn = fn
        self.time = time
        self.heartbeat = heartbeat

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function."""
        return self.fn(*args, **kwargs)

    def __get__(self, owner: object, kind: type | None = None) -> Any:
        # A decorated method is bound as a plain one is, and keeps its timeouts.
        if owner is None:
            return self
        return type(self)(MethodType(self.fn, owner), self.time, self.heartbeat)


class FillableTask(Task[P, R]):
    """A task whose arguments can be taken from the context."""

    def fill(self, namespace: str | None = None, **requirements: Any) -> "FilledTask":
        """Say where the arguments come from.

        Args:
            namespace: Put before the keys of the result, with a dot.
            requirements: For each argument the name of a context key, or a param.

        Raises:
            param.UnknownParamException: An argument is given as something else.
            garcon.errors.InvalidFlow: The function has no such argument.
        """
        _check_names(self.fn, requirements)
        return FilledTask(self, requirements, namespace)


class FilledTask:
    """A task with its arguments bound to keys of the context.

    Attributes:
        requirements: The context keys that it needs.
    """

    def __init__(
        self, task: Task[..., Any], arguments: Mapping[str, Any], namespace: str | None
    ) -> None:
        functools.update_wrapper(self, task.fn)
        del self.__dict__["__wrapped__"]  # it is called with the context, not as the function is
        self.task = task
        self.namespace = namespace
        self.arguments = {name: param.parametrize(value) for name, value in arguments.items()}
        self.requirements = param.get_all_requirements(self.arguments.values())
        self.time = task.time
        self.heartbeat = task.heartbeat

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the task: ``(context, activity=...)``, or as documented ``(activity, context)``."""
        if len(args) == 2:  # noqa: PLR2004 - the two of the documented form
            return self._run(*args, reachable=True)
        return self._run(*_by_name(*args, **kwargs))

    def _run(self, activity: Any, context: Context, *, reachable: bool = False) -> Any:
        fn = self.task.fn
        filled = _fill(fn, self.arguments, activity, context, reachable=reachable)
        return namespace_result(fn(**filled), self.namespace)


def contextify(fn: Callable[P, R]) -> FillableTask[P, R]:
    """Let the function's arguments be taken from the context: gives it ``fill``."""
    return FillableTask(*_parts(fn))


def decorate(
    timeout: float | None = None,
    heartbeat: float | None = None,
    enable_contextify: bool = True,  # noqa: FBT001, FBT002 - the documented signature
) -> Callable[[Callable[P, R]], FillableTask[P, R]]:
    """Make a function a task.

    Args:
        timeout: Seconds it may last.
        heartbeat: Seconds between two signs of life; the timeout if not given.
        enable_contextify: Whether it can be filled from the context.

    Raises:
        TypeError: It was written without parentheses.
        garcon.errors.InvalidFlow: A duration is none.
    """
    if callable(timeout):
        raise TypeError("Write @task.decorate(), with parentheses.")

    def wrap(fn: Callable[P, R]) -> FillableTask[P, R]:
        function, time, beat = _parts(fn)
        figures.check_seconds(timeout, f"The task {name_of(fn)}: timeout=")
        figures.check_seconds(heartbeat, f"The task {name_of(fn)}: heartbeat=")
        fillable = enable_contextify or isinstance(fn, FillableTask)
        kind: Any = FillableTask if fillable else Task
        made: FillableTask[P, R] = kind(function, timeout or time, heartbeat or timeout or beat)
        return made

    return wrap


def timeout(
    time: float, heartbeat: float | None = None
) -> Callable[[Callable[P, R]], FillableTask[P, R]]:
    """Say how long the task may last, nothing else.

    Args:
        time: Seconds.
        heartbeat: Seconds between two signs of life; the timeout if not given.
    """
    return decorate(time, heartbeat, enable_contextify=False)


class TaskList:
    """A function that yields the tasks for a context."""

    def __init__(self, fn: Callable[[Context], Iterable[Any]]) -> None:
        functools.update_wrapper(self, fn)
        self.fn = fn

    def __call__(self, context: Context) -> Iterable[Any]:
        """The tasks for this context."""
        return self.fn(context)

    def __get__(self, owner: object, kind: type | None = None) -> "TaskList":
        return self if owner is None else TaskList(MethodType(self.fn, owner))


def list(fn: Callable[..., Iterable[Any]]) -> TaskList:  # noqa: A001 - the documented name
    """Make a function that looks at the context and yields tasks (filled ones, usually).

    The decider asks it for timeouts and needed keys, the activity, later, for the tasks.
    """
    return TaskList(fn)


def is_task_list(fn: object) -> bool:
    """Whether ``fn`` yields tasks instead of being one."""
    return isinstance(fn, TaskList)


def flatten(callables: Iterable[Any], context: Context | None = None) -> Iterator[Any]:
    """The tasks themselves: task lists are asked with the context, lists of lists too."""
    for fn in callables:
        if is_task_list(fn):
            yield from flatten(fn({} if context is None else context), context)
        else:
            yield fn


def call(fn: Callable[..., Any], activity: Any, context: Context) -> Any:
    """Run a task in the first of the forms in production that its signature allows.

    They are ``(context, activity=)``, ``(activity=, context=)``, ``(activity, context)``, and only
    one of the two.
    """
    forms: tuple[tuple[tuple[Any, ...], dict[str, Any]], ...] = (
        ((context,), {"activity": activity}),
        ((), {"activity": activity, "context": context}),
        ((activity, context), {}),
        ((), {"activity": activity}),
        ((context,), {}),
    )
    args, kwargs = next((form for form in forms if _accepts(fn, *form)), forms[0])
    return fn(*args, **kwargs)


def fill_function_call(
    fn: Callable[..., Any], requirements: Mapping[str, Any], activity: Any, context: Context
) -> dict[str, Any]:
    """The arguments to call a filled task with.

    Args:
        fn: The function.
        requirements: For each argument the name of a context key, or a param.
        activity: What the function gets if it asks for ``activity``.
        context: Where the values are; a key that is missing is ``None``.

    Raises:
        ValueError: The function asks for ``context``.
    """
    params = {name: param.parametrize(value) for name, value in requirements.items()}
    return _fill(fn, params, activity, context, reachable=False)


def namespace_result(dictionary: Any, namespace: str | None) -> Any:
    """The dictionary with ``namespace.`` before each key; without a namespace as it is."""
    if not namespace or not isinstance(dictionary, Mapping):
        return dictionary
    return {f"{namespace}.{key}": value for key, value in dictionary.items()}


def name_of(fn: Any) -> str:
    """A function's name, in sentences."""
    return str(getattr(fn, "__name__", fn))


def _parts(fn: Any) -> tuple[Any, float | None, float | None]:
    return (fn.fn, fn.time, fn.heartbeat) if isinstance(fn, Task) else (fn, None, None)


def _check_names(fn: Any, given: Mapping[str, Any]) -> None:
    try:
        asked = inspect.signature(fn).parameters
    except (TypeError, ValueError):  # built in, it does not tell
        return
    if any(each.kind is each.VAR_KEYWORD for each in asked.values()):
        return
    if unknown := [each for each in given if each not in asked]:
        raise InvalidFlow(
            f"The task {name_of(fn)} has no argument {', '.join(unknown)} to fill; it has: "
            f"{', '.join(asked)}."
        )


def _by_name(context: Context, activity: Any = None) -> tuple[Any, Context]:
    return activity, context


def _accepts(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    try:
        inspect.signature(fn).bind(*args, **kwargs)
    except (TypeError, ValueError):  # it does not bind, or has no signature to tell
        return False
    return True


def _fill(
    fn: Callable[..., Any],
    params: Mapping[str, param.BaseParam],
    activity: Any,
    context: Context,
    *,
    reachable: bool,
) -> dict[str, Any]:
    given = {"activity": activity, **({"context": context} if reachable else {})}
    asked = inspect.signature(fn).parameters.values()
    named = [each for each in asked if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)]
    filled = {each.name: _argument(each, params, given, context) for each in named}
    if any(each.kind is each.VAR_KEYWORD for each in asked):
        filled |= {key: params[key].get_data(context) for key in params.keys() - filled.keys()}
    return filled


def _argument(
    asked: inspect.Parameter,
    params: Mapping[str, param.BaseParam],
    given: Mapping[str, Any],
    context: Context,
) -> Any:
    if asked.name in given:
        return given[asked.name]
    if asked.name in params:
        return params[asked.name].get_data(context)
    if asked.name == "context":
        raise ValueError(
            "A filled task cannot ask for context: only the keys named in fill() are sent to its "
            "activity. Fill each value it needs, or use the task without fill()."
        )
    return None if asked.default is asked.empty else asked.default

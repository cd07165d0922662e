"""Tasks: plain functions with timeouts, and arguments taken from the context.

Rules:

1. A decorator returns a new task and leaves the function as it was: the same function may be
   decorated twice with different timeouts. The marks of a task are in its ``__garcon__``, and a
   task passes for a function, so that ``functools.wraps`` decorators above it keep both.
2. ``fill`` names the context key of each argument. A filled task gets these values, and
   ``activity`` if its signature has it. It cannot have ``context``, because only the named keys are
   sent to the activity.
3. A task that is not filled gets the whole context and the activity, in the first of the forms in
   production that its signature allows (see ``call``).
4. A task list is a function of the context that yields tasks.
"""

import functools
import inspect
import types
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Generic, ParamSpec, TypeVar

from garcon import param
from garcon.flow import argument_checks, filled_arguments
from garcon.user_code import coroutines
from garcon.user_code.function_like import FunctionLike
from garcon.user_code.signatures import signature_of

P = ParamSpec("P")
R = TypeVar("R")
Context = Mapping[str, Any]


class _Marked(FunctionLike):
    """Base of tasks, filled or not: their marks are in ``__garcon__``."""

    __garcon__: dict[str, Any]

    @property
    def time(self) -> Any:
        """Seconds it may last, if known."""
        return self.__garcon__.get("timeout")

    @property
    def heartbeat(self) -> Any:
        """Seconds between two heartbeats, if known."""
        return self.__garcon__.get("heartbeat")


class Task(_Marked, Generic[P, R]):
    """A function with timeouts; calling the task calls the function.

    Args:
        fn: The function.
        time: Seconds it may last, if known.
        heartbeat: Seconds between two heartbeats, if known.
    """

    __name__: str
    fn: Callable[P, R]

    def __init__(
        self, fn: Callable[P, R], time: float | None = None, heartbeat: float | None = None
    ) -> None:
        functools.update_wrapper(self, fn)
        self.fn = fn
        self.__garcon__ = _marks(timeout=time, heartbeat=heartbeat)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function."""
        return self.fn(*args, **kwargs)

    def __get__(self, owner: object, kind: type | None = None) -> Any:
        # A decorated method is bound like a plain one, and keeps its timeouts.
        if owner is None:
            return self
        bound = type(self)(types.MethodType(self.fn, owner))
        bound.__garcon__ = self.__garcon__
        return bound


class FillableTask(Task[P, R]):
    """A task whose arguments can be taken from the context."""

    def __init__(
        self, fn: Callable[P, R], time: float | None = None, heartbeat: float | None = None
    ) -> None:
        super().__init__(fn, time, heartbeat)
        # Beside the marks, so that a ``functools.wraps`` decorator carries it on, too.
        self.__dict__["fill"] = functools.partial(FillableTask.fill, self)

    def fill(self, /, namespace: str | None = None, **requirements: Any) -> "FilledTask":
        """Name the source of each argument.

        Args:
            namespace: Prefix of the keys of the result, joined with a dot.
            requirements: For each argument the name of a context key, or a param.

        Raises:
            param.UnknownParamException: The source of an argument is neither.
        """
        _warn_of_unknown(self.fn, requirements)
        return FilledTask(self, requirements, namespace)


class FilledTask(_Marked):
    """A task whose arguments are bound to keys of the context.

    Args:
        task: The task.
        arguments: For each argument the name of a context key, or a param.
        namespace: Prefix of the keys of the result.

    Attributes:
        requirements: The context keys that it needs.
    """

    def __init__(
        self, task: Task[..., Any], arguments: Mapping[str, Any], namespace: str | None
    ) -> None:
        functools.update_wrapper(self, task.fn)
        del self.__dict__["__wrapped__"]  # it is called with the context, not as the function is
        self.fn = _arguments_of_call
        self.task = task
        self.namespace = namespace
        self.arguments = {name: param.parametrize(value) for name, value in arguments.items()}
        self.requirements = param.get_all_requirements(self.arguments.values())
        self.__garcon__ = {**task.__garcon__, "requirements": self.requirements}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the task: ``(context, activity=...)``, or ``(activity, context)`` as documented."""
        activity, context, is_documented = _arguments_of_call(*args, **kwargs)
        return self._run(activity, context, gets_context=is_documented)

    def _run(self, activity: Any, context: Context, *, gets_context: bool) -> Any:
        fn = self.task.fn
        filled = filled_arguments.fill(
            fn, self.arguments, activity, context, gets_context=gets_context
        )
        returned = coroutines.result_of(fn(**filled), activity)
        return namespace_result(returned, self.namespace)


def _marks(**marks: Any) -> dict[str, Any]:
    """Those that are known: runners of users read ``__garcon__.get("timeout", 600)``."""
    return {name: value for name, value in marks.items() if value is not None}


def contextify(fn: Callable[P, R]) -> FillableTask[P, R]:
    """Make a function a task whose arguments can be taken from the context by ``fill``."""
    return _made(fn, None, None, fillable=True)


def decorate(
    timeout: float | None = None,
    heartbeat: float | None = None,
    enable_contextify: bool = True,  # noqa: FBT001, FBT002 - the documented signature
) -> Callable[[Callable[P, R]], FillableTask[P, R]]:
    """Make a function a task.

    Args:
        timeout: Seconds it may last.
        heartbeat: Seconds between two heartbeats; the timeout if not given.
        enable_contextify: Whether its arguments can be taken from the context by ``fill``.

    Raises:
        TypeError: The decorator was written without parentheses.
        garcon.errors.InvalidFlow: A duration is not a number above 0.
    """
    if callable(timeout):
        raise TypeError("Write @task.decorate(), with parentheses.")

    def wrap(fn: Callable[P, R]) -> FillableTask[P, R]:
        time = _seconds(timeout, fn, "timeout")
        beat = _seconds(heartbeat, fn, "heartbeat") or time
        return _made(fn, time, beat, fillable=enable_contextify)

    return wrap


def timeout(
    time: float, heartbeat: float | None = None
) -> Callable[[Callable[P, R]], FillableTask[P, R]]:
    """Set how long a task may last, nothing else.

    Args:
        time: Seconds it may last.
        heartbeat: Seconds between two heartbeats; 600 if not given, as in 1.1.1.
    """
    if callable(time):
        raise TypeError("Write @task.timeout(seconds), with the seconds in parentheses.")
    return lambda fn: _made(
        fn, _seconds(time, fn, "timeout"), _seconds(heartbeat, fn, "heartbeat"), fillable=False
    )


def _seconds(given: float | None, fn: Any, option: str) -> float | None:
    """A duration; 0 counts as not given, as in 1.1.1."""
    if given is not None and given == 0 and not isinstance(given, bool):
        _warn(f"The task {name_of(fn)}: {option}=0 counts as not given; write seconds above 0.")
        return None
    argument_checks.check_seconds(given, f"The task {name_of(fn)}: {option}=")
    return given


def _made(
    fn: Callable[P, R], time: float | None, heartbeat: float | None, *, fillable: bool
) -> FillableTask[P, R]:
    """A task of this function, which may be one already: then its marks hold where none is new."""
    marks = marks_of(fn)
    function = fn.fn if isinstance(fn, Task) else fn
    kind: Any = FillableTask if fillable or hasattr(fn, "fill") else Task
    made: FillableTask[P, R] = kind(
        function, time or marks.get("timeout"), heartbeat or marks.get("heartbeat")
    )
    if "requirements" in marks:  # it is filled, and still needs the same keys
        made.__garcon__["requirements"] = marks["requirements"]
    return made


class TaskList:
    """A function of the context that yields tasks.

    Args:
        fn: The function.
    """

    def __init__(self, fn: Callable[[Context], Iterable[Any]]) -> None:
        functools.update_wrapper(self, fn)
        self.fn = fn
        self.__garcon__ = {"list": True}

    def __call__(self, context: Context) -> Iterable[Any]:
        """The tasks for this context."""
        return self.fn(context)

    def __get__(self, owner: object, kind: type | None = None) -> "TaskList":
        return self if owner is None else TaskList(types.MethodType(self.fn, owner))


def list(fn: Callable[..., Iterable[Any]]) -> TaskList:  # noqa: A001 - the documented name
    """Make a function of the context, which yields tasks, a task list.

    The decider calls it for timeouts and needed keys, the activity later for the tasks.

    Args:
        fn: Takes the context and yields tasks, usually filled ones.
    """
    return TaskList(fn)


def is_task_list(fn: object) -> bool:
    """Whether ``fn`` is a task list, not a task."""
    return bool(marks_of(fn).get("list"))


def marks_of(fn: object) -> Mapping[str, Any]:
    """The marks of a task: ``timeout`` and ``heartbeat`` in seconds, ``requirements``, ``list``.

    Empty for a plain function.
    """
    marks = getattr(fn, "__garcon__", None)
    return marks if isinstance(marks, Mapping) else {}


def flatten(callables: Iterable[Any], context: Context | None = None) -> Iterator[Any]:
    """The tasks themselves: those of task lists for this context included, however nested."""
    for fn in callables:
        if is_task_list(fn):
            given = fn({} if context is None else context)
            argument_checks.check_tasks(given, f"The task list {name_of(fn)}")
            yield from flatten(given, context)
        else:
            yield fn


def call(fn: Callable[..., Any], activity: Any, context: Context) -> Any:
    """Run a task in the first of the forms in production that its signature allows.

    The forms are ``(context, activity=)``, ``(activity=, context=)``, ``(activity, context)``,
    ``(activity=)`` and ``(context)``.

    Args:
        fn: The task, of any kind.
        activity: The execution, or the activity if the tasks run without one.
        context: The context.
    """
    if type(fn) is FilledTask:  # it takes the first form
        return coroutines.result_of(fn(context, activity=activity), activity)
    argument_checks.check_task(fn)
    forms = _forms(activity, context)
    args, kwargs = next((form for form in forms if _accepts(fn, *form)), forms[0])
    return coroutines.result_of(fn(*args, **kwargs), activity)


def can_be_called(fn: Any) -> bool:
    """Whether a task takes its arguments in one of the forms of ``call``.

    Also true of a function whose signature is unknown.
    """
    try:
        inspect.signature(fn)
    except (TypeError, ValueError):
        return callable(fn)
    return any(_accepts(fn, *form) for form in _forms(None, {}))


def _forms(activity: Any, context: Context) -> tuple[tuple[tuple[Any, ...], dict[str, Any]], ...]:
    return (
        ((context,), {"activity": activity}),
        ((), {"activity": activity, "context": context}),
        ((activity, context), {}),
        ((), {"activity": activity}),
        ((context,), {}),
    )


def fill_function_call(
    fn: Callable[..., Any], requirements: Mapping[str, Any], activity: Any, context: Context
) -> dict[str, Any]:
    """The arguments to call a filled task with.

    Args:
        fn: The function.
        requirements: For each argument the name of a context key, or a param.
        activity: The value of the argument ``activity``, if the function has it.
        context: The values; the value of a missing key is ``None``.

    Raises:
        ValueError: The function has an argument ``context``.
    """
    params = {name: param.parametrize(value) for name, value in requirements.items()}
    return filled_arguments.fill(fn, params, activity, context, gets_context=False)


def namespace_result(dictionary: Any, namespace: str | None) -> Any:
    """The dictionary with ``namespace.`` before each key; unchanged without a namespace.

    Args:
        dictionary: A task's result: a dictionary, or pairs of keys and values. Anything else is
            returned as it is, and the runner reports it.
        namespace: The prefix.
    """
    if not namespace or not dictionary:
        return dictionary
    try:
        values = dict(dictionary)
    except (TypeError, ValueError):
        return dictionary
    return {f"{namespace}.{key}": value for key, value in values.items()}


def name_of(fn: Any) -> str:
    """A function's name, for sentences."""
    return str(getattr(fn, "__name__", fn))


def _warn_of_unknown(fn: Any, given: Mapping[str, Any]) -> None:
    """Name the arguments that the function does not have; it is called without them."""
    try:
        parameters = inspect.signature(fn).parameters
    except (TypeError, ValueError):  # a builtin function without a signature
        return
    if any(one.kind is one.VAR_KEYWORD for one in parameters.values()):
        return
    if unknown := [name for name in given if name not in parameters]:
        _warn(
            f"The task {name_of(fn)} has no argument {', '.join(unknown)} to fill; it has: "
            f"{', '.join(parameters)}."
        )


def _warn(text: str) -> None:
    warnings.warn(text, stacklevel=4)  # the line of the flow that decorates or fills


def _arguments_of_call(*args: Any, **kwargs: Any) -> tuple[Any, Context, bool]:
    """The execution, the context, and whether a filled task is called in the documented form."""
    if len(args) == 2 and not kwargs:  # noqa: PLR2004 - the two of the documented form
        is_swapped = isinstance(args[0], Mapping) and not isinstance(args[1], Mapping)
        activity, context = args[::-1] if is_swapped else args
        return activity, context, True
    return (*_by_name(*args, **kwargs), False)


def _by_name(context: Context, activity: Any = None) -> tuple[Any, Context]:
    return activity, context


_by_name.__qualname__ = "filled_task"  # Python names it when an argument is wrong


def _accepts(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    try:
        return signature_of(fn).bind(*args, **kwargs) is not None
    except (TypeError, ValueError):  # it does not bind, or has no signature
        return False

"""Uses of tasks, fill, params and runners, for this garcon and the released one."""

from __future__ import annotations

import collections
import decimal
import functools
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock

from garcon import param, runner, task, utils

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@task.decorate(timeout=30)
def echo(activity: Any, x: Any, y: Any = None) -> dict[str, Any]:
    """Return an argument."""
    return {"x": x}


@task.decorate()
def both(activity: Any, x: Any, y: Any = 5) -> dict[str, Any]:
    """Return two arguments, one with a default."""
    return {"x": x, "y": y}


@task.decorate()
def by_keyword(activity: Any, *, x: Any, y: Any = 3) -> dict[str, Any]:
    """Return keyword-only arguments."""
    return {"x": x, "y": y}


@task.decorate()
def without_activity(x: Any) -> dict[str, Any]:
    """Have no argument ``activity``."""
    return {"x": x}


@task.decorate()
def open_ended(activity: Any, x: Any, **rest: Any) -> dict[str, Any]:
    """Take whatever is filled."""
    return {"x": x, "rest": rest}


@task.decorate()
def with_context(activity: Any, context: Any = None) -> dict[str, Any]:
    """Ask for the context, which a filled task cannot."""
    return {}


def result_of(kind: Any, value: Any) -> Callable[[], Any]:
    """The result that a runner of this kind makes of a task's value."""
    return lambda: kind(lambda context, activity: value).execute(MagicMock(), {})


def returning(value: Any, namespace: str = "n") -> Callable[[], Any]:
    """The result of a filled task with a namespace for a value."""
    return lambda: task.decorate()(lambda activity: value).fill(namespace=namespace)({})


def times(fn: Any, context: Mapping[str, Any] | None = None) -> Any:
    """Timeout and heartbeat of a runner with one task."""
    return runner.Sync(fn).timeout(context), runner.Sync(fn).heartbeat(context)


def run(kind: Any, *tasks: Any, **context: Any) -> Any:
    """The results of tasks."""
    return kind(*tasks).execute(MagicMock(), context)


def heartbeats(kind: Any, number: int) -> int:
    """The number of heartbeats that a runner sends for so many tasks."""
    activity = MagicMock()
    kind(*[echo.fill(x="k")] * number).execute(activity, {"k": 1})
    return int(activity.heartbeat.call_count)


class Several(param.BaseParam):
    """A param of two keys."""

    @property
    def requirements(self) -> Any:
        """A list, not a generator."""
        return ["a", "b"]

    def get_data(self, context: Any) -> Any:
        """Both values."""
        return context.get("a"), context.get("b")


class Failing(param.BaseParam):
    """A param that raises."""

    def get_data(self, context: Any) -> Any:
        """Miss a key."""
        return context["gone"]


class Duck:
    """An object with a param's members, which is none."""

    requirements = ("a",)

    def get_data(self, context: Any) -> Any:
        """A value."""
        return 5


class TaskObject:
    """A task that is an object."""

    def __call__(self, context: Any, activity: Any) -> dict[str, Any]:
        """Run."""
        return {"c": 1}

    def method(self, context: Any, activity: Any) -> dict[str, Any]:
        """Run, as a method."""
        return {"m": 1}


def inner(activity: Any, context: Any) -> Any:
    """A runner inside a task, with a namespace of its own."""
    return runner.Sync(echo.fill(namespace="inner", x="k")).execute(activity, context)


@task.decorate()
def outer(activity: Any, k: Any) -> Any:
    """A filled task with a runner inside."""
    return inner(activity, {"k": k})


def half_a_minute() -> Any:
    """A new task: 1.1.1 changes the function that is decorated again."""
    return task.decorate(30)(lambda activity: 0)


RESULTS: dict[str, Any] = {
    "0.0": 0.0,
    "an empty tuple": (),
    "an empty set": set(),
    "empty bytes": b"",
    "Decimal(0)": decimal.Decimal(0),
    "an empty range": range(0),
    "a value None": {"a": None},
    "tuples": (("a", 1),),
    "lists of two": [["a", 1]],
    "an ordered dictionary": collections.OrderedDict(a=1),
    "a mapping proxy": MappingProxyType({"a": 1}),
    "a number": 1,
    "True": True,
    "a text": "abc",
    "a list of a text of two": ["ab"],
    "a list of numbers": [1],
    "a class": object,
    "a number as key": {1: 2},
}

USES: dict[str, Callable[[], Any]] = {
    **{f"Sync: {name}": result_of(runner.Sync, value) for name, value in RESULTS.items()},
    **{f"Async: {name}": result_of(runner.Async, value) for name, value in RESULTS.items()},
    "Sync: an iterator of pairs": lambda: run(
        runner.Sync, lambda context, activity: iter([("a", 1)])
    ),
    "namespace of None": returning(None),
    "namespace of {}": returning({}),
    "namespace of a number": returning(5),
    "namespace of pairs": returning([("a", 1)]),
    "empty namespace": returning({"a": 1}, ""),
    "dotted namespace": returning({"a": 1}, "x.y"),
    "a namespace by place": lambda: echo.fill("n", x="k")({"k": 1}),
    "fill nothing": lambda: echo.fill()({}),
    "fill None": lambda: echo.fill(x=None)({}),
    "fill a number": lambda: echo.fill(x=5)({}),
    "fill a list": lambda: echo.fill(x=["k"])({"k": 1}),
    "fill an empty text": lambda: echo.fill(x="")({"": 4}),
    "fill leaves a default": lambda: both.fill(x="k")({"k": 1}),
    "fill a default, key missing": lambda: both.fill(x="k", y="gone")({"k": 1}),
    "fill a default with None": lambda: both.fill(x="k", y="n")({"k": 1, "n": None}),
    "fill keyword-only": lambda: by_keyword.fill(x="k")({"k": 1}),
    "fill without activity": lambda: without_activity.fill(x="k")({"k": 1}, activity=4),
    "fill into **rest": lambda: open_ended.fill(x="k", z="k")({"k": 1}),
    "fill with a context argument": lambda: with_context.fill()({"k": 1}),
    "fill the context argument": lambda: with_context.fill(context="k")({"k": 1}),
    "fill from a mapping proxy": lambda: echo.fill(x="k")(MappingProxyType({"k": 1})),
    "fill from a default dictionary": lambda: echo.fill(x="k")(collections.defaultdict(lambda: 8)),
    "fill with a param of two keys": lambda: echo.fill(x=Several())({"a": 1, "b": 2}),
    "fill with a failing param": lambda: echo.fill(x=Failing())({}),
    "fill with a duck": lambda: echo.fill(x=Duck())({}),
    "fill with a param object": lambda: echo.fill(x=param.Param("k"))({"k": 1}),
    "arguments of a call": lambda: task.fill_function_call(
        echo, {"x": param.Param("k")}, "A", {"k": 1}
    ),
    "arguments of a call, by names": lambda: task.fill_function_call(
        echo, {"x": "k"}, "A", {"k": 1}
    ),
    "Param": lambda: (param.Param("k").get_data({"k": 0}), list(param.Param("k").requirements)),
    "Param, missing": lambda: param.Param("k").get_data({}),
    "StaticParam of None": lambda: param.StaticParam(None).get_data({"k": 1}),
    "BaseParam": lambda: param.BaseParam().get_data({}),
    "parametrize None": lambda: param.parametrize(None),  # type: ignore[arg-type]  # the use
    "parametrize bytes": lambda: param.parametrize(b"k"),  # type: ignore[arg-type]  # the use
    "parametrize a param": lambda: type(param.parametrize(Several())).__name__,
    "requirements of params": lambda: sorted(
        set(param.get_all_requirements([param.Param("a"), Several(), param.StaticParam(1)]))
    ),
    "requirements": lambda: sorted(
        runner.Sync(echo.fill(x="k"), both.fill(x="k", y="j")).requirements({})
    ),
    "requirements, static": lambda: runner.Sync(echo.fill(x=param.StaticParam(1))).requirements({}),
    "requirements, plain": lambda: runner.Sync(lambda context, activity: 0).requirements({}),
    "requirements, not filled": lambda: runner.Sync(echo).requirements({}),
    "requirements of a task list": lambda: runner.Sync(
        task.list(lambda context: [echo.fill(x="k")])
    ).requirements({}),
    "marks of a timeout": lambda: dict(task.timeout(30)(lambda activity: 0).__garcon__),
    "marks of decorate": lambda: dict(task.decorate(30, 5)(lambda activity: 0).__garcon__),
    "marks that are not set": lambda: getattr(both, "__garcon__", {}).get("timeout", 600),
    "has fill": lambda: [
        hasattr(each, "fill")
        for each in (
            task.contextify(lambda activity: 0),
            task.timeout(3)(lambda activity: 0),
            task.decorate(enable_contextify=False)(lambda activity: 0),
        )
    ],
    "decorate(timeout=0)": lambda: times(task.decorate(timeout=0)(lambda context, activity: 0)),
    "decorate(timeout=1.5)": lambda: times(task.decorate(1.5)(lambda context, activity: 0)),
    "timeout above decorate": lambda: times(
        task.timeout(70)(task.decorate(30)(lambda activity: 0))
    ),
    "timeout above decorate, filled": lambda: times(task.timeout(70)(half_a_minute()).fill()),
    "timeout below decorate": lambda: times(task.decorate()(task.timeout(70, 7)(lambda a: 0))),
    "timeout above a filled task": lambda: times(task.timeout(70)(half_a_minute().fill())),
    "a partial": lambda: run(
        runner.Sync, functools.partial(lambda context, activity, z: {"z": z}, z=1)
    ),
    "a partial of a task": lambda: times(functools.partial(echo, x=1)),
    "an object": lambda: run(runner.Sync, TaskObject()),
    "a method": lambda: run(runner.Sync, TaskObject().method),
    "*args and **kwargs": lambda: run(
        runner.Sync, lambda *args, **kwargs: {"args": len(args), "kwargs": sorted(kwargs)}
    ),
    "a task's name": lambda: (echo.__name__, getattr(echo.fill(x="k"), "__name__", None)),
    "a task called": lambda: (echo(None, 3), echo(activity=None, x=3)),
    "Sync: the context wins": lambda: run(
        runner.Sync, echo.fill(x="k"), echo.fill(namespace="n", x="x"), k=1, x=7
    ),
    "Async: results": lambda: run(
        runner.Async, echo.fill(x="k"), echo.fill(namespace="n", x="j"), k=1, j=2
    ),
    "Async: the last wins": lambda: run(runner.Async, echo.fill(x="k"), echo.fill(x="j"), k=1, j=2),
    "Async: max_workers": lambda: (
        runner.Async(echo).max_workers,
        runner.Async(echo, max_workers=7).max_workers,
    ),
    "Sync: raises": lambda: run(runner.Sync, lambda context, activity: context["gone"]),
    "Async: raises": lambda: run(runner.Async, lambda context, activity: context["gone"]),
    "Sync: heartbeats": lambda: heartbeats(runner.Sync, 3),
    "Async: heartbeats": lambda: heartbeats(runner.Async, 3),
    "Sync without tasks": lambda: run(runner.Sync),
    "a runner in a task": lambda: run(
        runner.Async, lambda context, activity: inner(activity, context), k=1
    ),
    "a runner in a filled task": lambda: run(
        runner.Sync, outer.fill(namespace="outer", k="k"), echo.fill(x="outer.inner.x"), k=1
    ),
    "a task list": lambda: run(
        runner.Sync,
        task.list(lambda context: [echo.fill(namespace=each, x="k") for each in context["of"]]),
        k=1,
        of=["a", "b"],
    ),
    "an empty task list": lambda: run(runner.Sync, task.list(lambda context: [])),
    "a task list of None": lambda: run(runner.Sync, task.list(MagicMock(return_value=None))),
    "a task list in a task list": lambda: run(
        runner.Sync, task.list(lambda context: [task.list(lambda context: [echo.fill(x="k")])]), k=3
    ),
    "a task list's timeout": lambda: times(
        task.list(lambda context: [echo] * context.get("n", 1)), {"n": 3}
    ),
    "a task list without context": lambda: times(task.list(lambda context: [echo])),
    "flatten": lambda: len(list(task.flatten([echo, task.list(lambda context: [echo, both])], {}))),
    "BaseRunner": lambda: runner.BaseRunner(echo).execute(MagicMock(), {}),
    "External": lambda: (runner.External(60).timeout(None), runner.External(60).heartbeat(None)),
    "External with a heartbeat": lambda: runner.External(60, 7).heartbeat(None),
    "External without timeout": lambda: runner.External().timeout(None),
    "External, executed": lambda: runner.External(60).execute(MagicMock(), {}),
    "External's requirements": lambda: runner.External(60).requirements({}),
    "key of numbers": lambda: utils.create_dictionary_key({1: 2, 0: None}),  # type: ignore[dict-item]  # the use
    "key of nested values": lambda: utils.create_dictionary_key({"a": {"b": [1]}}),
    "key of pairs": lambda: utils.create_dictionary_key([("a", 1)]),  # type: ignore[arg-type]  # the use
    "key of mixed keys": lambda: utils.create_dictionary_key({1: "a", "b": 2}),  # type: ignore[dict-item]  # the use
}

"""Tasks: decorating, filling, calling."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

import pytest

from garcon import param, runner, task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

EXECUTION = object()


@task.decorate(timeout=20, heartbeat=5)
def greet(activity: Any, name: str, greeting: str = "hello") -> dict[str, Any]:
    """Greet a person."""
    return {"said": f"{greeting} {name}", "activity": activity}


def test_a_decorated_task_is_still_the_function() -> None:
    """Called directly, as in a user's unit test, it takes its own arguments."""
    assert greet(None, "Ann")["said"] == "hello Ann"
    assert (greet.__name__, greet.__doc__) == ("greet", "Greet a person.")


def test_a_filled_task_gets_values_from_the_context() -> None:
    """Filled arguments come from their keys, and ``activity`` is passed if the signature has it."""
    filled = greet.fill(name="user.name", greeting=param.StaticParam("hi"))
    result = filled({"user.name": "Ann"}, activity=EXECUTION)
    assert result == {"said": "hi Ann", "activity": EXECUTION}


def test_the_reference_example_of_contextify_works() -> None:
    """Called with (activity, context), a filled task may have both arguments."""
    seen: list[Any] = []

    @task.contextify
    def increase(activity: Any, context: Any, table_name: Any = None) -> None:
        seen.append((activity, context, table_name))

    context = {"dynamodb.table_name1": "table_name"}
    increase.fill(table_name="dynamodb.table_name1")(EXECUTION, context)
    assert seen == [(EXECUTION, context, "table_name")]


def test_a_filled_task_cannot_have_an_argument_context() -> None:
    """The error gives the reason: only the filled keys are sent."""

    @task.decorate()
    def greedy(context: Any) -> None:
        raise AssertionError

    with pytest.raises(ValueError, match="cannot have an argument context"):
        greedy.fill()({}, activity=EXECUTION)


def test_missing_values_are_none_and_unfilled_defaults_hold() -> None:
    """A missing key gives None; an argument that is not filled keeps its default."""

    def fn(activity: Any, a: Any, b: Any = 1, c: Any = 2, *args: Any) -> None:
        raise AssertionError

    filled = task.fill_function_call(fn, {"a": "x", "c": "y"}, EXECUTION, {"x": 0})
    assert filled == {"activity": EXECUTION, "a": 0, "b": 1, "c": None}


def test_functions_with_kwargs_get_all_filled_arguments() -> None:
    """A filled argument without a parameter of its own goes to **kwargs."""
    filled = task.decorate()(lambda a, **more: {"a": a, **more}).fill(a="x", b="y")
    assert filled({"x": 1, "y": 2}, activity=None) == {"a": 1, "b": 2}


def test_results_are_namespaced() -> None:
    """The namespace is put before each key of the result."""
    filled = greet.fill(namespace="polite", name="n")
    result = filled({"n": "Ann"}, activity=None)
    assert result == {"polite.said": "hello Ann", "polite.activity": None}
    assert task.namespace_result({"key": 1}, "n") == {"n.key": 1}
    assert task.namespace_result(None, "n") is None
    assert task.namespace_result({"key": 1}, None) == {"key": 1}


def test_filled_tasks_have_requirements_and_timeouts() -> None:
    """The decider reads them for the activity's timeouts and input."""
    filled = greet.fill(name="a", greeting="b")
    assert (filled.requirements, filled.time, filled.heartbeat) == ({"a", "b"}, 20, 5)


def test_a_filled_task_is_called_with_the_context() -> None:
    """Its signature is its own, not that of the function it fills."""
    bound = inspect.signature(greet.fill(name="a")).bind({"a": 1}, activity=EXECUTION)
    assert (bound.args, bound.kwargs) == (({"a": 1},), {"activity": EXECUTION})


def test_decorate_sets_the_heartbeat_to_the_timeout_and_timeout_does_not() -> None:
    """As in 1.1.1: ``timeout`` alone leaves the heartbeat at its default."""
    assert task.decorate(timeout=30)(lambda: None).heartbeat == 30
    assert task.timeout(40)(lambda: None).heartbeat is None
    assert task.timeout(40, heartbeat=4)(lambda: None).heartbeat == 4


def test_wraps_above_a_task_keeps_its_marks() -> None:
    """A two-hour job keeps its two hours below any ``functools.wraps`` decorator."""

    def logged(fn: Any) -> Any:
        @functools.wraps(fn)
        def inner(*args: Any, **kwargs: Any) -> Any:
            return fn(*args, **kwargs)

        return inner

    job = logged(task.decorate(timeout=7200, heartbeat=60)(lambda activity, x: {"x": x}))
    plain = logged(task.timeout(7200)(lambda context, activity: {}))
    filled = job.fill(x="k")
    for made in (job, filled, logged(filled)):
        assert runner.Sync(made).timeout({}) == 7200
        assert runner.Sync(made).heartbeat({}) == 60
    assert (runner.Sync(plain).timeout({}), runner.Sync(plain).heartbeat({})) == (7200, 600)
    assert runner.Sync(logged(filled)).requirements({}) == {"k"}
    assert filled({"k": 1}) == {"x": 1}
    several = logged(task.list(lambda context: [filled]))
    assert runner.Sync(several).timeout({}) == 7200


def test_a_task_passes_for_a_function() -> None:
    """Flows ask ``inspect.isfunction`` of their tasks, and read the marks in ``__garcon__``."""
    made = task.decorate(timeout=30)(lambda activity, x: {"x": x})
    passed: Any = made
    assert inspect.isfunction(passed)
    assert made.__garcon__["timeout"] == made.fill(x="k").__garcon__["timeout"] == 30


def test_decorators_stack_in_any_order() -> None:
    """A timeout around a task that can be filled keeps ``fill``, and the other way round."""
    for made in (
        task.timeout(7)(task.contextify(lambda x: {"x": x})),
        task.contextify(task.timeout(7)(lambda x: {"x": x})),
    ):
        filled = made.fill(x="k")
        assert (filled.time, filled({"k": 1})) == (7, {"x": 1})


def test_the_same_function_can_be_two_tasks() -> None:
    """A second decoration does not change the first task."""

    def fn() -> None:
        raise AssertionError

    quick, slow = task.timeout(1)(fn), task.timeout(100)(fn)
    assert (quick.time, slow.time) == (1, 100)


def test_enable_contextify_can_be_switched_off() -> None:
    """Such a task has its timeout, and no ``fill``."""
    made = task.decorate(timeout=1, enable_contextify=False)(lambda: None)
    assert made.time == 1
    assert not hasattr(made, "fill")


def test_decorate_without_parentheses_is_an_error() -> None:
    """The error is raised where the decorator is written."""
    with pytest.raises(TypeError, match="parentheses"):
        task.decorate(lambda: None)  # type: ignore[arg-type]


def test_decorated_methods_are_bound() -> None:
    """A task may be a method of a class flow."""

    class Flow:
        word = "hey"

        @task.decorate(timeout=3)
        def say(self, activity: Any, name: Any) -> Any:
            return {"said": f"{self.word} {name}"}

        @task.list
        def tasks(self, context: Any) -> Iterator[Any]:
            yield self.say.fill(name="n")

    (filled,) = task.flatten([Flow().tasks], {})
    assert (filled.time, filled({"n": "Bo"}, activity=None)) == (3, {"said": "hey Bo"})


def test_flatten_includes_nested_task_lists() -> None:
    """All tasks are in one list, in order."""

    @task.list
    def inner(context: Mapping[str, Any]) -> Iterator[Any]:
        if context.get("card"):
            yield "card"

    @task.list
    def outer(context: Mapping[str, Any]) -> Iterator[Any]:
        yield "first"
        yield inner

    assert list(task.flatten(["zeroth", outer], {"card": 1})) == ["zeroth", "first", "card"]
    assert list(task.flatten(["zeroth", outer])) == ["zeroth", "first"]
    assert task.is_task_list(inner)
    assert not task.is_task_list(greet)


FORMS: list[tuple[Callable[..., Any], Any]] = [
    (lambda context, activity: (activity, context), (1, 2)),
    (lambda activity, context: (activity, context), (1, 2)),
    (lambda ctx, activity: (activity, ctx), (1, 2)),
    (lambda act, ctx: (act, ctx), (1, 2)),
    (lambda activity: activity, 1),
    (lambda ctx: ctx, 2),
    (lambda *args, **kwargs: (args, kwargs), ((2,), {"activity": 1})),
    (task.decorate()(lambda activity, context: (activity, context)), (1, 2)),
]


@pytest.mark.parametrize(("fn", "result"), FORMS)
def test_tasks_are_called_in_the_form_they_take(fn: Callable[..., Any], result: Any) -> None:
    """Flows of both kinds are in production; the signature decides the form of the call."""
    assert task.call(fn, 1, 2) == result  # type: ignore[arg-type]

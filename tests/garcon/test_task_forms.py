"""Tasks where functions are expected: inspected, mocked, pickled, called in every form."""

from __future__ import annotations

import copy
import functools
import inspect
import pickle
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock, create_autospec

import pytest

from garcon import runner, task
from garcon.errors import InvalidFlow

if TYPE_CHECKING:
    from collections.abc import Mapping

EXECUTION = object()


@task.decorate(timeout=20)
def greet(activity: Any, name: str) -> dict[str, Any]:
    """Greet a person."""
    return {"said": f"hello {name}", "activity": activity}


FILLED = greet.fill(name="user")
ANN = {"said": "hello Ann", "activity": EXECUTION}


def test_tasks_are_inspected_like_functions() -> None:
    """Libraries ask for a function and then read its attributes."""
    tasks: list[Any] = [greet, FILLED]
    for made in tasks:
        assert inspect.isfunction(made)
        assert not inspect.iscoroutinefunction(made)
        assert inspect.signature(made).parameters
    assert greet.__code__.co_varnames[:2] == ("activity", "name")


def test_an_async_task_is_known_as_one_until_it_is_filled() -> None:
    """A filled one runs the coroutine itself."""

    async def wait(activity: Any) -> None:
        raise AssertionError

    made = task.decorate()(wait)
    assert inspect.iscoroutinefunction(made)
    assert not inspect.iscoroutinefunction(made.fill())


@pytest.mark.parametrize("fn", [dict, functools.partial(print, "x"), "text".join])
def test_a_task_of_something_else_is_no_function(fn: Any) -> None:
    """It has no code, so it must not claim to be one."""
    assert not inspect.isfunction(task.decorate()(fn))
    assert not inspect.iscoroutinefunction(task.decorate()(fn))


def test_a_mock_takes_a_task_s_signature() -> None:
    """``autospec`` of a task refuses what the task would refuse."""
    mock = create_autospec(greet)
    mock(EXECUTION, "Ann")
    with pytest.raises(TypeError):
        mock(EXECUTION)


def test_a_task_is_pickled_and_copied_by_its_name() -> None:
    """A task may pass another to a pool of processes, as it may pass a function."""
    assert pickle.loads(pickle.dumps(greet)) is greet  # noqa: S301 - made here
    assert copy.deepcopy(greet) is copy.copy(greet) is greet
    assert copy.deepcopy({"task": FILLED})["task"]({"user": "Ann"}, activity=EXECUTION) == ANN


@pytest.mark.parametrize(
    ("args", "options"),
    [
        (({"user": "Ann"},), {"activity": EXECUTION}),
        ((), {"context": {"user": "Ann"}, "activity": EXECUTION}),
        ((EXECUTION, {"user": "Ann"}), {}),
        (({"user": "Ann"}, EXECUTION), {}),
    ],
)
def test_a_filled_task_is_called_in_every_form(args: Any, options: Any) -> None:
    """Of two arguments by place the context is the dictionary, wherever it stands."""
    assert FILLED(*args, **options) == ANN


@pytest.mark.parametrize("args", [(), (1, 2, 3)])
def test_a_wrong_call_of_a_filled_task_is_named(args: Any) -> None:
    """By a name that its caller knows."""
    with pytest.raises(TypeError, match=r"filled_task\(\)"):
        FILLED(*args)


def test_an_argument_may_be_called_self() -> None:
    """A task is any function."""

    def work(self: Any, activity: Any) -> Mapping[str, Any]:
        return {"self": self}

    assert task.decorate()(work).fill(self="k")({"k": 1}) == {"self": 1}


def test_marks_that_a_flow_changes_hold() -> None:
    """Also for the tasks that are filled and bound after it."""

    class Flow:
        @task.decorate(timeout=3)
        def work(self, activity: Any) -> None:
            raise AssertionError

    made: Any = vars(Flow)["work"]
    made.__garcon__.update(timeout=99)
    for each in (made, made.fill(), Flow().work, Flow().work.fill()):
        assert runner.Sync(each).timeout({}) == 99


def test_requirements_may_be_a_list() -> None:
    """A flow may mark a function of its own."""

    def work(context: Any, activity: Any) -> None:
        raise AssertionError

    work.__garcon__ = {"requirements": ["a", "b"]}  # type: ignore[attr-defined]
    assert runner.Sync(work).requirements({}) == {"a", "b"}


def test_unknown_options_of_async_are_a_warning() -> None:
    """As in 1.1.1, they change nothing."""
    with pytest.warns(UserWarning, match="no option workers; it has max_workers") as found:
        made = runner.Async(greet, workers=9)
    assert (made.tasks, made.max_workers, found[0].filename) == ((greet,), 3, __file__)


@pytest.mark.parametrize(
    "decorated", [task.timeout(70), task.decorate(70), task.contextify], ids=["t", "d", "c"]
)
def test_a_decorator_above_a_filled_task_keeps_its_keys(decorated: Any) -> None:
    """Its activity gets these keys, and not the whole context, which may be too long for SWF."""
    made = runner.Sync(decorated(FILLED))
    assert made.requirements({}) == {"user"}
    assert made.execute(MagicMock(), {"user": "Ann"})["said"] == "hello Ann"


@pytest.mark.parametrize("given", [None, 5, "text", FILLED])
def test_a_task_list_that_gives_no_tasks_is_named(given: Any) -> None:
    """A single task, too: it has to be in a list."""

    @task.list
    def dishes(context: Any) -> Any:
        return given

    with pytest.raises(InvalidFlow, match="The task list dishes gave"):
        list(task.flatten([dishes], {}))


@pytest.mark.parametrize("kind", [runner.Sync, runner.Async])
@pytest.mark.parametrize("wrong", [None, "text", {"a": 1}])
def test_something_that_is_no_task_is_named(kind: Any, wrong: Any) -> None:
    """Whether the activity or a task list has it."""
    for tasks in ([wrong], [task.list(lambda context: [wrong])]):
        with pytest.raises(InvalidFlow, match=r"A task is a function, and .* is not"):
            kind(*tasks).execute(MagicMock(), {})


def test_timeout_without_parentheses_is_an_error() -> None:
    """The error is raised where the decorator is written."""
    with pytest.raises(TypeError, match=r"@task.timeout\(seconds\)"):
        task.timeout(print)  # type: ignore[arg-type]

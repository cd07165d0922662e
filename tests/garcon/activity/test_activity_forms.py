"""Overrides of an activity's documented methods, and tests that replace them."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock

import pytest

from garcon import activity, runner, task
from tests.garcon.fakes import FakeSwf

if TYPE_CHECKING:
    from collections.abc import Callable

POLL = "poll_for_activity_task"
COMPLETED = "respond_activity_task_completed"

TASK: dict[str, Any] = {
    "taskToken": "token",
    "activityId": "flow_cook-1",
    "startedEventId": 7,
    "workflowExecution": {"workflowId": "workflow", "runId": "run"},
    "activityType": {"name": "flow_cook", "version": "1.0"},
    "input": '{"dish": "soup"}',
}


@task.decorate(timeout=30)
def cook(activity: Any, dish: Any) -> dict[str, Any]:
    """Cook a dish; say which task it was, if there is one."""
    return {"meal": f"hot {dish}", "id": getattr(activity, "activity_id", None)}


def made(method: str, replaced: Callable[..., Any], swf: FakeSwf) -> activity.Activity:
    """An activity of a class that overrides a method."""
    kind: Any = type("Own", (activity.Activity,), {method: replaced})
    own: activity.Activity = kind(swf)
    run = runner.Sync(cook.fill(dish="dish"))
    own.hydrate({"name": "flow_cook", "domain": "domain", "task_list": "flow_cook", "run": run})
    return own


def results(method: str, replaced: Callable[..., Any]) -> list[str]:
    """The results that an activity with this method sends for one task."""
    swf = FakeSwf().prepare(POLL, dict(TASK))
    assert made(method, replaced, swf).run("me")
    return [request["result"] for request in swf.requests(COMPLETED)]


def own_poll(self: Any, *args: Any, **options: Any) -> Any:
    """The poll of the base."""
    return activity.Activity.poll_for_activity(self, *args, **options)


SOUP = '{"meal": "hot soup", "id": "flow_cook-1"}'

POLLS: dict[str, Callable[..., Any]] = {
    "as documented": lambda self, **kwargs: own_poll(self, kwargs["identity"]),
    "as in 1.1.1": lambda self, identity=None: own_poll(self, identity),
    "by another name": lambda self, who: own_poll(self, identity=who),
    "only by name": lambda self, *, identity: own_poll(self, identity=identity),
    "without an identity": lambda self: own_poll(self, "me"),
    "the answer of SWF itself": lambda self, *args: dict(TASK),
}


@pytest.mark.parametrize("poll", POLLS.values(), ids=list(POLLS))
def test_an_own_poll_is_called_as_it_asks(poll: Any) -> None:
    """The reference documents keywords, the release gives the identity by place."""
    assert results("poll_for_activity", poll) == [SOUP]


@pytest.mark.parametrize("answer", [None, {}, {"startedEventId": 0}, {"taskToken": ""}])
def test_an_own_poll_may_bring_no_task(answer: Any) -> None:
    """Then nothing is executed, and the loop goes on."""
    assert results("poll_for_activity", lambda self, identity: answer) == []


EXECUTES: dict[str, tuple[Callable[..., Any], str]] = {
    "a dictionary": (lambda self, context: {"dish": context["dish"]}, '{"dish": "soup"}'),
    "a dictionary's methods": (
        lambda self, context: {"keys": sorted(context), "none": context.get("no")},
        '{"keys": ["dish"], "none": null}',
    ),
    "the execution by the documented name": (
        lambda self, context: {"dish": context.context["dish"], "id": context.activity_id},
        '{"dish": "soup", "id": "flow_cook-1"}',
    ),
    "a copy": (lambda self, context: {"dish": copy.copy(context)["dish"]}, '{"dish": "soup"}'),
    "the execution": (
        lambda self, execution: {"dish": execution.context["dish"]},
        '{"dish": "soup"}',
    ),
    "the base with a dictionary": (
        lambda self, context: activity.Activity.execute_activity(self, context=context),
        SOUP,
    ),
    "the base with another dictionary": (
        lambda self, context: activity.Activity.execute_activity(self, {**context, "dish": "pie"}),
        SOUP.replace("soup", "pie"),
    ),
    "the base by the released name": (
        lambda self, activity_: activity.Activity.execute_activity(self, activity=activity_),
        SOUP,
    ),
}


@pytest.mark.parametrize(("execute", "result"), EXECUTES.values(), ids=list(EXECUTES))
def test_an_own_execution_gets_what_its_parameter_is_called(execute: Any, result: str) -> None:
    """``context`` is the input with the execution's attributes; tasks get the execution."""
    assert results("execute_activity", execute) == [result]


def test_another_activity_s_tasks_do_not_get_this_execution() -> None:
    """A task that executes another activity with a dictionary does so without a task of SWF."""
    other = made("later", lambda self: "", FakeSwf())
    assert results(
        "execute_activity", lambda self, one: other.execute_activity({"dish": "pie"})
    ) == ['{"meal": "hot pie", "id": null}']


def stand_in() -> Any:
    """An execution that is a mock."""
    return MagicMock(context={"dish": "soup"}, activity_id="mock")


def test_a_mock_of_an_execution_is_answered_by_its_own_methods() -> None:
    """As users' tests expect, which replace the poll."""
    own, execution = made("later", lambda self: "", FakeSwf()), stand_in()
    own.poll_for_activity = MagicMock(return_value=execution)  # type: ignore[method-assign]
    assert own.run("me")
    own.poll_for_activity.assert_called_once_with("me")
    execution.complete.assert_called_once_with({"meal": "hot soup", "id": "mock"})
    execution.fail.assert_not_called()


def test_a_mock_of_an_execution_fails_with_its_task() -> None:
    """The error is the reason, and the handler is called."""
    own, execution, seen = made("later", lambda self: "", FakeSwf()), stand_in(), MagicMock()
    own.runner, own.on_exception = runner.Sync(lambda context: context["no"]), seen
    own.poll_for_activity = MagicMock(return_value=execution)  # type: ignore[method-assign]
    assert own.run()
    execution.fail.assert_called_once_with("'no'")
    execution.complete.assert_not_called()
    seen.assert_called_once()


@pytest.mark.parametrize("member", ["workflowExecution", "activityType"])
def test_a_poll_s_answer_may_lack_members(member: str) -> None:
    """Stand-ins for SWF leave some out, or give none."""
    for answer in ({**TASK, member: None}, {k: v for k, v in TASK.items() if k != member}):
        swf = FakeSwf().prepare(POLL, answer)
        made("later", lambda self: "", swf).run()
        assert [each["result"] for each in swf.requests(COMPLETED)] == [SOUP]

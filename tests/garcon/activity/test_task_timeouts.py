"""The timeouts of a received task."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest

from garcon import runner, task
from garcon.activity.activity import Activity
from tests.garcon.fakes import FakeSwf


@task.decorate(timeout=11, heartbeat=3)
def cook(context: Any, activity: Any) -> dict[str, Any]:
    """A task with timeouts of its own."""
    return {}


@task.list
def dishes(context: Any) -> Any:
    """As many tasks as the context says."""
    return [cook] * context["count"]


def kitchen(*tasks: Any) -> Activity:
    """An activity of these tasks."""
    return Activity(FakeSwf(), domain="d", name="a", task_list="l", run=runner.Sync(*tasks))


def timeouts(made: Activity, text: str = '{"count": 2}') -> tuple[Any, Any]:
    """Start-to-close and heartbeat timeout of a task with this input."""
    polled = {"taskToken": "t", "activityId": "a-1", "input": text, "workflowExecution": {}}
    execution = made.received(polled)
    return execution.start_to_close, execution.heartbeat_timeout


def test_timeouts_of_plain_tasks_are_computed_once() -> None:
    """They are those of the decider; the second task's are not computed anew."""
    made = kitchen(cook, cook)
    assert timeouts(made) == (22, 3)
    with mock.patch("garcon.activity.task_timeouts.ActivityInstance") as instance:
        assert timeouts(made) == (22, 3)
    instance.assert_not_called()


def test_those_of_task_lists_follow_the_context() -> None:
    """A task list may give other tasks for each input."""
    made = kitchen(dishes)
    assert timeouts(made, '{"count": 2}')[0] == 22
    assert timeouts(made, '{"count": 3}')[0] == 33


def other_runner(made: Activity) -> None:
    made.runner = runner.External(timeout=7)


def other_rule(made: Activity) -> None:
    mock.patch.object(made.runner, "timeout", return_value=7).start()


def other_rule_of_all(_made: Activity) -> None:
    mock.patch.object(runner.Sync, "timeout", return_value=7).start()


def other_tasks(made: Activity) -> None:
    assert made.runner is not None
    made.runner.tasks = (task.decorate(timeout=7)(lambda context, activity: {}),)


def subclass(made: Activity) -> None:
    class Patient(runner.Sync):
        def timeout(self, context: Any = None) -> float:
            return 7

    assert made.runner is not None
    tasks, made.runner = made.runner.tasks, Patient()
    made.runner.tasks = tasks


def stand_in(made: Activity) -> None:
    made.runner = mock.MagicMock()
    made.runner.timeout.return_value = 7


@pytest.mark.parametrize(
    "change", [other_runner, other_rule, other_rule_of_all, other_tasks, subclass, stand_in]
)
@pytest.mark.parametrize("tasks", [(), (cook,)], ids=["no tasks", "a task"])
def test_a_changed_runner_is_asked_anew(change: Any, tasks: tuple[Any, ...]) -> None:
    """Whatever a flow or a test does to the runner holds from the next task on."""
    made = kitchen(*tasks)
    before = timeouts(made)[0]
    assert before != 7
    try:
        change(made)
        assert timeouts(made)[0] == 7
    finally:
        mock.patch.stopall()
    assert timeouts(kitchen(*tasks))[0] == before


def test_a_delegating_runner_is_asked_each_time() -> None:
    """It has the tasks of the runner behind it, and a rule of its own."""
    made = kitchen(cook)
    behind = made.runner
    assert behind is not None
    made.runner = SimpleNamespace(  # type: ignore[assignment] # any object with a runner's methods
        tasks=cook, timeout=lambda context: context["count"], heartbeat=behind.heartbeat
    )
    assert timeouts(made, '{"count": 5}')[0] == 5
    assert timeouts(made, '{"count": 9}')[0] == 9

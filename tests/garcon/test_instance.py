"""Instances: ids, timeouts, inputs."""

from __future__ import annotations

from typing import Any

import pytest

from garcon import activity, runner, task, utils
from tests.garcon.flows import make


@task.decorate(timeout=10, heartbeat=3)
def work(activity: Any, a: Any, b: Any) -> None:
    """Need two values."""


WHERE = {
    "execution.domain": "d",
    "execution.run_id": "r",
    "execution.workflow_id": "w",
}


def numbers(context: Any) -> Any:
    """One instance for each number."""
    return ({"i": i} for i in range(context.get("n", 3)))


def letters(context: Any) -> Any:
    """One instance for each letter."""
    return ({"l": each} for each in "ab")


def test_id_without_generators_is_name_and_one() -> None:
    """Running executions carry {name}-1."""
    (instance,) = make("work").instances({})
    assert (instance.activity_name, instance.id) == ("flow_work", "flow_work-1")


def test_id_with_generators_is_name_and_key() -> None:
    """Running executions carry {name}-{key of the local context}, whatever the context holds."""
    made = make("work", generators=[numbers])
    ids = [each.id for each in made.instances({"other": 1})]
    assert ids == [f"flow_work-{utils.create_dictionary_key({'i': i})}" for i in range(3)]


def test_an_empty_turn_of_a_generator_has_a_key_too() -> None:
    """A generator that yields nothing in particular still makes a generated instance."""
    (instance,) = make("work", generators=[lambda context: [{}]]).instances({})
    assert instance.id == f"flow_work-{utils.create_dictionary_key({})}"


def test_several_generators_combine() -> None:
    """Every combination of their values is an instance."""
    made = make("work", generators=[numbers, letters]).instances({"n": 2})
    assert [each.local_context for each in made] == [
        {"i": i, "l": letter} for i in (0, 1) for letter in "ab"
    ]


def test_no_turn_is_no_instance() -> None:
    """A generator that has nothing to do makes no instance."""
    assert make("work", generators=[numbers]).instances({"n": 0}) == []


def test_timeouts_add_up() -> None:
    """Waiting grows with the number of instances, working is the sum of the tasks."""
    made = make(
        "work",
        run=runner.Sync(work.fill(a="a"), work.fill(b="b")),
        generators=[numbers],
        schedule_to_start=5,
    )
    instance = made.instances({"n": 4})[0]
    assert (instance.timeout, instance.heartbeat_timeout) == (20, 3)
    assert (instance.schedule_to_start, instance.schedule_to_close) == (20, 40)


def test_default_wait_is_ten_minutes() -> None:
    """The documented default of schedule to start."""
    assert make("work").instances({})[0].schedule_to_start == 600


def test_input_is_what_the_tasks_need() -> None:
    """Only filled keys that have a value are sent, zero and empty ones too, and where we are."""
    made = make("work", run=runner.Sync(work.fill(a="x", b="y"), work.fill(a="z", b="i")))
    context = {"x": 0, "y": "", "z": None, "i": 0, "unused": 1, **WHERE}
    instance = activity.ActivityInstance(made, {"i": 7}, context)
    assert instance.create_execution_input() == {"x": 0, "y": "", "i": 7, **WHERE}


def test_a_long_context_is_copied_only_for_the_flows_code() -> None:
    """Task lists are shown a copy, to do with as they like; filled tasks are shown nothing."""
    context = {"x": 0, **WHERE}
    plain = make("work", run=runner.Sync(work.fill(a="x", b="y"))).instances(context)[0]
    looking = make("work", run=runner.Sync(task.list(lambda _: []))).instances(context)[0]
    assert plain.context is context
    assert looking.context is not context
    assert looking.context == context


def test_the_whole_context_as_input_is_a_copy() -> None:
    """What becomes of an input is no matter of the execution's context."""
    context = {"x": 0, **WHERE}
    made = make("work", run=runner.Sync(work))
    assert made.instances(context)[0].create_execution_input() is not context


def test_input_of_undeclared_tasks_is_everything() -> None:
    """A task that does not say what it needs gets the whole context."""
    made = make("work", run=runner.Sync(work))
    context = {"x": 0, "none": None, **WHERE}
    assert made.instances(context)[0].create_execution_input() == context


def test_a_missing_runner_is_named() -> None:
    """An activity without run= is pointed out by name."""
    made = activity.create("d", "flow")(name="idle")
    with pytest.raises(runner.RunnerMissing, match="flow_idle"):
        _ = made.instances({})[0].timeout


def test_retry_is_the_activity_s() -> None:
    """The instance may be repeated as often as its activity says."""
    assert make("work", retry=3).instances({})[0].retry == 3

"""Activity instances: ids, timeouts, inputs."""

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
    """Running executions have ids of the form {name}-1."""
    (instance,) = make("work").instances({})
    assert (instance.activity_name, instance.id) == ("flow_work", "flow_work-1")


def test_id_with_generators_is_name_and_key() -> None:
    """Running executions have ids {name}-{key of the local context}, whatever the context is."""
    made = make("work", generators=[numbers])
    ids = [each.id for each in made.instances({"other": 1})]
    assert ids == [f"flow_work-{utils.create_dictionary_key({'i': i})}" for i in range(3)]


def test_an_empty_turn_of_a_generator_has_the_id_of_one_without() -> None:
    """Running executions carry this id."""
    (instance,) = make("work", generators=[lambda context: [{}]]).instances({})
    assert instance.id == "flow_work-1"


def test_several_generators_combine() -> None:
    """Every combination of their values is an instance."""
    made = make("work", generators=[numbers, letters]).instances({"n": 2})
    assert [each.local_context for each in made] == [
        {"i": i, "l": letter} for i in (0, 1) for letter in "ab"
    ]


def test_no_turn_is_no_instance() -> None:
    """A generator that gives nothing makes no instance."""
    assert make("work", generators=[numbers]).instances({"n": 0}) == []


def test_timeouts_add_up() -> None:
    """Schedule-to-start grows with the number of instances; start-to-close is the tasks' sum."""
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
    """Schedule-to-start has its documented default."""
    assert make("work").instances({})[0].schedule_to_start == 600


def test_input_is_what_the_tasks_need() -> None:
    """It has the filled keys with a value, zero and empty ones too, and the execution's ids."""
    made = make("work", run=runner.Sync(work.fill(a="x", b="y"), work.fill(a="z", b="i")))
    context = {"x": 0, "y": "", "z": None, "i": 0, "unused": 1, **WHERE}
    instance = activity.ActivityInstance(made, {"i": 7}, context)
    assert instance.create_execution_input() == {"x": 0, "y": "", "i": 7, **WHERE}


def test_a_long_context_is_copied_only_for_the_flows_code() -> None:
    """Task lists get a copy, which they may change; filled tasks get no context."""
    context = {"x": 0, **WHERE}
    plain = make("work", run=runner.Sync(work.fill(a="x", b="y"))).instances(context)[0]
    looking = make("work", run=runner.Sync(task.list(lambda _: []))).instances(context)[0]
    assert plain.context is context
    assert looking.context is not context
    assert looking.context == context


def test_the_whole_context_as_input_is_a_copy() -> None:
    """Changing the input does not change the execution's context."""
    context = {"x": 0, **WHERE}
    made = make("work", run=runner.Sync(work))
    assert made.instances(context)[0].create_execution_input() is not context


def test_input_of_tasks_that_are_not_filled_is_the_whole_context() -> None:
    """A task that names no keys may read any."""
    made = make("work", run=runner.Sync(work))
    context = {"x": 0, "none": None, **WHERE}
    assert made.instances(context)[0].create_execution_input() == context


def test_a_missing_runner_is_named() -> None:
    """The error for an activity without ``run=`` has its name."""
    made = activity.create("d", "flow")(name="idle")
    with pytest.raises(runner.RunnerMissing, match="flow_idle"):
        _ = made.instances({})[0].timeout


def test_retry_is_the_activity_s() -> None:
    """The instance has the number of retries of its activity."""
    assert make("work", retry=3).instances({})[0].retry == 3


def test_the_released_name_of_the_context_may_be_assigned() -> None:
    """Users' tests do so."""
    instance = activity.ActivityInstance(make("a"))
    instance.global_context = {"k": 1}
    assert instance.context == {"k": 1}


def test_instances_are_the_documented_list_and_step_as_released() -> None:
    """``next`` goes through them once; the list stays whole."""
    found: Any = make("a", generators=[lambda context: [{"i": 1}, {"i": 2}]]).instances({})
    first, second = found
    assert (next(found), next(found), next(found, None)) == (first, second, None)
    assert [*found] == [first, second]

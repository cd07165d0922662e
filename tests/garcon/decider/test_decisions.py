"""Decisions in the form that boto3 takes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.validate import ParamValidator

from garcon import decider, runner, task
from garcon.payload import codec
from tests.garcon.fakes import model
from tests.garcon.flows import make


def assert_valid(decisions: list[dict[str, Any]]) -> None:
    """Assert that decisions are valid by the service model."""
    shape = model().operation_model("RespondDecisionTaskCompleted").input_shape
    assert shape is not None
    report = ParamValidator().validate({"taskToken": "t", "decisions": decisions}, shape)
    assert not report.has_errors(), report.generate_report()


def test_scheduling_carries_all_timeouts_as_strings() -> None:
    """The registered defaults never apply, because every timeout is given."""

    @task.decorate(timeout=20.5, heartbeat=4)
    def work(activity: Any, a: Any) -> None:
        raise AssertionError

    made = make("work", run=runner.Sync(work.fill(a="a")), schedule_to_start=7)
    place = {"execution.domain": "d", "execution.run_id": "r", "execution.workflow_id": "w"}
    decisions: list[dict[str, Any]] = []
    decider.schedule_activity_task(decisions, made.instances({"a": 1, **place})[0], version="3")
    assert_valid(decisions)
    assert decisions == [
        {
            "decisionType": "ScheduleActivityTask",
            "scheduleActivityTaskDecisionAttributes": {
                "activityId": "flow_work-1",
                "activityType": {"name": "flow_work", "version": "3"},
                "taskList": {"name": "flow_work"},
                "input": json.dumps({"a": 1, **place}),
                "heartbeatTimeout": "4",
                "startToCloseTimeout": "21",
                "scheduleToStartTimeout": "7",
                "scheduleToCloseTimeout": "28",
            },
        }
    ]


def test_an_id_may_be_given() -> None:
    """A custom decider's id replaces the instance's."""
    decisions: list[dict[str, Any]] = []
    decider.schedule_activity_task(decisions, make("a").instances({})[0], id="mine")
    attributes = decisions[0]["scheduleActivityTaskDecisionAttributes"]
    assert (attributes["activityId"], attributes["activityType"]["version"]) == ("mine", "1.0")


def test_too_large_an_input_is_named() -> None:
    """The sentence names the activity and the largest key."""
    instance = make("a", run=runner.Sync(lambda context: None)).instances({"big": "x" * 40_000})[0]
    with pytest.raises(codec.TooLarge, match=r"The input of flow_a-1 .*'big'"):
        decider.schedule_activity_task([], instance)


def test_closing_and_waiting_decisions_are_valid() -> None:
    """Reasons and details are cut to SWF's limits."""
    failing = decider.fail_workflow("x" * 300, "y" * 40_000)
    attributes = failing["failWorkflowExecutionDecisionAttributes"]
    assert [len(attributes[key]) for key in ("reason", "details")] == [255, 32_768]
    assert_valid([decider.complete_workflow(), failing, decider.start_timer("t", 1.5)])


def test_returning_a_task_brings_the_next_at_once() -> None:
    """A decision task cannot be failed; a timer of no seconds brings it again."""
    (decision,) = decider.return_task()
    assert_valid([decision])
    assert decision["startTimerDecisionAttributes"]["startToFireTimeout"] == "0"

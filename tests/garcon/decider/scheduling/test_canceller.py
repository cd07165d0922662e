"""Cancelling by a flow, or by a request from outside."""

from __future__ import annotations

from typing import Any

from garcon.local import LocalSWF
from garcon.retry import Retry
from tests.garcon.decider.custom_decider import OTHER, A, attributes, child_history, decide
from tests.garcon.flows import flow, kinds, make, reason
from tests.garcon.histories import History
from tests.garcon.stage import Stage


def test_cancelling_is_requested_once_and_lets_the_workflow_complete() -> None:
    """The end of an activity, a timer and a child is requested, and the flow may complete."""

    def decider(schedule: Any) -> None:
        schedule.cancel(
            schedule("x", A), schedule.timer("t", 9), schedule.all_of(schedule.child("x", OTHER))
        )

    history = child_history()
    history.scheduled("flow_a", "flow_a-1-x")
    history.timer_started("t")
    decisions = decide(decider, history)
    assert kinds(decisions) == [
        "RequestCancelActivityTask",
        "CancelTimer",
        "RequestCancelExternalWorkflowExecution",
        "CompleteWorkflowExecution",
    ]
    assert attributes(decisions[2]) == {"workflowId": "workflow-x", "runId": "r"}
    history.add("ActivityTaskCancelRequested", activityId="flow_a-1-x")
    assert "RequestCancelActivityTask" not in kinds(decide(decider, history))


def test_a_thing_cancelled_in_its_first_run_is_not_begun() -> None:
    """The decisions of the same run are withdrawn."""

    def decider(schedule: Any) -> None:
        schedule.cancel(schedule("x", A), schedule.timer("t", 9), schedule.child("x", OTHER))

    assert kinds(decide(decider)) == ["CompleteWorkflowExecution"]


def test_an_activity_cancelled_by_the_flow_does_not_raise() -> None:
    """Its state has the outcome: the flow requested it."""
    history = History()
    history.scheduled("flow_a", "flow_a-1-x")
    history.add("ActivityTaskCancelRequested", activityId="flow_a-1-x")
    history.canceled("flow_a-1-x")
    seen: list[Any] = []

    def decider(schedule: Any) -> None:
        seen.append(str(schedule("x", A).failed))

    assert kinds(decide(decider, history)) == ["CompleteWorkflowExecution"]
    assert seen == ["cancelled"]


def test_lambda_functions_cannot_be_cancelled() -> None:
    """The workflow fails with a sentence: SWF has no call for it."""
    why = reason(decide(lambda schedule: schedule.cancel(schedule.lambda_("x", "f"))))
    assert "lambda function x cannot be cancelled" in why


def test_a_request_to_cancel_ends_activities_and_then_the_execution() -> None:
    """By default, with and without a decider, nothing new is begun after the request."""
    for members in ({"a": A}, {"a": A, "decider": lambda schedule: schedule("x", A)}):
        with LocalSWF() as swf:
            stage = Stage(swf, flow(**members), idle=("flow_a",))
            stage.start().work()
            stage.cancel()
            assert stage.kinds[-1] == "WorkflowExecutionCanceled"
            assert stage.kinds.count("ActivityTaskScheduled") == 1
            assert "ActivityTaskCanceled" in stage.kinds


def test_a_running_activity_receives_the_request_by_its_heartbeat() -> None:
    """The execution ends only once the activity has ended."""
    with LocalSWF() as swf:
        stage = Stage(swf, flow(a=A), idle=("flow_a",)).start().work()
        client = swf.client()
        task = client.poll_for_activity_task(domain="domain", taskList={"name": "flow_a"})
        assert stage.cancel().kinds[-1] == "ActivityTaskCancelRequested"
        token = task["taskToken"]
        assert client.record_activity_task_heartbeat(taskToken=token)["cancelRequested"]
        client.respond_activity_task_canceled(taskToken=token)
        assert stage.work().kinds[-1] == "WorkflowExecutionCanceled"


def test_activities_begun_by_on_cancel_are_not_cancelled() -> None:
    """``cancel_all`` cancels only things that began before the request."""

    def on_cancel(schedule: Any) -> None:
        schedule.cancel_all()
        schedule("tidy", A)

    history = History()
    history.scheduled("flow_a", "flow_a-1-old")
    history.completed("flow_a-1-old")
    history.add("WorkflowExecutionCancelRequested")
    history.scheduled("flow_a", "flow_a-1-tidy")
    assert decide(lambda schedule: None, history, on_cancel=on_cancel) == []


def test_cancelling_between_two_attempts_ends_the_wait() -> None:
    """The retry timer is cancelled, and no attempt follows."""
    resting = make("a", retry=Retry(maximum=3, initial=60))
    history = History()
    history.scheduled("flow_a", "flow_a-1-x")
    history.failed("flow_a-1-x")
    history.timer_started("garcon-retry-flow_a-1-x")
    decisions = decide(lambda schedule: schedule.cancel(schedule("x", resting)), history)
    assert kinds(decisions) == ["CancelTimer", "CompleteWorkflowExecution"]

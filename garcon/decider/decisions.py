"""Decisions as boto3 takes them (RespondDecisionTaskCompleted)."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from garcon.activity import ActivityInstance, RetryDelay
from garcon.aws import limits
from garcon.flow import flow_attributes
from garcon.history.reserved_timers import RETURN_TIMER, retry_timer_id
from garcon.payload import codec

Decision = dict[str, Any]

# Members of a started execution that its continuation has, too.
_CONTINUED = (
    "childPolicy",
    "executionStartToCloseTimeout",
    "lambdaRole",
    "tagList",
    "taskList",
    "taskPriority",
    "taskStartToCloseTimeout",
)


def schedule_activity_task(
    decisions: list[Decision],
    instance: ActivityInstance,
    version: str = "1.0",
    id: str | None = None,  # noqa: A002 - the documented name
    *,
    priority: int | None = None,
    control: Mapping[str, Any] | None = None,
) -> None:
    """Add the decision to schedule an activity.

    Args:
        decisions: The decisions so far.
        instance: The instance to schedule.
        version: The version of its activity type.
        id: Its id in the history; its own if not given.
        priority: On the task list, higher first; that of its activity if not given.
        control: Notes to leave with it; workers do not see them.

    Raises:
        payload.TooLarge: Its input is longer than SWF takes.
    """
    activity_id = id or instance.id
    execution_input = instance.create_execution_input()
    attributes = {
        "activityId": activity_id,
        "activityType": {"name": instance.activity_name, "version": version},
        "taskList": {"name": instance.activity_worker.task_list},
        "input": codec.encode(execution_input, f"The input of {activity_id}"),
        "heartbeatTimeout": limits.seconds(instance.heartbeat_timeout),
        "startToCloseTimeout": limits.seconds(instance.timeout),
        "scheduleToStartTimeout": limits.seconds(instance.schedule_to_start),
        "scheduleToCloseTimeout": limits.seconds(instance.schedule_to_close),
        **_priority(getattr(instance, "priority", None) if priority is None else priority),
        **({"control": json.dumps(control)} if control else {}),
    }
    decisions.append(_decision("ScheduleActivityTask", attributes))


def cancel_activity(activity_id: str) -> Decision:
    """The decision to request an activity's end; its next heartbeat returns the request."""
    return _decision("RequestCancelActivityTask", {"activityId": activity_id})


def complete_workflow() -> Decision:
    """The decision to complete the workflow."""
    return _decision("CompleteWorkflowExecution", {})


def fail_workflow(reason: object, details: str | None = None) -> Decision:
    """The decision to fail the workflow.

    Args:
        reason: An error or a sentence; the first 255 characters are sent.
        details: Details; the first 32,768 characters are sent.
    """
    members = {"details": limits.cut(details, limits.DETAILS)} if details else {}
    text = limits.reason(reason)
    return _decision("FailWorkflowExecution", {"reason": text, **members})


def cancel_workflow(details: str) -> Decision:
    """The decision to close the workflow as cancelled, as was requested."""
    return _decision("CancelWorkflowExecution", {"details": details})


def continue_as_new(
    start: Mapping[str, Any],
    workflow_input: Any,
    *,
    version: str | None = None,
    tags: Iterable[str] | None = None,
) -> Decision:
    """The decision to continue in a new run with an empty history.

    Args:
        start: The members this run was started with (WorkflowExecutionStarted).
        workflow_input: The next run's input.
        version: The next run's version of the workflow type; the same if not given.
        tags: The next run's tags, up to five; the same if not given.

    Raises:
        payload.TooLarge: The input is longer than SWF takes.
    """
    same = {name: start[name] for name in _CONTINUED if start.get(name)}
    return _decision(
        "ContinueAsNewWorkflowExecution",
        {
            **same,
            "input": codec.encode(workflow_input, "The input to continue with"),
            **({"workflowTypeVersion": version} if version else {}),
            **({"tagList": list(tags)} if tags is not None else {}),
        },
    )


def start_timer(timer_id: str, wait: float, control: str | None = None) -> Decision:
    """The decision to wait so many seconds."""
    attributes = {"timerId": timer_id, "startToFireTimeout": limits.seconds(wait)}
    return _decision("StartTimer", attributes | ({"control": control} if control else {}))


def retry_timer(delay: RetryDelay) -> Decision:
    """The decision to wait before an activity's next attempt; the reason is noted with it."""
    notes = {"attempt": delay.attempt, "after": limits.reason(delay.why)}
    return start_timer(retry_timer_id(delay.activity_id), delay.seconds, json.dumps(notes))


def cancel_timer(timer_id: str) -> Decision:
    """The decision to end a timer."""
    return _decision("CancelTimer", {"timerId": timer_id})


def record_marker(name: str, details: str | None) -> Decision:
    """The decision to record a value in the history."""
    members = {} if details is None else {"details": details}
    return _decision("RecordMarker", {"markerName": name, **members})


def start_child(workflow_id: str, flow: Any, text: str, **members: Any) -> Decision:
    """The decision to start an execution of another flow.

    Args:
        workflow_id: Its workflow id.
        flow: Its flow, with ``name`` and optionally ``version``.
        text: Its input, JSON.
        members: Further members of the decision; those that are ``None`` are left out.
    """
    attributes = {
        "workflowId": workflow_id,
        "workflowType": {"name": flow.name, "version": flow_attributes.version(flow)},
        "taskList": {"name": flow.name},
        "input": text,
        **{name: value for name, value in members.items() if value is not None},
    }
    return _decision("StartChildWorkflowExecution", attributes)


def cancel_child(workflow_id: str, run_id: str | None) -> Decision:
    """The decision to request a child workflow's cancellation."""
    members = {"workflowId": workflow_id, **({"runId": run_id} if run_id else {})}
    return _decision("RequestCancelExternalWorkflowExecution", members)


def schedule_lambda(
    id_: str, name: str, text: str, timeout: float | None, control: str | None
) -> Decision:
    """The decision to run a lambda function.

    Args:
        id_: Its id in the history.
        name: The function's name or ARN.
        text: Its input, JSON.
        timeout: Seconds it may take, up to 900, SWF's default.
        control: Notes to leave with it.
    """
    attributes = {"id": id_, "name": name, "input": text}
    if timeout is not None:
        attributes["startToCloseTimeout"] = limits.seconds(timeout)
    if control:
        attributes["control"] = control
    return _decision("ScheduleLambdaFunction", attributes)


def return_task(wait: float = 0, control: str | None = None) -> list[Decision]:
    """The decisions that return a task undecided: SWF hands it out again at once, or later.

    SWF has no call to fail a decision task; a timer brings the next one.

    Args:
        wait: Seconds until then.
        control: Notes to leave with the timer.
    """
    return [start_timer(RETURN_TIMER, wait, control)]


def attributes_of(decision: Decision) -> dict[str, Any]:
    """The attributes of a decision."""
    found: dict[str, Any] = decision[_member(decision["decisionType"])]
    return found


def _decision(kind: str, attributes: dict[str, Any]) -> Decision:
    return {"decisionType": kind, _member(kind): attributes}


def _member(kind: str) -> str:
    return f"{kind[0].lower()}{kind[1:]}DecisionAttributes"


def _priority(priority: Any) -> dict[str, str]:
    # A mock of an instance, as in users' tests, has a mock here.
    return {"taskPriority": str(priority)} if isinstance(priority, int) else {}

"""The decisions a decider takes, as boto3 wants them (RespondDecisionTaskCompleted)."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from garcon import limits, payload, usual
from garcon.activity import ActivityInstance, Rest
from garcon.timers import HAND_BACK_TIMER, rest_timer

Decision = dict[str, Any]

# Members of a started execution that its continuation has as well.
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
        instance: What to schedule.
        version: The version of its activity type.
        id: Its id in the history; its own if not given.
        priority: On the task list, higher first; that of its activity if not given.
        control: What to note with it; no worker sees it.

    Raises:
        payload.TooLarge: Its input is longer than SWF takes.
    """
    activity_id = id or instance.id
    execution_input = instance.create_execution_input()
    attributes = {
        "activityId": activity_id,
        "activityType": {"name": instance.activity_name, "version": version},
        "taskList": {"name": instance.activity_worker.task_list},
        "input": payload.encode(execution_input, f"The input of {activity_id}"),
        "heartbeatTimeout": limits.seconds(instance.heartbeat_timeout),
        "startToCloseTimeout": limits.seconds(instance.timeout),
        "scheduleToStartTimeout": limits.seconds(instance.schedule_to_start),
        "scheduleToCloseTimeout": limits.seconds(instance.schedule_to_close),
        **_priority(instance.priority if priority is None else priority),
        **({"control": json.dumps(control)} if control else {}),
    }
    decisions.append(_decision("ScheduleActivityTask", attributes))


def cancel_activity(activity_id: str) -> Decision:
    """The decision to ask an activity to end: its heartbeats bring it the request."""
    return _decision("RequestCancelActivityTask", {"activityId": activity_id})


def complete_workflow() -> Decision:
    """The decision that all is done."""
    return _decision("CompleteWorkflowExecution", {})


def fail_workflow(reason: object, details: str | None = None) -> Decision:
    """The decision that the workflow failed.

    Args:
        reason: An error or a sentence; the first 255 characters are sent.
        details: More, up to 32,768 characters.
    """
    more = {"details": limits.cut(details, limits.DETAILS)} if details else {}
    return _decision("FailWorkflowExecution", {"reason": limits.reason(_said(reason)), **more})


def cancel_workflow(details: str) -> Decision:
    """The decision that the workflow was cancelled, as it was asked to be."""
    return _decision("CancelWorkflowExecution", {"details": details})


def continue_as_new(
    start: Mapping[str, Any],
    workflow_input: Any,
    *,
    version: str | None = None,
    tags: Iterable[str] | None = None,
) -> Decision:
    """The decision to go on in a new run with an empty history.

    Args:
        start: What this run was started with (WorkflowExecutionStarted); the next one has the same.
        workflow_input: The next run's input.
        version: The version of the workflow type that goes on; the same if not given.
        tags: The next run's tags, up to five; the same if not given.

    Raises:
        payload.TooLarge: The input is longer than SWF takes.
    """
    same = {name: start[name] for name in _CONTINUED if start.get(name)}
    return _decision(
        "ContinueAsNewWorkflowExecution",
        {
            **same,
            "input": payload.encode(workflow_input, "The input to continue with"),
            **({"workflowTypeVersion": version} if version else {}),
            **({"tagList": list(tags)} if tags is not None else {}),
        },
    )


def start_timer(timer_id: str, wait: float, control: str | None = None) -> Decision:
    """The decision to wait, in seconds."""
    attributes = {"timerId": timer_id, "startToFireTimeout": limits.seconds(wait)}
    return _decision("StartTimer", attributes | ({"control": control} if control else {}))


def rest(wanted: Rest) -> Decision:
    """The decision to let an activity rest before its next try; the reason is noted with it."""
    told = {"attempt": wanted.attempt, "after": limits.reason(wanted.why)}
    return start_timer(rest_timer(wanted.activity_id), wanted.seconds, json.dumps(told))


def cancel_timer(timer_id: str) -> Decision:
    """The decision not to wait any longer."""
    return _decision("CancelTimer", {"timerId": timer_id})


def record_marker(name: str, details: str | None) -> Decision:
    """The decision to write something into the history."""
    more = {} if details is None else {"details": details}
    return _decision("RecordMarker", {"markerName": name, **more})


def start_child(workflow_id: str, flow: Any, text: str, **more: Any) -> Decision:
    """The decision to start an execution of another flow.

    Args:
        workflow_id: Its workflow id.
        flow: Its flow, with ``name`` and maybe ``version``.
        text: Its input, JSON.
        more: Further members of the decision; those that are ``None`` are left out.
    """
    attributes = {
        "workflowId": workflow_id,
        "workflowType": {"name": flow.name, "version": usual.version(flow)},
        "taskList": {"name": flow.name},
        "input": text,
        **{name: value for name, value in more.items() if value is not None},
    }
    return _decision("StartChildWorkflowExecution", attributes)


def cancel_child(workflow_id: str, run_id: str | None) -> Decision:
    """The decision to ask a child workflow to end."""
    more = {"runId": run_id} if run_id else {}
    return _decision("RequestCancelExternalWorkflowExecution", {"workflowId": workflow_id, **more})


def schedule_lambda(
    id_: str, name: str, text: str, timeout: float | None, control: str | None
) -> Decision:
    """The decision to run a lambda function.

    Args:
        id_: Its id in the history.
        name: The function's name or ARN.
        text: Its input, JSON.
        timeout: Seconds it may take, up to 900, SWF's default.
        control: What to note with it.
    """
    more = {} if timeout is None else {"startToCloseTimeout": limits.seconds(timeout)}
    noted = {"control": control} if control else {}
    attributes = {"id": id_, "name": name, "input": text, **more, **noted}
    return _decision("ScheduleLambdaFunction", attributes)


def hand_back() -> list[Decision]:
    """The decisions of one who cannot decide: have SWF give the task out again at once.

    There is no call to fail a decision task; a timer of no seconds brings the next one.
    """
    return [start_timer(HAND_BACK_TIMER, 0)]


def attributes_of(decision: Decision) -> dict[str, Any]:
    """The attributes of a decision."""
    found: dict[str, Any] = decision[_member(decision["decisionType"])]
    return found


def _decision(kind: str, attributes: dict[str, Any]) -> Decision:
    return {"decisionType": kind, _member(kind): attributes}


def _member(kind: str) -> str:
    return f"{kind[0].lower()}{kind[1:]}DecisionAttributes"


def _priority(priority: int | None) -> dict[str, str]:
    return {} if priority is None else {"taskPriority": str(priority)}


def _said(reason: object) -> object:
    """What an error says; of one that cannot say it, its name."""
    try:
        str(reason)
    except Exception:  # noqa: BLE001 - an error of the user's code, whose text is its code too
        return type(reason).__name__
    return reason

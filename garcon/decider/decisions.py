"""The decisions a decider takes, as boto3 wants them (RespondDecisionTaskCompleted)."""

from typing import Any

from garcon import limits, payload
from garcon.activity import ActivityInstance

Decision = dict[str, Any]


def schedule_activity_task(
    decisions: list[Decision],
    instance: ActivityInstance,
    version: str = "1.0",
    id: str | None = None,  # noqa: A002 - the documented name
) -> None:
    """Add the decision to schedule an activity.

    Args:
        decisions: The decisions so far.
        instance: What to schedule.
        version: The version of its activity type.
        id: Its id in the history; its own if not given.

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
    }
    decisions.append(_decision("ScheduleActivityTask", attributes))


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
    return _decision("FailWorkflowExecution", {"reason": limits.reason(reason), **more})


def start_timer(timer_id: str, wait: float) -> Decision:
    """The decision to wait, in seconds."""
    attributes = {"timerId": timer_id, "startToFireTimeout": limits.seconds(wait)}
    return _decision("StartTimer", attributes)


def hand_back() -> list[Decision]:
    """The decisions of one who cannot decide: have SWF give the task out again at once.

    There is no call to fail a decision task; a timer of no seconds brings the next one.
    """
    return [start_timer("garcon-hand-back", 0)]


def _decision(kind: str, attributes: dict[str, Any]) -> Decision:
    name = f"{kind[0].lower()}{kind[1:]}DecisionAttributes"
    return {"decisionType": kind, name: attributes}

"""The lengths of members: one line a figure, through boto3.

At its limit a member is accepted, or refused for another reason (an invalid token); one character
more is refused for its length, by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.garcon.local.conformance.account import ACTIVITY, DECISIONS, WORKFLOW, decision

if TYPE_CHECKING:
    from tests.garcon.local.conformance.account import TimedAccount

DATA = 32_768
NAME = 256

OF_DOMAIN: dict[str, dict[str, Any]] = {
    "start_workflow_execution": {"workflowId": "w", "workflowType": WORKFLOW},
    "signal_workflow_execution": {"workflowId": "w", "signalName": "s"},
    "terminate_workflow_execution": {"workflowId": "w"},
    "request_cancel_workflow_execution": {"workflowId": "w"},
    "register_activity_type": {"name": "n", "version": "v"},
    "register_workflow_type": {"name": "n", "version": "v"},
    "poll_for_activity_task": {"taskList": {"name": "none"}},
    "poll_for_decision_task": {"taskList": DECISIONS},
}
"""Operations on a domain, with their other required members."""

LENGTHS = [
    ("start_workflow_execution", "input", DATA),
    ("start_workflow_execution", "workflowId", NAME),
    ("start_workflow_execution", "executionStartToCloseTimeout", 8),
    ("signal_workflow_execution", "input", DATA),
    ("signal_workflow_execution", "signalName", NAME),
    ("signal_workflow_execution", "runId", 64),
    ("request_cancel_workflow_execution", "domain", NAME),
    ("terminate_workflow_execution", "details", DATA),
    ("terminate_workflow_execution", "reason", 256),
    ("register_activity_type", "name", NAME),
    ("register_activity_type", "version", 64),
    ("register_activity_type", "description", 1_024),
    ("register_workflow_type", "name", NAME),
    ("poll_for_activity_task", "identity", 256),
    ("poll_for_decision_task", "nextPageToken", 2_048),
    ("respond_activity_task_completed", "result", DATA),
    ("respond_activity_task_completed", "taskToken", 1_024),
    ("respond_activity_task_failed", "details", DATA),
    ("respond_activity_task_failed", "reason", 256),
    ("respond_activity_task_canceled", "details", DATA),
    ("record_activity_task_heartbeat", "details", 2_048),
    ("respond_decision_task_completed", "executionContext", DATA),
]

OF_DECISIONS: dict[str, dict[str, Any]] = {
    "ScheduleActivityTask": {"activityId": "a", "activityType": ACTIVITY},
    "RecordMarker": {"markerName": "m"},
    "StartTimer": {"timerId": "t", "startToFireTimeout": "9"},
    "StartChildWorkflowExecution": {"workflowId": "c", "workflowType": WORKFLOW},
    "ScheduleLambdaFunction": {"id": "f", "name": "n"},
    "CompleteWorkflowExecution": {},
    "FailWorkflowExecution": {},
}
"""Decisions, with their required members."""

LENGTHS_IN_DECISIONS = [
    ("ScheduleActivityTask", "activityId", NAME),
    ("ScheduleActivityTask", "input", DATA),
    ("ScheduleActivityTask", "control", DATA),
    ("RecordMarker", "markerName", NAME),
    ("RecordMarker", "details", DATA),
    ("StartTimer", "timerId", NAME),
    ("StartTimer", "startToFireTimeout", 8),
    ("StartChildWorkflowExecution", "input", DATA),
    ("ScheduleLambdaFunction", "input", DATA),
    ("CompleteWorkflowExecution", "result", DATA),
    ("FailWorkflowExecution", "reason", 256),
    ("FailWorkflowExecution", "details", DATA),
]


def complaint(account: TimedAccount, operation: str, params: dict[str, Any]) -> str:
    """The message of a refused call, empty if the call succeeds."""
    domain = {"domain": account.domain} if operation in OF_DOMAIN else {"taskToken": "none"}
    try:
        account.call(operation, **domain | OF_DOMAIN.get(operation, {}) | params)
    except ClientError as error:
        return str(error.response["Error"]["Message"])
    return ""


@pytest.mark.parametrize(("operation", "member", "limit"), LENGTHS)
def test_a_member_has_its_length(
    timed: TimedAccount, operation: str, member: str, limit: int
) -> None:
    """One character beyond the published length is too many."""
    assert "length" not in complaint(timed, operation, {member: "9" * limit})
    message = complaint(timed, operation, {member: "9" * (limit + 1)})
    assert f"at '{member}'" in message
    assert f"length less than or equal to {limit}" in message


@pytest.mark.parametrize(("kind", "member", "limit"), LENGTHS_IN_DECISIONS)
def test_a_member_of_a_decision_has_its_length(
    timed: TimedAccount, kind: str, member: str, limit: int
) -> None:
    """The same holds in a decision, and the message names the decision."""

    def message(length: int) -> str:
        made = decision(kind, **OF_DECISIONS[kind] | {member: "9" * length})
        return complaint(timed, "respond_decision_task_completed", {"decisions": [made]})

    assert "length" not in message(limit)
    assert f"DecisionAttributes.{member}'" in message(limit + 1)
    assert f"length less than or equal to {limit}" in message(limit + 1)


def test_an_execution_has_five_tags_at_most(timed: TimedAccount) -> None:
    """Each tag has at most 256 characters."""
    timed.start(tagList=["t" * 256] * 5)
    params = {"workflowId": "x", "tagList": ["t"] * 6}
    assert "equal to 5" in complaint(timed, "start_workflow_execution", params)
    params = {"workflowId": "x", "tagList": ["t" * 257]}
    assert "equal to 256" in complaint(timed, "start_workflow_execution", params)


def test_a_page_has_a_thousand_events_at_most(timed: TimedAccount) -> None:
    """A thousand is also the default."""
    timed.start()
    timed.decide(*(decision("RecordMarker", markerName="m") for _ in range(1_000)))
    execution = {"workflowId": "w", "runId": timed.run_id("w")}
    page = timed.in_domain("get_workflow_execution_history", execution=execution)
    assert len(page["events"]) == 1_000
    assert page["nextPageToken"]
    message = complaint(timed, "poll_for_decision_task", {"maximumPageSize": 1_001})
    assert "less than or equal to 1000" in message

"""How long members may be: one line a figure, through boto3.

At its limit a member is taken, or refused for another reason (a token that nobody gave); one
character more is refused for its length, by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.garcon.local.conformance import ACTIVITY, DECISIONS, WORKFLOW, decision

if TYPE_CHECKING:
    from tests.garcon.local.conformance import Timed

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
"""Operations upon a domain, with what they need besides."""

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
"""Decisions, with what they need."""

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


def complaint(account: Timed, operation: str, params: dict[str, Any]) -> str:
    """With which words a call is refused, empty if it is not."""
    domain = {"domain": account.domain} if operation in OF_DOMAIN else {"taskToken": "none"}
    try:
        account.call(operation, **domain | OF_DOMAIN.get(operation, {}) | params)
    except ClientError as error:
        return str(error.response["Error"]["Message"])
    return ""


@pytest.mark.parametrize(("operation", "member", "limit"), LENGTHS)
def test_a_member_has_its_length(timed: Timed, operation: str, member: str, limit: int) -> None:
    """One character beyond the published length is too many."""
    assert "length" not in complaint(timed, operation, {member: "9" * limit})
    told = complaint(timed, operation, {member: "9" * (limit + 1)})
    assert f"at '{member}'" in told
    assert f"length less than or equal to {limit}" in told


@pytest.mark.parametrize(("kind", "member", "limit"), LENGTHS_IN_DECISIONS)
def test_a_member_of_a_decision_has_its_length(
    timed: Timed, kind: str, member: str, limit: int
) -> None:
    """In a decision too, and the message says in which one."""

    def told(length: int) -> str:
        made = decision(kind, **OF_DECISIONS[kind] | {member: "9" * length})
        return complaint(timed, "respond_decision_task_completed", {"decisions": [made]})

    assert "length" not in told(limit)
    assert f"DecisionAttributes.{member}'" in told(limit + 1)
    assert f"length less than or equal to {limit}" in told(limit + 1)


def test_an_execution_has_five_tags_at_most(timed: Timed) -> None:
    """And each of them 256 characters."""
    timed.start(tagList=["t" * 256] * 5)
    params = {"workflowId": "x", "tagList": ["t"] * 6}
    assert "equal to 5" in complaint(timed, "start_workflow_execution", params)
    params = {"workflowId": "x", "tagList": ["t" * 257]}
    assert "equal to 256" in complaint(timed, "start_workflow_execution", params)


def test_a_page_has_a_thousand_events_at_most(timed: Timed) -> None:
    """So many it has if nothing else is asked for."""
    timed.start()
    timed.decide(*(decision("RecordMarker", markerName="m") for _ in range(1_000)))
    execution = {"workflowId": "w", "runId": timed.run_id("w")}
    page = timed.in_domain("get_workflow_execution_history", execution=execution)
    assert len(page["events"]) == 1_000
    assert page["nextPageToken"]
    told = complaint(timed, "poll_for_decision_task", {"maximumPageSize": 1_001})
    assert "less than or equal to 1000" in told

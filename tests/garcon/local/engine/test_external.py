"""Signals and requests to cancel from one execution to another."""

from typing import Any

import pytest

from tests.garcon.local.engine.account import (
    COMPLETE,
    Account,
    Body,
    decision,
)


def signal(workflow_id: str, **attributes: Any) -> Body:
    return decision(
        "SignalExternalWorkflowExecution", workflowId=workflow_id, signalName="s", **attributes
    )


def cancel(workflow_id: str, **attributes: Any) -> Body:
    return decision("RequestCancelExternalWorkflowExecution", workflowId=workflow_id, **attributes)


def test_a_signal_reaches_another_execution() -> None:
    """The target's event names the sender, and the sender gets an event of the delivery."""
    account = Account()
    sender = account.start("sender")
    target = account.start("target", taskList={"name": "t"})
    account.decide(signal("target", input="in", control="c"))
    assert account.last(sender, "SignalExternalWorkflowExecutionInitiated") == {
        "workflowId": "target",
        "signalName": "s",
        "input": "in",
        "control": "c",
        "decisionTaskCompletedEventId": 4,
    }
    assert account.last(target, "WorkflowExecutionSignaled") == {
        "signalName": "s",
        "input": "in",
        "externalWorkflowExecution": {"workflowId": "sender", "runId": sender},
        "externalInitiatedEventId": 5,
    }
    assert account.last(sender, "ExternalWorkflowExecutionSignaled") == {
        "workflowExecution": {"workflowId": "target", "runId": target},
        "initiatedEventId": 5,
    }
    assert account.types(sender)[-1] == "DecisionTaskScheduled"


def test_a_request_to_cancel_reaches_another_execution() -> None:
    """The same holds for a request to cancel that names the run."""
    account = Account()
    sender = account.start("sender")
    target = account.start("target", taskList={"name": "t"})
    account.decide(cancel("target", runId=target))
    initiated = account.last(sender, "RequestCancelExternalWorkflowExecutionInitiated")
    assert initiated["runId"] == target
    assert account.last(target, "WorkflowExecutionCancelRequested") == {
        "externalWorkflowExecution": {"workflowId": "sender", "runId": sender},
        "externalInitiatedEventId": 5,
    }
    assert account.last(sender, "ExternalWorkflowExecutionCancelRequested") == {
        "workflowExecution": {"workflowId": "target", "runId": target},
        "initiatedEventId": 5,
    }


@pytest.mark.parametrize(
    ("make", "event"),
    [
        (signal, "SignalExternalWorkflowExecutionFailed"),
        (cancel, "RequestCancelExternalWorkflowExecutionFailed"),
    ],
)
def test_a_target_that_is_not_open_is_unknown(make: object, event: str) -> None:
    """An unknown workflowId and a closed run have the same cause."""
    assert callable(make)
    account = Account()
    closed = account.start("target")
    account.decide(COMPLETE)
    account.start("target", taskList={"name": "t"})
    sender = account.start("sender")
    account.decide(make("target", runId=closed, control="c"))
    assert account.last(sender, event) == {
        "workflowId": "target",
        "runId": closed,
        "control": "c",
        "cause": "UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION",
        "initiatedEventId": 5,
        "decisionTaskCompletedEventId": 4,
    }
    account.decide(make("nobody"))
    assert account.last(sender, event)["workflowId"] == "nobody"


def test_an_execution_may_signal_itself() -> None:
    """Both events are in its history, and one decision task follows."""
    account = Account()
    run = account.start()
    account.decide(signal("w"))
    assert account.types(run)[4:] == [
        "SignalExternalWorkflowExecutionInitiated",
        "WorkflowExecutionSignaled",
        "DecisionTaskScheduled",
        "ExternalWorkflowExecutionSignaled",
    ]


@pytest.mark.parametrize("workflow_id", ["target", "nobody"])
def test_a_sender_that_closes_gets_no_event(workflow_id: str) -> None:
    """The delivery succeeds or fails as before; the closed history does not grow."""
    account = Account()
    target = account.start("target", taskList={"name": "t"})
    sender = account.start("sender")
    account.decide(signal(workflow_id), COMPLETE)
    assert account.types(sender)[-1] == "WorkflowExecutionCompleted"
    arrived = "WorkflowExecutionSignaled" in account.types(target)
    assert arrived == (workflow_id == "target")

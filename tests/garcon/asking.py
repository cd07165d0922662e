"""What a decider asks for after a history, for tests of its verbs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from garcon.decider import DeciderWorker
from tests.garcon.flows import flow, make
from tests.garcon.histories import History
from tests.garcon.test_decisions import assert_valid

A = make("a")
OTHER = SimpleNamespace(domain="domain", name="other", version="2", tags=["t"], priority=3)


def decide(decider: Any, history: History | None = None, **members: Any) -> list[dict[str, Any]]:
    """What a decider decides after a history; SWF would take it."""
    made = flow(a=A, decider=decider, **members)
    decisions = DeciderWorker(made, register=False).decide((history or History()).poll())
    assert_valid(decisions)
    return decisions


def attributes(decision: dict[str, Any]) -> dict[str, Any]:
    """What a decision says."""
    found: dict[str, Any] = next(value for key, value in decision.items() if key != "decisionType")
    return found


def child_history(ended: str | None = None, **said: Any) -> History:
    """A child that began, and maybe ended."""
    history = History()
    number = history.add(
        "StartChildWorkflowExecutionInitiated",
        workflowId="workflow-x",
        workflowType={"name": "other", "version": "2"},
    )
    place = {"workflowExecution": {"workflowId": "workflow-x", "runId": "r"}}
    history.add("ChildWorkflowExecutionStarted", initiatedEventId=number, **place)
    if ended:
        history.add(f"ChildWorkflowExecution{ended}", initiatedEventId=number, **said, **place)
    return history

"""Decisions of a custom decider after a history, for tests of its methods."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from garcon.decider import DeciderWorker
from tests.garcon.decider.test_decisions import assert_valid
from tests.garcon.flows import flow, make
from tests.garcon.histories import History

A = make("a")
OTHER = SimpleNamespace(domain="domain", name="other", version="2", tags=["t"], priority=3)


def decide(decider: Any, history: History | None = None, **members: Any) -> list[dict[str, Any]]:
    """The decisions of a decider after a history; they are valid for SWF."""
    made = flow(a=A, decider=decider, **members)
    decisions = DeciderWorker(made, register=False).decide((history or History()).poll())
    assert_valid(decisions)
    return decisions


def attributes(decision: dict[str, Any]) -> dict[str, Any]:
    """The attributes of a decision."""
    found: dict[str, Any] = next(value for key, value in decision.items() if key != "decisionType")
    return found


def child_history(ended: str | None = None, **members: Any) -> History:
    """A history with a child that began, and optionally ended."""
    history = History()
    number = history.add(
        "StartChildWorkflowExecutionInitiated",
        workflowId="workflow-x",
        workflowType={"name": "other", "version": "2"},
    )
    place = {"workflowExecution": {"workflowId": "workflow-x", "runId": "r"}}
    history.add("ChildWorkflowExecutionStarted", initiatedEventId=number, **place)
    if ended:
        history.add(f"ChildWorkflowExecution{ended}", initiatedEventId=number, **members, **place)
    return history

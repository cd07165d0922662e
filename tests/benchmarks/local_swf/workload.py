"""The workload of the measurements: one domain and one type of each kind, no timeouts."""

from __future__ import annotations

from typing import Any

DOMAIN, LIST, KIND = "bench", {"name": "list"}, {"name": "kind", "version": "1"}
TIMEOUTS = {
    "startToCloseTimeout": "3600",
    "scheduleToStartTimeout": "3600",
    "scheduleToCloseTimeout": "3600",
    "heartbeatTimeout": "NONE",
}


def activity(number: int) -> dict[str, Any]:
    """A decision to schedule an activity."""
    attributes = {"activityId": f"a-{number}", "activityType": KIND, "taskList": LIST, **TIMEOUTS}
    return {
        "decisionType": "ScheduleActivityTask",
        "scheduleActivityTaskDecisionAttributes": attributes,
    }


REGISTRATION: tuple[tuple[str, dict[str, Any]], ...] = (
    ("RegisterDomain", {"name": DOMAIN, "workflowExecutionRetentionPeriodInDays": "1"}),
    (
        "RegisterWorkflowType",
        {
            "domain": DOMAIN,
            **KIND,
            "defaultTaskList": LIST,
            "defaultChildPolicy": "TERMINATE",
            "defaultTaskStartToCloseTimeout": "3600",
            "defaultExecutionStartToCloseTimeout": "36000",
        },
    ),
    ("RegisterActivityType", {"domain": DOMAIN, **KIND}),
)
POLL = {"domain": DOMAIN, "taskList": LIST}


def start(number: int) -> dict[str, Any]:
    """The members of a start."""
    return {"domain": DOMAIN, "workflowId": f"w-{number}", "workflowType": KIND}

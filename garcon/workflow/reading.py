"""SWF's answers to values. Pure."""

from collections.abc import Mapping
from typing import Any

from garcon.workflow.values import Description, Execution, Status, Summary

NO_LIMIT = "NONE"

_OPEN_COUNTS = {
    "openActivityTasks": "activities",
    "openDecisionTasks": "decisions",
    "openTimers": "timers",
    "openChildWorkflowExecutions": "children",
    "openLambdaFunctions": "lambdas",
}


def execution(told: Mapping[str, Any]) -> Execution:
    """The model's WorkflowExecution."""
    return Execution(told["workflowId"], told["runId"])


def summary(told: Mapping[str, Any]) -> Summary:
    """The model's WorkflowExecutionInfo."""
    return Summary(
        execution=execution(told["execution"]),
        name=told["workflowType"]["name"],
        version=told["workflowType"]["version"],
        status=Status(told.get("closeStatus") or told["executionStatus"]),
        started=told["startTimestamp"],
        closed=told.get("closeTimestamp"),
        tags=tuple(told.get("tagList", ())),
        cancel_requested=bool(told.get("cancelRequested")),
        parent=execution(told["parent"]) if told.get("parent") else None,
    )


def description(told: Mapping[str, Any]) -> Description:
    """The answer to DescribeWorkflowExecution."""
    settings = told["executionConfiguration"]
    decision_timeout = settings["taskStartToCloseTimeout"]
    priority = settings.get("taskPriority")
    return Description(
        summary=summary(told["executionInfo"]),
        open_counts={ours: told["openCounts"].get(its, 0) for its, ours in _OPEN_COUNTS.items()},
        task_list=settings["taskList"]["name"],
        timeout=int(settings["executionStartToCloseTimeout"]),
        decision_timeout=None if decision_timeout == NO_LIMIT else int(decision_timeout),
        child_policy=settings["childPolicy"],
        priority=int(priority) if priority else None,
        latest_activity=told.get("latestActivityTaskTimestamp"),
    )

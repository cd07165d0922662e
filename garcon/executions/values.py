"""Values about executions; every time is an aware ``datetime``."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

REDRIVE_TAG = "garcon-redrive-of="
"""Prefix of the tag of a redriven run; the run id of the run before follows."""


class Status(enum.StrEnum):
    """An execution's status (SWF's executionStatus and closeStatus)."""

    OPEN = "OPEN"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"
    TERMINATED = "TERMINATED"
    CONTINUED_AS_NEW = "CONTINUED_AS_NEW"
    TIMED_OUT = "TIMED_OUT"


@dataclass(frozen=True, slots=True)
class Execution:
    """One run of a workflow: the id that its starter chose, and SWF's id of the run."""

    workflow_id: str
    run_id: str

    def wire(self) -> dict[str, str]:
        """The form that SWF takes."""
        return {"workflowId": self.workflow_id, "runId": self.run_id}


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a completed execution.

    Attributes:
        execution: The run that completed; the last, if the execution continued as new.
        context: The workflow's input and its activities' results, merged as its decider saw them.
        result: The result of CompleteWorkflowExecution, decoded if it is JSON; usually ``None``.
    """

    execution: Execution
    context: Mapping[str, Any]
    result: Any = None


@dataclass(frozen=True, slots=True)
class Summary:
    """An execution as lists show it (SWF's WorkflowExecutionInfo).

    Attributes:
        execution: The run.
        name: Name of its workflow type, the flow's.
        version: Version of its workflow type.
        status: Open, or how it closed.
        started: Time of its start.
        closed: Time of its end, if it has closed.
        tags: Its tags.
        cancel_requested: Whether its cancellation was requested.
        parent: The execution that started it as a child, if one did.
        redrive_of: Run id of the run that it is a redrive of, if a tag says so.
    """

    execution: Execution
    name: str
    version: str
    status: Status
    started: datetime
    closed: datetime | None = None
    tags: tuple[str, ...] = ()
    cancel_requested: bool = False
    parent: Execution | None = None
    redrive_of: str | None = None


@dataclass(frozen=True, slots=True)
class Description:
    """An execution and what is open in it (DescribeWorkflowExecution).

    Attributes:
        summary: As lists show it.
        open_counts: Numbers of open activities, decisions, timers, children and lambda functions.
        task_list: The task list of its decision tasks.
        timeout: Seconds that it may be open.
        decision_timeout: Seconds that a decision may take; ``None`` for no limit.
        child_policy: What SWF does to its children when it is terminated or times out.
        priority: Priority of its decision tasks, if it has one.
        latest_activity: Time at which its latest activity was scheduled, if one was.
    """

    summary: Summary
    open_counts: Mapping[str, int]
    task_list: str
    timeout: int
    decision_timeout: int | None
    child_policy: str
    priority: int | None = None
    latest_activity: datetime | None = None

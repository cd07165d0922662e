"""What is told about executions: plain values, times as aware ``datetime``."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


class Status(enum.StrEnum):
    """Whether an execution is open, or how it closed (SWF's executionStatus and closeStatus)."""

    OPEN = "OPEN"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"
    TERMINATED = "TERMINATED"
    CONTINUED_AS_NEW = "CONTINUED_AS_NEW"
    TIMED_OUT = "TIMED_OUT"


@dataclass(frozen=True, slots=True)
class Execution:
    """One run of a workflow: the id its starter chose, and the one SWF gave to the run."""

    workflow_id: str
    run_id: str


@dataclass(frozen=True, slots=True)
class Result:
    """What a completed execution came to.

    Attributes:
        execution: The run that completed; the last, if the execution continued as new.
        context: The workflow's input and its activities' results, merged as its decider saw them.
        result: What the workflow itself completed with, read as JSON if it is; usually ``None``.
    """

    execution: Execution
    context: Mapping[str, Any]
    result: Any = None


@dataclass(frozen=True, slots=True)
class Summary:
    """An execution, as lists show it (SWF's WorkflowExecutionInfo).

    Attributes:
        execution: Which it is.
        name: Name of its workflow type, the flow's.
        version: Version of its workflow type.
        status: Open, or how it closed.
        started: When it was started.
        closed: When it closed, if it has.
        tags: What it was tagged with.
        cancel_requested: Whether somebody asked to cancel it.
        parent: The execution that started it, if one did.
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


@dataclass(frozen=True, slots=True)
class Description:
    """An execution and what is open in it (DescribeWorkflowExecution).

    Attributes:
        summary: What lists show.
        open_counts: How many activities, decisions, timers, children and lambda functions are open.
        task_list: Where its decision tasks go.
        timeout: Seconds it may be open.
        decision_timeout: Seconds a decision may take; ``None`` for no limit.
        child_policy: What becomes of its children when it is terminated or times out.
        priority: Of its decision tasks, if it has one.
        latest_activity: When its latest activity was scheduled, if any was.
    """

    summary: Summary
    open_counts: Mapping[str, int]
    task_list: str
    timeout: int
    decision_timeout: int | None
    child_policy: str
    priority: int | None = None
    latest_activity: datetime | None = None

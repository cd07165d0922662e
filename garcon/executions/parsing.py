"""From SWF's answers and closing events to values, and to the error of an execution that failed.

Pure, but for claims: a result that lies in a claim store is fetched from there.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from garcon import claims
from garcon import event as events_of_swf
from garcon.executions.errors import (
    Canceled,
    Failed,
    NotCompleted,
    RequestRefused,
    Terminated,
    TimedOut,
    WorkflowError,
)
from garcon.executions.recorded_history import Event, Events, attributes
from garcon.executions.values import REDRIVE_TAG, Description, Execution, Result, Status, Summary
from garcon.payload import codec

NO_LIMIT = "NONE"

CLOSINGS: Mapping[str, Status] = {
    "WorkflowExecutionCompleted": Status.COMPLETED,
    "WorkflowExecutionFailed": Status.FAILED,
    "WorkflowExecutionTimedOut": Status.TIMED_OUT,
    "WorkflowExecutionCanceled": Status.CANCELED,
    "WorkflowExecutionTerminated": Status.TERMINATED,
    "WorkflowExecutionContinuedAsNew": Status.CONTINUED_AS_NEW,
}
"""The events that close an execution; one of them is then the last."""

_OPEN_COUNTS = {
    "openActivityTasks": "activities",
    "openDecisionTasks": "decisions",
    "openTimers": "timers",
    "openChildWorkflowExecutions": "children",
    "openLambdaFunctions": "lambdas",
}

_ERRORS: Mapping[Status, tuple[type[NotCompleted], str]] = {
    Status.FAILED: (Failed, "failed"),
    Status.TIMED_OUT: (TimedOut, "timed out"),
    Status.CANCELED: (Canceled, "was cancelled"),
    Status.TERMINATED: (Terminated, "was terminated"),
    Status.CONTINUED_AS_NEW: (NotCompleted, "continued as new"),
}


def execution(answer: Mapping[str, Any]) -> Execution:
    """The value of SWF's WorkflowExecution."""
    return Execution(answer["workflowId"], answer["runId"])


def summary(answer: Mapping[str, Any]) -> Summary:
    """The value of SWF's WorkflowExecutionInfo."""
    return Summary(
        execution=execution(answer["execution"]),
        name=answer["workflowType"]["name"],
        version=answer["workflowType"]["version"],
        status=Status(answer.get("closeStatus") or answer["executionStatus"]),
        started=answer["startTimestamp"],
        closed=answer.get("closeTimestamp"),
        tags=(tags := tuple(answer.get("tagList", ()))),
        cancel_requested=bool(answer.get("cancelRequested")),
        parent=execution(answer["parent"]) if answer.get("parent") else None,
        redrive_of=_redrive_of(tags),
    )


def _redrive_of(tags: Iterable[str]) -> str | None:
    named = (each for each in tags if each.startswith(REDRIVE_TAG))
    return next((each.removeprefix(REDRIVE_TAG) for each in named), None)


def description(answer: Mapping[str, Any]) -> Description:
    """The value of the answer to DescribeWorkflowExecution."""
    settings = answer["executionConfiguration"]
    decision_timeout = settings["taskStartToCloseTimeout"]
    priority = settings.get("taskPriority")
    counts = answer["openCounts"]
    return Description(
        summary=summary(answer["executionInfo"]),
        open_counts={ours: counts.get(theirs, 0) for theirs, ours in _OPEN_COUNTS.items()},
        task_list=settings["taskList"]["name"],
        timeout=int(settings["executionStartToCloseTimeout"]),
        decision_timeout=None if decision_timeout == NO_LIMIT else int(decision_timeout),
        child_policy=settings["childPolicy"],
        priority=int(priority) if priority else None,
        latest_activity=answer.get("latestActivityTaskTimestamp"),
    )


def status(last: Event) -> Status:
    """The status of an execution whose history ends with this event."""
    return CLOSINGS.get(last["eventType"], Status.OPEN)


def next_run_id(last: Event) -> str | None:
    """The run id of the next run, if this event continued the execution as new."""
    run_id = attributes(last).get("newExecutionRunId")
    return str(run_id) if run_id else None


def result(run: Execution, events: Events) -> Result:
    """The result of a closed execution.

    Args:
        run: The run.
        events: All its events.

    Raises:
        NotCompleted: The execution closed without completing; the class says how.
        WorkflowError: Its input or a result is not JSON, so there is no context.
        RequestRefused: The claim store does not answer at the moment.
    """
    closed = status(events[-1])
    if closed is not Status.COMPLETED:
        raise _not_completed(run, events, closed)
    try:
        context = events_of_swf.get_current_context(events)
        own_result = json_or_text(attributes(events[-1]).get("result"))
    except codec.NotReadable as error:
        raise WorkflowError(f"{run.workflow_id} completed, but {error}") from error
    except claims.ClaimStoreUnavailable as error:
        raise RequestRefused(f"{run.workflow_id} completed, but {error}", transient=True) from error
    return Result(run, dict(context), own_result)


def json_or_text(text: str | None) -> Any:
    """The value of a text that may be JSON or a claim; the text itself if it is neither.

    Raises:
        claims.ClaimStoreUnavailable: The claim store does not answer at the moment.
    """
    try:
        return codec.decode(text, "The workflow's result")
    except codec.NotReadable:
        return text


def _not_completed(run: Execution, events: Events, closed: Status) -> NotCompleted:
    error_class, verb = _ERRORS[closed]
    members = attributes(events[-1])
    reason = members.get("reason") or _cause(closed, members, events[0])
    sentence = f"{run.workflow_id} {verb}{f': {reason}' if reason else ''}"
    stop = "" if sentence.endswith((".", "!", "?")) else "."
    return error_class(sentence + stop, run, closed, reason, members.get("details"))


def _cause(closed: Status, members: Mapping[str, Any], first: Event) -> str | None:
    if closed is Status.TIMED_OUT:
        limit = attributes(first).get("executionStartToCloseTimeout")
        return f"it was open for its limit of {limit} s" if limit else None
    return members.get("cause")

"""How an execution ended, from its events. Pure."""

from collections.abc import Mapping
from typing import Any

from garcon import claims, event, payload
from garcon.workflow.errors import (
    Canceled,
    Failed,
    NotCompleted,
    Refused,
    Terminated,
    TimedOut,
    WorkflowError,
)
from garcon.workflow.history import Event, Events, attributes
from garcon.workflow.values import Execution, Result, Status

CLOSINGS: Mapping[str, Status] = {
    "WorkflowExecutionCompleted": Status.COMPLETED,
    "WorkflowExecutionFailed": Status.FAILED,
    "WorkflowExecutionTimedOut": Status.TIMED_OUT,
    "WorkflowExecutionCanceled": Status.CANCELED,
    "WorkflowExecutionTerminated": Status.TERMINATED,
    "WorkflowExecutionContinuedAsNew": Status.CONTINUED_AS_NEW,
}
"""The events that close an execution; one of them is then the last."""

_ERRORS: Mapping[Status, tuple[type[NotCompleted], str]] = {
    Status.FAILED: (Failed, "failed"),
    Status.TIMED_OUT: (TimedOut, "timed out"),
    Status.CANCELED: (Canceled, "was cancelled"),
    Status.TERMINATED: (Terminated, "was terminated"),
    Status.CONTINUED_AS_NEW: (NotCompleted, "continued as new"),
}


def status(last: Event) -> Status:
    """The status that a history's last event stands for."""
    return CLOSINGS.get(last["eventType"], Status.OPEN)


def continued(last: Event) -> str | None:
    """The run id that an execution goes on under, if it continued as new."""
    told = attributes(last).get("newExecutionRunId")
    return str(told) if told else None


def result(execution: Execution, events: Events) -> Result:
    """What a closed execution came to.

    Args:
        execution: Which run it is.
        events: All its events.

    Raises:
        NotCompleted: One of its heirs: it closed in another way.
        WorkflowError: Its input or a result is not JSON, so there is no context.
        Refused: What is in the claim store cannot be had just now.
    """
    closed = status(events[-1])
    if closed is not Status.COMPLETED:
        raise _not_completed(execution, events, closed)
    try:
        context = event.get_current_context(events)
        own = readable(attributes(events[-1]).get("result"))
    except payload.NotReadable as error:
        raise WorkflowError(f"{execution.workflow_id} completed, but {error}") from error
    except claims.Unavailable as error:
        raise Refused(f"{execution.workflow_id} completed, but {error}", passing=True) from error
    return Result(execution, dict(context), own)


def readable(text: str | None) -> Any:
    """The value of a text that may be JSON or a claim; the text itself if it is neither.

    Raises:
        claims.Unavailable: The claim store does not answer just now.
    """
    try:
        return payload.decode(text, "The workflow's result")
    except payload.NotReadable:
        return text


def _not_completed(execution: Execution, events: Events, closed: Status) -> NotCompleted:
    kind, words = _ERRORS[closed]
    told = attributes(events[-1])
    reason = told.get("reason") or _cause(closed, told, events[0])
    sentence = f"{execution.workflow_id} {words}{f': {reason}' if reason else ''}"
    ended = "" if sentence.endswith((".", "!", "?")) else "."
    return kind(sentence + ended, execution, closed, reason, told.get("details"))


def _cause(closed: Status, told: Mapping[str, Any], first: Event) -> str | None:
    if closed is Status.TIMED_OUT:
        allowed = attributes(first).get("executionStartToCloseTimeout")
        return f"it may be open for {allowed} s" if allowed else None
    return told.get("cause")

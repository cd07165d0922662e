"""How an execution ended, from its events. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from garcon import event, payload
from garcon.workflow.errors import (
    Canceled,
    Failed,
    NotCompleted,
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
    """
    closed = status(events[-1])
    if closed is not Status.COMPLETED:
        raise _not_completed(execution, events, closed)
    try:
        context = event.get_current_context(events)
    except payload.NotReadable as error:
        raise WorkflowError(f"{execution.workflow_id} completed, but {error}") from error
    return Result(execution, dict(context), readable(attributes(events[-1]).get("result")))


def readable(text: str | None) -> Any:
    """The value of a text that may be JSON; the text itself if it is not."""
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
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

"""SWF's history events: their types, their members, and the events in which things begin and end.

Timers, children, lambda functions and messages to other executions live alike: one event begins the
thing and names it, later events refer to the number of that one, and an event …Failed records that
SWF did not begin it. One table, ``LIFECYCLES``, holds the names for all of them.

Source: the SWF API reference, version 2012-01-25, HistoryEvent.
"""

import functools
from collections.abc import Mapping
from typing import Any

import msgspec

from garcon.history.states import EndKind, StateOutcome

Event = Mapping[str, Any]

EVENT_TYPES = frozenset(
    """
    WorkflowExecutionStarted WorkflowExecutionCancelRequested WorkflowExecutionCompleted
    CompleteWorkflowExecutionFailed WorkflowExecutionFailed FailWorkflowExecutionFailed
    WorkflowExecutionTimedOut WorkflowExecutionCanceled CancelWorkflowExecutionFailed
    WorkflowExecutionContinuedAsNew ContinueAsNewWorkflowExecutionFailed
    WorkflowExecutionTerminated DecisionTaskScheduled DecisionTaskStarted DecisionTaskCompleted
    DecisionTaskTimedOut ActivityTaskScheduled ScheduleActivityTaskFailed ActivityTaskStarted
    ActivityTaskCompleted ActivityTaskFailed ActivityTaskTimedOut ActivityTaskCanceled
    ActivityTaskCancelRequested RequestCancelActivityTaskFailed WorkflowExecutionSignaled
    MarkerRecorded RecordMarkerFailed TimerStarted StartTimerFailed TimerFired TimerCanceled
    CancelTimerFailed StartChildWorkflowExecutionInitiated StartChildWorkflowExecutionFailed
    ChildWorkflowExecutionStarted ChildWorkflowExecutionCompleted ChildWorkflowExecutionFailed
    ChildWorkflowExecutionTimedOut ChildWorkflowExecutionCanceled
    ChildWorkflowExecutionTerminated SignalExternalWorkflowExecutionInitiated
    SignalExternalWorkflowExecutionFailed ExternalWorkflowExecutionSignaled
    RequestCancelExternalWorkflowExecutionInitiated RequestCancelExternalWorkflowExecutionFailed
    ExternalWorkflowExecutionCancelRequested LambdaFunctionScheduled LambdaFunctionStarted
    LambdaFunctionCompleted LambdaFunctionFailed LambdaFunctionTimedOut
    ScheduleLambdaFunctionFailed StartLambdaFunctionFailed
    """.split()  # noqa: SIM905 - the 54 names read better without quotes
)


@functools.lru_cache(maxsize=128)  # there are 54 types; recorded histories may hold others
def member_of(event_type: str) -> str:
    """The member of an event of this type that holds its attributes."""
    return f"{event_type[:1].lower()}{event_type[1:]}EventAttributes"


def timestamp_of(event: Event) -> float:
    """Time of the event, in seconds since the epoch; 0 if it has no timestamp."""
    return seconds_of(event.get("eventTimestamp", 0.0))


def seconds_of(stamp: Any) -> float:
    """A timestamp in seconds since the epoch: boto3 gives a datetime, a recording a number."""
    return float(stamp.timestamp() if hasattr(stamp, "timestamp") else stamp)


def outcome_of(how: EndKind, event: Event, attributes: Mapping[str, Any]) -> StateOutcome:
    """The outcome that an event records.

    Args:
        how: The kind of the end, as its type implies.
        event: The event.
        attributes: Its attributes.
    """
    causes = (attributes.get(name) for name in ("reason", "timeoutType", "cause"))
    cause = next((text for text in causes if text), None)
    details = attributes.get("details") or attributes.get("message")
    return StateOutcome(how, cause, details, event.get("eventId", 0), timestamp_of(event))


class Lifecycle(msgspec.Struct, frozen=True):
    """The events of one kind of thing.

    Attributes:
        kind: Its name in sentences.
        begin: The type of the event that begins it.
        id_member: The member of that event with the thing's id.
        begin_reference: The member of later events with the number of the event that began it.
        ends: The types of the events that end it, and how.
        refusal: The type of the event that SWF did not begin it; its id is in the same member.
    """

    kind: str
    begin: str
    id_member: str
    begin_reference: str
    ends: Mapping[str, EndKind]
    refusal: str


TIMER = Lifecycle(
    "timer",
    "TimerStarted",
    "timerId",
    "startedEventId",
    {"TimerFired": EndKind.COMPLETED, "TimerCanceled": EndKind.CANCELED},
    "StartTimerFailed",
)

CHILD = Lifecycle(
    "child workflow",
    "StartChildWorkflowExecutionInitiated",
    "workflowId",
    "initiatedEventId",
    {
        "ChildWorkflowExecutionCompleted": EndKind.COMPLETED,
        "ChildWorkflowExecutionFailed": EndKind.FAILED,
        "ChildWorkflowExecutionTimedOut": EndKind.TIMED_OUT,
        "ChildWorkflowExecutionCanceled": EndKind.CANCELED,
        "ChildWorkflowExecutionTerminated": EndKind.TERMINATED,
    },
    "StartChildWorkflowExecutionFailed",
)

LAMBDA = Lifecycle(
    "lambda function",
    "LambdaFunctionScheduled",
    "id",
    "scheduledEventId",
    {
        "LambdaFunctionCompleted": EndKind.COMPLETED,
        "LambdaFunctionFailed": EndKind.FAILED,
        "LambdaFunctionTimedOut": EndKind.TIMED_OUT,
        "StartLambdaFunctionFailed": EndKind.REFUSED,
    },
    "ScheduleLambdaFunctionFailed",
)

MESSAGE = Lifecycle(
    "signal to",
    "SignalExternalWorkflowExecutionInitiated",
    "workflowId",
    "initiatedEventId",
    {"ExternalWorkflowExecutionSignaled": EndKind.COMPLETED},
    "SignalExternalWorkflowExecutionFailed",
)

CANCELLATION = Lifecycle(
    "request to cancel",
    "RequestCancelExternalWorkflowExecutionInitiated",
    "workflowId",
    "initiatedEventId",
    {"ExternalWorkflowExecutionCancelRequested": EndKind.COMPLETED},
    "RequestCancelExternalWorkflowExecutionFailed",
)

LIFECYCLES = (TIMER, CHILD, LAMBDA, MESSAGE, CANCELLATION)

"""How SWF's events tell of timers, children, lambda functions and messages to other executions.

All of these live alike: an event says that it began and names it, later events refer to the number
of that one, and an event …Failed says that it could not begin. So one table tells all.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from garcon.states import How


@dataclass(frozen=True)
class Lifecycle:
    """The events of one kind of thing.

    Attributes:
        kind: Its name in sentences.
        begun: The event by which it begins.
        named: The member of that event that has its id.
        refers: The member by which later events name the event that began it.
        ends: The events by which it ends, and how.
        refused: The event that it could not begin; its id is in the same member.
    """

    kind: str
    begun: str
    named: str
    refers: str
    ends: Mapping[str, How]
    refused: str


TIMER = Lifecycle(
    "timer",
    "TimerStarted",
    "timerId",
    "startedEventId",
    {"TimerFired": How.COMPLETED, "TimerCanceled": How.CANCELED},
    "StartTimerFailed",
)

CHILD = Lifecycle(
    "child workflow",
    "StartChildWorkflowExecutionInitiated",
    "workflowId",
    "initiatedEventId",
    {
        "ChildWorkflowExecutionCompleted": How.COMPLETED,
        "ChildWorkflowExecutionFailed": How.FAILED,
        "ChildWorkflowExecutionTimedOut": How.TIMED_OUT,
        "ChildWorkflowExecutionCanceled": How.CANCELED,
        "ChildWorkflowExecutionTerminated": How.TERMINATED,
    },
    "StartChildWorkflowExecutionFailed",
)

LAMBDA = Lifecycle(
    "lambda function",
    "LambdaFunctionScheduled",
    "id",
    "scheduledEventId",
    {
        "LambdaFunctionCompleted": How.COMPLETED,
        "LambdaFunctionFailed": How.FAILED,
        "LambdaFunctionTimedOut": How.TIMED_OUT,
        "StartLambdaFunctionFailed": How.REFUSED,
    },
    "ScheduleLambdaFunctionFailed",
)

MESSAGE = Lifecycle(
    "signal to",
    "SignalExternalWorkflowExecutionInitiated",
    "workflowId",
    "initiatedEventId",
    {"ExternalWorkflowExecutionSignaled": How.COMPLETED},
    "SignalExternalWorkflowExecutionFailed",
)

CANCELLATION = Lifecycle(
    "request to cancel",
    "RequestCancelExternalWorkflowExecutionInitiated",
    "workflowId",
    "initiatedEventId",
    {"ExternalWorkflowExecutionCancelRequested": How.COMPLETED},
    "RequestCancelExternalWorkflowExecutionFailed",
)

LIFECYCLES = (TIMER, CHILD, LAMBDA, MESSAGE, CANCELLATION)

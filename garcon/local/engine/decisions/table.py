"""The thirteen decisions, and how each fails.

A decision of type D fails with an event DFailed. What differs is which members of the decision
the event repeats, and the cause that stands for "too often".
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from garcon.local.engine.decisions import (
    activities,
    children,
    closing,
    external,
    lambdas,
    markers,
    timers,
)
from garcon.local.engine.decisions.turn import Turn
from garcon.local.engine.messages import Body


@dataclass(frozen=True, slots=True)
class Kind:
    """One type of decision.

    Attributes:
        name: the decisionType.
        carry_out: the rule; raises `Refused`.
        naming: members of the decision that its …Failed event repeats.
        rate_cause: the cause when it is taken too often, empty if that is not limited.
        extra: further members of the …Failed event.
        closes: whether it closes the execution, and so must be the last in a response.
        optional: whether a decision may leave its attributes out; all members are optional then.
    """

    name: str
    carry_out: Callable[[Turn, Body], None]
    naming: tuple[str, ...] = ()
    rate_cause: str = ""
    extra: Body = field(default_factory=dict)
    closes: bool = False
    optional: bool = False

    @property
    def member(self) -> str:
        """The member of Decision that holds its attributes."""
        return f"{self.name[0].lower()}{self.name[1:]}DecisionAttributes"


NOT_INITIATED = {"initiatedEventId": 0}
"""A request to another execution that was refused at once has no Initiated event."""

DECISIONS = {
    kind.name: kind
    for kind in (
        Kind(
            "ScheduleActivityTask",
            activities.schedule,
            ("activityType", "activityId"),
            "ACTIVITY_CREATION_RATE_EXCEEDED",
        ),
        Kind("RequestCancelActivityTask", activities.request_cancel, ("activityId",)),
        Kind("StartTimer", timers.start, ("timerId",), "TIMER_CREATION_RATE_EXCEEDED"),
        Kind("CancelTimer", timers.cancel, ("timerId",)),
        Kind("RecordMarker", markers.record_marker, ("markerName",)),
        Kind(
            "StartChildWorkflowExecution",
            children.start,
            ("workflowType", "workflowId", "control"),
            "CHILD_CREATION_RATE_EXCEEDED",
            NOT_INITIATED,
        ),
        Kind(
            "SignalExternalWorkflowExecution",
            external.signal,
            ("workflowId", "runId", "control"),
            "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_RATE_EXCEEDED",
            NOT_INITIATED,
        ),
        Kind(
            "RequestCancelExternalWorkflowExecution",
            external.request_cancel,
            ("workflowId", "runId", "control"),
            "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_RATE_EXCEEDED",
            NOT_INITIATED,
        ),
        Kind(
            "ScheduleLambdaFunction",
            lambdas.schedule,
            ("id", "name"),
            "LAMBDA_FUNCTION_CREATION_RATE_EXCEEDED",
        ),
        Kind("CompleteWorkflowExecution", closing.complete, closes=True, optional=True),
        Kind("FailWorkflowExecution", closing.fail, closes=True, optional=True),
        Kind("CancelWorkflowExecution", closing.cancel, closes=True, optional=True),
        Kind(
            "ContinueAsNewWorkflowExecution",
            closing.continue_as_new,
            rate_cause="CONTINUE_AS_NEW_WORKFLOW_EXECUTION_RATE_EXCEEDED",
            closes=True,
            optional=True,
        ),
    )
}

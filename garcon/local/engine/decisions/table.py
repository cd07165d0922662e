"""The thirteen decisions, and the events of their failures.

A decision of type D fails with an event DFailed. The decisions differ in the members that the event
repeats, and in the cause for a rate that is exceeded.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from garcon.local.engine import lambdas, timers
from garcon.local.engine.decisions import (
    close_execution,
    external_executions,
    schedule_activity,
    start_child,
)
from garcon.local.engine.decisions.decision_turn import DecisionTurn
from garcon.local.engine.messages import Body
from garcon.local.engine.wire import pick


@dataclass(frozen=True, slots=True)
class DecisionKind:
    """One type of decision.

    Attributes:
        name: the decisionType.
        carry_out: the rule; raises `DecisionRefused`.
        naming: members of the decision that its …Failed event repeats.
        rate_cause: the cause when its rate is exceeded, empty without a rate.
        extra: further members of the …Failed event.
        closes: whether it closes the execution, and so must be the last in a response.
        optional: whether the decision may have no attributes, since all are optional.
    """

    name: str
    carry_out: Callable[[DecisionTurn, Body], None]
    naming: tuple[str, ...] = ()
    rate_cause: str = ""
    extra: Body = field(default_factory=dict)
    closes: bool = False
    optional: bool = False

    @property
    def member(self) -> str:
        """The member of Decision that holds its attributes."""
        return f"{self.name[0].lower()}{self.name[1:]}DecisionAttributes"


def _record_marker(turn: DecisionTurn, request: Body) -> None:
    """RecordMarker: cannot fail."""
    turn.record("MarkerRecorded", pick(request, "markerName", "details"))


NOT_INITIATED = {"initiatedEventId": 0}
"""A request to another execution that fails at once has no Initiated event."""

DECISIONS = {
    kind.name: kind
    for kind in (
        DecisionKind(
            "ScheduleActivityTask",
            schedule_activity.schedule,
            ("activityType", "activityId"),
            "ACTIVITY_CREATION_RATE_EXCEEDED",
        ),
        DecisionKind(
            "RequestCancelActivityTask", schedule_activity.request_cancel, ("activityId",)
        ),
        DecisionKind("StartTimer", timers.start, ("timerId",), "TIMER_CREATION_RATE_EXCEEDED"),
        DecisionKind("CancelTimer", timers.cancel, ("timerId",)),
        DecisionKind("RecordMarker", _record_marker, ("markerName",)),
        DecisionKind(
            "StartChildWorkflowExecution",
            start_child.start,
            ("workflowType", "workflowId", "control"),
            "CHILD_CREATION_RATE_EXCEEDED",
            NOT_INITIATED,
        ),
        DecisionKind(
            "SignalExternalWorkflowExecution",
            external_executions.signal,
            ("workflowId", "runId", "control"),
            "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_RATE_EXCEEDED",
            NOT_INITIATED,
        ),
        DecisionKind(
            "RequestCancelExternalWorkflowExecution",
            external_executions.request_cancel,
            ("workflowId", "runId", "control"),
            "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_RATE_EXCEEDED",
            NOT_INITIATED,
        ),
        DecisionKind(
            "ScheduleLambdaFunction",
            lambdas.schedule,
            ("id", "name"),
            "LAMBDA_FUNCTION_CREATION_RATE_EXCEEDED",
        ),
        DecisionKind(
            "CompleteWorkflowExecution", close_execution.complete, closes=True, optional=True
        ),
        DecisionKind("FailWorkflowExecution", close_execution.fail, closes=True, optional=True),
        DecisionKind("CancelWorkflowExecution", close_execution.cancel, closes=True, optional=True),
        DecisionKind(
            "ContinueAsNewWorkflowExecution",
            close_execution.continue_as_new,
            rate_cause="CONTINUE_AS_NEW_WORKFLOW_EXECUTION_RATE_EXCEEDED",
            closes=True,
            optional=True,
        ),
    )
}

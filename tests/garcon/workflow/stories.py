"""Histories with times, for what is drawn from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.garcon.histories import History
from tests.garcon.workflow.desk import START

if TYPE_CHECKING:
    from collections.abc import Callable


class Story(History):
    """A history whose events have times: the present, which ``after`` moves."""

    def __init__(self, workflow_input: Any = None) -> None:
        self.now = START
        super().__init__(workflow_input)

    def add(self, kind: str, **attributes: Any) -> int:
        """Any event, now."""
        number = super().add(kind, **attributes)
        self.events[-1]["eventTimestamp"] = self.now
        return number

    def after(self, seconds: float) -> Story:
        """Let time pass."""
        self.now += seconds
        return self

    def begun(self, scheduled: int, kind: str = "ActivityTask", by: str = "host:1") -> int:
        """Somebody begins what was scheduled."""
        return self.add(f"{kind}Started", scheduledEventId=scheduled, identity=by)

    def ended(self, how: str, scheduled: int, kind: str = "ActivityTask", **said: Any) -> int:
        """What was scheduled ends."""
        return self.add(f"{kind}{how}", scheduledEventId=scheduled, startedEventId=0, **said)


def retried() -> Story:
    """One activity waits 2 s, fails after 3 s, and completes at its second try; 10 s in all."""
    story = Story({"beans": "b"})
    first = story.after(1).scheduled("flow_grind")
    story.after(2).begun(first)
    story.after(3).ended("Failed", first, reason="No beans.")
    second = story.scheduled("flow_grind")
    story.begun(second, by="host:2")
    story.after(4).ended("Completed", second)
    story.add("WorkflowExecutionCompleted")
    return story


def everything() -> Story:
    """One bar of every kind, in every state that a history can tell."""
    story = Story()
    for tell in (_decisions, _timers, _children, _externals, _lambdas, _instants, _left):
        story.after(1)
        tell(story)
    story.add("WorkflowExecutionFailed", reason="too much")
    return story


def _decisions(story: Story) -> None:
    for how in ("Completed", "TimedOut"):
        number = story.add("DecisionTaskScheduled")
        story.begun(number, "DecisionTask")
        story.after(1).ended(how, number, "DecisionTask", timeoutType="START_TO_CLOSE")


def _timers(story: Story) -> None:
    story.timer_started("tea")
    story.after(1).timer_fired("tea")
    number = story.timer_started("egg")
    story.add("TimerCanceled", timerId="egg", startedEventId=number)


def _children(story: Story) -> None:
    for how in ("Completed", "Failed", "TimedOut", "Canceled", "Terminated"):
        number = story.add("StartChildWorkflowExecutionInitiated", workflowId=f"child-{how}")
        story.after(1).add("ChildWorkflowExecutionStarted", initiatedEventId=number)
        story.after(1).add(
            f"ChildWorkflowExecution{how}", initiatedEventId=number, startedEventId=number + 1
        )
    story.add(
        "StartChildWorkflowExecutionFailed", workflowId="x", initiatedEventId=0, cause="NO_TYPE"
    )


def _externals(story: Story) -> None:
    number = story.add("SignalExternalWorkflowExecutionInitiated", signalName="hello")
    story.add("ExternalWorkflowExecutionSignaled", initiatedEventId=number)
    number = story.add("RequestCancelExternalWorkflowExecutionInitiated", workflowId="other")
    story.add(
        "RequestCancelExternalWorkflowExecutionFailed", initiatedEventId=number, cause="UNKNOWN"
    )


def _lambdas(story: Story) -> None:
    number = story.add("LambdaFunctionScheduled", id="l")
    story.begun(number, "LambdaFunction")
    story.after(1).ended("Completed", number, "LambdaFunction")
    number = story.add("LambdaFunctionScheduled", id="m")
    story.add("StartLambdaFunctionFailed", scheduledEventId=number, cause="ASSUME_ROLE_FAILED")


def _instants(story: Story) -> None:
    story.add("WorkflowExecutionSignaled", signalName="hurry")
    story.add("WorkflowExecutionCancelRequested")
    story.add("MarkerRecorded", markerName="here")
    story.refused("flow_a", "ACTIVITY_TYPE_DOES_NOT_EXIST")
    story.timer_refused("TIMER_CREATION_RATE_EXCEEDED")
    story.not_closed("UNHANDLED_DECISION")


def _left(story: Story) -> None:
    story.begun(story.scheduled("flow_left"))
    story.scheduled("flow_never")
    story.after(5)


ALL: tuple[Callable[[], Story], ...] = (Story, retried, everything)

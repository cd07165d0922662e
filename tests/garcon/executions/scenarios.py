"""Histories with times, for tests of what is drawn from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.garcon.executions.served_flow import START
from tests.garcon.histories import History

if TYPE_CHECKING:
    from collections.abc import Callable


class Scenario(History):
    """A history whose events carry the present time, which ``after`` advances."""

    def __init__(self, workflow_input: Any = None) -> None:
        self.now = START
        super().__init__(workflow_input)

    def add(self, kind: str, **attributes: Any) -> int:
        """Add any event, at the present time."""
        number = super().add(kind, **attributes)
        self.events[-1]["eventTimestamp"] = self.now
        return number

    def after(self, seconds: float) -> Scenario:
        """Let time pass."""
        self.now += seconds
        return self

    def started(self, scheduled: int, kind: str = "ActivityTask", identity: str = "host:1") -> int:
        """A worker starts what was scheduled."""
        return self.add(f"{kind}Started", scheduledEventId=scheduled, identity=identity)

    def ended(self, how: str, scheduled: int, kind: str = "ActivityTask", **members: Any) -> int:
        """The scheduled activity ends."""
        return self.add(f"{kind}{how}", scheduledEventId=scheduled, startedEventId=0, **members)


def retried() -> Scenario:
    """One activity waits 2 s, fails after 3 s, and completes at its second attempt; 10 s in all."""
    scenario = Scenario({"beans": "b"})
    first = scenario.after(1).scheduled("flow_grind")
    scenario.after(2).started(first)
    scenario.after(3).ended("Failed", first, reason="No beans.")
    second = scenario.scheduled("flow_grind")
    scenario.started(second, identity="host:2")
    scenario.after(4).ended("Completed", second)
    scenario.add("WorkflowExecutionCompleted")
    return scenario


def everything() -> Scenario:
    """A bar of every kind, in every state that a closed execution can have."""
    scenario = Scenario()
    for add in (_decisions, _timers, _children, _externals, _lambdas, _instants, _unfinished):
        scenario.after(1)
        add(scenario)
    scenario.add("WorkflowExecutionFailed", reason="too much")
    return scenario


def _decisions(scenario: Scenario) -> None:
    for how in ("Completed", "TimedOut"):
        number = scenario.add("DecisionTaskScheduled")
        scenario.started(number, "DecisionTask")
        scenario.after(1).ended(how, number, "DecisionTask", timeoutType="START_TO_CLOSE")


def _timers(scenario: Scenario) -> None:
    scenario.timer_started("tea")
    scenario.after(1).timer_fired("tea")
    number = scenario.timer_started("egg")
    scenario.add("TimerCanceled", timerId="egg", startedEventId=number)


def _children(scenario: Scenario) -> None:
    for how in ("Completed", "Failed", "TimedOut", "Canceled", "Terminated"):
        number = scenario.add("StartChildWorkflowExecutionInitiated", workflowId=f"child-{how}")
        scenario.after(1).add("ChildWorkflowExecutionStarted", initiatedEventId=number)
        scenario.after(1).add(
            f"ChildWorkflowExecution{how}", initiatedEventId=number, startedEventId=number + 1
        )
    scenario.add(
        "StartChildWorkflowExecutionFailed", workflowId="x", initiatedEventId=0, cause="NO_TYPE"
    )


def _externals(scenario: Scenario) -> None:
    number = scenario.add("SignalExternalWorkflowExecutionInitiated", signalName="hello")
    scenario.add("ExternalWorkflowExecutionSignaled", initiatedEventId=number)
    number = scenario.add("RequestCancelExternalWorkflowExecutionInitiated", workflowId="other")
    scenario.add(
        "RequestCancelExternalWorkflowExecutionFailed", initiatedEventId=number, cause="UNKNOWN"
    )


def _lambdas(scenario: Scenario) -> None:
    number = scenario.add("LambdaFunctionScheduled", id="l")
    scenario.started(number, "LambdaFunction")
    scenario.after(1).ended("Completed", number, "LambdaFunction")
    number = scenario.add("LambdaFunctionScheduled", id="m")
    scenario.add("StartLambdaFunctionFailed", scheduledEventId=number, cause="ASSUME_ROLE_FAILED")


def _instants(scenario: Scenario) -> None:
    scenario.add("WorkflowExecutionSignaled", signalName="hurry")
    scenario.add("WorkflowExecutionCancelRequested")
    scenario.add("MarkerRecorded", markerName="here")
    scenario.refused("flow_a", "ACTIVITY_TYPE_DOES_NOT_EXIST")
    scenario.timer_refused("TIMER_CREATION_RATE_EXCEEDED")
    scenario.not_closed("UNHANDLED_DECISION")


def _unfinished(scenario: Scenario) -> None:
    scenario.started(scenario.scheduled("flow_started"))
    scenario.scheduled("flow_never_started")
    scenario.after(5)


ALL: tuple[Callable[[], Scenario], ...] = (Scenario, retried, everything)

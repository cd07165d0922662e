"""A world in miniature: applies a decider's decisions, with faults, until the execution closes.

It shows only what a decider sees. The local SWF is the full one; this is for simulated time. Its
rule for hangs: an open execution has something that runs, or listens for a signal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from garcon.decider import DeciderWorker
from garcon.decider.response import NothingPermitted
from tests.garcon.fakes import model
from tests.garcon.histories import History

if TYPE_CHECKING:
    from collections.abc import Callable

TURNS = 300  # far more than any of the test's flows needs: reaching it means it spins

# What may happen to what runs: the event, and the members that it has beside its reference.
ENDS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "ScheduleActivityTask": [
        ("ActivityTaskCompleted", {"result": '{"r": 1}'}),
        ("ActivityTaskFailed", {"reason": "broken"}),
        ("ActivityTaskFailed", {"reason": "WorkerDied: killed by SIGKILL", "details": "{}"}),
        ("ActivityTaskFailed", {"reason": "NotStarted: killed by SIGKILL"}),
        ("ActivityTaskFailed", {"reason": "Interrupted: drained"}),
        ("ActivityTaskFailed", {"reason": "Poison: it killed three"}),
        ("ActivityTaskTimedOut", {"timeoutType": "START_TO_CLOSE"}),
        ("ActivityTaskTimedOut", {"timeoutType": "SCHEDULE_TO_START"}),
        ("ActivityTaskTimedOut", {"timeoutType": "SCHEDULE_TO_CLOSE"}),
        ("ActivityTaskTimedOut", {"timeoutType": "HEARTBEAT"}),
        ("ActivityTaskCanceled", {}),
    ],
    "StartTimer": [("TimerFired", {})],
    "StartChildWorkflowExecution": [
        ("ChildWorkflowExecutionCompleted", {"result": "1"}),
        ("ChildWorkflowExecutionFailed", {"reason": "broken"}),
        ("ChildWorkflowExecutionTimedOut", {"timeoutType": "START_TO_CLOSE"}),
        ("ChildWorkflowExecutionCanceled", {}),
        ("ChildWorkflowExecutionTerminated", {}),
        ("StartChildWorkflowExecutionFailed", {"cause": "OPEN_WORKFLOWS_LIMIT_EXCEEDED"}),
    ],
    "ScheduleLambdaFunction": [
        ("LambdaFunctionCompleted", {"result": "1"}),
        ("LambdaFunctionFailed", {"reason": "broken"}),
        ("LambdaFunctionTimedOut", {"timeoutType": "START_TO_CLOSE"}),
        ("StartLambdaFunctionFailed", {"cause": "ASSUME_ROLE_FAILED", "message": "no"}),
    ],
    "SignalExternalWorkflowExecution": [
        ("ExternalWorkflowExecutionSignaled", {}),
        ("SignalExternalWorkflowExecutionFailed", {"cause": "OPERATION_NOT_PERMITTED"}),
    ],
    "RequestCancelExternalWorkflowExecution": [
        ("ExternalWorkflowExecutionCancelRequested", {}),
        (
            "RequestCancelExternalWorkflowExecutionFailed",
            {"cause": "UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION"},
        ),
    ],
}
# The event by which a decision shows, the member that names it, and how later events refer to it.
BEGINS = {
    "ScheduleActivityTask": ("ActivityTaskScheduled", "activityId", "scheduledEventId"),
    "StartTimer": ("TimerStarted", "timerId", "startedEventId"),
    "StartChildWorkflowExecution": (
        "StartChildWorkflowExecutionInitiated",
        "workflowId",
        "initiatedEventId",
    ),
    "ScheduleLambdaFunction": ("LambdaFunctionScheduled", "id", "scheduledEventId"),
    "SignalExternalWorkflowExecution": (
        "SignalExternalWorkflowExecutionInitiated",
        "workflowId",
        "initiatedEventId",
    ),
    "RequestCancelExternalWorkflowExecution": (
        "RequestCancelExternalWorkflowExecutionInitiated",
        "workflowId",
        "initiatedEventId",
    ),
}
STARTS = {
    "ScheduleActivityTask": "ActivityTaskStarted",
    "StartChildWorkflowExecution": "ChildWorkflowExecutionStarted",
    "ScheduleLambdaFunction": "LambdaFunctionStarted",
}
CLOSING = {
    "CompleteWorkflowExecution",
    "FailWorkflowExecution",
    "CancelWorkflowExecution",
    "ContinueAsNewWorkflowExecution",
}
# What comes from elsewhere, or from other deciders of the execution, and must not disturb ours.
NOISE: list[tuple[str, dict[str, Any]]] = [
    ("WorkflowExecutionSignaled", {"signalName": "noise", "input": "no json"}),
    ("DecisionTaskTimedOut", {"timeoutType": "START_TO_CLOSE"}),
    ("SignalExternalWorkflowExecutionInitiated", {"workflowId": "x", "signalName": "s"}),
    ("ExternalWorkflowExecutionSignaled", {"initiatedEventId": 9999}),
    (
        "SignalExternalWorkflowExecutionFailed",
        {"workflowId": "y", "cause": "OPERATION_NOT_PERMITTED", "initiatedEventId": 9999},
    ),
    ("CancelTimerFailed", {"timerId": "t", "cause": "TIMER_ID_UNKNOWN"}),
    ("RequestCancelActivityTaskFailed", {"activityId": "a", "cause": "ACTIVITY_ID_UNKNOWN"}),
    ("ActivityTaskCompleted", {"scheduledEventId": 9999}),
    ("TimerFired", {"timerId": "t", "startedEventId": 9999}),
    ("MarkerRecorded", {"markerName": "noise"}),
]


class Hang(AssertionError):
    """Nothing will ever happen again."""


class World:
    """One execution of a flow.

    Args:
        flow: The flow; its ``listens``, if it has such, are the signals that it waits for.
        choose: Picks one of several fates.
        faults: How many times something may go wrong.
    """

    def __init__(self, flow: Any, choose: Callable[[list[Any]], Any], faults: int) -> None:
        self.flow = flow
        self.worker = DeciderWorker(flow, register=False)
        self.history = History({"n": 2})
        self.open: dict[tuple[str, str], int] = {}
        self.closed: str | None = None
        self.runs: dict[str, int] = {}
        self._choose = choose
        self._faults = faults

    def run(self) -> str:
        """Decide and let something happen, until the execution closes; how it closed."""
        for _ in range(TURNS):
            known = len(self.history.events)
            decisions = self._decide()
            if decisions is None:
                continue
            for decision in decisions:
                self._carry_out(decision)
            if self.closed:
                return self.closed
            if not self._refused_since(known):
                self._happen()
        raise AssertionError(f"It spins: {TURNS} turns")

    def _decide(self) -> list[dict[str, Any]] | None:
        """The decisions; None if the task is left to time out, after which it comes again."""
        for kind in ("DecisionTaskScheduled", "DecisionTaskStarted"):
            self.history.add(kind)
        try:
            decisions: list[dict[str, Any]] = self.worker.decide(self.history.poll())
        except NothingPermitted:
            self.history.add("DecisionTaskTimedOut", timeoutType="START_TO_CLOSE")
            return None
        self.history.add("DecisionTaskCompleted")
        return decisions

    def _refused_since(self, known: int) -> bool:
        # SWF gives a new decision task when a decision could not be carried out.
        return any(each["eventType"].endswith("Failed") for each in self.history.events[known:])

    def _fault(self, options: list[Any]) -> Any:
        fault = self._choose([None, *options]) if self._faults and options else None
        self._faults -= fault is not None
        return fault

    def _carry_out(self, decision: dict[str, Any]) -> None:
        kind = decision["decisionType"]
        attributes = decision[f"{kind[0].lower()}{kind[1:]}DecisionAttributes"]
        if cause := self._fault(self._causes(kind)):
            self.history.add(f"{kind}Failed", cause=cause, **attributes)
        elif kind in CLOSING:
            self.closed = kind
        elif kind in BEGINS:
            self._begin(kind, attributes)
        else:
            self._do(kind, attributes)

    def _causes(self, kind: str) -> list[str]:
        causes: list[str] = list(model().shape_for(f"{kind}FailedCause").enum)  # type: ignore[attr-defined]
        # These would be lies here: what is decided is not in use, and what is cancelled is known.
        return [each for each in causes if "IN_USE" not in each and "UNKNOWN" not in each]

    def _begin(self, kind: str, attributes: dict[str, Any]) -> None:
        event, member, _ = BEGINS[kind]
        id_ = attributes[member]
        assert (kind, id_) not in self.open, f"{kind} {id_} while it is open"
        self.open[kind, id_] = self.history.add(event, **attributes)
        self.runs[id_] = self.runs.get(id_, 0) + 1

    def _do(self, kind: str, attributes: dict[str, Any]) -> None:
        match kind:
            case "CancelTimer":
                number = self.open.pop(("StartTimer", attributes["timerId"]))
                self.history.add("TimerCanceled", startedEventId=number, **attributes)
            case "RequestCancelActivityTask":
                assert ("ScheduleActivityTask", attributes["activityId"]) in self.open
                self.history.add("ActivityTaskCancelRequested", **attributes)
            case "RecordMarker":
                self.history.add("MarkerRecorded", **attributes)
            case _:
                raise AssertionError(f"The world does not know {kind}")

    def _happen(self) -> None:
        if noise := self._fault(NOISE):
            self._disturb(*noise)
        elif self._fault(["cancel"]):
            self.history.add("WorkflowExecutionCancelRequested")
        elif possible := sorted(self.open) + sorted(getattr(self.flow, "listens", ())):
            what = self._choose(possible)
            self._end(*what) if isinstance(what, tuple) else self._signal(what)
        else:
            raise Hang(f"Nothing runs: {[each['eventType'] for each in self.history.events]}")

    def _disturb(self, event: str, attributes: dict[str, Any]) -> None:
        number = self.history.add(event, **attributes)
        kind = event.removesuffix("Initiated")
        if kind in BEGINS:
            self.open.setdefault((kind, attributes["workflowId"]), number)

    def _signal(self, name: str) -> None:
        self.history.add("WorkflowExecutionSignaled", signalName=name, input="1")

    def _end(self, kind: str, id_: str) -> None:
        number = self.open.pop((kind, id_))
        _, member, refers = BEGINS[kind]
        usual, *others = ENDS[kind]
        event, members = self._fault(others) or usual
        if kind in STARTS and not event.startswith("Start"):
            place = {"workflowExecution": {"workflowId": id_, "runId": "r"}}
            self.history.add(STARTS[kind], **{refers: number}, **place)
        self.history.add(event, **{refers: number, member: id_}, **members)

"""Does today's code decide as yesterday's did? A recorded history, decided once more.

At each decision task of the history the flow's decider is given the events up to there, and what
it decides is compared with what the history shows was decided. So a flow can be changed while
executions of it run: replay some of their histories first, and see whether they still fit.

- It goes on from what the history amounted to at the decision task before, as a sticky decider
  does: each event is read once, however long the history is.
- What differs so is decided once more from the first event, and is a difference if it differs then,
  too: a flow that changes a result that it was given would see its own change otherwise.
- Compared is what a decision does: which activity with which input, which timer, how it closes.
  Timeouts, priorities and task lists may be changed at any time and are left out.
- The order of the decisions of one task does not count.
- What the decider raises is logged where it decides otherwise, once. Where it raised when the
  history was made, it raises again, and that is worth no word.
- Only the decider runs; no activity does, and nothing is sent anywhere.
"""

import contextvars
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from garcon import untrusted
from garcon.decider import DeciderWorker
from garcon.decider.reduced import Reduced
from garcon.local.recording import Events

EVENTS = {
    "ActivityTaskScheduled": ("ScheduleActivityTask", ("activityId", "activityType", "input")),
    "ScheduleActivityTaskFailed": ("ScheduleActivityTask", ("activityId", "activityType")),
    "ActivityTaskCancelRequested": ("RequestCancelActivityTask", ("activityId",)),
    "RequestCancelActivityTaskFailed": ("RequestCancelActivityTask", ("activityId",)),
    "TimerStarted": ("StartTimer", ("timerId", "startToFireTimeout")),
    "StartTimerFailed": ("StartTimer", ("timerId",)),
    "TimerCanceled": ("CancelTimer", ("timerId",)),
    "CancelTimerFailed": ("CancelTimer", ("timerId",)),
    "MarkerRecorded": ("RecordMarker", ("markerName", "details")),
    "RecordMarkerFailed": ("RecordMarker", ("markerName",)),
    "StartChildWorkflowExecutionInitiated": (
        "StartChildWorkflowExecution",
        ("workflowId", "workflowType", "input"),
    ),
    "SignalExternalWorkflowExecutionInitiated": (
        "SignalExternalWorkflowExecution",
        ("workflowId", "signalName", "input"),
    ),
    "RequestCancelExternalWorkflowExecutionInitiated": (
        "RequestCancelExternalWorkflowExecution",
        ("workflowId",),
    ),
    "LambdaFunctionScheduled": ("ScheduleLambdaFunction", ("id", "name", "input")),
    "WorkflowExecutionCompleted": ("CompleteWorkflowExecution", ("result",)),
    "CompleteWorkflowExecutionFailed": ("CompleteWorkflowExecution", ()),
    "WorkflowExecutionFailed": ("FailWorkflowExecution", ("reason",)),
    "FailWorkflowExecutionFailed": ("FailWorkflowExecution", ()),
    "WorkflowExecutionCanceled": ("CancelWorkflowExecution", ("details",)),
    "CancelWorkflowExecutionFailed": ("CancelWorkflowExecution", ()),
    "WorkflowExecutionContinuedAsNew": ("ContinueAsNewWorkflowExecution", ("input",)),
    "ContinueAsNewWorkflowExecutionFailed": ("ContinueAsNewWorkflowExecution", ()),
}
"""The events that show a decision, which decision it was, and the members that are compared."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One decision task of a history.

    Attributes:
        completed_id: of its DecisionTaskCompleted.
        poll: what the decider was given, in the form of PollForDecisionTask's answer; its events
            are those that were new since the decision task before.
        shown: the events that show what was decided.
    """

    completed_id: int
    poll: dict[str, Any]
    shown: Events


@dataclass(frozen=True, slots=True)
class Difference:
    """A decision task that would be decided otherwise.

    Attributes:
        completed_id: of its DecisionTaskCompleted.
        recorded: what the history shows and the code does not decide, one sentence each.
        decided: what the code decides and the history does not show.
    """

    completed_id: int
    recorded: tuple[str, ...]
    decided: tuple[str, ...]


class _Replaying(DeciderWorker):
    """Decides one recorded execution, task by task, and calls nobody."""

    def __init__(self, flow: Any, events: Events) -> None:
        super().__init__(flow, register=False)
        self._events = events
        self._known = Reduced("replayed")
        self._raised: tuple[Exception, contextvars.Context] | None = None

    def reduced(self, poll: Mapping[str, Any], identity: str | None = None) -> Reduced:  # noqa: ARG002 - nobody polled
        """What the events up to this task amount to: those since the task before are added."""
        started = poll["startedEventId"]
        self._known.add(self._events[self._known.started : started], started)
        return self._known

    def whole_history(self, poll: Mapping[str, Any]) -> Events:
        """The events up to this task, for a run that goes on as new."""
        return self._events[: poll["startedEventId"]]

    def report(self, error: Exception) -> None:
        """Keep it: whether it is worth a word is known when the decision has been compared."""
        self._raised = error, contextvars.copy_context()  # which has the logger of the execution

    def tell(self) -> None:
        """Report what the decider raised last, if it raised."""
        if self._raised:
            error, context = self._raised
            context.run(super().report, error)


def replay(flow: Any, events: Events) -> list[Difference]:
    """Decide a history once more.

    Args:
        flow: of garcon, a module or an object; it is not registered.
        events: the history, open or closed, from its first event.

    Returns:
        The decision tasks that are decided otherwise now; none if the code fits the history.
    """
    return list(differences(flow, events))


def differences(flow: Any, events: Events) -> Iterator[Difference]:
    """As ``replay``, one by one: who wants the first alone need not wait for the others."""
    execution = _execution(events)
    going_on = _Replaying(flow, events)
    for turn in turns(events):
        task = {**turn.poll, "workflowExecution": execution}
        if _compare(turn, going_on.decide(task)):
            afresh = _Replaying(flow, events)
            if difference := _compare(turn, afresh.decide(task)):
                afresh.tell()
                yield difference


def turns(events: Events) -> Iterator[Turn]:
    """The decision tasks of a history that were completed, in their order."""
    previous = 0
    shown = _shown(events)
    for event in events:
        if event["eventType"] == "DecisionTaskCompleted":
            started = event["decisionTaskCompletedEventAttributes"]["startedEventId"]
            poll = {
                "taskToken": "replay",
                "startedEventId": started,
                "previousStartedEventId": previous,
                "workflowType": _attributes(events[0])["workflowType"],
                "events": events[previous:started],
            }
            yield Turn(event["eventId"], poll, shown[event["eventId"]])
            previous = started


def _shown(events: Events) -> defaultdict[int, Events]:
    """The events that decisions led to, by the decision task they were taken in."""
    shown: defaultdict[int, Events] = defaultdict(list)
    for event in events:
        completed_id = _attributes(event).get("decisionTaskCompletedEventId")
        if completed_id and event["eventType"] in EVENTS:
            shown[completed_id].append(event)
    return shown


def _execution(events: Events) -> dict[str, str]:
    """The ids of the execution, which a history does not tell, but garcon's activities are told."""
    for event in events:
        if event["eventType"] == "ActivityTaskScheduled":
            told = _object(_attributes(event).get("input", ""))
            if {"execution.workflow_id", "execution.run_id"} <= told.keys():
                ids = ("execution.workflow_id", "execution.run_id")
                return dict(zip(("workflowId", "runId"), (told[each] for each in ids), strict=True))
    return {"workflowId": "replayed", "runId": "replayed"}


def _compare(turn: Turn, decisions: list[dict[str, Any]]) -> Difference | None:
    recorded, decided = Counter[str](), Counter[str]()
    left = [_of_decision(decision) for decision in decisions]
    for event in turn.shown:
        kind, members = EVENTS[event["eventType"]]
        said = _sentence(kind, _attributes(event), members)
        match = next((each for each in left if _sentence(*each, members) == said), None)
        if match is None:
            recorded[said] += 1
        else:
            left.remove(match)
    decided.update(_sentence(kind, attributes, _members(kind)) for kind, attributes in left)
    if not recorded and not decided:
        return None
    return Difference(turn.completed_id, tuple(recorded.elements()), tuple(decided.elements()))


def _of_decision(decision: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    kind = decision["decisionType"]
    return kind, decision.get(f"{kind[0].lower()}{kind[1:]}DecisionAttributes", {})


def _members(kind: str) -> tuple[str, ...]:
    """The members that are compared when such a decision has succeeded."""
    return next(members for each, members in EVENTS.values() if each == kind)


def _sentence(kind: str, attributes: dict[str, Any], members: tuple[str, ...]) -> str:
    told = [f"{name}={_plain(attributes[name])}" for name in members if attributes.get(name)]
    return " ".join([kind, *told])


def _plain(value: Any) -> str:
    """JSON with sorted keys, so that the order in which an input was written does not count."""
    if isinstance(value, str):
        try:
            value = untrusted.loads(value)
        except ValueError:
            return str(value)
    return json.dumps(value, sort_keys=True)


def _object(text: str) -> dict[str, Any]:
    try:
        value = untrusted.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _attributes(event: dict[str, Any]) -> dict[str, Any]:
    name = event["eventType"]
    attributes: dict[str, Any] = event[f"{name[0].lower()}{name[1:]}EventAttributes"]
    return attributes

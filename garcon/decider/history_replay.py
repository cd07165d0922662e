"""Replay: the decisions of a recorded history compared with those of the present code.

At each decision task of the history the flow's decider gets the events up to there, and its
decisions are compared with those in the history. So a flow can be changed while its executions
are open: replay some of their histories first, to see whether the new code fits them.

- The decider goes on from its state at the decision task before, as a sticky decider does: each
  event is read once, however long the history is.
- A difference is decided again from the first event, and counts only if it is still there: a flow
  that modifies a result in place would otherwise see its own modification.
- The comparison covers the effect of a decision: the activity with its input, the timer, the close.
  Timeouts, priorities and task lists may change at any time and are not compared.
- The order of the decisions of one task does not count.
- ``schedule.side_effect`` gives the recorded value. ``schedule.version`` gives 0 in a decision that
  was made before the change, as it does in such an execution.
- An exception of the decider is logged once, where it makes a difference. An exception that is in
  the history as well is expected, and not logged.
- Only the decider runs: no activity does, and no call leaves the process.
"""

import contextvars
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from garcon.activity import FlowProgress, find_workflow_activities
from garcon.context import input_and_inherited
from garcon.decider.decisions import Decision, fail_workflow
from garcon.decider.execution_decider import ExecutionDecider, log_context
from garcon.decider.execution_state import ExecutionState
from garcon.event import History
from garcon.flow import flow_attributes
from garcon.history import build_notes, decision_deaths
from garcon.history.reserved_timers import RETURN_TIMER
from garcon.payload import codec, safe_json
from garcon.tracing import family_trace
from garcon.user_code.forks import ParentOnly

Events = list[dict[str, Any]]

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
"""The events of decisions, each with its decision type and the members that are compared."""


@dataclass(frozen=True, slots=True)
class ReplayedDecision:
    """One decision task of a history.

    Attributes:
        completed_id: id of its DecisionTaskCompleted event.
        poll: the task in the form of PollForDecisionTask's answer; its events are those since the
            decision task before.
        decision_events: the events of its decisions.
    """

    completed_id: int
    poll: dict[str, Any]
    decision_events: Events

    @property
    def markers(self) -> dict[str, list[str | None]]:
        """The details of the markers that it recorded, by name."""
        found: defaultdict[str, list[str | None]] = defaultdict(list)
        for event in self.decision_events:
            if event["eventType"] == "MarkerRecorded":
                marker = _attributes(event)
                found[marker["markerName"]].append(marker.get("details"))
        return dict(found)


@dataclass(frozen=True, slots=True)
class Difference:
    """A decision task with other decisions than in the history.

    Attributes:
        completed_id: id of its DecisionTaskCompleted event.
        recorded: decisions of the history that the code does not make, one line each.
        decided: decisions of the code that are not in the history, one line each.
    """

    completed_id: int
    recorded: tuple[str, ...]
    decided: tuple[str, ...]

    def __str__(self) -> str:
        """One sentence, without inputs."""
        recorded, decided = (
            ", ".join(each.partition(" input=")[0] for each in lines) or "nothing"
            for lines in (self.recorded, self.decided)
        )
        return f"Event {self.completed_id} holds {recorded}; this code decides {decided}."


class _ReplayDecider(ExecutionDecider):
    """Decides one recorded execution, task by task."""

    def __init__(self, flow: Any, events: Events) -> None:
        super().__init__(flow)
        self._events = events
        self._known = ExecutionState("replayed")
        self._raised: tuple[BaseException, contextvars.Context] | None = None

    def compare(self, turn: ReplayedDecision, execution: dict[str, str]) -> Difference | None:
        """Decide a task again; returns the difference from the history, if there is one."""
        self._known.history.replayed_markers = turn.markers
        return _compare(turn, self.decide({**turn.poll, "workflowExecution": execution}))

    def decide(self, task: dict[str, Any]) -> list[Decision]:
        """The decisions for a task; the events since the task before are added to the state."""
        self.set_log_context(log_context(task, self.domain))
        try:
            with ParentOnly("the decider"):
                return self.decisions_for(task, self._state_at(task["startedEventId"]))
        except codec.NotReadable as error:
            self.report(error)
            return [fail_workflow(error)]
        finally:
            self.unset_log_context()

    def _state_at(self, started: int) -> ExecutionState:
        self._known.add(self._events[self._known.started : started], started)
        return self._known

    def complete_history(self, poll: Mapping[str, Any]) -> Events:
        """The events up to this task, for a run that continues as new."""
        return self._events[: poll["startedEventId"]]

    def log_decisions(self, decisions: list[Decision]) -> None:
        """Log nothing: these decisions were made before."""

    def report(self, error: BaseException) -> None:
        """Keep the error: it matters only if the comparison finds a difference."""
        self._raised = error, contextvars.copy_context()  # the context has the execution's logger

    def report_kept(self) -> None:
        """Report the error of the last decision, if it had one."""
        if self._raised:
            error, context = self._raised
            context.run(super().report, error)


def replay(
    flow: Any, events: Events, execution: Mapping[str, str] | None = None
) -> list[Difference]:
    """Decide a recorded history again.

    Args:
        flow: a module or an object; it is not registered.
        events: the history of an open or closed execution, from its first event.
        execution: its ``workflowId`` and ``runId``, if they are known. Of a history they stand in
            the inputs of activities alone, and the ids of children begin with the former.

    Returns:
        The decision tasks with other decisions; empty if the code fits the history.
    """
    return list(differences(flow, events, execution=execution))


def differences(
    flow: Any,
    events: Events,
    most: int | None = None,
    execution: Mapping[str, str] | None = None,
) -> Iterator[Difference]:
    """As ``replay``, one by one: a caller of the first difference does not wait for the others.

    Args:
        flow: as for ``replay``.
        events: as for ``replay``.
        most: the most decision tasks to decide again, for a flow with a decider of its own; all if
            not given.
        execution: as for ``replay``.
    """
    ids = _execution(events, execution)
    decider = _ReplayDecider(flow, events)
    for turn in _sample(
        [*turns(events)], most if callable(getattr(flow, "decider", None)) else None
    ):
        if decider.compare(turn, ids):
            fresh = _ReplayDecider(flow, events)
            if difference := fresh.compare(turn, ids):
                fresh.report_kept()
                yield difference


def misfit(
    flow: Any,
    events: Events,
    most: int | None = None,
    execution: Mapping[str, str] | None = None,
) -> Difference | None:
    """The first decision by which the code does not fit an execution; ``None`` if it fits.

    Code fits if it repeats the history's decisions. The versions of activity types do not count:
    deciders know activities by name and id. What a run inherits from the one that it continues has
    no decisions to repeat: there, each activity that began has to be one of the flow, and all that
    it requires has to be completed.

    Args:
        flow: as for ``replay``. If it is not deterministic it fits.
        events: as for ``replay``.
        most: as for ``differences``.
        execution: as for ``replay``.
    """
    if not getattr(flow, "deterministic", True):
        return None
    if foreign := _foreign_inheritance(flow, events):
        return Difference(1, (foreign,), ())
    return next(differences(flow, of_own_versions(flow, events), most, execution), None)


def _sample(found: list[ReplayedDecision], most: int | None) -> list[ReplayedDecision]:
    """The latest ones, and some of the earlier, evenly: later ones show what earlier ones hid."""
    if most is None or len(found) <= most:
        return found
    latest = most // 2
    earlier, step = found[:-latest], len(found[:-latest]) / (most - latest)
    return [earlier[int(place * step)] for place in range(most - latest)] + found[-latest:]


def _foreign_inheritance(flow: Any, events: Events) -> str:
    if callable(getattr(flow, "decider", None)) or not input_and_inherited(events[0])[1]:
        return ""
    history = History(events[:1])
    own = {str(each.name): each for each in find_workflow_activities(flow)}
    progress = FlowProgress(history.activities, history.context)
    for name in history.activities:
        if name not in own:
            return f"{name}, inherited, which this code does not have"
        if not all(progress.completed(each) for each in own[name].requires):
            return f"{name}, inherited, which requires more in this code"
    return ""


def of_own_versions(flow: Any, events: Events) -> Events:
    """The events as if the activities had been scheduled with the versions that the flow has now.

    Args:
        flow: the flow; types that it does not have keep theirs.
        events: a history.
    """
    version = flow_attributes.version(flow)
    versions = {str(each.name): version for each in find_workflow_activities(flow)}
    return of_these_versions(events, versions)


def of_these_versions(events: Events, versions: Mapping[str, str]) -> Events:
    """As ``of_own_versions``, with these versions by the name of the type."""
    return [_of_version(each, versions) for each in events]


def _of_version(event: dict[str, Any], versions: Mapping[str, str]) -> dict[str, Any]:
    member = "activityTaskScheduledEventAttributes"
    name = event.get(member, {}).get("activityType", {}).get("name")
    if name not in versions:
        return event
    type_ = {"name": name, "version": versions[name]}
    return {**event, member: {**event[member], "activityType": type_}}


def turns(events: Events) -> Iterator[ReplayedDecision]:
    """The decided tasks of a history, in their order; without those that were returned."""
    previous = 0
    decision_events = _decision_events(events)
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
            if not _is_returned(event, decision_events[event["eventId"]]):
                yield ReplayedDecision(event["eventId"], poll, decision_events[event["eventId"]])
            previous = started


def _is_returned(completed: dict[str, Any], decision_events: Events) -> bool:
    """Whether the task was answered without the flow: returned, or passed while it waited."""
    context = _attributes(completed).get("executionContext")
    note = build_notes.read(context)
    if decision_deaths.read(context) or (note and (note.returned or note.is_stuck)):
        return True
    return any(_attributes(event).get("timerId") == RETURN_TIMER for event in decision_events)


def _decision_events(events: Events) -> defaultdict[int, Events]:
    """The events of decisions, by the DecisionTaskCompleted event of their task."""
    found: defaultdict[int, Events] = defaultdict(list)
    for event in events:
        completed_id = _attributes(event).get("decisionTaskCompletedEventId")
        if completed_id and event["eventType"] in EVENTS:
            found[completed_id].append(event)
    return found


def _execution(events: Events, given: Mapping[str, str] | None) -> dict[str, str]:
    """The ids of the execution: not in a history, but in the input of garcon's activities."""
    for event in events:
        if event["eventType"] == "ActivityTaskScheduled":
            context = _object(_attributes(event).get("input", ""))
            if {"execution.workflow_id", "execution.run_id"} <= context.keys():
                return {
                    "workflowId": context["execution.workflow_id"],
                    "runId": context["execution.run_id"],
                }
    return dict(given or {"workflowId": "replayed", "runId": "replayed"})


def _compare(turn: ReplayedDecision, decisions: list[dict[str, Any]]) -> Difference | None:
    recorded, decided = Counter[str](), Counter[str]()
    unmatched = [_kind_and_attributes(decision) for decision in decisions]
    for event in turn.decision_events:
        kind, members = EVENTS[event["eventType"]]
        line = _line(kind, _attributes(event), members)
        match = next((each for each in unmatched if _line(*each, members) == line), None)
        if match is None:
            recorded[line] += 1
        else:
            unmatched.remove(match)
    decided.update(_line(kind, attributes, _members(kind)) for kind, attributes in unmatched)
    if not recorded and not decided:
        return None
    return Difference(turn.completed_id, tuple(recorded.elements()), tuple(decided.elements()))


def _kind_and_attributes(decision: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    kind = decision["decisionType"]
    return kind, decision.get(f"{kind[0].lower()}{kind[1:]}DecisionAttributes", {})


def _members(kind: str) -> tuple[str, ...]:
    """The members that are compared when a decision of this type has succeeded."""
    return next(members for name, members in EVENTS.values() if name == kind)


def _line(kind: str, attributes: dict[str, Any], members: tuple[str, ...]) -> str:
    values = [f"{name}={_plain(attributes[name])}" for name in members if attributes.get(name)]
    return " ".join([kind, *values])


def _plain(value: Any) -> str:
    """JSON with sorted keys, so that neither their order in an input counts nor its trace's id."""
    if isinstance(value, str):
        try:
            value = family_trace.without(safe_json.loads(value))
        except ValueError:
            return str(value)
    return json.dumps(value, sort_keys=True)


def _object(text: str) -> dict[str, Any]:
    try:
        value = safe_json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _attributes(event: dict[str, Any]) -> dict[str, Any]:
    name = event["eventType"]
    attributes: dict[str, Any] = event[f"{name[0].lower()}{name[1:]}EventAttributes"]
    return attributes

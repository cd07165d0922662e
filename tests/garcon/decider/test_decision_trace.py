"""Traces of a decider's decisions: requests, endings, closings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Self

import pytest

from garcon import decider
from garcon.aws.poller import Poller
from garcon.decider.decision_trace import DecisionTraces
from garcon.decider.decisions import cancel_workflow, complete_workflow, fail_workflow, return_task
from garcon.decider.trace_lookup import TraceLookup
from garcon.event import History
from garcon.tracing import family_trace, seam
from garcon.tracing.seam import Begun, Ending, Run
from tests.garcon.fakes import FakeSwf, refusal
from tests.garcon.flows import flow, make

if TYPE_CHECKING:
    from collections.abc import Iterable

    from garcon.tracing.seam import TracedAttempt, TracedClosing, TracedDecision

ANSWER = "respond_decision_task_completed"

POLL: dict[str, Any] = {
    "taskToken": "token",
    "workflowExecution": {"workflowId": "w", "runId": "r2"},
    "workflowType": {"name": "tour", "version": "1.0"},
    "startedEventId": 9,
    "events": [{"eventId": 1, "workflowExecutionStartedEventAttributes": {"taskPriority": "0"}}],
}


class Noted:
    """A tracer that notes what it learns; itself the only span."""

    def __init__(self) -> None:
        self.endings: list[Ending] = []
        self.things: list[Begun] = []
        self.closings: list[TracedClosing] = []
        self.raised: list[type[BaseException] | None] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.raised.append(kind)

    def end(self, ending: Ending) -> None:
        self.endings.append(ending)

    def attempt(self, attempt: TracedAttempt) -> Noted:
        return self

    def decision(self, decision: TracedDecision) -> Noted:
        return self

    def begun(self, decision: TracedDecision, things: Iterable[Begun]) -> None:
        self.things += things

    def closed(self, closing: TracedClosing) -> None:
        self.closings.append(closing)


def traces_of_decider() -> DecisionTraces:
    """The traces of a decider without decisions so far."""
    poller = Poller()
    poller.client = FakeSwf()
    return DecisionTraces("tests", TraceLookup(poller, "tests"))


def decided(*decisions: dict[str, Any], events: Any = (), accepted: bool = True) -> Noted:
    """Decide on a history of these events, and answer."""
    noted, traces = Noted(), traces_of_decider()
    with traces.deciding(noted, POLL):
        traces.note_history("token", History(events))
    assert traces.answer("token", list(decisions), lambda *_: accepted) is accepted
    return noted


def event(number: int, kind: str, **attributes: Any) -> dict[str, Any]:
    """A history event."""
    member = f"{kind[0].lower()}{kind[1:]}EventAttributes"
    return {"eventId": number, "eventTimestamp": 7.0, "eventType": kind, member: attributes}


def scheduling(id_: str) -> dict[str, Any]:
    """The decision to schedule an activity."""
    members = {"activityId": id_, "activityType": {"name": "walk"}}
    return {
        "decisionType": "ScheduleActivityTask",
        "scheduleActivityTaskDecisionAttributes": members,
    }


def history_of(id_: str, *, number: int, failures: int) -> list[dict[str, Any]]:
    """An activity that was scheduled first in this event, and failed so often."""
    events = []
    for turn in range(failures):
        at = number + 2 * turn
        names = {"activityId": id_, "activityType": {"name": "walk"}}
        events.append(event(at, "ActivityTaskScheduled", **names))
        events.append(event(at + 1, "ActivityTaskFailed", scheduledEventId=at, reason="rain"))
    return events


def test_a_new_id_is_a_first_request() -> None:
    """So is one that only the run before had scheduled: its events have numbers below 0."""
    carried = history_of("b", number=-8, failures=2)
    noted = decided(scheduling("a"), scheduling("b"), events=carried)
    assert noted.things == [
        Begun(is_child=False, id="a", name="walk"),
        Begun(is_child=False, id="b", name="walk", attempt=3),
    ]


def test_a_retry_is_a_further_request_with_its_number() -> None:
    """The attempts so far are counted."""
    noted = decided(scheduling("a"), events=history_of("a", number=5, failures=1))
    assert noted.things == [Begun(is_child=False, id="a", name="walk", attempt=2, is_first=False)]


def test_a_refused_request_was_made_before() -> None:
    """SWF's refusal shows that the id had been asked for."""
    names = {"activityId": "a", "activityType": {"name": "walk"}}
    refused = event(
        5, "ScheduleActivityTaskFailed", cause="OPEN_ACTIVITIES_LIMIT_EXCEEDED", **names
    )
    (thing,) = decided(scheduling("a"), events=[refused]).things
    assert not thing.is_first


@pytest.mark.parametrize(
    ("closing", "ending"),
    [
        (complete_workflow(), Ending("completed")),
        (fail_workflow("no shoes"), Ending("failed", "no shoes", is_error=True)),
        (cancel_workflow("asked"), Ending("canceled")),
    ],
)
def test_a_closing_decision_ends_the_run(closing: dict[str, Any], ending: Ending) -> None:
    """The closing names the start, the parent, and the run that this one continues."""
    start = event(
        1,
        "WorkflowExecutionStarted",
        parentWorkflowExecution={"workflowId": "p", "runId": "pr"},
        continuedExecutionRunId="r1",
    )
    (closed,) = decided(closing, events=[start]).closings
    assert (closed.began_at, closed.ending, closed.continued) == (7.0, ending, "r1")
    assert closed.parent == Run("p", "pr")


def test_an_answer_that_swf_does_not_accept_begins_nothing() -> None:
    """The decision is an error; the task comes again, to be decided anew."""
    noted = decided(scheduling("a"), complete_workflow(), accepted=False)
    assert [each.outcome for each in noted.endings] == ["not_accepted"]
    assert (noted.things, noted.closings) == ([], [])


def test_a_returned_task_is_named_so() -> None:
    """The answer with the return timer is no decision of the flow's."""
    noted = decided(*return_task())
    assert noted.endings == [Ending("returned")]


def test_a_decision_that_raises_ends_its_span() -> None:
    """The span's block sees the error, and the answer to that task is not traced."""
    noted, traces = Noted(), traces_of_decider()
    with pytest.raises(KeyError), traces.deciding(noted, POLL):
        raise KeyError
    assert noted.raised == [KeyError]
    assert traces.answer("token", [], lambda *_: True)
    assert noted.endings == []


def child_task() -> dict[str, Any]:
    """The first decision task of a child."""
    started = event(
        1,
        "WorkflowExecutionStarted",
        input="{}",
        workflowType={"name": "workflow", "version": "1.0"},
        parentWorkflowExecution={"workflowId": "p", "runId": "pr"},
    )
    events = [started, event(2, "DecisionTaskScheduled"), event(3, "DecisionTaskStarted")]
    return {**POLL, "startedEventId": 3, "previousStartedEventId": 0, "events": events}


@pytest.mark.parametrize("build", [None, "one"])
def test_the_first_answer_to_a_child_notes_its_trace(
    monkeypatch: pytest.MonkeyPatch, build: str | None
) -> None:
    """Beside the note of a build; until SWF has accepted one, so do further answers."""
    monkeypatch.setattr(seam, "tracer", Noted())
    made: Any = flow(a=make("a"))
    made.client = swf = FakeSwf()
    worker = decider.DeciderWorker(made, register=False, build=build)
    swf.prepare(ANSWER, refusal("UnknownResourceFault"))
    for _ in range(3):
        worker.respond("token", worker.decide(child_task()))
    trace = family_trace.id_of(Run("p", "pr"))
    own = {"build": build} if build else {}
    contexts = [json.loads(each.get("executionContext", "{}")) for each in swf.requests(ANSWER)]
    assert contexts == [{**own, "trace": trace}, {**own, "trace": trace}, own]
    for request in swf.requests(ANSWER):
        attributes = request["decisions"][0]["scheduleActivityTaskDecisionAttributes"]
        assert family_trace.of_input(attributes["input"]) == trace


def test_decisions_of_one_s_own_are_sent_as_they_are() -> None:
    """What is no input, or no text, is left to SWF to judge."""
    noted, traces = Noted(), traces_of_decider()
    member = "scheduleActivityTaskDecisionAttributes"
    decisions: list[dict[str, Any]] = [
        {"decisionType": "ScheduleActivityTask"},
        {"decisionType": "ScheduleActivityTask", member: {"input": 7}},
        {"decisionType": "ScheduleActivityTask", member: {"input": "text"}},
        {"decisionType": "StartTimer", "startTimerDecisionAttributes": {"timerId": "t"}},
    ]
    sent: list[Any] = []

    def answer(_: str, given: list[Any]) -> bool:
        sent.extend(given)
        return False

    with traces.deciding(noted, {**child_task(), "taskToken": "token"}):
        pass
    assert not traces.answer("token", decisions, answer)
    assert sent == decisions

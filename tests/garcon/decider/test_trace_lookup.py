"""The trace of a run, as its decider finds it: what is read, how often, and after a refusal."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from garcon.aws.poller import Poller
from garcon.decider.trace_lookup import MOST_ABOVE, READ_EVENTS, FamilyMember, TraceLookup
from garcon.tracing import family_trace
from garcon.tracing.seam import Run
from tests.garcon.fakes import FakeSwf, refusal

READ = "get_workflow_execution_history"
NOTED = "5" * 32


def history(parent: str = "", continued: str = "", note: str = "") -> list[dict[str, Any]]:
    """The first events of a run; of a parent the run id, its workflow id is ``w-`` and that."""
    start: dict[str, Any] = {"input": "{}", "parentInitiatedEventId": 0}
    if parent:
        start["parentWorkflowExecution"] = {"workflowId": f"w-{parent}", "runId": parent}
    if continued:
        start["continuedExecutionRunId"] = continued
    member = "decisionTaskCompletedEventAttributes"
    answer = {member: {"executionContext": family_trace.noted(None, note)}} if note else {}
    return [
        {"eventId": 1, "workflowExecutionStartedEventAttributes": start},
        {"eventId": 4, **answer},
    ]


def poll(run: str, events: list[dict[str, Any]]) -> dict[str, Any]:
    """A decision task of a run."""
    return {"workflowExecution": {"workflowId": f"w-{run}", "runId": run}, "events": events}


def trace(run: str, workflow: str = "") -> str:
    """The trace whose root is this run."""
    return family_trace.id_of(Run(workflow or f"w-{run}", run))


def lookup(*answers: Any) -> tuple[TraceLookup, FakeSwf]:
    """A lookup whose calls have these answers: events, or an error."""
    swf, poller = FakeSwf(), Poller()
    poller.client = swf
    for each in answers:
        swf.prepare(READ, {"events": each} if isinstance(each, list) else each)
    return TraceLookup(poller, "domain"), swf


def test_a_run_without_a_parent_is_a_root() -> None:
    """It costs no call and no note."""
    found, swf = lookup()
    assert found.find(poll("r", history())) == FamilyMember()
    assert swf.calls == []


def test_a_child_is_in_the_trace_of_its_parent() -> None:
    """The parent's first events are read once for all its children."""
    found, swf = lookup(history())
    member = FamilyMember(trace("p"), is_noted=False)
    for child in ("c1", "c2", "c1"):
        assert found.find(poll(child, history(parent="p"))) == member
    execution = {"workflowId": "w-p", "runId": "p"}
    request = {"domain": "domain", "execution": execution, "maximumPageSize": READ_EVENTS}
    assert swf.calls == [(READ, request)]


def test_a_continued_run_is_in_the_trace_of_the_first() -> None:
    """The run before has the same workflow id; a known one is not read."""
    found, swf = lookup(history(continued="r1"), history())
    member = FamilyMember(trace("r1", "w-r3"), is_noted=False)
    assert found.find(poll("r3", history(continued="r2"))) == member
    again = {**poll("r4", history(continued="r3"))}
    again["workflowExecution"]["workflowId"] = "w-r3"
    assert found.find(again) == member
    assert [each["execution"]["runId"] for each in swf.requests(READ)] == ["r2", "r1"]


def test_a_continued_run_of_a_child_goes_on_from_the_parent() -> None:
    """One call for the parent is less than one for each run before."""
    found, swf = lookup(history())
    found.find(poll("c2", history(parent="p", continued="c1")))
    assert [each["execution"]["runId"] for each in swf.requests(READ)] == ["p"]


def test_a_note_ends_the_search() -> None:
    """One in the parent's history is followed, one in the run's own costs no call."""
    found, swf = lookup(history(parent="g", note=NOTED))
    assert found.find(poll("c", history(parent="p"))) == FamilyMember(NOTED, is_noted=False)
    assert found.find(poll("d", history(parent="q", note=NOTED))) == FamilyMember(NOTED)
    assert len(swf.calls) == 1


def test_a_task_without_the_first_event_is_looked_up_or_has_the_note() -> None:
    """A private list brings the newest events only."""
    found, swf = lookup(history(parent="p"), history())
    newest = history(parent="p", note=NOTED)[1:]
    assert found.find(poll("c", newest)) == FamilyMember(NOTED)
    assert found.find(poll("d", [])) == FamilyMember(trace("p"), is_noted=False)
    assert [each["execution"]["runId"] for each in swf.requests(READ)] == ["d", "p"]


def test_the_search_is_bounded() -> None:
    """The highest run that is known counts as the root."""
    found, swf = lookup(*(history(parent=f"p{n + 1}") for n in range(1, 99)))
    root = trace(f"p{MOST_ABOVE + 1}")
    assert found.find(poll("c", history(parent="p1"))).trace == root
    assert len(swf.calls) == MOST_ABOVE
    assert found.find(poll("d", history(parent="p3"))).trace == root
    assert len(swf.calls) == MOST_ABOVE


@pytest.mark.parametrize(
    "error",
    [
        refusal("ThrottlingException"),
        refusal("AccessDeniedException"),
        refusal("UnknownResourceFault"),
        EndpointConnectionError(endpoint_url="http://x"),
        {"events": None},
        {},
    ],
)
def test_a_refused_look_makes_the_parent_the_root(error: Any) -> None:
    """Nothing is raised, and the call is not made again for another child."""
    found, swf = lookup(error)
    member = FamilyMember(trace("p"), is_noted=False)
    assert found.find(poll("c1", history(parent="p"))) == member
    assert found.find(poll("c2", history(parent="p"))) == member
    assert len(swf.calls) == 1


def test_a_confirmed_note_is_not_left_again() -> None:
    """Until SWF has accepted an answer with it, each answer has it."""
    found, _ = lookup(history())
    task = poll("c", history(parent="p"))
    assert not found.find(task).is_noted
    assert not found.find(task).is_noted
    found.confirm(Run("w-c", "c"))
    assert found.find(task) == FamilyMember(trace("p"))


def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The run that was asked for longest ago is forgotten."""
    monkeypatch.setattr("garcon.decider.trace_lookup.MOST_KNOWN", 2)
    found, swf = lookup(*(history() for _ in range(9)))
    for run in ("a", "b", "a", "c", "a"):
        found.find(poll(run, []))
    assert [each["execution"]["runId"] for each in swf.requests(READ)] == ["a", "b", "c"]
    found.find(poll("b", []))
    assert len(swf.calls) == 4

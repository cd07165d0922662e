"""The replayer decides recorded histories again, and tells the first difference."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from garcon import claims, client
from garcon.workflow import history
from supervisor import channel, replayer
from supervisor.exits import GAVE_UP, USAGE
from supervisor.flow import Flow
from supervisor.histories import Histories
from supervisor.leaving import Leaving
from supervisor.messages import Contradicted, Refused, Replayed
from tests.garcon.fakes import THROTTLED, FakeSwf, refusal
from tests.garcon.flows import flow, make

if TYPE_CHECKING:
    from pathlib import Path


def recorded(name: str = "flow") -> list[dict[str, Any]]:
    """A history in which ``flow_a`` was scheduled and completed, and then the workflow."""
    kinds: list[tuple[str, dict[str, Any]]] = [
        ("WorkflowExecutionStarted", started(name)),
        ("DecisionTaskScheduled", {"taskList": {"name": name}}),
        ("DecisionTaskStarted", {"scheduledEventId": 2}),
        ("DecisionTaskCompleted", {"scheduledEventId": 2, "startedEventId": 3}),
        ("ActivityTaskScheduled", scheduled()),
        ("ActivityTaskStarted", {"scheduledEventId": 5}),
        ("ActivityTaskCompleted", {"scheduledEventId": 5, "startedEventId": 6}),
        ("DecisionTaskScheduled", {"taskList": {"name": name}}),
        ("DecisionTaskStarted", {"scheduledEventId": 8}),
        ("DecisionTaskCompleted", {"scheduledEventId": 8, "startedEventId": 9}),
        ("WorkflowExecutionCompleted", {"decisionTaskCompletedEventId": 10}),
    ]
    return [event(number, *each) for number, each in enumerate(kinds, 1)]


def started(name: str) -> dict[str, Any]:
    """What the execution began with."""
    type_ = {"name": name, "version": "1.0"}
    return {"workflowType": type_, "taskList": {"name": name}, "childPolicy": "TERMINATE"}


def scheduled() -> dict[str, Any]:
    """What garcon asks for."""
    ids = {"execution.domain": "domain", "execution.workflow_id": "w7", "execution.run_id": "r7"}
    return {
        "activityId": "flow_a-1",
        "activityType": {"name": "flow_a", "version": "1.0"},
        "taskList": {"name": "flow_a"},
        "input": json.dumps(ids),
        "decisionTaskCompletedEventId": 4,
    }


def event(number: int, kind: str, attributes: dict[str, Any]) -> dict[str, Any]:
    """One event, as a file has it."""
    member = f"{kind[0].lower()}{kind[1:]}EventAttributes"
    return {"eventId": number, "eventType": kind, "eventTimestamp": 1.0, member: attributes}


def keep(folder: Path, *histories: list[dict[str, Any]]) -> Histories:
    """Write these into files."""
    for number, events in enumerate(histories):
        (folder / f"{number}.json").write_text(history.dumps(events))
    return Histories(str(folder))


def errand(
    histories: str, swf: FakeSwf | None = None, *, asked: bool = False, **activities: Any
) -> tuple[int, Any]:
    """The exit code, and what the supervisor hears."""
    swf = swf or FakeSwf()
    target = flow(swf, **(activities or {"a": make("a")}))
    target.on_exception = pytest.fail
    ours, theirs = channel.pair()
    with client.use(swf), Leaving(theirs) as leaving:
        leaving.asked_at = 0.0 if asked else None
        served = Flow(target, "domain", "flow", "1.0", {})
        code = replayer.replay(served, 5, leaving, Histories(histories))
    heard = ours.hear()
    ours.close()
    theirs.close()
    return code, heard


def test_code_that_decides_alike_passes(tmp_path: Path) -> None:
    """How many executions and decisions were looked at is told."""
    told = errand(keep(tmp_path, recorded(), recorded()))
    assert told == (0, Replayed(5, executions=2, decisions=4))


def test_the_first_difference_is_told(tmp_path: Path) -> None:
    """With the workflow, the event, and what stood and stands there."""
    _, heard = errand(keep(tmp_path, recorded()), b=make("b"))
    assert isinstance(heard, Contradicted)
    assert (heard.worker, heard.workflow_id, heard.event_id) == (5, "w7", 4)
    assert "flow_a-1" in heard.recorded[0]
    assert "flow_b-1" in heard.decided[0]


def test_what_a_decider_raises_is_told_and_wakes_nobody(tmp_path: Path) -> None:
    """Its own sentence is the reason; ``on_exception`` is not called."""

    def broken(schedule: Any) -> None:
        raise KeyError("sned")

    _, heard = errand(keep(tmp_path, recorded()), a=make("a"), decider=broken)
    assert isinstance(heard, Contradicted)
    assert "KeyError" in heard.why
    assert "sned" in heard.why


def test_what_was_said_at_decisions_that_fit_is_no_reason(tmp_path: Path) -> None:
    """Where the one that differs raises nothing, nothing is told."""
    a = make("a")

    def chatty(schedule: Any) -> None:
        logging.getLogger("garcon.flow").warning("This is no reason.")
        schedule("one", a).wait()
        schedule("two", a)

    events = recorded()
    events[4]["activityTaskScheduledEventAttributes"]["activityId"] = "flow_a-1-one"
    _, heard = errand(keep(tmp_path, events), a=a, decider=chatty)
    assert isinstance(heard, Contradicted)
    assert (heard.event_id, heard.why) == (10, "")


def test_a_new_version_of_an_activity_is_no_contradiction(tmp_path: Path) -> None:
    """Its tasks are what they were, by name and id."""
    newer = make("a")
    newer.version = "1.1"
    code, heard = errand(keep(tmp_path, recorded()), a=newer)
    assert (code, type(heard)) == (0, Replayed)


def test_other_activities_keep_their_versions() -> None:
    """Those that the flow has no more are compared as they were."""
    events = recorded()
    assert replayer.of_these_versions(events, {"flow_b": "2"}) == events
    changed = replayer.of_these_versions(events, {"flow_a": "2"})[4]
    told = changed["activityTaskScheduledEventAttributes"]
    assert told == {**scheduled(), "activityType": {"name": "flow_a", "version": "2"}}


def test_histories_of_other_workflows_are_left_out(tmp_path: Path) -> None:
    """A folder may hold those of all flows; one without any of this one is a mistake."""
    both = keep(tmp_path, recorded(), recorded("other"))
    assert errand(both) == (0, Replayed(5, executions=1, decisions=2))
    (tmp_path / "0.json").unlink()
    _, heard = errand(both)
    assert isinstance(heard, Refused)
    assert "there is no history of flow" in heard.why


def test_a_file_that_is_no_history_is_refused(tmp_path: Path) -> None:
    """With its name, and as a mistake of who set the gate."""
    (tmp_path / "broken.json").write_text("{")
    _, heard = errand(str(tmp_path))
    assert isinstance(heard, Refused)
    assert "broken.json is not JSON" in heard.why
    assert heard.code == USAGE


@pytest.mark.parametrize(
    ("number", "attributes", "fault"),
    [
        (1, {"workflowType": ["flow"]}, "event 1 (WorkflowExecutionStarted)"),
        (5, {}, "event 5 (ActivityTaskScheduled)"),
        (10, {"scheduledEventId": 8, "startedEventId": 99}, "event 10 (DecisionTaskCompleted)"),
    ],
)
def test_a_history_that_is_not_whole_is_refused(
    tmp_path: Path, number: int, attributes: dict[str, Any], fault: str
) -> None:
    """With the file, the event and what it lacks, in one sentence."""
    events = recorded()
    events[number - 1] = event(number, events[number - 1]["eventType"], attributes)
    _, heard = errand(keep(tmp_path, recorded(), events))
    assert isinstance(heard, Refused)
    assert f"{tmp_path}/1.json holds no whole history: {fault}" in heard.why
    assert len(heard.why.splitlines()) == 1


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """As such, and not as one without histories."""
    _, heard = errand(str(tmp_path / "histroies"))
    assert isinstance(heard, Refused)
    assert "histroies: there is no such folder" in heard.why


def test_a_claim_store_that_does_not_answer_is_left_to_the_next_replayer(tmp_path: Path) -> None:
    """It passes: nothing is said, and another replayer is sent."""

    def unlucky(schedule: Any) -> None:
        raise claims.Unavailable("The claim store does not answer.")

    code, heard = errand(keep(tmp_path, recorded()), a=make("a"), decider=unlucky)
    assert code == GAVE_UP
    assert heard is None


def executions(*ids: str) -> dict[str, Any]:
    """A page of a list of executions."""
    infos = [
        {
            "execution": {"workflowId": each, "runId": f"run-{each}"},
            "workflowType": {"name": "flow", "version": "1.0"},
            "startTimestamp": 1.0,
            "executionStatus": "OPEN",
            "cancelRequested": False,
        }
        for each in ids
    ]
    return {"executionInfos": infos}


class Pages:
    """Stands for a paginator of botocore over prepared answers of one page."""

    def __init__(self, call: Any) -> None:
        self._call = call

    def paginate(self, PaginationConfig: Any = None, **asked: Any) -> Any:  # noqa: N803 - botocore's
        """One page."""
        yield self._call(**asked)


class PagedSwf(FakeSwf):
    """With the paginators that a botocore client has."""

    def get_paginator(self, operation: str) -> Pages:
        """Of an operation."""
        return Pages(getattr(self, operation))


def test_the_latest_executions_are_read_from_swf() -> None:
    """Open and closed ones of this workflow type, whole."""
    swf = PagedSwf().prepare("list_open_workflow_executions", executions("w1"))
    swf.prepare("list_closed_workflow_executions", executions("w2"))
    page = {"events": recorded()[::-1]}
    swf.prepare("get_workflow_execution_history", *[{"events": page["events"][:1]}, page] * 2)
    assert errand("last:2", swf) == (0, Replayed(5, executions=2, decisions=4))
    (asked,) = swf.requests("list_open_workflow_executions")
    assert asked["typeFilter"] == {"name": "flow"}


def test_a_trouble_that_passes_is_left_to_the_next_replayer() -> None:
    """It ends with an error and says nothing, so that another one is sent."""
    swf = PagedSwf().prepare("list_open_workflow_executions", refusal(THROTTLED))
    code, heard = errand("last:2", swf)
    assert code != 0
    assert heard is None


def test_who_may_not_read_histories_hears_so() -> None:
    """With the sentence, at once."""
    swf = PagedSwf().prepare("list_open_workflow_executions", refusal("AccessDeniedException"))
    code, heard = errand("last:2", swf)
    assert code == 0
    assert isinstance(heard, Refused)
    assert "eading histories of flow" in heard.why


def test_one_that_is_told_to_leave_leaves(tmp_path: Path) -> None:
    """Between two histories, without a word: nobody waits for its verdict any more."""
    assert errand(keep(tmp_path, recorded()), asked=True) == (0, None)


def test_what_is_shown_of_a_difference_has_an_end(tmp_path: Path) -> None:
    """A hundred decisions of long inputs fit a message, and a report that is read."""
    many: dict[str, Any] = {f"b{n}": make(f"b{n}") for n in range(100)}
    _, heard = errand(keep(tmp_path, recorded()), **many)
    assert isinstance(heard, Contradicted)
    assert len(heard.decided) == replayer.MOST + 1
    assert heard.decided[-1] == "... and 95 more"
    assert all(len(each) <= replayer.SHOWN for each in heard.decided)

"""The replayer decides recorded histories again and reports the first difference."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from garcon import claims, client
from garcon.decider import history_replay
from garcon.executions import recorded_history
from supervisor.child.flow_loader import Flow
from supervisor.child.jobs import replayer
from supervisor.child.shutdown import Shutdown
from supervisor.config.setting_types import HistorySource
from supervisor.exit_codes import GAVE_UP, USAGE
from supervisor.ipc import channel
from supervisor.ipc.messages import FlowRefused, NonDeterministic, Replayed
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
    """The attributes of the execution's start."""
    type_ = {"name": name, "version": "1.0"}
    return {"workflowType": type_, "taskList": {"name": name}, "childPolicy": "TERMINATE"}


def scheduled() -> dict[str, Any]:
    """The attributes of the activity that garcon schedules."""
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


def keep(folder: Path, *histories: list[dict[str, Any]]) -> HistorySource:
    """Write these histories to files."""
    for number, events in enumerate(histories):
        (folder / f"{number}.json").write_text(recorded_history.dumps(events))
    return HistorySource(str(folder))


def replayed(
    histories: str, swf: FakeSwf | None = None, *, requested: bool = False, **activities: Any
) -> tuple[int, Any]:
    """The exit code, and the message that the supervisor receives."""
    swf = swf or FakeSwf()
    target = flow(swf, **(activities or {"a": make("a")}))
    target.on_exception = pytest.fail
    ours, theirs = channel.pair()
    with client.use(swf), Shutdown(theirs) as shutdown:
        shutdown.requested_at = 0.0 if requested else None
        served = Flow(target, "domain", "flow", "1.0", {})
        code = replayer.replay(served, 5, shutdown, HistorySource(histories))
    message = ours.receive()
    ours.close()
    theirs.close()
    return code, message


def test_code_that_decides_alike_passes(tmp_path: Path) -> None:
    """The verdict has the numbers of executions and decisions."""
    verdict = replayed(keep(tmp_path, recorded(), recorded()))
    assert verdict == (0, Replayed(5, executions=2, decisions=4))


def test_the_first_difference_is_reported(tmp_path: Path) -> None:
    """The verdict has the workflow, the event, and the decisions of both sides."""
    _, message = replayed(keep(tmp_path, recorded()), b=make("b"))
    assert isinstance(message, NonDeterministic)
    assert (message.worker, message.workflow_id, message.event_id) == (5, "w7", 4)
    assert "flow_a-1" in message.recorded[0]
    assert "flow_b-1" in message.decided[0]


def test_an_error_of_the_decider_is_the_reason(tmp_path: Path) -> None:
    """The verdict has the error, and ``on_exception`` is not called."""

    def broken(schedule: Any) -> None:
        raise KeyError("sned")

    _, message = replayed(keep(tmp_path, recorded()), a=make("a"), decider=broken)
    assert isinstance(message, NonDeterministic)
    assert "KeyError" in message.why
    assert "sned" in message.why


def test_lines_logged_at_equal_decisions_are_not_the_reason(tmp_path: Path) -> None:
    """A difference at which the decider raises nothing has an empty reason."""
    a = make("a")

    def logging_decider(schedule: Any) -> None:
        logging.getLogger("garcon.flow").warning("Not a reason.")
        schedule("one", a).wait()
        schedule("two", a)

    events = recorded()
    events[4]["activityTaskScheduledEventAttributes"]["activityId"] = "flow_a-1-one"
    _, message = replayed(keep(tmp_path, events), a=a, decider=logging_decider)
    assert isinstance(message, NonDeterministic)
    assert (message.event_id, message.why) == (10, "")


def test_a_new_version_of_an_activity_is_not_a_difference(tmp_path: Path) -> None:
    """Activities are compared by name and id."""
    newer = make("a")
    newer.version = "1.1"
    code, message = replayed(keep(tmp_path, recorded()), a=newer)
    assert (code, type(message)) == (0, Replayed)


def test_other_activities_keep_their_versions() -> None:
    """Activities that the flow no longer has are compared as recorded."""
    events = recorded()
    assert history_replay.of_these_versions(events, {"flow_b": "2"}) == events
    changed = history_replay.of_these_versions(events, {"flow_a": "2"})[4]
    attributes = changed["activityTaskScheduledEventAttributes"]
    assert attributes == {**scheduled(), "activityType": {"name": "flow_a", "version": "2"}}


def test_histories_of_other_workflows_are_skipped(tmp_path: Path) -> None:
    """A folder may hold histories of all flows, but not none of this one."""
    both = keep(tmp_path, recorded(), recorded("other"))
    assert replayed(both) == (0, Replayed(5, executions=1, decisions=2))
    (tmp_path / "0.json").unlink()
    _, message = replayed(both)
    assert isinstance(message, FlowRefused)
    assert "there is no history of flow" in message.why


def test_a_file_that_is_not_a_history_is_refused(tmp_path: Path) -> None:
    """The refusal names the file and has the exit code of a wrong setting."""
    (tmp_path / "broken.json").write_text("{")
    _, message = replayed(str(tmp_path))
    assert isinstance(message, FlowRefused)
    assert "broken.json is not JSON" in message.why
    assert message.code == USAGE


@pytest.mark.parametrize(
    ("number", "attributes", "fault"),
    [
        (1, {"workflowType": ["flow"]}, "event 1 (WorkflowExecutionStarted)"),
        (5, {}, "event 5 (ActivityTaskScheduled)"),
        (10, {"scheduledEventId": 8, "startedEventId": 99}, "event 10 (DecisionTaskCompleted)"),
    ],
)
def test_a_truncated_history_is_refused(
    tmp_path: Path, number: int, attributes: dict[str, Any], fault: str
) -> None:
    """The refusal names the file, the event and the missing part in one sentence."""
    events = recorded()
    events[number - 1] = event(number, events[number - 1]["eventType"], attributes)
    _, message = replayed(keep(tmp_path, recorded(), events))
    assert isinstance(message, FlowRefused)
    assert f"{tmp_path}/1.json is not a complete history: {fault}" in message.why
    assert len(message.why.splitlines()) == 1


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """The refusal differs from that of a folder without histories."""
    _, message = replayed(str(tmp_path / "histroies"))
    assert isinstance(message, FlowRefused)
    assert "histroies: there is no such folder" in message.why


def test_a_claim_store_without_an_answer_is_left_to_the_next_replayer(tmp_path: Path) -> None:
    """The job ends without a verdict, and the supervisor starts another."""

    def without_store(schedule: Any) -> None:
        raise claims.ClaimStoreUnavailable("The claim store does not answer.")

    code, message = replayed(keep(tmp_path, recorded()), a=make("a"), decider=without_store)
    assert code == GAVE_UP
    assert message is None


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
    """A paginator of botocore over prepared responses of one page."""

    def __init__(self, call: Any) -> None:
        self._call = call

    def paginate(self, PaginationConfig: Any = None, **request: Any) -> Any:  # noqa: N803 - botocore's
        """One page."""
        yield self._call(**request)


class PagedSwf(FakeSwf):
    """A fake SWF with a botocore client's paginators."""

    def get_paginator(self, operation: str) -> Pages:
        """The paginator of an operation."""
        return Pages(getattr(self, operation))


def test_the_latest_executions_are_read_from_swf() -> None:
    """Open and closed executions of this workflow type are read with their whole histories."""
    swf = PagedSwf().prepare("list_open_workflow_executions", executions("w1"))
    swf.prepare("list_closed_workflow_executions", executions("w2"))
    page = {"events": recorded()[::-1]}
    swf.prepare("get_workflow_execution_history", page, page)
    assert replayed("last:2", swf) == (0, Replayed(5, executions=2, decisions=4))
    (request,) = swf.requests("list_open_workflow_executions")
    assert request["typeFilter"] == {"name": "flow"}


def test_a_transient_error_is_left_to_the_next_replayer() -> None:
    """The job ends with an error and without a verdict, so the supervisor starts another."""
    swf = PagedSwf().prepare("list_open_workflow_executions", refusal(THROTTLED))
    code, message = replayed("last:2", swf)
    assert code != 0
    assert message is None


def test_a_missing_permission_is_refused_at_once() -> None:
    """A role that may not read histories gets the sentence, and no retry."""
    swf = PagedSwf().prepare("list_open_workflow_executions", refusal("AccessDeniedException"))
    code, message = replayed("last:2", swf)
    assert code == 0
    assert isinstance(message, FlowRefused)
    assert "eading histories of flow" in message.why


def test_a_replayer_that_is_asked_to_leave_leaves(tmp_path: Path) -> None:
    """It ends between two histories without a verdict: no process waits for one."""
    assert replayed(keep(tmp_path, recorded()), requested=True) == (0, None)


def test_the_shown_difference_is_bounded(tmp_path: Path) -> None:
    """A hundred decisions with long inputs fit a message and a readable report."""
    many: dict[str, Any] = {f"b{n}": make(f"b{n}") for n in range(100)}
    _, message = replayed(keep(tmp_path, recorded()), **many)
    assert isinstance(message, NonDeterministic)
    assert len(message.decided) == replayer.SHOWN_DECISIONS + 1
    assert message.decided[-1] == "... and 95 more"
    assert all(len(text) <= replayer.SHOWN_CHARACTERS for text in message.decided)

"""Recorded histories, and their replay with the present decider."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest

from examples import versions
from garcon import activity, runner, task
from garcon import client as clients
from garcon.event import History
from garcon.local import LocalSWF, recording
from garcon.local.replay import differences, replay, turns
from tests.garcon.local.conformance.account import Account
from tests.garcon.local.conftest import client_of
from tests.garcon.local.test_driver import failing, flow
from tests.garcon.stage import Stage

if TYPE_CHECKING:
    from pathlib import Path


@task.decorate(timeout=60)
def numbers() -> dict[str, list[int]]:
    """Three of them."""
    return {"numbers": [1, 2, 3]}


def recorded(made: Any, **context: Any) -> recording.Events:
    """The history of one run of a flow."""
    with LocalSWF() as swf:
        outcome = swf.run(made, context)
        return recording.fetch(swf.client(), "cafe", outcome.workflow_id)


def test_a_recorded_history_is_the_services(tmp_path: Path) -> None:
    """A history that is fetched, written and read again is the one on the wire."""
    with LocalSWF() as swf:
        outcome = swf.run(flow(), {"beans": "b"})
        events = recording.fetch(swf.client(), "cafe", outcome.workflow_id)
        recording.write(events, tmp_path / "history.json")
        assert recording.read(tmp_path / "history.json") == outcome.history


def test_a_file_that_is_not_a_history_is_refused(tmp_path: Path) -> None:
    """A JSON file without events is named in the error."""
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(ValueError, match="holds no history"):
        recording.read(tmp_path / "other.json")


@pytest.mark.parametrize(
    "text", ["", "[]", "null", '"events"', "[" * 1_000, '{"events": null}', '{"events": []}']
)
def test_any_other_content_is_refused_with_the_file(tmp_path: Path, text: str) -> None:
    """Empty, cut short, or another's: the error names the file."""
    (tmp_path / "other.json").write_text(text)
    with pytest.raises(ValueError, match=r"other\.json holds no history: "):
        recording.read(tmp_path / "other.json")


def test_an_unknown_execution_cannot_be_recorded() -> None:
    """An unknown execution is a LookupError with its name."""
    with LocalSWF() as swf:
        swf.run(flow(), {"beans": "b"})
        with pytest.raises(LookupError, match="no execution nothing"):
            recording.fetch(swf.client(), "cafe", "nothing")


def test_a_history_is_printed_for_a_file(
    local_swf_endpoint: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The command prints the format that `read` takes, from the endpoint of the environment."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SWF", local_swf_endpoint)
    account = Account(client_of(local_swf_endpoint), "dom")
    account.register()
    account.start("order-17")
    assert recording.main(["--domain", "dom", "order-17"]) == 0
    events = json.loads(capsys.readouterr().out)["events"]
    assert [each["eventType"] for each in events] == [
        "WorkflowExecutionStarted",
        "DecisionTaskScheduled",
    ]


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("--domain", "dom", "nothing"), "The domain dom has no execution nothing."),
        (("--domain", "nowhere", "order-17"), "Unknown domain: nowhere"),
        (("--domain", "dom", "order-17", "--run-id", "none"), "Unknown execution"),
    ],
)
def test_a_history_that_cannot_be_fetched_is_a_sentence(
    local_swf_endpoint: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    argv: tuple[str, ...],
    words: str,
) -> None:
    """The command prints nothing, names on standard error what is missing, and returns 1."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SWF", local_swf_endpoint)
    Account(client_of(local_swf_endpoint), "dom").register()
    assert recording.main(argv) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("garcon.local.recording: ")
    assert words in output.err
    assert output.err.count("\n") == 1


def test_unchanged_code_fits_its_history() -> None:
    """The code that made a history makes the same decisions again."""
    assert replay(flow(), recorded(flow(), beans="b")) == []


def test_retries_fit_their_history() -> None:
    """Failures and retries lead to the same decisions again."""
    assert replay(failing(0, retry=2), recorded(failing(2, retry=2))) == []


def test_another_order_of_activities_is_a_difference() -> None:
    """If the code schedules another activity, the difference has the decision task and both."""
    events = recorded(flow(), beans="b")
    changed = flow()
    changed.brew.requires = []
    (first, *_) = replay(changed, events)
    assert first.completed_id == 4
    assert first.recorded == ()
    assert "coffee_brew-1" in first.decided[0]


def test_another_input_is_a_difference() -> None:
    """If the code sends an activity another input, the difference has both."""
    events = recorded(flow(), beans="b")
    scheduled = next(each for each in events if each["eventType"] == "ActivityTaskScheduled")
    attributes = scheduled["activityTaskScheduledEventAttributes"]
    attributes["input"] = attributes["input"].replace('"b"', '"c"')
    (difference,) = replay(flow(), events)
    assert '"c"' in difference.recorded[0]
    assert '"b"' in difference.decided[0]


def test_fewer_retries_are_a_difference() -> None:
    """If the code fails in place of another attempt, the difference has both."""
    (difference,) = replay(failing(0, retry=1), recorded(failing(2, retry=2)))
    assert difference.recorded[0].startswith("ScheduleActivityTask ")
    assert difference.decided[0].startswith("FailWorkflowExecution ")


def test_each_decision_task_gets_its_new_events() -> None:
    """A turn has the events since the start of the one before, up to its own."""
    events = recorded(flow(), beans="b")
    seen = [
        (turn.poll["previousStartedEventId"], turn.poll["startedEventId"], turn.completed_id)
        for turn in turns(events)
    ]
    assert seen == [(0, 3, 4), (3, 9, 10), (9, 15, 16)]
    assert [each for turn in turns(events) for each in turn.poll["events"]] == events[:15]


def test_each_event_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cost of a replay is linear in the length of the history."""
    events = recorded(flow(), beans="b")
    read: list[int] = []
    add = History.add

    def noting(self: History, event: Any) -> None:
        read.append(event["eventId"])
        add(self, event)

    monkeypatch.setattr(History, "add", noting)
    assert replay(flow(), events) == []
    assert read == list(range(1, 16))


def test_the_first_difference_needs_no_later_decision() -> None:
    """The decisions after the first difference are not made."""
    events = recorded(flow(), beans="b")
    changed = flow()
    changed.decider = decider = Mock(side_effect=KeyError("sned"))
    assert next(differences(changed, events)).completed_id == 4
    assert decider.call_count == 2  # once going on, once from the first event


def raising(_schedule: Any) -> None:
    """A decider with a mistake."""
    raise KeyError("sned")


def test_an_error_that_makes_a_difference_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """With its traceback, under its execution, and passed to the flow's handler."""
    events = recorded(flow(), beans="b")
    changed = flow(decider=raising, on_exception=Mock())
    caplog.clear()
    assert next(differences(changed, events)).completed_id == 4
    (record,) = caplog.records
    assert record.exc_info
    assert record.exc_info[0] is KeyError
    assert record.name.startswith("garcon.cafe.coffee")
    assert changed.on_exception.call_count == 1


def test_an_error_in_the_history_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """An execution that failed by its decider, and would fail again, fits without a log line."""
    made = flow(decider=raising)
    events = recorded(made, beans="b")
    caplog.clear()
    assert replay(made, events) == []
    assert caplog.records == []


def test_a_flow_that_modifies_a_result_is_no_difference(caplog: pytest.LogCaptureFixture) -> None:
    """Its modification at the decision before is not a difference, and nothing is logged."""
    gather = activity.create("cafe", "coffee")(name="gather", run=runner.Sync(numbers.fill()))

    def decider(schedule: Any) -> None:
        first = schedule("first", gather)
        first.wait()
        first.result["numbers"].append(4)
        schedule("second", gather, input={"n": len(first.result["numbers"])}).wait()
        schedule("third", gather)

    made = SimpleNamespace(domain="cafe", name="coffee", gather=gather, decider=decider)
    events = recorded(made)
    assert len(list(turns(events))) == 4
    caplog.clear()
    assert replay(made, events) == []
    assert caplog.records == []


def test_a_run_that_continued_as_new_is_replayed_without_swf(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The state that it carries over is in its own events; no call is made."""
    made = flow(continue_at=8)
    with LocalSWF() as swf:
        last = swf.run(made, {"beans": "b"}, workflow_id="w").history[0]
        before = last["workflowExecutionStartedEventAttributes"]["continuedExecutionRunId"]
        first = swf.history("w", before)
    monkeypatch.setattr(clients, "calling", pytest.fail)
    assert first[-1]["eventType"] == "WorkflowExecutionContinuedAsNew"
    assert replay(made, first) == []


def shipping(decider: Any) -> Any:
    """The flow of ``examples.versions`` with one of its deciders."""
    return SimpleNamespace(
        domain="parcels", name="shipping", step=versions.step, decider=decider, version="1.0"
    )


@pytest.mark.parametrize("turns_before", [0, 1, 3, 9], ids=["none", "first", "shipped", "all"])
def test_a_guarded_change_is_no_difference(turns_before: int) -> None:
    """Code with ``schedule.version`` fits the histories of the code before, and its own."""
    with LocalSWF() as swf:
        stage = Stage(swf, shipping(versions.before)).start().work(turns_before)
        stage.redeploy(shipping(versions.decider))
        stage.work()
        events = recording.fetch(swf.client(), "parcels", "workflow")
    assert replay(shipping(versions.decider), events) == []


def test_a_change_behind_a_guard_that_is_recorded_is_a_difference() -> None:
    """The guard excuses decisions that were made before it, and none that were made with it."""
    with LocalSWF() as swf:
        stage = Stage(swf, shipping(versions.decider)).start().work()
        events = recording.fetch(stage.client, "parcels", "workflow")
    [difference, *_] = replay(shipping(versions.before), events)
    assert any("RecordMarker" in line for line in difference.recorded)

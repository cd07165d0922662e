"""Recorded histories, and whether today's decider still fits them."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest

from garcon import activity, runner, task
from garcon import client as clients
from garcon.event import History
from garcon.local import LocalSWF, recording
from garcon.local.replay import differences, replay, turns
from tests.garcon.local.conformance import Account
from tests.garcon.local.conftest import client_of
from tests.garcon.local.test_runner import failing, flow

if TYPE_CHECKING:
    from pathlib import Path


@task.decorate(timeout=60)
def numbers() -> dict[str, list[int]]:
    """Three of them."""
    return {"numbers": [1, 2, 3]}


def recorded(made: Any, **given: Any) -> recording.Events:
    """The history of one run of a flow."""
    with LocalSWF() as swf:
        outcome = swf.run(made, given)
        return recording.fetch(swf.client(), "cafe", outcome.workflow_id)


def test_a_recorded_history_is_the_services(tmp_path: Path) -> None:
    """What was fetched, written and read again is the history as on the wire."""
    with LocalSWF() as swf:
        outcome = swf.run(flow(), {"beans": "b"})
        events = recording.fetch(swf.client(), "cafe", outcome.workflow_id)
        recording.write(events, tmp_path / "history.json")
        assert recording.read(tmp_path / "history.json") == outcome.history


def test_a_file_that_is_no_history_is_refused(tmp_path: Path) -> None:
    """A JSON file without events is named as such."""
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(ValueError, match="holds no history"):
        recording.read(tmp_path / "other.json")


@pytest.mark.parametrize(
    "text", ["", "[]", "null", '"events"', "[" * 1_000, '{"events": null}', '{"events": []}']
)
def test_whatever_is_no_history_is_refused_by_its_name(tmp_path: Path, text: str) -> None:
    """Empty, cut short, or another's: the error names the file."""
    (tmp_path / "other.json").write_text(text)
    with pytest.raises(ValueError, match=r"other\.json holds no history: "):
        recording.read(tmp_path / "other.json")


def test_an_execution_that_is_not_there_cannot_be_recorded() -> None:
    """Asking for an unknown execution is a LookupError with its name."""
    with LocalSWF() as swf:
        swf.run(flow(), {"beans": "b"})
        with pytest.raises(LookupError, match="no execution nothing"):
            recording.fetch(swf.client(), "cafe", "nothing")


def test_a_history_is_printed_for_a_file(
    local_swf_endpoint: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The command prints what `read` takes, from the endpoint of the environment."""
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
def test_a_history_that_is_not_there_is_told_in_a_sentence(
    local_swf_endpoint: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    argv: tuple[str, ...],
    words: str,
) -> None:
    """The command prints nothing, says on standard error what it did not find, and gives 1."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SWF", local_swf_endpoint)
    Account(client_of(local_swf_endpoint), "dom").register()
    assert recording.main(argv) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("garcon.local.recording: ")
    assert words in told.err
    assert told.err.count("\n") == 1


def test_unchanged_code_fits_its_history() -> None:
    """The code that made a history decides it again."""
    assert replay(flow(), recorded(flow(), beans="b")) == []


def test_retries_fit_their_history() -> None:
    """Failures and retries are decided again as they were."""
    assert replay(failing(0, retry=2), recorded(failing(2, retry=2))) == []


def test_another_order_of_activities_is_seen() -> None:
    """Where the code would schedule another activity, the decision task and both are told."""
    events = recorded(flow(), beans="b")
    changed = flow()
    changed.brew.requires = []
    (first, *_) = replay(changed, events)
    assert first.completed_id == 4
    assert first.recorded == ()
    assert "coffee_brew-1" in first.decided[0]


def test_another_input_is_seen() -> None:
    """Where the code would send an activity something else, it differs."""
    events = recorded(flow(), beans="b")
    scheduled = next(each for each in events if each["eventType"] == "ActivityTaskScheduled")
    attributes = scheduled["activityTaskScheduledEventAttributes"]
    attributes["input"] = attributes["input"].replace('"b"', '"c"')
    (difference,) = replay(flow(), events)
    assert '"c"' in difference.recorded[0]
    assert '"b"' in difference.decided[0]


def test_fewer_retries_are_seen() -> None:
    """Where the code would fail instead of trying again, it differs."""
    (difference,) = replay(failing(0, retry=1), recorded(failing(2, retry=2)))
    assert difference.recorded[0].startswith("ScheduleActivityTask ")
    assert difference.decided[0].startswith("FailWorkflowExecution ")


def test_each_decision_task_is_given_what_is_new_to_it() -> None:
    """A turn holds the events since the start of the one before, up to its own."""
    events = recorded(flow(), beans="b")
    seen = [
        (turn.poll["previousStartedEventId"], turn.poll["startedEventId"], turn.completed_id)
        for turn in turns(events)
    ]
    assert seen == [(0, 3, 4), (3, 9, 10), (9, 15, 16)]
    assert [each for turn in turns(events) for each in turn.poll["events"]] == events[:15]


def test_each_event_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many decision tasks follow it: a history costs what its length is."""
    events = recorded(flow(), beans="b")
    read: list[int] = []
    add = History.add

    def noting(self: History, event: Any) -> None:
        read.append(event["eventId"])
        add(self, event)

    monkeypatch.setattr(History, "add", noting)
    assert replay(flow(), events) == []
    assert read == list(range(1, 16))


def test_who_wants_the_first_difference_has_nothing_else_decided() -> None:
    """The decisions after it are not made."""
    events = recorded(flow(), beans="b")
    changed = flow()
    changed.decider = decider = Mock(side_effect=KeyError("sned"))
    assert next(differences(changed, events)).completed_id == 4
    assert decider.call_count == 2  # going on, and once more from the first event


def raising(_schedule: Any) -> None:
    """A decider with a mistake."""
    raise KeyError("sned")


def test_what_a_decider_raises_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """Of a decision that differs, with its traceback, under its execution, to the handler too."""
    events = recorded(flow(), beans="b")
    changed = flow(decider=raising, on_exception=Mock())
    caplog.clear()
    assert next(differences(changed, events)).completed_id == 4
    (told,) = caplog.records
    assert told.exc_info
    assert told.exc_info[0] is KeyError
    assert told.name.startswith("garcon.cafe.coffee")
    assert changed.on_exception.call_count == 1


def test_what_a_decider_raised_then_is_not_told_now(caplog: pytest.LogCaptureFixture) -> None:
    """An execution that failed by its decider, and would fail so again, fits without a word."""
    made = flow(decider=raising)
    events = recorded(made, beans="b")
    caplog.clear()
    assert replay(made, events) == []
    assert caplog.records == []


def test_a_flow_that_changes_a_result_is_no_difference(caplog: pytest.LogCaptureFixture) -> None:
    """What it did at the decision before is not held against the code, and nothing is said."""
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


def test_a_run_that_went_on_as_new_is_replayed_without_swf(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What it carries over is found in its own events; nobody is asked."""
    made = flow(continue_at=8)
    with LocalSWF() as swf:
        last = swf.run(made, {"beans": "b"}, workflow_id="w").history[0]
        before = last["workflowExecutionStartedEventAttributes"]["continuedExecutionRunId"]
        first = swf.history("w", before)
    monkeypatch.setattr(clients, "calling", pytest.fail)
    assert first[-1]["eventType"] == "WorkflowExecutionContinuedAsNew"
    assert replay(made, first) == []

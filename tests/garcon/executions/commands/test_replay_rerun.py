"""replay, rerun."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from garcon import runner, task
from tests.garcon.executions import shop

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.garcon.executions.commands.conftest import CommandLine


def test_replay_reports_that_the_decider_repeats_the_history(
    line: CommandLine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """From SWF or from a file; nothing is logged and ``on_exception`` is not called."""
    line.run("start", '{"beans": "stones"}', "--id", "order-17", "--wait", code=1)
    shop.exceptions.clear()
    caplog.clear()
    out, err = line.run("replay", "order-17")
    assert out == "No difference: the decider repeats all 3 decision tasks of the history.\n"
    assert (err, shop.exceptions, caplog.records) == ("", [], [])
    path = tmp_path / "order-17.json"
    path.write_text(line.run("history", "order-17")[0])
    assert line.json("replay", str(path)) == {"decisions": 3, "differences": []}


def drop_result_of(event: dict[str, Any]) -> None:
    """The activity's result is not a text."""
    event["activityTaskCompletedEventAttributes"]["result"] = 7


def drop_reference(event: dict[str, Any]) -> None:
    """The event does not say which activity has completed."""
    del event["activityTaskCompletedEventAttributes"]["scheduledEventId"]


def drop_attributes(event: dict[str, Any]) -> None:
    """The event has a type only."""
    del event["activityTaskCompletedEventAttributes"]


@pytest.mark.parametrize("spoil", [drop_result_of, drop_reference, drop_attributes])
def test_an_incomplete_event_is_named(
    line: CommandLine, tmp_path: Path, spoil: Callable[[dict[str, Any]], None]
) -> None:
    """A file that others wrote ends in a sentence with the event, never in a traceback."""
    line.run("start", '{"beans": "b"}', "--id", "order-17", "--wait")
    history = json.loads(line.run("history", "order-17")[0])
    (event, *_) = [e for e in history["events"] if e["eventType"] == "ActivityTaskCompleted"]
    spoil(event)
    path = tmp_path / "order-17.json"
    path.write_text(json.dumps(history))
    for words in (["replay"], ["show"], ["rerun", "--activity", "grind"]):
        _, err = line.run(*words, str(path), code=2)
        assert f"event {event['eventId']} (ActivityTaskCompleted)" in err
        assert "Traceback" not in err


def test_replay_shows_the_first_difference(
    line: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It shows what only the history has, what only the decider decides, and counts the others."""
    line.run("start", '{"beans": "b"}', "--id", "order-17", "--wait")
    monkeypatch.setattr(shop.brew, "requires", [])
    out, _ = line.run("replay", "order-17", code=1)
    first, *lines = out.splitlines()
    assert first == "The decider differs from the history at event 4 (DecisionTaskCompleted)."
    assert lines[:3] == ["Only in the history:", "  nothing", "Only decided now:"]
    assert "ScheduleActivityTask activityId=coffee_brew-1" in lines[3]
    assert max(map(len, lines)) <= 80
    (difference,) = line.json("replay", "order-17", code=1)["differences"]
    assert difference["completed_id"] == 4
    monkeypatch.undo()
    monkeypatch.setattr(shop, "version", "2.0", raising=False)
    out, _ = line.run("replay", "order-17", code=1)
    assert "event 4 (DecisionTaskCompleted); 1 more decision task differs." in out


def test_rerun_prints_the_result(line: CommandLine) -> None:
    """Nothing is added to the history at SWF."""
    line.run("start", '{"beans": "b"}', "--id", "order-17", "--wait")
    before = line.served.swf.history("order-17")
    out, err = line.run("rerun", "order-17", "--activity", "brew-1")
    assert json.loads(out) == {"cup": "brewed ground b"}
    assert err.startswith("Running coffee_brew-1, attempt 1, in this process; nothing is sent")
    assert line.served.swf.history("order-17") == before


def test_output_of_tasks_is_not_part_of_the_answer(
    line: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes to standard error, as heartbeats do."""

    @task.decorate(timeout=5)
    def noisy(activity: Any) -> dict[str, str]:
        sys.stdout.write("grinding away\n")
        activity.heartbeat("half done")
        return {"powder": "p"}

    line.run("start", '{"beans": "b"}', "--id", "order-17", "--wait")
    monkeypatch.setattr(shop.grind, "runner", runner.Sync(noisy.fill()))
    out, err = line.run("rerun", "order-17", "--activity", "grind")
    assert json.loads(out) == {"powder": "p"}
    assert "grinding away\n" in err
    assert "heartbeat: half done\n" in err


def test_rerun_prints_the_traceback(line: CommandLine) -> None:
    """The traceback is that of the attempt asked for; ``on_exception`` is not called."""
    line.run("start", '{"beans": "stones"}', "--id", "order-17", "--wait", code=1)
    shop.exceptions.clear()
    out, err = line.run("rerun", "order-17", "--activity", "grind", "--attempt", "1", code=1)
    assert out == "Failed: These are stones.\n"
    assert 'raise ValueError("These are stones.")' in err
    assert shop.exceptions == []
    answer = line.json("rerun", "order-17", "--activity", "grind", code=1)
    assert (answer["attempt"], answer["outcome"]) == (2, "failed")


def test_rerun_of_an_unknown_activity_is_exit_code_1(line: CommandLine) -> None:
    """The sentence lists the activities of the history."""
    line.run("start", '{"beans": "b"}', "--id", "order-17", "--wait")
    _, err = line.run("rerun", "order-17", "--activity", "roast", code=1)
    assert "No activity begins with 'roast'; there are: coffee_grind-1, coffee_brew-1." in err

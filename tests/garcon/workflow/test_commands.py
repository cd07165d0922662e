"""``python -m garcon``, within this process, against a local SWF in virtual time."""

from __future__ import annotations

import functools
import io
import json
import logging
import re
import sys
from typing import TYPE_CHECKING, Any

import pytest

from garcon import client as clients
from garcon import runner, task
from garcon.workflow import Client, commands, words
from garcon.workflow.commands import place
from tests.garcon.workflow import shop
from tests.garcon.workflow.desk import Desk, desk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FLOW = "tests.garcon.workflow.shop"


class Terminal:
    """Runs commands at a desk.

    Attributes:
        desk: Where.
    """

    def __init__(self, at: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        self.desk = at
        self._capsys = capsys

    def run(self, *words_: str, flow: str = FLOW, code: int = 0) -> tuple[str, str]:
        """One command; what it wrote to standard output and to standard error."""
        assert commands.main([words_[0], *(["--flow", flow] if flow else []), *words_[1:]]) == code
        told = self._capsys.readouterr()
        return told.out, told.err

    def json(self, *words_: str, code: int = 0) -> Any:
        """The object that a command answers with."""
        return json.loads(self.run(*words_, "--json", code=code)[0])


@pytest.fixture
def terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Terminal]:
    """Commands at the coffee shop, whose workers work while one waits."""
    shop.woken.clear()
    logger = logging.getLogger("garcon")
    monkeypatch.setattr(logger, "level", logger.level)
    with desk(shop) as made:
        clock = made.client._clock
        monkeypatch.setattr(place, "Client", functools.partial(Client, clock=clock))
        yield Terminal(made, capsys)


def test_start_prints_the_id(terminal: Terminal) -> None:
    """And starts what it was told to, tagged."""
    out, _ = terminal.run("start", '{"beans": "b"}', "--id", "order-17", "--tag", "vip")
    assert out == "order-17\n"
    assert terminal.desk.client.describe("order-17").summary.tags == ("vip",)


def test_start_can_wait_for_the_result(terminal: Terminal) -> None:
    """Progress goes to standard error, the result alone to standard output."""
    out, err = terminal.run("start", '{"beans": "b"}', "--id", "order-17", "--wait")
    assert json.loads(out)["cup"] == "brewed ground b"
    assert "grind-1 completed" in err
    assert "order-17 completed after" in err


def test_quiet_is_quiet(terminal: Terminal) -> None:
    """No progress."""
    assert terminal.run("start", '{"beans": "b"}', "--wait", "--quiet")[1] == ""


def test_an_input_comes_from_a_file_or_standard_input(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``@FILE`` and ``-``."""
    (tmp_path / "input.json").write_text('{"beans": "filed"}')
    assert "ground filed" in terminal.run("start", f"@{tmp_path}/input.json", "--wait")[0]
    monkeypatch.setattr(sys, "stdin", io.StringIO('{"beans": "piped"}'))
    assert "ground piped" in terminal.run("start", "-", "--wait")[0]


def test_result_answers_in_json(terminal: Terminal) -> None:
    """Which run it was, its status, result and context."""
    terminal.run("start", '{"beans": "b"}', "--id", "order-17")
    told = terminal.json("result", "order-17")
    assert (told["workflow_id"], told["status"], told["result"]) == ("order-17", "COMPLETED", None)
    assert told["context"]["cup"] == "brewed ground b"


def test_a_failed_execution_is_exit_code_1(terminal: Terminal) -> None:
    """With a sentence and the details, or all of it in JSON."""
    terminal.run("start", '{"beans": "stones"}', "--id", "order-17")
    out, err = terminal.run("result", "order-17", code=1)
    assert out == ""
    assert "garcon: order-17 failed: The activity failures has exceeded its retry limit." in err
    assert "coffee_grind-1: These are stones.; These are stones." in err
    told = terminal.json("result", "order-17", code=1)
    assert (told["status"], "stones" in told["details"]) == ("FAILED", True)


def test_an_execution_that_is_still_open_is_exit_code_3(terminal: Terminal) -> None:
    """After the time given."""
    terminal.desk.idle = True
    _, err = terminal.run("start", "--id", "order-17", "--wait", "60", code=3)
    assert "order-17 is still open after 60 s." in err
    terminal.run("result", "order-17", "--timeout", "5", code=3)


def test_what_is_not_there_is_exit_code_1(terminal: Terminal) -> None:
    """Whichever command asks for it."""
    for command in ("result", "cancel", "terminate", "show", "history", "replay"):
        _, err = terminal.run(command, "order-99", code=1)
        assert "order-99" in err
        assert err.startswith("garcon: ")
    assert terminal.json("result", "order-99", code=1)["error"] == "NotFound"


def test_signal_cancel_and_terminate_reach_the_execution(terminal: Terminal) -> None:
    """Each says what it has done."""
    terminal.run("start", "--id", "order-17")
    assert "hurry was sent" in terminal.run("signal", "order-17", "hurry", '{"m": 5}')[0]
    assert "asked to stop" in terminal.run("cancel", "order-17")[0]
    run_id = terminal.desk.client.find("order-17").run_id
    terminal.run("terminate", "order-17", "--run-id", run_id, "--reason", "closing time")
    assert "closing time" in terminal.run("result", "order-17", code=1)[1]
    kinds = [each["eventType"] for each in terminal.desk.swf.history("order-17")]
    assert kinds[2:] == [
        "WorkflowExecutionSignaled",
        "WorkflowExecutionCancelRequested",
        "WorkflowExecutionTerminated",
    ]


def test_list_is_a_table_or_json(terminal: Terminal) -> None:
    """Latest first, in 80 columns."""
    assert terminal.run("list")[0] == "There are no such executions.\n"
    terminal.run("start", '{"beans": "b"}', "--wait", "--id", "order-17", "--tag", "vip")
    terminal.run("start", "--id", "order-18")
    out, _ = terminal.run("list")
    head, later, earlier = out.splitlines()
    assert (later.split()[-2:], earlier.split()[-2:]) == (
        ["OPEN", "order-18"],
        ["COMPLETED", "order-17"],
    )
    assert max(map(words.cells, (head, later, earlier))) <= 80
    (told,) = terminal.json("list", "--status", "completed", "--tag", "vip")["executions"]
    assert told["execution"]["workflow_id"] == "order-17"
    assert told["started"].startswith("2023-11-14T22:13:20")


def test_a_domain_is_enough_to_look(terminal: Terminal) -> None:
    """Without a flow, all executions of the domain are listed, shown and ended."""
    terminal.run("start", "--id", "order-17")
    assert "order-17" in terminal.run("list", "--domain", "cafe", flow="")[0]
    assert "is open since" in terminal.run("show", "order-17", "--domain", "cafe", flow="")[0]
    terminal.run("terminate", "order-17", "--domain", "cafe", flow="")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["list"], "In which domain?"),
        (["start", "--domain", "cafe"], "start needs --flow"),
        (["list", "--flow", "no_such_module_here"], "no module 'no_such_module_here'"),
        (["start", "--flow", FLOW, "[1]"], "must be a dictionary"),
        (["start", "--flow", FLOW, '{"a":'], "The input is not JSON"),
        (["start", "--flow", FLOW, "@nowhere.json"], "nowhere.json cannot be read: No such file"),
        (["show", "--flow", FLOW, __file__], "is not JSON"),
        (["show", "order-17", "--flow", FLOW, "--svg", "/nowhere/a.svg"], "cannot be written"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    terminal: Terminal, given: list[str], sentence: str
) -> None:
    """It says what to do; there is no traceback."""
    terminal.run("start", "--id", "order-17")
    out, err = terminal.run(*given, flow="", code=2)
    assert sentence in err
    assert (out, err.count("\n")) == ("", 1)


def test_a_flow_whose_code_fails_shows_its_own_traceback(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a sentence; also if it wants to end the program."""
    monkeypatch.syspath_prepend(tmp_path)
    for number, code in enumerate(("raise ValueError('mine')", "raise SystemExit(0)")):
        (tmp_path / f"broken_{number}.py").write_text(code)
        _, err = terminal.run("list", flow=f"broken_{number}", code=2)
        assert code in err
        assert f"The flow broken_{number} cannot be loaded" in err


def test_show_draws_in_80_columns_and_as_a_picture(terminal: Terminal, tmp_path: Path) -> None:
    """From SWF or from a file, the same."""
    terminal.run("start", '{"beans": "b"}', "--id", "order-17", "--wait")
    path, image = tmp_path / "order-17.json", tmp_path / "order-17.svg"
    path.write_text(terminal.run("history", "order-17")[0])
    drawn, _ = terminal.run("show", "order-17", "--svg", str(image))
    assert drawn.startswith("order-17 completed after")
    assert max(map(words.cells, drawn.splitlines())) <= 80
    assert terminal.run("show", str(path), flow="")[0] == drawn
    assert image.read_text().startswith("<svg ")
    told = terminal.json("show", "order-17")
    assert told["timeline"]["rows"][1]["label"] == "coffee_grind-1"


def test_show_on_a_terminal_has_colours(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The words are the same; elsewhere there are no codes."""

    class Tty(io.StringIO):
        encoding = "utf-8"

        def isatty(self) -> bool:
            return True

    terminal.run("start", '{"beans": "b"}', "--id", "order-17", "--wait")
    told, _ = terminal.run("show", "order-17")
    assert "\x1b" not in told
    for name, value in (("TERM", "xterm-256color"), ("COLUMNS", "80")):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)
    tty = Tty()
    monkeypatch.setattr(sys, "stdout", tty)
    assert commands.main(["show", "order-17", "--flow", FLOW]) == 0
    coloured = tty.getvalue()
    assert "\x1b[32m" in coloured
    plain = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert [each.rstrip() for each in plain.splitlines()] == told.splitlines()


def test_an_open_execution_is_shown_until_now(terminal: Terminal, tmp_path: Path) -> None:
    """SWF's lasts on; what a file holds has stopped with its last event."""
    terminal.run("start", "--id", "order-17")
    assert re.search(r"open since \d+ d", terminal.run("show", "order-17")[0])
    path = tmp_path / "order-17.json"
    path.write_text(terminal.run("history", "order-17")[0])
    assert "open since 0.00 s" in terminal.run("show", str(path))[0]


def test_replay_says_that_the_code_fits(
    terminal: Terminal, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """From SWF or from a file, quietly, and without waking anybody."""
    terminal.run("start", '{"beans": "stones"}', "--id", "order-17", "--wait", code=1)
    shop.woken.clear()
    caplog.clear()
    out, err = terminal.run("replay", "order-17")
    assert out == "Today's decider decides as the history shows, 3 decisions.\n"
    assert (err, shop.woken, caplog.records) == ("", [], [])
    path = tmp_path / "order-17.json"
    path.write_text(terminal.run("history", "order-17")[0])
    assert terminal.json("replay", str(path)) == {"decisions": 3, "differences": []}


def drop_result_of(event: dict[str, Any]) -> None:
    """The activity's result is no text."""
    event["activityTaskCompletedEventAttributes"]["result"] = 7


def drop_reference(event: dict[str, Any]) -> None:
    """It does not say which activity has completed."""
    del event["activityTaskCompletedEventAttributes"]["scheduledEventId"]


def drop_attributes(event: dict[str, Any]) -> None:
    """It says nothing."""
    del event["activityTaskCompletedEventAttributes"]


@pytest.mark.parametrize("spoil", [drop_result_of, drop_reference, drop_attributes])
def test_replay_names_an_event_that_is_not_whole(
    terminal: Terminal, tmp_path: Path, spoil: Callable[[dict[str, Any]], None]
) -> None:
    """A file written by others ends in a sentence with the event and what it lacks."""
    terminal.run("start", '{"beans": "b"}', "--id", "order-17", "--wait")
    told = json.loads(terminal.run("history", "order-17")[0])
    (event, *_) = [e for e in told["events"] if e["eventType"] == "ActivityTaskCompleted"]
    spoil(event)
    path = tmp_path / "order-17.json"
    path.write_text(json.dumps(told))
    _, err = terminal.run("replay", str(path), code=2)
    assert f"event {event['eventId']} (ActivityTaskCompleted)" in err
    assert "Traceback" not in err


def test_replay_shows_the_first_decision_that_differs(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the history shows, what the code decides, and how many more there are."""
    terminal.run("start", '{"beans": "b"}', "--id", "order-17", "--wait")
    monkeypatch.setattr(shop.brew, "requires", [])
    out, _ = terminal.run("replay", "order-17", code=1)
    first, *lines = out.splitlines()
    assert first == "Today's decider differs at event 4 (DecisionTaskCompleted)."
    assert lines[:2] == ["The history shows, and the code does not decide:", "  nothing"]
    assert "ScheduleActivityTask activityId=coffee_brew-1" in lines[3]
    assert max(map(len, lines)) <= 80
    (difference,) = terminal.json("replay", "order-17", code=1)["differences"]
    assert difference["completed_id"] == 4
    monkeypatch.setattr(shop.grind, "version", "2.0")
    assert "event 4 (DecisionTaskCompleted)." in terminal.run("replay", "order-17", code=1)[0]
    monkeypatch.undo()
    for each in (shop.grind, shop.brew):
        monkeypatch.setattr(each, "version", "2.0")
    assert "; 1 more differ." in terminal.run("replay", "order-17", code=1)[0]


def test_rerun_prints_the_result(terminal: Terminal) -> None:
    """And SWF hears nothing."""
    terminal.run("start", '{"beans": "b"}', "--id", "order-17", "--wait")
    before = terminal.desk.swf.history("order-17")
    out, err = terminal.run("rerun", "order-17", "--activity", "brew-1")
    assert json.loads(out) == {"cup": "brewed ground b"}
    assert err.startswith("coffee_brew-1, try 1, here; SWF is not told.")
    assert terminal.desk.swf.history("order-17") == before


def test_what_tasks_print_is_no_answer(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes to standard error, with the heartbeats."""

    @task.decorate(timeout=5)
    def noisy(activity: Any) -> dict[str, str]:
        sys.stdout.write("grinding away\n")
        activity.heartbeat("half done")
        return {"powder": "p"}

    terminal.run("start", '{"beans": "b"}', "--id", "order-17", "--wait")
    monkeypatch.setattr(shop.grind, "runner", runner.Sync(noisy.fill()))
    out, err = terminal.run("rerun", "order-17", "--activity", "grind")
    assert json.loads(out) == {"powder": "p"}
    assert "grinding away\n" in err
    assert "heartbeat: half done\n" in err


def test_rerun_prints_the_traceback(terminal: Terminal) -> None:
    """Of the try that is meant; nobody is woken."""
    terminal.run("start", '{"beans": "stones"}', "--id", "order-17", "--wait", code=1)
    shop.woken.clear()
    out, err = terminal.run("rerun", "order-17", "--activity", "grind", "--attempt", "1", code=1)
    assert out == "Failed: These are stones.\n"
    assert 'raise ValueError("These are stones.")' in err
    assert shop.woken == []
    told = terminal.json("rerun", "order-17", "--activity", "grind", code=1)
    assert (told["attempt"], told["outcome"]) == (2, "failed")


def test_rerun_of_what_is_not_there_is_exit_code_1(terminal: Terminal) -> None:
    """The sentence has the activities that are there."""
    terminal.run("start", '{"beans": "b"}', "--id", "order-17", "--wait")
    _, err = terminal.run("rerun", "order-17", "--activity", "roast", code=1)
    assert "No activity begins with 'roast'; there are: coffee_grind-1, coffee_brew-1." in err


def test_what_a_client_cannot_be_made_of_is_a_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong address, an unknown profile."""
    monkeypatch.setattr(clients, "_state", clients._state)
    for wrong in (["--endpoint-url", "nonsense"], ["--profile", "nobody-at-all"]):
        assert commands.main(["list", "--domain", "d", "--region", "us-east-1", *wrong]) == 1
        err = capsys.readouterr().err
        assert err.startswith("garcon: ")
        assert err.count("\n") == 1


def test_options_for_all_commands_come_from_the_environment(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``GARCON_FLOW`` stands for ``--flow``."""
    monkeypatch.setenv("GARCON_FLOW", FLOW)
    assert terminal.run("start", "--id", "order-17", flow="")[0] == "order-17\n"


def test_help_fits_80_columns_and_tells_the_exit_codes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of every command."""
    monkeypatch.setenv("COLUMNS", "80")
    pages = [[], *([each] for each in ("start", "result", "list", "show", "replay", "rerun"))]
    for page in pages:
        with pytest.raises(SystemExit):
            commands.main([*page, "--help"])
        out = capsys.readouterr().out
        assert max(map(len, out.splitlines())) <= 80
        assert page or "exit codes:" in out

"""start, result, signal, cancel, terminate."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.garcon.executions.commands.conftest import CommandLine


def test_start_prints_the_id(line: CommandLine) -> None:
    """It starts the execution under the id and the tags given."""
    out, _ = line.run("start", '{"beans": "b"}', "--id", "order-17", "--tag", "vip")
    assert out == "order-17\n"
    assert line.served.client.describe("order-17").summary.tags == ("vip",)


def test_start_can_wait_for_the_result(line: CommandLine) -> None:
    """Progress goes to standard error, the result alone to standard output."""
    out, err = line.run("start", '{"beans": "b"}', "--id", "order-17", "--wait")
    assert json.loads(out)["cup"] == "brewed ground b"
    assert "grind-1 completed" in err
    assert "order-17 completed after" in err


def test_quiet_prints_no_progress(line: CommandLine) -> None:
    """Standard error stays empty."""
    assert line.run("start", '{"beans": "b"}', "--wait", "--quiet")[1] == ""


def test_an_input_comes_from_a_file_or_standard_input(
    line: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``@FILE`` and ``-`` stand for JSON elsewhere."""
    (tmp_path / "input.json").write_text('{"beans": "filed"}')
    assert "ground filed" in line.run("start", f"@{tmp_path}/input.json", "--wait")[0]
    monkeypatch.setattr(sys, "stdin", io.StringIO('{"beans": "piped"}'))
    assert "ground piped" in line.run("start", "-", "--wait")[0]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[]", "is not an object but a list"),
        ("[1]", "is not an object but a list"),
        ("0", "is not an object but a number"),
        ("null", "is not an object but null"),
        ('""', "is not an object but a text"),
        ("false", "is not an object but a boolean"),
        ("", "the value is empty"),
        ('{"a":', "The input is not JSON"),
        ('{"a": NaN}', "cannot be sent as JSON (key 'a')"),
        ("[" * 100_000, "The input is not JSON"),
        ("@", "The input file '' cannot be read"),
        ("@nowhere.json", "garcon: The input file 'nowhere.json' cannot be read: No such file"),
        (f"@{sys.executable}", "is not UTF-8 text."),
    ],
)
def test_an_input_that_is_not_an_object_is_refused(
    line: CommandLine, text: str, sentence: str
) -> None:
    """Nothing starts, in particular not with an empty input in its place."""
    flow = "tests.garcon.executions.shop"
    assert sentence in line.refused("start", "--flow", flow, text)
    assert line.served.client.list() == ()


def test_result_answers_in_json(line: CommandLine) -> None:
    """The object has the run, its status, its result and its context."""
    line.run("start", '{"beans": "b"}', "--id", "order-17")
    answer = line.json("result", "order-17")
    assert (answer["workflow_id"], answer["status"], answer["result"]) == (
        "order-17",
        "COMPLETED",
        None,
    )
    assert answer["context"]["cup"] == "brewed ground b"


def test_a_failed_execution_is_exit_code_1(line: CommandLine) -> None:
    """A sentence and the details go to standard error, or with ``--json`` into the answer."""
    line.run("start", '{"beans": "stones"}', "--id", "order-17")
    out, err = line.run("result", "order-17", code=1)
    assert out == ""
    assert "garcon: order-17 failed: The activity failures has exceeded its retry limit." in err
    assert "coffee_grind-1: These are stones.; These are stones." in err
    answer = line.json("result", "order-17", code=1)
    assert (answer["status"], "stones" in answer["details"]) == ("FAILED", True)


def test_an_execution_that_is_still_open_is_exit_code_3(line: CommandLine) -> None:
    """The command waits for the time given and says so."""
    line.served.idle = True
    _, err = line.run("start", "--id", "order-17", "--wait", "60", code=3)
    assert "order-17 is still open after 60 s." in err
    line.run("result", "order-17", "--timeout", "5", code=3)


def test_an_unknown_execution_is_exit_code_1(line: CommandLine) -> None:
    """Every command names it in one sentence."""
    for command in ("result", "cancel", "terminate", "show", "history", "replay"):
        _, err = line.run(command, "order-99", code=1)
        assert "order-99" in err
        assert err.startswith("garcon: ")
    assert line.json("result", "order-99", code=1)["error"] == "NotFound"


def test_signal_cancel_and_terminate_reach_the_execution(line: CommandLine) -> None:
    """Each reports what it did, and SWF has it in the history."""
    line.run("start", "--id", "order-17")
    out, _ = line.run("signal", "order-17", "hurry", '{"m": 5}')
    assert out == "Sent the signal hurry to order-17.\n"
    out, _ = line.run("cancel", "order-17")
    assert out == "Asked order-17 to cancel; its decider decides.\n"
    run_id = line.served.client.find("order-17").run_id
    line.run("terminate", "order-17", "--run-id", run_id, "--reason", "closing time")
    assert "closing time" in line.run("result", "order-17", code=1)[1]
    kinds = [each["eventType"] for each in line.served.swf.history("order-17")]
    assert kinds[2:] == [
        "WorkflowExecutionSignaled",
        "WorkflowExecutionCancelRequested",
        "WorkflowExecutionTerminated",
    ]


def test_control_characters_never_reach_the_terminal(line: CommandLine) -> None:
    """A reason cannot forge a line or give the terminal orders; JSON keeps it, escaped."""
    reason = "red\x1b[31m\ngarcon: forged\x9b2J\u202e"
    line.run("start", "--id", "order-17")
    line.served.client.terminate("order-17", reason, details=f"one\ntwo{reason}")
    _, err = line.run("result", "order-17", code=1)
    first, *_ = [each for each in err.splitlines() if each.startswith("garcon: ")]
    assert "order-17 was terminated: red\ufffd[31m garcon: forged" in first
    assert "one\ntwo" in err
    out, _ = line.run("result", "order-17", "--json", code=1)
    assert json.loads(out)["reason"] == reason
    assert not {"\x1b", "\x9b", "\u202e"} & {*err, *out}


def test_redrive_goes_on_in_a_new_run(line: CommandLine) -> None:
    """The answer names both runs; asked again, it is the same."""
    line.run("start", '{"beans": "stones"}', "--id", "order-17", "--wait", code=1)
    (before,) = line.json("list")["executions"]
    out, _ = line.run("redrive", "order-17", "--input", '{"beans": "b"}')
    assert out.startswith("order-17 goes on in a new run; 0 results are kept.\nRun: ")
    again = line.json("redrive", "order-17")
    assert again["redrive_of"] == before["execution"]["run_id"]
    assert (again["is_new"], again["kept"]) == (False, 0)
    assert "order-17 (redrive)" in line.run("list")[0]
    assert f"A redrive of the run {again['redrive_of']}." in line.run("show", "order-17")[0]
    assert line.json("show", "order-17")["redrive_of"] == [again["redrive_of"]]
    assert json.loads(line.run("result", "order-17", "--quiet")[0])["cup"] == "brewed ground b"
    line.run("redrive", "order-17", code=1)
    _, err = line.run("redrive", "order-17", "--input", "[]", code=2)
    assert "The input is not an object" in err


def test_a_start_and_a_signal_say_what_to_do_with_what_is_open(line: CommandLine) -> None:
    """The options of the client."""
    line.run("start", "--id", "order-17")
    line.run("start", "--id", "order-17", code=1)
    assert line.run("start", "--id", "order-17", "--if-open", "use")[0] == "order-17\n"
    assert line.run("count")[0] == "1\n"
    line.run("start", "--id", "order-17", "--if-open", "terminate")
    assert line.run("count")[0] == "2\n"
    line.run("signal", "order-18", "go", "--or-start", '{"beans": "b"}')
    kinds = [each["eventType"] for each in line.served.swf.history("order-18")]
    assert kinds.count("WorkflowExecutionSignaled") == 1
    _, err = line.run("signal", "order-18", "go", "--or-start", "[]", code=2)
    assert "The input of the workflow is not an object" in err

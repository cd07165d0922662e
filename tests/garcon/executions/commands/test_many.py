"""Commands with --where: counted first, done with --yes, gone on with after an interruption."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from garcon.executions import batch
from tests.garcon.executions.commands.conftest import FLOW, CommandLine

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the reports."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "garcon"


def start(line: CommandLine, number: int) -> None:
    """Start executions that nothing works on."""
    line.served.idle = True
    for each in range(number):
        line.run("start", "--id", f"order-{each}", "--tag", "vip" if each % 2 else "new")


def test_nothing_is_done_without_yes(line: CommandLine, state: Path) -> None:
    """The number and the first executions are shown; no report is left."""
    start(line, 23)
    out, _ = line.run("terminate", "--where", "id=order")
    assert "... and 13 more\n23 executions would be terminated; nothing is done yet." in out
    found = line.json("terminate", "--where", "tag=vip")
    assert (found["dry_run"], found["count"], len(found["executions"])) == (True, 11, 11)
    assert line.run("count", "--status", "open")[0] == "23\n"
    assert [*state.iterdir()] == []
    assert line.run("cancel", "--where", "id=tea")[0] == "No executions match.\n"


def test_each_act_is_done_to_all_and_reported(line: CommandLine, state: Path) -> None:
    """Signal, cancel, terminate, redrive: the number, and a line of JSON for each."""
    start(line, 4)
    out, _ = line.run("signal", "--where", "tag=vip", "go", '{"n": 1}', "--yes")
    assert out.startswith(f"2 executions: 2 signalled. Report: {state}/signal-")
    found = line.json("cancel", "--where", "id=order-1", "--yes")
    (only,) = found["executions"]
    assert (found["done"], only["workflow_id"], only["text"]) == (1, "order-1", "asked to cancel")
    assert line.run("cancel", "--where", "id=order-1", "--yes")[0] == "No executions match.\n"
    assert "4 executions: 4 terminated." in line.run("terminate", "--where", "id=o", "--yes")[0]
    out, _ = line.run("redrive", "--where", "status=closed", "--yes", "--input", '{"beans": "b"}')
    assert "4 executions: 4 redriven." in out
    assert line.run("count", "--status", "open")[0] == "4\n"
    signals = line.served.swf.history("order-1", only["run_id"])
    assert [each["eventType"] for each in signals].count("WorkflowExecutionSignaled") == 1


def test_an_interrupted_batch_goes_on(
    line: CommandLine, monkeypatch: pytest.MonkeyPatch, state: Path
) -> None:
    """The same command acts on the rest of the executions that it chose at first."""
    start(line, 5)
    words = ("signal", "--where", "status=open", "go", "--yes")
    original = batch.Pace.wait
    waits = iter([None, None, None])

    def interrupted(pace: batch.Pace, calls: int = 1) -> None:
        if next(waits, "end") == "end":
            raise KeyboardInterrupt
        original(pace, calls)

    with monkeypatch.context() as patch:
        patch.setattr(batch.Pace, "wait", interrupted)
        line.run(*words, code=130)
    line.run("start", "--id", "order-late")
    out, _ = line.run(*words[:-1])
    assert "This batch is unfinished: 2 of 5 executions are left." in out
    out, err = line.run(*words)
    assert "garcon: goes on; 3 of 5 are done." in err
    assert out.startswith("5 executions: 5 signalled.")
    for each in range(5):
        kinds = [event["eventType"] for event in line.served.swf.history(f"order-{each}")]
        assert kinds.count("WorkflowExecutionSignaled") == 1
    assert line.run(*words)[0].startswith("6 executions: 6 signalled.")


def test_a_report_has_a_place_of_its_own(line: CommandLine, tmp_path: Path) -> None:
    """It is JSON, a line each; another unfinished batch is not overwritten."""
    start(line, 2)
    path = tmp_path / "report.jsonl"
    line.run("terminate", "--where", "id=order-0", "--report", str(path), "--yes")
    head, *_, outcome, finished = map(json.loads, path.read_text().splitlines())
    assert head["batch"]["where"] == ["id=order-0"]
    assert (outcome["outcome"], finished) == ("done", {"finished": True})
    path.write_text("\n".join(path.read_text().splitlines()[:1]) + "\n")
    words = ["terminate", "--where", "id=order-1", "--report", str(path), "--yes", "--flow", FLOW]
    assert "is the report of another batch that is unfinished" in line.refused(*words, code=1)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["cancel"], "cancel needs a WORKFLOW_ID, or --where KEY=VALUE for many"),
        (["cancel", "o", "--where", "id=o"], "cancel takes one execution or --where, not both"),
        (["signal", "o"], "signal needs the name of the SIGNAL"),
        (["signal", "--where", "id=o"], "signal needs the name of the SIGNAL"),
        (["signal", "o", "n", "1", "--where", "id=o"], "one execution or --where, not both: '1'"),
        (["terminate", "--where", "colour=red"], "'colour=red' is not a criterion"),
        (["terminate", "--where", "status=failed"], "terminate is for open executions, not those"),
    ],
)
def test_one_or_many_has_to_be_clear(line: CommandLine, words: list[str], sentence: str) -> None:
    """A command that could mean either does nothing."""
    assert sentence in line.refused(*words, "--flow", FLOW)

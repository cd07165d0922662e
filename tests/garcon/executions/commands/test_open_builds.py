"""``builds``: which builds have open executions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from garcon import client as clients
from garcon.history.build_notes import BuildNote

if TYPE_CHECKING:
    from pathlib import Path

    from tests.garcon.executions.commands.conftest import CommandLine


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def begin(line: CommandLine, workflow_id: str, note: BuildNote | None, host: str = "h1") -> None:
    """Start an execution whose first decision, if there is a note, leaves it."""
    line.run("start", "--id", workflow_id)
    swf: Any = clients.calling()
    if note:
        request = {"domain": "cafe", "taskList": {"name": "coffee"}}
        task = swf.poll_for_decision_task(**request, identity=f"{host}:1:decider:{note.build}")
        swf.respond_decision_task_completed(
            taskToken=task["taskToken"], decisions=[], executionContext=str(note)
        )


def test_without_open_executions_there_is_nothing_to_list(line: CommandLine) -> None:
    """A sentence says so."""
    assert line.run("builds")[0] == "No execution is open.\n"


def test_each_build_is_a_line(line: CommandLine) -> None:
    """Number, stuck ones, the oldest, and the host that decided last."""
    begin(line, "order-1", BuildNote("a1"), "h1")
    begin(line, "order-2", BuildNote("a1"), "h2")
    begin(line, "order-3", BuildNote("b2", returned=True, waits=2, misfits=("a1",)))
    line.run("start", "--id", "order-4")
    head, *rows, last = line.run("builds")[0].splitlines()
    assert head.split()[:3] == ["BUILD", "OPEN", "STUCK"]
    assert [row.split()[:2] for row in rows] == [["a1", "2"], ["(unknown)", "1"], ["b2", "1"]]
    assert rows[0].endswith("h2")
    assert rows[2].split()[2] == "1"
    assert last == "4 open executions, 4 of them read now."
    found = line.json("builds")
    assert (found["open"], found["read"], found["unread"]) == (4, 4, 0)
    assert [each["stuck"] for each in found["builds"]] == [0, 0, 1]


def test_a_run_reads_so_many_and_remembers_them(line: CommandLine, cache: Path) -> None:
    """The next run reads others, and the file is a cache: without it all is read again."""
    for number in range(3):
        begin(line, f"order-{number}", BuildNote("a1"))
    assert line.json("builds", "--calls", "2")["unread"] == 1
    answer = line.run("builds", "--calls", "2")[0]
    assert "a1     3" in answer
    assert "never" not in answer
    (path,) = (cache / "garcon").iterdir()
    path.write_text("half of a")
    assert line.json("builds", "--calls", "2")["unread"] == 1


def test_a_cache_that_cannot_be_written_costs_the_memory_alone(
    line: CommandLine, cache: Path
) -> None:
    """The answer is complete all the same."""
    (cache / "garcon").write_text("a file in its place")
    begin(line, "order-1", BuildNote("a1"))
    out, error = line.run("builds")
    assert "a1" in out
    assert "is not remembered" in error


def test_show_names_the_build(line: CommandLine) -> None:
    """With host and time."""
    begin(line, "order-1", BuildNote("a1"), "h7")
    assert "Decided last by build a1 on h7 at 2023-11-14" in line.run("show", "order-1")[0]
    assert line.json("show", "order-1")["last_decision"]["build"] == "a1"


def test_a_list_names_the_builds_if_it_is_asked_to(line: CommandLine) -> None:
    """In a column that costs a call each; without it no history is read."""
    begin(line, "order-1", BuildNote("a1"))
    begin(line, "order-2", None)
    head, *rows = line.run("list", "--columns", "id,build")[0].splitlines()
    assert head.split() == ["WORKFLOW", "ID", "BUILD"]
    assert [row.split() for row in rows] == [["order-2"], ["order-1", "a1"]]
    found = line.json("list", "--columns", "build")["executions"]
    assert [each["build"] for each in found] == ["", "a1"]
    assert "build" not in line.json("list")["executions"][0]

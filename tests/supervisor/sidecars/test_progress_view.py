"""Progress is shown line by line or as a table, and fits the terminal."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rich.console import Console

from garcon.executions import Execution
from garcon.executions.progress import Progress
from garcon.executions.waiting import NewEvents
from supervisor.ipc.messages import ListState, Role, TaskList
from supervisor.sidecars import progress_view
from tests.garcon.executions.scenarios import Scenario
from tests.supervisor.sidecars.vt100 import Screen

if TYPE_CHECKING:
    import pytest

LISTS = (
    ListState(TaskList("shop", Role.DECIDER, "decider"), desired=1, ready=1, working=0),
    ListState(TaskList("shop_make", Role.ACTIVITY, "make"), desired=8, ready=7, working=2),
)


def failed_twice() -> Scenario:
    """An activity fails and then times out, and the execution fails."""
    scenario = Scenario()
    first = scenario.after(1).scheduled("shop_make")
    scenario.started(first)
    scenario.after(1).ended("Failed", first, reason="no beans")
    second = scenario.scheduled("shop_make")
    scenario.after(1).ended("TimedOut", second, timeoutType="SCHEDULE_TO_START")
    scenario.add("WorkflowExecutionFailed", reason="gave up")
    return scenario


def test_without_a_terminal_every_line_is_plain(capsys: pytest.CaptureFixture[str]) -> None:
    """Where standard output is not a terminal, lines are printed as they are, and no table."""
    shown = progress_view.make("shop on SWF", executions=40)
    shown.line("order-1  started")
    shown.picture([Progress(Execution("order-1", "run"))], LISTS)
    shown.close("1 of 1 executions completed")
    assert capsys.readouterr().out == "order-1  started\n1 of 1 executions completed\n"


def test_the_table_shows_workers_and_activities_by_state() -> None:
    """A row has the workers of a task list, busy and ready of desired, and activities by state."""
    execution = Progress()
    execution.read(NewEvents(Execution("order-1", "run"), failed_twice().events))
    console = Console(file=io.StringIO(), width=80)
    console.print(progress_view._table("shop on SWF", [execution], LISTS))
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    heading = next(line for line in text.splitlines() if "task list" in line)
    row = next(line for line in text.splitlines() if "make" in line)
    headings = "task list, workers, waiting, running, done, failed, timed out"
    assert heading.split() == headings.replace(",", "").split()
    assert row.split() == ["make", "2", "busy,", "7/8", "1", "1"]
    assert "executions: 1 failed" in text
    assert max(len(line) for line in text.splitlines()) <= 80


def test_lines_lose_what_looks_like_a_secret(capsys: pytest.CaptureFixture[str]) -> None:
    """A result may hold one, and so may the reason of a failure."""
    progress_view.PlainView().line("last result: password=geheim")
    assert capsys.readouterr().out == "last result: password=[redacted]\n"


def terminal(monkeypatch: pytest.MonkeyPatch, term: str = "xterm") -> None:
    """Standard output is a terminal of this kind."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    for name, value in {"TERM": term, "COLUMNS": "80", "LINES": "24"}.items():
        monkeypatch.setenv(name, value)


def show(executions: int = 1) -> None:
    """Three pictures with a line after each, and the end."""
    shown = progress_view.make("shop on SWF", executions)
    for number in range(3):
        shown.picture([Progress(Execution("order-1", "run"))], LISTS)
        shown.line(f"line {number} {'x' * 200}")
    shown.close("1 of 1 executions completed")


def test_a_terminal_without_escape_sequences_gets_the_table_once(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """At the end, below whole lines."""
    terminal(monkeypatch, "dumb")
    show()
    out = capfd.readouterr().out
    assert out.count("task list") == 1
    assert f"line 0 {'x' * 200}\nline 1" in out, "whole lines, and nothing between them"
    assert out.endswith("1 of 1 executions completed\n")
    assert "\x1b[" not in out


def test_a_terminal_has_a_live_table_below_whole_lines(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The last table stays, with the last line below it."""
    terminal(monkeypatch)
    show()
    screen = Screen(24, 80)
    screen.feed(capfd.readouterr().out)
    text = screen.text()
    lines = [f"line {number} {'x' * 200}" for number in range(3)]
    assert [text.count(line) for line in lines] == [1, 1, 1]
    assert text.count("task list") == 1
    assert text.rstrip().endswith("1 of 1 executions completed")
    assert screen.region == (0, 23)


def test_many_executions_have_the_table_alone(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Their lines are not followed; the last line is shown."""
    terminal(monkeypatch)
    show(executions=40)
    out = capfd.readouterr().out
    assert "line 1" not in out
    assert out.endswith("1 of 1 executions completed\n")

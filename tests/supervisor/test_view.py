"""What people see while they wait, and that it fits their terminal."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rich.console import Console

from supervisor.attendants import view
from supervisor.attendants.progress import Execution
from supervisor.messages import ListState, Role, TaskList
from tests.supervisor.test_progress import HISTORY

if TYPE_CHECKING:
    import pytest

LISTS = (
    ListState(TaskList("shop", Role.DECIDER, "decider"), wanted=1, ready=1, working=0),
    ListState(TaskList("shop_make", Role.ACTIVITY, "make"), wanted=8, ready=7, working=2),
)


def test_without_a_terminal_every_line_is_plain(capsys: pytest.CaptureFixture[str]) -> None:
    """Where standard output is no terminal, lines come as they are and pictures not at all."""
    shown = view.make("shop on SWF", executions=40)
    shown.line("order-1  started")
    shown.picture([Execution("order-1", "run")], LISTS)
    shown.close("1 of 1 executions completed")
    assert capsys.readouterr().out == "order-1  started\n1 of 1 executions completed\n"


def test_the_table_shows_workers_and_activities_by_state() -> None:
    """A row a task list: how many workers of how many, how busy, and the activities by state."""
    execution = Execution("order-1", "run")
    execution.read(HISTORY)
    console = Console(file=io.StringIO(), width=80)
    console.print(view._table("shop on SWF", [execution], LISTS))
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    heading = next(line for line in text.splitlines() if "task list" in line)
    row = next(line for line in text.splitlines() if "make" in line)
    headings = "task list, workers, waiting, running, done, failed, timed out"
    assert heading.split() == headings.replace(",", "").split()
    assert row.split() == ["make", "2", "busy,", "7/8", "1", "1"]
    assert "executions: 1 failed" in text
    assert max(len(line) for line in text.splitlines()) <= 80

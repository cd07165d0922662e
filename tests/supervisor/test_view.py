"""What people see while they wait, and that it fits their terminal."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rich.console import Console

from garcon.workflow import Execution
from garcon.workflow.looking import News
from garcon.workflow.progress import Progress
from supervisor.attendants import view
from supervisor.messages import ListState, Role, TaskList
from tests.garcon.workflow.stories import Story

if TYPE_CHECKING:
    import pytest

LISTS = (
    ListState(TaskList("shop", Role.DECIDER, "decider"), wanted=1, ready=1, working=0),
    ListState(TaskList("shop_make", Role.ACTIVITY, "make"), wanted=8, ready=7, working=2),
)


def tried_twice() -> Story:
    """An activity fails and then times out, and the execution fails."""
    story = Story()
    first = story.after(1).scheduled("shop_make")
    story.begun(first)
    story.after(1).ended("Failed", first, reason="no beans")
    second = story.scheduled("shop_make")
    story.after(1).ended("TimedOut", second, timeoutType="SCHEDULE_TO_START")
    story.add("WorkflowExecutionFailed", reason="gave up")
    return story


def test_without_a_terminal_every_line_is_plain(capsys: pytest.CaptureFixture[str]) -> None:
    """Where standard output is no terminal, lines come as they are and pictures not at all."""
    shown = view.make("shop on SWF", executions=40)
    shown.line("order-1  started")
    shown.picture([Progress(Execution("order-1", "run"))], LISTS)
    shown.close("1 of 1 executions completed")
    assert capsys.readouterr().out == "order-1  started\n1 of 1 executions completed\n"


def test_the_table_shows_workers_and_activities_by_state() -> None:
    """A row a task list: how many workers of how many, how busy, and the activities by state."""
    execution = Progress()
    execution.read(News(Execution("order-1", "run"), tried_twice().events))
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

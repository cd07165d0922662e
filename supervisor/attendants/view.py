"""Shows people what happens while they wait: lines, and on a terminal a live table below them."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Protocol

from supervisor.attendants.progress import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.table import Table

    from supervisor.attendants.progress import Execution
    from supervisor.messages import ListState


class View(Protocol):
    """Where progress is shown."""

    def line(self, text: str) -> None:
        """Something happened."""

    def picture(self, executions: Sequence[Execution], lists: Iterable[ListState]) -> None:
        """How everything stands now."""

    def close(self) -> None:
        """Nothing more will come."""


def make(title: str) -> View:
    """A live view on a terminal with rich installed, else plain lines."""
    if sys.stdout.isatty():
        try:
            return Live(title)
        except ImportError:
            pass  # the extra 'local' brings rich; without it lines do
    return Plain()


class Plain:
    """One line an event, for logs and pipes."""

    def line(self, text: str) -> None:
        """Write it."""
        print(text, flush=True)  # noqa: T201 - what the user asked to see

    def picture(self, executions: Sequence[Execution], lists: Iterable[ListState]) -> None:
        """The lines have said it all."""

    def close(self) -> None:
        """Nothing is open."""


class Live:
    """The lines scroll above a table that is always up to date."""

    def __init__(self, title: str) -> None:
        from rich.console import Console  # noqa: PLC0415 - of the extra 'local'
        from rich.live import Live as RichLive  # noqa: PLC0415

        self._title = title
        self._live = RichLive(console=Console(), auto_refresh=False)
        self._live.start()

    def line(self, text: str) -> None:
        """Write it above the table."""
        self._live.console.print(text, markup=False, highlight=True, soft_wrap=True)

    def picture(self, executions: Sequence[Execution], lists: Iterable[ListState]) -> None:
        """Redraw the table."""
        self._live.update(_table(self._title, executions, list(lists)), refresh=True)

    def close(self) -> None:
        """Leave the last picture standing."""
        self._live.stop()


def _table(title: str, executions: Sequence[Execution], lists: Sequence[ListState]) -> Table:
    from rich import box  # noqa: PLC0415 - of the extra 'local'
    from rich.table import Table as RichTable  # noqa: PLC0415

    table = RichTable(
        title=title, caption=_caption(executions), box=box.SIMPLE_HEAD, title_justify="left"
    )
    table.add_column("task list")
    table.add_column("workers", justify="right")
    for state in State:
        table.add_column(str(state), justify="right", style=_STYLES.get(state, ""))
    states = sum((each.states() for each in executions), Counter[tuple[str, State]]())
    for each in lists:
        name = each.task_list.name
        counts = [str(states[name, state] or "") for state in State]
        table.add_row(each.task_list.short or name, _workers(each), *counts)
    return table


_STYLES = {
    State.COMPLETED: "green",
    State.FAILED: "red",
    State.TIMED_OUT: "red",
    State.STARTED: "cyan",
}


def _workers(state: ListState) -> str:
    busy = f"{state.working} busy, " if state.working else ""
    return f"{busy}{state.ready}/{state.wanted}"


def _caption(executions: Sequence[Execution]) -> str:
    closed = Counter(each.closed or "open" for each in executions)
    return "executions: " + ", ".join(f"{count} {how}" for how, count in sorted(closed.items()))

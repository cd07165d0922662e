"""Shows people what happens while they wait: lines, and on a terminal a live table below them."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Protocol

from garcon.workflow.timeline import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.table import Table

    from garcon.workflow.progress import Progress
    from supervisor.messages import ListState


class View(Protocol):
    """Where progress is shown."""

    def line(self, text: str) -> None:
        """Something happened."""

    def picture(self, executions: Sequence[Progress], lists: Iterable[ListState]) -> None:
        """How everything stands now."""

    def close(self, text: str) -> None:
        """Nothing more will come but this."""


FEW = 3
"""So many executions can be followed line by line on a terminal; of more the table tells."""


def make(title: str, executions: int) -> View:
    """A live view on a terminal with rich installed, else plain lines."""
    if sys.stdout.isatty():
        try:
            return Live(title, lines=executions <= FEW)
        except ImportError:
            pass  # the extra 'local' brings rich; without it lines do
    return Plain()


class Plain:
    """One line an event, for logs and pipes."""

    def line(self, text: str) -> None:
        """Write it."""
        print(text, flush=True)  # noqa: T201 - what the user asked to see

    def picture(self, executions: Sequence[Progress], lists: Iterable[ListState]) -> None:
        """The lines have said it all."""

    def close(self, text: str) -> None:
        """The last line."""
        self.line(text)


class Live:
    """The lines scroll above a table that is always up to date."""

    def __init__(self, title: str, *, lines: bool) -> None:
        from rich.console import Console  # noqa: PLC0415 - of the extra 'local'
        from rich.live import Live as RichLive  # noqa: PLC0415

        self._title, self._lines = title, lines
        self._live = RichLive(console=Console(highlight=False), auto_refresh=False)
        self._live.start()

    def line(self, text: str) -> None:
        """Write it above the table, cut to the terminal's width."""
        if self._lines:
            self._live.console.print(text, markup=False, overflow="ellipsis", no_wrap=True)

    def picture(self, executions: Sequence[Progress], lists: Iterable[ListState]) -> None:
        """Redraw the table."""
        self._live.update(_table(self._title, executions, list(lists)), refresh=True)

    def close(self, text: str) -> None:
        """Leave the last picture standing, and the last line below it."""
        self._live.stop()
        self._live.console.print(text, markup=False, overflow="ellipsis", no_wrap=True)


def _table(title: str, executions: Sequence[Progress], lists: Sequence[ListState]) -> Table:
    from rich import box  # noqa: PLC0415 - of the extra 'local'
    from rich.table import Table as RichTable  # noqa: PLC0415

    counts = sum((each.activities() for each in executions), Counter[tuple[str, State]]())
    seen = {state for _, state in counts}
    shown = [state for state in State if state in _ALWAYS or state in seen]
    table = RichTable(
        title=title, caption=_caption(executions), box=box.SIMPLE_HEAD, title_justify="left"
    )
    table.add_column("task list", no_wrap=True)
    table.add_column("workers", justify="right", no_wrap=True)
    for state in shown:
        heading = "done" if state is State.COMPLETED else str(state)
        table.add_column(heading, justify="right", style=_STYLES.get(state, ""), no_wrap=True)
    for each in lists:
        name = each.task_list.name
        cells = [str(counts[name, state] or "") for state in shown]
        table.add_row(each.task_list.short or name, _workers(each), *cells)
    return table


_ALWAYS = (State.WAITING, State.RUNNING, State.COMPLETED)
"""States that have a column from the start, so that the table does not jump; others when met."""

_STYLES = {
    State.RUNNING: "cyan",
    State.COMPLETED: "green",
    State.FAILED: "red",
    State.TIMED_OUT: "red",
    State.CANCELED: "yellow",
}


def _workers(state: ListState) -> str:
    busy = f"{state.working} busy, " if state.working else ""
    return f"{busy}{state.ready}/{state.wanted}"


def _caption(executions: Sequence[Progress]) -> str:
    closed = Counter(each.status.lower().replace("_", " ") for each in executions)
    return "executions: " + ", ".join(f"{count} {how}" for how, count in sorted(closed.items()))

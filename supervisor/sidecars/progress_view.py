"""Progress of executions: lines and, on a terminal, a live table below them.

The lines of this view, of the log and of tasks scroll above the table (``pinned_rows``).
"""

from __future__ import annotations

import atexit
import io
import os
import shutil
import sys
from collections import Counter
from typing import TYPE_CHECKING, Protocol

from garcon.executions.timeline import BarState
from supervisor.ipc import standard_streams
from supervisor.logs import log, redaction
from supervisor.sidecars.pinned_rows import PinnedRows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.table import Table

    from garcon.executions.progress import Progress
    from supervisor.ipc.messages import ListState


class ProgressView(Protocol):
    """A place where progress is shown."""

    def line(self, text: str) -> None:
        """Show an event."""

    def picture(self, executions: Sequence[Progress], lists: Iterable[ListState]) -> None:
        """Show the state of all executions and task lists."""

    def close(self, text: str) -> None:
        """Show this last line."""


READABLE_EXECUTIONS = 3
"""Executions whose lines can be followed on a terminal; with more there is only the table."""


def make(title: str, executions: int) -> ProgressView:
    """On a terminal with rich installed a view with a table, else plain lines."""
    if sys.stdout.isatty():
        try:
            if os.environ.get("TERM") == "dumb":  # it obeys no escape sequence
                return ScrollingView(title)
            return LiveView(title, lines=executions <= READABLE_EXECUTIONS)
        except ImportError:
            pass  # rich comes with the extra 'local'
    return PlainView()


class PlainView:
    """One line an event, for logs and pipes."""

    def line(self, text: str) -> None:
        """Print it; the executions go on if it cannot be written."""
        try:
            print(redaction.text(text), flush=True)  # noqa: T201 - what the user asked to see
        except OSError as error:
            why = error.strerror or error
            log.LOGGER.warning("Progress is no longer shown: standard output fails: %s.", why)
            standard_streams.discard(sys.stdout.fileno())

    def picture(self, executions: Sequence[Progress], lists: Iterable[ListState]) -> None:
        """Nothing: the lines have shown it."""

    def close(self, text: str) -> None:
        """Print the last line."""
        self.line(text)


class ScrollingView(PlainView):
    """Lines, and the table at the end."""

    def __init__(self, title: str) -> None:
        from rich.console import Console  # noqa: PLC0415 - of the extra 'local'

        self._title = title
        self._console = Console(highlight=False)
        self._last: tuple[Sequence[Progress], list[ListState]] | None = None

    def picture(self, executions: Sequence[Progress], lists: Iterable[ListState]) -> None:
        """Keep it for the end."""
        self._last = executions, list(lists)

    def close(self, text: str) -> None:
        """Print the table, and the last line below it."""
        if self._last:
            self._console.print(_table(self._title, *self._last))
        self.line(text)


class LiveView(ScrollingView):
    """Lines that scroll above a live table."""

    def __init__(self, title: str, *, lines: bool) -> None:
        super().__init__(title)
        self._lines = lines
        self._rows = PinnedRows()
        atexit.register(self._rows.free)  # whatever ends this process: the terminal outlives it

    def line(self, text: str) -> None:
        """Print it, if the lines can be followed."""
        if self._lines:
            super().line(text)

    def picture(self, executions: Sequence[Progress], lists: Iterable[ListState]) -> None:
        """Redraw the table, and keep it for the end."""
        super().picture(executions, lists)
        if self._last:
            self._rows.show(_rendered(_table(self._title, *self._last)))

    def close(self, text: str) -> None:
        """Leave the whole last table among the lines, and print the last line below it."""
        self._rows.free()
        self._lines = True
        super().close(text)


def _rendered(table: Table) -> list[str]:
    """The rows of a table as the terminal shows them."""
    from rich.console import Console  # noqa: PLC0415 - of the extra 'local'

    width = shutil.get_terminal_size().columns
    console = Console(file=io.StringIO(), force_terminal=True, width=width, highlight=False)
    with console.capture() as captured:
        console.print(table)
    return [row for row in captured.get().splitlines() if row.strip()]


def _table(title: str, executions: Sequence[Progress], lists: Sequence[ListState]) -> Table:
    from rich import box  # noqa: PLC0415 - of the extra 'local'
    from rich.table import Table as RichTable  # noqa: PLC0415

    counts = sum((each.activities() for each in executions), Counter[tuple[str, BarState]]())
    seen = {state for _, state in counts}
    shown = [state for state in BarState if state in _ALWAYS or state in seen]
    table = RichTable(
        title=title, caption=_caption(executions), box=box.SIMPLE_HEAD, title_justify="left"
    )
    table.add_column("task list", no_wrap=True)
    table.add_column("workers", justify="right", no_wrap=True)
    for state in shown:
        heading = "done" if state is BarState.COMPLETED else str(state)
        table.add_column(heading, justify="right", style=_STYLES.get(state, ""), no_wrap=True)
    for state_of_list in lists:
        name = state_of_list.task_list.name
        cells = [str(counts[name, state] or "") for state in shown]
        table.add_row(state_of_list.task_list.short_name or name, _workers(state_of_list), *cells)
    return table


_ALWAYS = (BarState.WAITING, BarState.RUNNING, BarState.COMPLETED)
"""States with a column from the start, so that the table does not jump; others get one when met."""

_STYLES = {
    BarState.RUNNING: "cyan",
    BarState.COMPLETED: "green",
    BarState.FAILED: "red",
    BarState.TIMED_OUT: "red",
    BarState.CANCELED: "yellow",
}


def _workers(state: ListState) -> str:
    busy = f"{state.working} busy, " if state.working else ""
    return f"{busy}{state.ready}/{state.desired}"


def _caption(executions: Sequence[Progress]) -> str:
    counts = Counter(each.status.lower().replace("_", " ") for each in executions)
    return "executions: " + ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))

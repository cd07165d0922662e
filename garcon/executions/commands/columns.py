"""Tables of executions: a line each, in columns that the user chooses."""

from argparse import ArgumentTypeError
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

from garcon.executions import presentation
from garcon.executions.values import Execution, Summary

Builds = Mapping[Execution, str]
"""The builds that executions were decided by last, as far as they were read."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Attributes:
        head: Its heading.
        width: Characters, of which the last column may take more.
        text: The text of an execution, at a time; ``None`` for its build, which costs a call.
    """

    head: str
    width: int
    text: Callable[[Summary, datetime], str] | None


def _time(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") if moment else ""


def _lasted(summary: Summary, now: datetime) -> str:
    return presentation.duration(((summary.closed or now) - summary.started).total_seconds())


def _id(summary: Summary) -> str:
    return summary.execution.workflow_id + (" (redrive)" if summary.redrive_of else "")


def _parent(parent: Execution | None) -> str:
    return parent.workflow_id if parent else ""


COLUMNS: Mapping[str, Column] = {
    "started": Column("STARTED (UTC)", 19, lambda each, _: _time(each.started)),
    "closed": Column("CLOSED (UTC)", 19, lambda each, _: _time(each.closed)),
    "lasted": Column("LASTED", 12, _lasted),  # "23 h 59 min"
    "status": Column("STATUS", 16, lambda each, _: str(each.status)),  # "CONTINUED_AS_NEW"
    "id": Column("WORKFLOW ID", 32, lambda each, _: _id(each)),
    "run": Column("RUN ID", 46, lambda each, _: each.execution.run_id),
    "redrive_of": Column("REDRIVE OF", 46, lambda each, _: each.redrive_of or ""),
    "type": Column("TYPE", 24, lambda each, _: each.name),
    "version": Column("VERSION", 8, lambda each, _: each.version),
    "tags": Column("TAGS", 32, lambda each, _: ", ".join(each.tags)),
    "parent": Column("PARENT", 32, lambda each, _: _parent(each.parent)),
    "build": Column("BUILD", 16, None),
}
"""The columns by name."""

BUILD = "build"
"""The column that is not in SWF's lists."""

DEFAULT = ("started", "lasted", "status", "id")


def chosen(text: str) -> tuple[str, ...]:
    """The columns of an option's text, as ``id,status``.

    Raises:
        ArgumentTypeError: One of them does not exist.
    """
    names = tuple(text.split(","))
    for name in names:
        if name not in COLUMNS:
            raise ArgumentTypeError(f"{name!r} is not a column; there are {', '.join(COLUMNS)}")
    return names


def draw(
    found: Sequence[Summary],
    names: Sequence[str],
    now: datetime,
    builds: Builds = MappingProxyType({}),
) -> str:
    """The table, with the columns of these names."""
    if not found:
        return "No executions match."
    shown = [COLUMNS[name] for name in names]
    heads = [column.head for column in shown]
    rows = ([_text(column, each, now, builds) for column in shown] for each in found)
    return "\n".join(_line(texts, shown) for texts in (heads, *rows))


def _text(column: Column, each: Summary, now: datetime, builds: Builds) -> str:
    return column.text(each, now) if column.text else builds.get(each.execution, "")


def _line(texts: Sequence[str], shown: Sequence[Column]) -> str:
    # Only the last column is never cut: a workflow id may have 256 characters.
    printable = [presentation.printable(text) for text in texts]
    fitted = map(presentation.fit, printable[:-1], (column.width for column in shown))
    return "  ".join([*fitted, printable[-1]]).rstrip()

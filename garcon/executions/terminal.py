"""A timeline as lines of a terminal. Pure: a line is a row of pieces, each with a style by name.

Rules:

1. A row is a line: its name, its bars on a common scale, its outcome. No line is wider than asked
   for, whatever the names hold.
2. Every bar is visible: it takes at least one column. Where two share a column, a failure is drawn
   over work, and work over waiting.
3. Waiting for a worker and working look different: a lack of workers shows as the one, a slow task
   as the other.
"""

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from garcon.executions import presentation
from garcon.executions.last_decision import LastDecision
from garcon.executions.presentation import SHORTEST, Tone, tone
from garcon.executions.standstill import Standstill
from garcon.executions.timeline import Bar, Row, Timeline

WIDTH = 80  # columns; every terminal has these
NAMES = 28  # columns at most; longer names are cut
OUTCOMES = 22  # columns; "20 min 10 s, attempt 2"
TICK = 9  # columns that a mark of the scale needs; longer labels are left out
FAILURES = 10  # reasons of failures; the others are in the JSON, the picture and the history


class TextStyle(enum.StrEnum):
    """The part that a piece of text plays; a bar's pieces have its ``Tone`` instead."""

    PLAIN = "plain"
    HEAD = "head"
    FAINT = "faint"


Style: TypeAlias = TextStyle | Tone
"""The meaning of a piece; the terminal decides how it looks."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Text in one style."""

    text: str
    style: Style = TextStyle.PLAIN


Line: TypeAlias = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The characters of bars."""

    waiting: str
    working: str
    failed: str
    instant: str
    edge: str


UNICODE = Glyphs("░", "█", "✗", "◆", "│")
ASCII = Glyphs(".", "=", "x", "*", "|")


def draw(
    timeline: Timeline,
    workflow_id: str,
    width: int = WIDTH,
    glyphs: Glyphs = UNICODE,
    rows: int | None = None,
) -> list[Line]:
    """The lines of a timeline.

    Args:
        timeline: The timeline.
        workflow_id: The execution's id.
        width: Columns.
        glyphs: The characters of bars.
        rows: Largest number of rows; all if not given.
    """
    shown = timeline.rows[:rows]
    canvas = _Canvas(timeline, shown, width, glyphs)
    hidden = len(timeline.rows) - len(shown)
    more = f"... and {hidden} more rows; --rows N shows them."
    return [
        *_head(timeline, workflow_id, width),
        canvas.axis(),
        *map(canvas.row, shown),
        *([(Piece(more, TextStyle.FAINT),)] if hidden else []),
        *_failures(timeline, width),
    ]


def standstill(why: Standstill | None, width: int) -> list[Line]:
    """The lines about an execution that does not go on."""
    lines = presentation.wrap(presentation.standstill(why), width) if why else []
    return [(Piece(line, Tone.FAILED),) for line in lines]


def decided_by(last: LastDecision, width: int) -> list[Line]:
    """The lines about the build that decided last; none if it is unknown."""
    if not last.build:
        return []
    when = f" at {last.decided:%Y-%m-%d %H:%M:%S UTC}" if last.decided else ""
    where = f" on {last.host}" if last.host else ""
    text = presentation.printable(f"Decided last by build {last.build}{where}{when}.")
    return [(Piece(line, TextStyle.FAINT),) for line in presentation.wrap(text, width)]


def lineage(runs: Sequence[str], width: int) -> list[Line]:
    """The lines about a redrive: the runs that it goes on from, the latest first."""
    if not runs:
        return []
    text = f"A redrive of the run {', before that of '.join(reversed(runs))}."
    return [(Piece(line, TextStyle.FAINT),) for line in presentation.wrap(text, width)]


def plain(lines: Iterable[Line]) -> str:
    """The lines without styles."""
    return "".join("".join(piece.text for piece in line).rstrip() + "\n" for line in lines)


def _head(timeline: Timeline, workflow_id: str, width: int) -> list[Line]:
    headline = presentation.wrap(presentation.headline(timeline, workflow_id), width)
    subtitle = presentation.fit(presentation.subtitle(timeline), width).rstrip()
    return [
        *((Piece(line, TextStyle.HEAD),) for line in headline),
        (Piece(subtitle, TextStyle.FAINT),),
    ]


def _failures(timeline: Timeline, width: int) -> list[Line]:
    failures = presentation.failures(timeline)
    lines = [line for text in failures[:FAILURES] for line in presentation.wrap(text, width)]
    if len(failures) > FAILURES:
        lines.append(f"... and {len(failures) - FAILURES} more; --json lists all.")
    return [(Piece(line, Tone.FAILED),) for line in lines]


class _Canvas:
    """The columns of one drawing."""

    def __init__(self, timeline: Timeline, rows: Iterable[Row], width: int, glyphs: Glyphs) -> None:
        self._timeline = timeline
        self._names = {row: presentation.title(row.kind, row.label, timeline.name) for row in rows}
        longest = max(map(presentation.cells, self._names.values()), default=0)
        self._left = min(longest, NAMES)
        self._chart = max(width - self._left - OUTCOMES - 4, 1)  # two edges, two spaces
        self._glyphs = glyphs
        self._scale = self._chart / max(timeline.seconds, SHORTEST)

    def axis(self) -> Line:
        """The marks of the scale, each at its column."""
        text = ""
        most = max(self._chart // TICK, 1)
        for moment in presentation.ticks(self._timeline.seconds, most):
            column = self._left + 2 + self._column(self._timeline.started + moment)
            if len(text) < column:
                text = text.ljust(column) + presentation.tick_label(moment)
        return (Piece(text, TextStyle.FAINT),)

    def row(self, row: Row) -> Line:
        """The line of one row."""
        outcome = presentation.outcome(row, self._timeline.ended)
        edge = Piece(self._glyphs.edge, TextStyle.FAINT)
        return (
            Piece(presentation.fit(self._names[row], self._left) + " "),
            edge,
            *self._bars(row.bars),
            edge,
            Piece(
                " " + presentation.fit(outcome, OUTCOMES).rstrip(), tone(row.kind, row.last.state)
            ),
        )

    def _bars(self, bars: Iterable[Bar]) -> list[Piece]:
        columns = [Piece(" ")] * self._chart
        layers = [self._layers(bar) for bar in bars]
        for number in range(3):  # the waiting of all bars, over it the work, over it the marks
            for layer in layers:
                first, last, piece = layer[number]
                columns[first:last] = [piece] * (last - first)
        return columns

    def _layers(self, bar: Bar) -> tuple[tuple[int, int, Piece], ...]:
        """Waiting, work and mark of a bar, each with its first column and the one behind it."""
        end = self._timeline.ended if bar.ended is None else bar.ended
        scheduled, ended = self._column(bar.scheduled), self._column(end)
        started = ended if bar.started is None else self._column(bar.started)
        worked = ended + 1 if bar.started is not None else started
        marked = not bar.state.open and (bar.state.bad or bar.started is None)
        mark = self._glyphs.failed if bar.state.bad else self._glyphs.instant
        style = tone(bar.kind, bar.state)
        return (
            (scheduled, max(started, scheduled + 1), Piece(self._glyphs.waiting, TextStyle.FAINT)),
            (started, worked, Piece(self._glyphs.working, style)),
            (ended, ended + marked, Piece(mark, style)),
        )

    def _column(self, moment: float) -> int:
        """The column of a moment."""
        column = int((moment - self._timeline.started) * self._scale)
        return min(max(column, 0), self._chart - 1)

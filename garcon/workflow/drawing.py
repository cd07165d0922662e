"""A timeline as lines of a terminal. Pure: lines of pieces, each with a style by name.

Rules:

1. A row is a line: its name, its bars on a common scale, what came of it. The lines are no wider
   than asked for, whatever the names hold.
2. Every bar is seen: it takes one column at least. Where two share a column, what went wrong is
   shown rather than work, and work rather than waiting.
3. Waiting for a worker and working look different: too few workers show as one, slow tasks as the
   other.
"""

import enum
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from garcon.workflow import telling, words
from garcon.workflow.timeline import Bar, Row, State, Timeline

WIDTH = 80  # columns; what every terminal has
NAMES = 28  # columns at most; longer names are cut
OUTCOMES = 19  # columns; "123 min 20 s, try 2"
SHORTEST = 0.001  # seconds; SWF's clock tells milliseconds, and a scale needs a length
COMPLAINTS = 10  # lines of reasons; the others are in the picture and the history


class Style(enum.StrEnum):
    """What a piece of text means; the terminal decides how it looks."""

    PLAIN = "plain"
    HEAD = "head"
    FAINT = "faint"
    DONE = "done"
    BUSY = "busy"
    BAD = "bad"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Piece:
    """Text in one style."""

    text: str
    style: Style = Style.PLAIN


Line = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The characters that bars are made of."""

    waiting: str
    working: str
    bad: str
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
    """The lines.

    Args:
        timeline: What to draw.
        workflow_id: Whose it is.
        width: Columns.
        glyphs: What bars are made of.
        rows: How many rows to draw at most; all if not given.
    """
    shown = timeline.rows[:rows]
    canvas = _Canvas(timeline, shown, width, glyphs)
    hidden = len(timeline.rows) - len(shown)
    more = [f"... and {hidden} rows more; --rows shows them."] if hidden else []
    return [
        *_head(timeline, workflow_id, width),
        canvas.axis(),
        *map(canvas.row, shown),
        *((Piece(each, Style.FAINT),) for each in more),
        *_complaints(timeline, width),
    ]


def plain(lines: Iterable[Line]) -> str:
    """The lines without styles."""
    return "".join("".join(piece.text for piece in line).rstrip() + "\n" for line in lines)


def _head(timeline: Timeline, workflow_id: str, width: int) -> list[Line]:
    began = datetime.fromtimestamp(timeline.began, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    of = words.printable(f"{timeline.name} {timeline.version}")
    about = f"{of}, {began}, {timeline.events} events"
    lines = _wrapped(telling.headline(timeline, workflow_id), width)
    return [
        *((Piece(each, Style.HEAD),) for each in lines),
        (Piece(words.fit(about, width).rstrip(), Style.FAINT),),
    ]


def _complaints(timeline: Timeline, width: int) -> list[Line]:
    told = telling.complaints(timeline)
    lines = [each for said in told[:COMPLAINTS] for each in _wrapped(said, width)]
    if len(told) > COMPLAINTS:
        lines.append(f"... and {len(told) - COMPLAINTS} more; --json tells all.")
    return [(Piece(each, Style.BAD),) for each in lines]


def _wrapped(text: str, width: int) -> list[str]:
    # By columns and not by characters: a wide character counts as two.
    wide = sum(words.cells(each) > 1 for each in text)
    return textwrap.wrap(text, width // 2 if wide else width, subsequent_indent="  ")


class _Canvas:
    """The columns of one drawing."""

    def __init__(self, timeline: Timeline, rows: Iterable[Row], width: int, glyphs: Glyphs) -> None:
        self._timeline = timeline
        self._names = {row: telling.title(row.kind, row.label, timeline.name) for row in rows}
        longest = max(map(words.cells, self._names.values()), default=0)
        self._left = min(longest, NAMES)
        self._chart = max(width - self._left - OUTCOMES - 4, 1)  # two edges, two spaces
        self._glyphs = glyphs
        self._scale = self._chart / max(timeline.seconds, SHORTEST)

    def axis(self) -> Line:
        """Where the scale begins and ends."""
        end = words.duration(self._timeline.seconds)
        scale = "0" + end.rjust(self._chart + 1)
        return (Piece(" " * (self._left + 1) + scale, Style.FAINT),)

    def row(self, row: Row) -> Line:
        """One row."""
        said = telling.outcome(row, self._timeline.ended)
        edge = Piece(self._glyphs.edge, Style.FAINT)
        return (
            Piece(words.fit(self._names[row], self._left) + " "),
            edge,
            *self._bars(row.bars),
            edge,
            Piece(" " + words.fit(said, OUTCOMES).rstrip(), _style(row.last.state)),
        )

    def _bars(self, bars: Iterable[Bar]) -> list[Piece]:
        columns = [Piece(" ")] * self._chart
        layers = [self._layers(bar) for bar in bars]
        for number in range(3):  # of all bars first the waiting, then the work, then the marks
            for layer in layers:
                first, last, piece = layer[number]
                columns[first:last] = [piece] * (last - first)
        return columns

    def _layers(self, bar: Bar) -> tuple[tuple[int, int, Piece], ...]:
        end = self._timeline.ended if bar.ended is None else bar.ended
        asked, ended = self._column(bar.asked), self._column(end)
        begun = ended if bar.begun is None else self._column(bar.begun)
        worked = ended + 1 if bar.begun is not None else begun
        marked = not bar.state.open and (bar.state.bad or bar.begun is None)
        glyph = self._glyphs.bad if bar.state.bad else self._glyphs.instant
        return (
            (asked, max(begun, asked + 1), Piece(self._glyphs.waiting, Style.FAINT)),
            (begun, worked, Piece(self._glyphs.working, _style(bar.state))),
            (ended, ended + marked, Piece(glyph, _style(bar.state))),
        )

    def _column(self, moment: float) -> int:
        """Which column a moment falls in."""
        column = int((moment - self._timeline.began) * self._scale)
        return min(max(column, 0), self._chart - 1)


def _style(state: State) -> Style:
    if state.bad:
        return Style.BAD
    match state:
        case State.COMPLETED:
            return Style.DONE
        case State.WAITING | State.RUNNING:
            return Style.BUSY
        case _:
            return Style.LEFT

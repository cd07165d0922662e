"""A timeline as an SVG picture: one file without scripts, fonts or links. Pure.

Rules:

1. Words, colours, labels and scale are those of ``presentation``; what has no room on the picture
   stands in tooltips: times, reasons, workers, whole ids.
2. Positions from left to right are percentages, letters have a fixed size: the picture is as wide
   as its window, at most ``WIDTH``, and as readable on a telephone as on a desk. So name and
   outcome stand above the bars of a row and not beside them.
3. Colours follow the reader's light or dark setting, and a legend names them. A failure also has a
   cross, and waiting is thinner than work.
4. The file is well-formed XML whatever names and reasons hold.
"""

from collections.abc import Iterator
from html import escape

from garcon.executions import presentation
from garcon.executions.presentation import COLOURS, LEGEND, SHORTEST, Tone, tone
from garcon.executions.timeline import Bar, Row, Timeline

WIDTH = 1_000  # pixels; lengths without a percent sign are pixels
LEFT, RIGHT = 2.5, 97.5  # percent
HEADLINE = 42  # columns of a line of it; more do not fit on a telephone
NAME, OUTCOME = 28, 26  # columns
TICKS = 5  # marks of the scale beside 0; more do not fit on a telephone
TOP = 28  # baseline of the first line
LINE = 20  # from one line of the head to the next
ROW = 40
TRACK = 28  # from the top of a row to the middle of its bars
WORK, WAIT = 12, 4  # heights
SHORTEST_BAR = 0.4  # percent: a bar of no length is visible
DISC = 6.5  # radius of the disc behind a cross
DOT = 3.5  # radius of an instant
ARM = 2.25  # half the side of a cross
LEGEND_COLUMNS = 4


def _colours(reader: str) -> str:
    return " ".join(f"--{name}: {getattr(colour, reader)};" for name, colour in COLOURS.items())


_STYLE = f"""
.picture {{ max-width: 100%; {_colours("light")} }}
@media (prefers-color-scheme: dark) {{ .picture {{ {_colours("dark")} }} }}
text {{ font: 13px system-ui, sans-serif; fill: var(--ink); }}
.head {{ font-size: 14.5px; font-weight: 600; }}
.faint {{ fill: var(--dim); font-size: 12px; }}
.end {{ text-anchor: end; }}
.middle {{ text-anchor: middle; }}
.card {{ fill: var(--card); }}
.line {{ stroke: var(--line); }}
.cross {{ stroke: var(--card); stroke-width: 1.8; stroke-linecap: round; }}
{"".join(f".{each} {{ fill: var(--{each}); }} " for each in Tone)}
"""


def as_svg(timeline: Timeline, workflow_id: str) -> str:
    """The text of the picture's file.

    Args:
        timeline: The timeline.
        workflow_id: The execution's id.
    """
    headline = presentation.headline(timeline, workflow_id)
    head = list(_head(presentation.wrap(headline, HEADLINE), presentation.subtitle(timeline)))
    legend = TOP + LINE * len(head)
    chart = legend + LINE * -(-len(LEGEND) // LEGEND_COLUMNS) + LINE
    height = chart + ROW * len(timeline.rows) + LINE / 2
    size = f'width="{WIDTH}" height="{height:g}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="picture" {size} role="img">',
            f"<title>{_xml(headline)}</title>",
            f"<style>{_STYLE}</style>",
            '<rect class="card" width="100%" height="100%"/>',
            *head,
            *_legend(legend),
            *_scale(timeline, chart, height - LINE / 2),
            *_rows(timeline, chart),
            "</svg>\n",
        ]
    )


def _head(headline: list[str], subtitle: str) -> Iterator[str]:
    for number, line in enumerate(headline):
        yield _text("head", LEFT, TOP + LINE * number, line)
    yield _text("faint", LEFT, TOP + LINE * len(headline), subtitle)


def _legend(top: float) -> Iterator[str]:
    for number, (each, word) in enumerate(LEGEND.items()):
        line, column = divmod(number, LEGEND_COLUMNS)
        x = LEFT + column * (RIGHT - LEFT) / LEGEND_COLUMNS
        middle = top + LINE * line
        height = WAIT if each is Tone.WAITING else WORK
        box = f'x="{x:.2f}%" y="{middle - height / 2:g}" width="12" height="{height}" rx="1.5"'
        yield f'<rect class="{each}" {box}/>'
        yield _text("faint", x, middle + 4, word, dx=18)


def _scale(timeline: Timeline, top: float, bottom: float) -> Iterator[str]:
    for moment in presentation.ticks(timeline.seconds, TICKS):
        x = _x(timeline, timeline.started + moment)
        anchor = "" if x == LEFT else " end" if x > RIGHT - 5 else " middle"
        yield _line(x, top - 6, bottom)
        yield _text(f"faint{anchor}", x, top - 10, presentation.tick_label(moment))


def _rows(timeline: Timeline, top: float) -> Iterator[str]:
    for number, row in enumerate(timeline.rows):
        yield from _row(timeline, row, top + ROW * number)


def _row(timeline: Timeline, row: Row, top: float) -> Iterator[str]:
    name = presentation.title(row.kind, row.label, timeline.name)
    outcome = presentation.outcome(row, timeline.ended)
    middle = top + TRACK
    yield "<g>"
    yield f"<title>{_xml(f'{row.kind} {row.label}')}</title>"
    yield _text("name", LEFT, top + 15, presentation.fit(name, NAME).rstrip())
    yield _text("faint end", RIGHT, top + 15, presentation.fit(outcome, OUTCOME).rstrip())
    for bar in row.bars:
        yield from _bar(timeline, bar, middle)
    for bar in row.bars:  # over all bars, because these may touch
        if bar.state.bad:
            yield _cross(tone(bar.kind, bar.state), _x(timeline, _end(timeline, bar)), middle)
    yield "</g>"


def _bar(timeline: Timeline, bar: Bar, middle: float) -> Iterator[str]:
    style = tone(bar.kind, bar.state)
    scheduled, ended = _x(timeline, bar.scheduled), _x(timeline, _end(timeline, bar))
    started = ended if bar.started is None else _x(timeline, bar.started)
    yield f"<g><title>{_xml(_tooltip(timeline, bar))}</title>"
    yield _box(Tone.WAITING, scheduled, started - scheduled, middle, WAIT)
    if bar.started is not None:
        yield _box(style, started, max(ended - started, SHORTEST_BAR), middle, WORK)
    elif not bar.state.open:
        yield f'<circle class="{style}" cx="{ended:.2f}%" cy="{middle:g}" r="{DOT}"/>'
    yield "</g>"


def _end(timeline: Timeline, bar: Bar) -> float:
    return timeline.ended if bar.ended is None else bar.ended


def _tooltip(timeline: Timeline, bar: Bar) -> str:
    parts = [presentation.state_and_reason(bar)]
    parts.append(f"scheduled at {presentation.duration(bar.scheduled - timeline.started)}")
    if bar.started is not None:
        parts.append(f"waited {presentation.duration(bar.started - bar.scheduled)}")
        parts.append(f"took {presentation.duration(_end(timeline, bar) - bar.started)}")
    if bar.identity:
        parts.append(f"by {bar.identity}")
    return f"event {bar.event_id}: {'; '.join(parts)}"


def _box(style: Tone, x: float, width: float, middle: float, height: float) -> str:
    return (
        f'<rect class="{style}" x="{x:.2f}%" y="{middle - height / 2:g}" '
        f'width="{width:.2f}%" height="{height}" rx="1.5"/>'
    )


def _line(x: float, top: float, bottom: float) -> str:
    ends = f'x1="{x:.2f}%" x2="{x:.2f}%" y1="{top:g}" y2="{bottom:g}"'
    return f'<line class="line" {ends}/>'


def _cross(style: Tone, x: float, y: float) -> str:
    # A path knows no percentages, so it stands in a picture of its own that has its place.
    there, back = f"l{2 * ARM} {2 * ARM}", f"l{-2 * ARM} {2 * ARM}"
    path = f'<path class="cross" d="M{-ARM} {-ARM}{there}m0 {-2 * ARM}{back}"/>'
    disc = f'<circle class="{style}" r="{DISC}"/>'
    return f'<svg x="{x:.2f}%" y="{y:g}" overflow="visible">{disc}{path}</svg>'


def _x(timeline: Timeline, moment: float) -> float:
    """The place of a moment, in percent of the width."""
    share = (moment - timeline.started) / max(timeline.seconds, SHORTEST)
    return LEFT + (RIGHT - LEFT) * min(max(share, 0.0), 1.0)


def _text(style: str, x: float, y: float, text: str, dx: float = 0) -> str:
    shift = f' dx="{dx:g}"' if dx else ""
    return f'<text class="{style}" x="{x:.2f}%" y="{y:g}"{shift}>{_xml(text)}</text>'


def _xml(text: str) -> str:
    return escape(presentation.printable(text))

"""A timeline as an SVG picture: one file, no scripts, nothing to load. Pure.

Rules:

1. What a row and its outcome are called is as in the terminal (``telling``); what does not fit
   there is in the tooltips: times, reasons, who did it.
2. Colours follow the reader's light or dark setting, and are never alone: a try that went wrong has
   a cross, and waiting is thinner than work.
3. Whatever names and reasons hold, the file is well-formed XML.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape

from garcon.workflow import telling, words
from garcon.workflow.drawing import SHORTEST
from garcon.workflow.timeline import Bar, Row, State, Timeline

WIDTH = 1_000  # all lengths in pixels at the picture's own size
MARGIN = 16
NAMES = 230
OUTCOMES = 150
HEAD = 84
ROW = 24
BAR = 12  # height of work
WAIT = 4  # height of waiting
SLIGHTEST = 2.5  # width of the shortest bar, so that every bar is seen
DISC = 6.5  # radius of the mark of what went wrong, and of what happened at once
ARM = 2.25  # of the cross in it
LETTERS = 30  # that a name may have in its column, in the font below
TICKS = 8  # steps on the scale at most

_LEFT = MARGIN + NAMES
_CHART = WIDTH - _LEFT - OUTCOMES - MARGIN
_STEPS = (1, 2, 5, 10, 15, 30)
_UNITS = (0.001, 0.01, 0.1, 1.0, 60.0, 3_600.0)
_DAY = 86_400.0

_STYLE = """
svg { --paper: #ffffff; --ink: #1b2733; --faint: #6b7a89; --line: #e3e8ee;
      --done: #2c8a57; --busy: #2f6fd0; --bad: #c8372d; --left: #a86a00; --wait: #b4c0cc; }
@media (prefers-color-scheme: dark) {
  svg { --paper: #14191f; --ink: #e4eaf0; --faint: #93a1b0; --line: #2a333d;
        --done: #4fb783; --busy: #6ea3f2; --bad: #f07568; --left: #d9a13c; --wait: #56636f; } }
text { font: 13px system-ui, sans-serif; fill: var(--ink); }
.head { font-size: 17px; font-weight: 600; }
.faint { fill: var(--faint); font-size: 12px; }
.name, .outcome { font-size: 12.5px; }
.end { text-anchor: end; }
.middle { text-anchor: middle; }
.paper { fill: var(--paper); }
.line { stroke: var(--line); }
.wait { fill: var(--wait); }
.done { fill: var(--done); } .busy { fill: var(--busy); }
.bad { fill: var(--bad); } .left { fill: var(--left); }
.edge { stroke: var(--paper); stroke-width: 1.5; }
.cross { stroke: var(--paper); stroke-width: 1.8; stroke-linecap: round; }
"""


def svg(timeline: Timeline, workflow_id: str) -> str:
    """The text of the picture's file.

    Args:
        timeline: What to draw.
        workflow_id: Whose it is.
    """
    height = HEAD + ROW * len(timeline.rows) + MARGIN
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
            f"<title>{_xml(telling.headline(timeline, workflow_id))}</title>",
            f"<style>{_STYLE}</style>",
            f'<rect class="paper" width="{WIDTH}" height="{height}"/>',
            *_head(timeline, workflow_id),
            *_scale(timeline, height - MARGIN),
            *_rows(timeline),
            "</svg>\n",
        ]
    )


def ticks(seconds: float) -> list[float]:
    """Round moments to mark on a scale that is so many seconds long, from zero on."""
    wanted = max(seconds, SHORTEST) / TICKS
    steps = (unit * step for unit in _UNITS for step in _STEPS)
    step = next((each for each in steps if each >= wanted), None)
    if step is None:
        step = _DAY * -(-wanted // _DAY)
    return [number * step for number in range(int(max(seconds, SHORTEST) / step) + 1)]


def _head(timeline: Timeline, workflow_id: str) -> Iterator[str]:
    headline = telling.headline(timeline, workflow_id)
    began = datetime.fromtimestamp(timeline.began, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    about = f"{timeline.name} {timeline.version}, {began}, {timeline.events} events"
    yield _text("head", MARGIN, 28, words.fit(headline, 100).rstrip())
    yield _text("faint", MARGIN, 48, words.printable(about))


def _scale(timeline: Timeline, bottom: float) -> Iterator[str]:
    for moment in ticks(timeline.seconds):
        x = _x(timeline, timeline.began + moment)
        yield f'<line class="line" x1="{x:.1f}" x2="{x:.1f}" y1="{HEAD - 8}" y2="{bottom}"/>'
        yield _text("faint middle", x, HEAD - 14, _round(moment))


def _round(seconds: float) -> str:
    return f"{seconds:g} s" if seconds < words.MINUTE else words.duration(seconds)


def _rows(timeline: Timeline) -> Iterator[str]:
    for number, row in enumerate(timeline.rows):
        yield from _row(timeline, row, HEAD + ROW * number)


def _row(timeline: Timeline, row: Row, top: float) -> Iterator[str]:
    name = telling.title(row.kind, row.label, timeline.name)
    middle = top + ROW / 2
    yield "<g>"
    yield f"<title>{_xml(words.printable(f'{row.kind} {row.label}'))}</title>"
    yield _text("name", MARGIN, middle + 4, words.fit(name, LETTERS).rstrip())
    for bar in row.bars:
        yield from _bar(timeline, bar, middle)
    for bar in row.bars:  # over the bars, which may touch
        if bar.state.bad:
            yield _cross(_x(timeline, timeline.ended if bar.ended is None else bar.ended), middle)
    said = telling.outcome(row, timeline.ended)
    yield _text("outcome", WIDTH - MARGIN - OUTCOMES + 8, middle + 4, said)
    yield "</g>"


def _bar(timeline: Timeline, bar: Bar, middle: float) -> Iterator[str]:
    end = timeline.ended if bar.ended is None else bar.ended
    asked, ended = _x(timeline, bar.asked), _x(timeline, end)
    begun = ended if bar.begun is None else _x(timeline, bar.begun)
    yield f"<g><title>{_xml(_tooltip(timeline, bar, end))}</title>"
    yield _box("wait", asked, begun, middle, WAIT)
    if bar.begun is not None:
        yield _box(_class(bar.state), begun, ended, middle, BAR)
    elif not bar.state.open:
        yield f'<circle class="{_class(bar.state)}" cx="{ended:.1f}" cy="{middle}" r="{ARM + 1}"/>'
    yield "</g>"


def _tooltip(timeline: Timeline, bar: Bar, end: float) -> str:
    said = [f"{bar.state}{f', {bar.note}' if bar.note else ''}"]
    said.append(f"asked for at {words.duration(bar.asked - timeline.began)}")
    if bar.begun is not None:
        said.append(f"waited {words.duration(bar.begun - bar.asked)}")
        said.append(f"took {words.duration(end - bar.begun)}")
    if bar.by:
        said.append(f"by {bar.by}")
    return words.printable(f"event {bar.event_id}: {'; '.join(said)}")


def _box(kind: str, begin: float, end: float, middle: float, height: float) -> str:
    width = max(end - begin, SLIGHTEST if height == BAR else 0)
    y = middle - height / 2
    return (
        f'<rect class="{kind}" x="{begin:.1f}" y="{y:.1f}" '
        f'width="{width:.1f}" height="{height}" rx="1.5"/>'
    )


def _cross(x: float, y: float) -> str:
    there, back = f"l{2 * ARM} {2 * ARM}", f"l{-2 * ARM} {2 * ARM}"
    lines = f"M{x - ARM:.1f} {y - ARM:.1f}{there}m0 {-2 * ARM}{back}"
    disc = f'<circle class="bad edge" cx="{x:.1f}" cy="{y}" r="{DISC}"/>'
    return f'{disc}<path class="cross" d="{lines}"/>'


def _class(state: State) -> str:
    if state.bad:
        return "bad"
    if state.open:
        return "busy"
    return "done" if state is State.COMPLETED else "left"


def _x(timeline: Timeline, moment: float) -> float:
    share = (moment - timeline.began) / max(timeline.seconds, SHORTEST)
    return _LEFT + _CHART * min(max(share, 0.0), 1.0)


def _text(kind: str, x: float, y: float, text: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{_xml(text)}</text>'


def _xml(text: str) -> str:
    return escape(words.printable(text))

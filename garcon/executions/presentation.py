"""Words, colours, labels and scale of a timeline, the same in the terminal, in SVG and on the page.

Rules:

1. The page (``garcon/page/browser``) cannot import this file; a test compares
   its tables and functions with these.
2. A bar has one tone, by its kind and state. A tone has a colour for light and for dark readers. No
   colour stands alone: a word or the form of the bar carries the same meaning.
3. A label is short: an activity goes without the flow's name, which is that of every activity, and
   the key of a generated activity is cut to eight letters. Its whole id stands in the tooltip.
4. The marks of a scale stand at round numbers of milliseconds, seconds, minutes, hours or days.
5. Names and reasons come from anyone: ``printable`` makes them one line without control characters.
"""

import enum
import math
import re
import textwrap
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from garcon.executions.standstill import Standstill
from garcon.executions.timeline import Bar, BarKind, BarState, Row, Timeline
from garcon.executions.values import Status
from garcon.history.reserved_timers import RETRY_TIMER

SHORTEST = 0.001  # seconds; SWF's clock counts milliseconds, and a scale needs a length

STATUS_VERBS: Mapping[Status, str] = {
    Status.OPEN: "has been open",
    Status.COMPLETED: "completed",
    Status.FAILED: "failed",
    Status.CANCELED: "was cancelled",
    Status.TERMINATED: "was terminated",
    Status.CONTINUED_AS_NEW: "continued as new",
    Status.TIMED_OUT: "timed out",
}


class Tone(enum.StrEnum):
    """The meaning of a colour; the value is its name in the style sheets."""

    DECISION = "decide"
    WAITING = "wait"
    RUNNING = "open"
    COMPLETED = "good"
    FAILED = "bad"
    TIMED_OUT = "late"
    CANCELED = "off"


@dataclass(frozen=True, slots=True)
class Colour:
    """One colour, for light and for dark readers."""

    light: str
    dark: str


COLOURS: Mapping[str, Colour] = {
    "card": Colour("#fff", "#181c24"),
    "line": Colour("#e2e5ea", "#2a303b"),
    "ink": Colour("#1c2230", "#e6e9ef"),
    "dim": Colour("#667085", "#97a1b2"),
    Tone.RUNNING: Colour("#2f6fed", "#5b93ff"),
    Tone.COMPLETED: Colour("#2b9a66", "#45b883"),
    Tone.FAILED: Colour("#d6404a", "#f0666f"),
    Tone.TIMED_OUT: Colour("#d97a0b", "#f0a04a"),
    Tone.CANCELED: Colour("#8a93a3", "#7d8797"),
    Tone.WAITING: Colour("#b9c2d0", "#454e5e"),
    Tone.DECISION: Colour("#7c6ad6", "#9d8df0"),
}
"""Colours by their names in the style sheets."""

LEGEND: Mapping[Tone, str] = {
    Tone.DECISION: "decision",
    Tone.WAITING: "waiting",
    Tone.RUNNING: "running",
    Tone.COMPLETED: "completed",
    Tone.FAILED: "failed",
    Tone.TIMED_OUT: "timed out",
    Tone.CANCELED: "cancelled",
}

_TONES: Mapping[BarState, Tone] = {
    BarState.WAITING: Tone.WAITING,
    BarState.RUNNING: Tone.RUNNING,
    BarState.COMPLETED: Tone.COMPLETED,
    BarState.FAILED: Tone.FAILED,
    BarState.REFUSED: Tone.FAILED,
    BarState.TIMED_OUT: Tone.TIMED_OUT,
    BarState.CANCELED: Tone.CANCELED,
    BarState.TERMINATED: Tone.CANCELED,
    BarState.UNFINISHED: Tone.CANCELED,
}


def tone(kind: BarKind, state: BarState) -> Tone:
    """The tone of a bar; a decision that completed has its own, so that work stands out."""
    if kind is BarKind.DECISION and state is BarState.COMPLETED:
        return Tone.DECISION
    return _TONES[state]


# --- labels and sentences

_REPEATABLE = (BarKind.ACTIVITY, BarKind.LAMBDA, BarKind.CHILD)
_KEY = re.compile(r"\b([0-9a-f]{8})[0-9a-f]{32}\b")  # the SHA-1 in the ids of generated activities


def short_label(label: str, flow: str = "") -> str:
    """An activity's id without the flow's name, its key cut to eight letters."""
    return _KEY.sub(r"\1…", label.removeprefix(f"{flow}_"))


def title(kind: BarKind, label: str, flow: str = "") -> str:
    """The name of a row: an activity's short label, for anything else its kind and label.

    A timer that delays a retry is that activity's.
    """
    if kind is BarKind.ACTIVITY:
        return printable(short_label(label, flow))
    if kind is BarKind.DECISION:
        return "decisions"
    if kind is BarKind.TIMER and label.startswith(RETRY_TIMER):
        return printable(f"retry of {short_label(label.removeprefix(RETRY_TIMER), flow)}")
    return printable(f"{kind} {label}".rstrip())


def outcome(row: Row, now: float) -> str:
    """The outcome of a row: how long its last bar took, its state, and the number of the attempt.

    Args:
        row: The row.
        now: End of what is still open, in seconds since the epoch.
    """
    if row.kind not in _REPEATABLE and len(row.bars) > 1:
        return f"{len(row.bars)} times"
    last = row.last
    end = now if last.ended is None else last.ended
    begin = last.scheduled if last.started is None else last.started
    parts = [duration(end - begin)] if last.started or end > begin else []
    if last.state is not BarState.COMPLETED:
        parts.append(str(last.state))
    if len(row.bars) > 1:
        parts.append(f"attempt {len(row.bars)}")
    return ", ".join(parts)


def headline(timeline: Timeline, workflow_id: str) -> str:
    """One sentence about the whole execution."""
    verb, lasted = STATUS_VERBS[timeline.status], duration(timeline.seconds)
    length = f"for {lasted}" if timeline.status is Status.OPEN else f"after {lasted}"
    reason = f": {timeline.reason}" if timeline.reason else ""
    return printable(f"{workflow_id} {verb} {length}{reason}")


def subtitle(timeline: Timeline) -> str:
    """The workflow's type, the time of its start, and the number of its events."""
    started = datetime.fromtimestamp(timeline.started, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return printable(f"{timeline.name} {timeline.version}, {started}, {timeline.events} events")


def standstill(why: Standstill) -> str:
    """One sentence or two about an execution that does not go on."""
    times = "1 attempt" if why.attempts == 1 else f"{why.attempts} attempts"
    when = f"{why.next_attempt:; next attempt at %Y-%m-%d %H:%M:%S UTC}" if why.next_attempt else ""
    last = why.why.rstrip(".")
    return printable(f"{why.cause} after {times}, the last: {last}{when}. {why.remedy}")


def failures(timeline: Timeline) -> list[str]:
    """The reason of each failed bar, a line each, in the order in which they were scheduled."""
    return [
        printable(f"{title(row.kind, row.label, timeline.name)}{_attempt(row, number)}: {reason}")
        for row in timeline.rows
        for number, bar in enumerate(row.bars, start=1)
        if bar.state.bad and (reason := state_and_reason(bar))
    ]


def state_and_reason(bar: Bar) -> str:
    """The state of a bar, and why it ended so if that is known."""
    return f"{bar.state}, {bar.reason}" if bar.reason else str(bar.state)


def _attempt(row: Row, number: int) -> str:
    return f", attempt {number}" if row.kind in _REPEATABLE and len(row.bars) > 1 else ""


# --- the scale

MINUTE, HOUR, DAY = 60, 3_600, 86_400  # seconds
TENTHS = 10  # seconds from which one decimal is enough

_UNITS = ((DAY, "d", HOUR, "h"), (HOUR, "h", MINUTE, "min"), (MINUTE, "min", 1, "s"))

STEPS = (
    *(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5),
    *(1, 2, 5, 10, 15, 30),
    *(MINUTE * number for number in (1, 2, 5, 10, 15, 30)),
    *(HOUR * number for number in (1, 2, 3, 6, 12)),
)
"""Seconds from one mark of a scale to the next; longer scales have steps of whole days."""


def duration(seconds: float) -> str:
    """A length of time in a few characters: ``0.12 s``, ``3 min 20 s``, ``2 d 4 h``."""
    # Rounded before it is split into units, so that no minute has sixty seconds.
    if round(seconds, 2) < TENTHS:
        return f"{seconds:.2f} s"
    if round(seconds, 1) < MINUTE:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    unit, name, part, part_name = next(each for each in _UNITS if whole >= each[0])
    left = whole % unit // part
    return f"{whole // unit} {name}" + (f" {left} {part_name}" if left else "")


def ticks(seconds: float, most: int) -> list[float]:
    """The round moments to mark on a scale of this length: 0 and at most ``most`` more."""
    length = max(seconds, SHORTEST)
    days = DAY * math.ceil(length / (most * DAY))
    step = next((each for each in STEPS if each >= length / most), days)
    return [number * step for number in range(int(length / step) + 1)]


def tick_label(seconds: float) -> str:
    """The text at a mark of the scale: ``0``, ``0.5 s``, ``15 s``, ``2 min``."""
    if not seconds:
        return "0"
    return f"{seconds:g} s" if seconds < MINUTE else duration(seconds)


# --- text in columns


def printable(text: str) -> str:
    """The text in one line, without control characters, which a terminal would obey."""
    flat = " ".join(text.split())
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in flat)


def cells(text: str) -> int:
    """The number of columns that a text takes on a terminal."""
    return sum(map(_cell, text))


def fit(text: str, width: int) -> str:
    """The text in exactly this many columns, cut with an ellipsis or filled with spaces."""
    shown = text if cells(text) <= width else _cut(text, width - 1) + "…"
    return shown + " " * (width - cells(shown))


def wrap(text: str, width: int) -> list[str]:
    """The text in lines of at most this many columns."""
    # ``textwrap`` counts characters, and a wide one takes two columns.
    has_wide = any(_cell(each) > 1 for each in text)
    return textwrap.wrap(text, width // 2 if has_wide else width, subsequent_indent="  ")


def _cut(text: str, width: int) -> str:
    taken = 0
    for number, each in enumerate(text):
        taken += _cell(each)
        if taken > width:
            return text[:number]
    return text


def _cell(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1

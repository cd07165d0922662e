"""What the terminal, the picture and the progress lines say about a timeline, in the same words."""

import re

from garcon.workflow.timeline import Kind, Row, State, Timeline
from garcon.workflow.values import Status
from garcon.workflow.words import duration, printable

STATUS = {
    Status.OPEN: "is open",
    Status.COMPLETED: "completed",
    Status.FAILED: "failed",
    Status.CANCELED: "was cancelled",
    Status.TERMINATED: "was terminated",
    Status.CONTINUED_AS_NEW: "continued as new",
    Status.TIMED_OUT: "timed out",
}

_TRIED = (Kind.ACTIVITY, Kind.LAMBDA, Kind.CHILD)
_KEY = re.compile(r"\b([0-9a-f]{8})[0-9a-f]{32}\b")  # the SHA-1 in the ids of generated activities


def title(kind: Kind, label: str, flow: str = "") -> str:
    """What a row is called: an activity without the flow's name, anything else with its kind.

    Keys of 40 letters are shown by their first eight.
    """
    if kind is Kind.ACTIVITY:
        return printable(_KEY.sub(r"\1…", label.removeprefix(f"{flow}_")))
    if kind is Kind.DECISION:
        return "decisions"
    return printable(f"{kind} {label}".rstrip())


def outcome(row: Row, until: float) -> str:
    """What a row came to: of tries how long the latest took, how it ended and which it was."""
    if row.kind not in _TRIED and len(row.bars) > 1:
        return f"{len(row.bars)} times"
    last = row.last
    end = until if last.ended is None else last.ended
    begin = last.asked if last.begun is None else last.begun
    said = [duration(end - begin)] if last.begun or end > begin else []
    if last.state is not State.COMPLETED:
        said.append(str(last.state))
    if len(row.bars) > 1:
        said.append(f"try {len(row.bars)}")
    return ", ".join(said)


def headline(timeline: Timeline, workflow_id: str) -> str:
    """One sentence on the whole execution."""
    status, took = STATUS[timeline.status], duration(timeline.seconds)
    after = f"since {took}" if timeline.status is Status.OPEN else f"after {took}"
    why = f": {timeline.reason}" if timeline.reason else ""
    return printable(f"{workflow_id} {status} {after}{why}")


def complaints(timeline: Timeline) -> list[str]:
    """Why tries failed, one line each, in the order in which they were asked for."""
    return [
        printable(f"{title(row.kind, row.label, timeline.name)}{_which(row, number)}: {why}")
        for row in timeline.rows
        for number, bar in enumerate(row.bars, start=1)
        if bar.state.bad and (why := f"{bar.state}, {bar.note}" if bar.note else bar.state)
    ]


def _which(row: Row, number: int) -> str:
    return f", try {number}" if row.kind in _TRIED and len(row.bars) > 1 else ""

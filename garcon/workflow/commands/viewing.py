"""The commands that look: list, show, history."""

import argparse
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from garcon.workflow import drawing, picture, timeline, words
from garcon.workflow import history as histories
from garcon.workflow.commands import place
from garcon.workflow.commands.output import Output, glyphs, width
from garcon.workflow.errors import NotSendable
from garcon.workflow.values import Status, Summary

_STATUS = 16  # columns; "CONTINUED_AS_NEW"
_STARTED = 19  # columns; "2026-01-02 10:00:00"
_TOOK = 12  # columns; "23 h 59 min"


def list_them(said: argparse.Namespace, out: Output) -> int:
    """``list``: one line each; times in UTC."""
    since = datetime.now(UTC) - timedelta(days=said.days) if said.days else None
    status = Status(said.status) if said.status else None
    found = place.client(said).list(status, tag=said.tag, since=since, limit=said.limit)
    out.answer({"executions": found}, _table(found, datetime.now(UTC)))
    return 0


def _table(found: tuple[Summary, ...], now: datetime) -> str:
    if not found:
        return "There are no such executions."
    head = ("STARTED (UTC)", "LASTED", "STATUS", "WORKFLOW ID")
    lines = [head, *(_line(each, now) for each in found)]
    widths = (_STARTED, _TOOK, _STATUS)
    return "\n".join(
        "  ".join([*map(words.fit, line[:3], widths), line[3]]).rstrip() for line in lines
    )


def _line(each: Summary, now: datetime) -> tuple[str, str, str, str]:
    started = each.started.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    lasted = words.duration(((each.closed or now) - each.started).total_seconds())
    return started, lasted, str(each.status), words.printable(each.execution.workflow_id)


def show(said: argparse.Namespace, out: Output) -> int:
    """``show``: in the terminal, and as a picture if asked for."""
    run, events = place.told(said)
    seen = timeline.timeline(events, 0.0 if Path(said.execution).is_file() else time.time())
    if said.svg:
        _write(said.svg, picture.svg(seen, run.workflow_id))
    if out.as_json:
        out.answer({"workflow_id": run.workflow_id, "timeline": seen}, "")
    else:
        out.draw(drawing.draw(seen, run.workflow_id, width(), glyphs(), said.rows))
    return 0


def history(said: argparse.Namespace, out: Output) -> int:
    """``history``: all events, in the form that ``replay``, ``show`` and ``rerun`` read."""
    client = place.client(said)
    events = client.history(place.execution(said, client))
    out.answer({"events": events}, histories.dumps(events).rstrip())
    return 0


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise NotSendable(f"{path} cannot be written: {error.strerror}.") from error

"""``builds``: which builds of a flow's code have open executions.

Rules:

1. SWF lists open executions, and says nothing of their builds: each costs one call
   (GetWorkflowExecutionHistory, 60 a second for an account). So a run reads ``--calls`` executions
   at most, and remembers what it has read in a file of the user's cache.
2. Executions that were never read come first, then those that were read longest ago. The answer
   says how many were read now, and how many never.
3. A file that cannot be read or written costs memory, and not the answer.
"""

import argparse
import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from garcon.executions import presentation
from garcon.executions.commands import target
from garcon.executions.commands.output import Output
from garcon.executions.errors import NotFound
from garcon.executions.last_decision import LastDecision
from garcon.executions.values import Status, Summary
from garcon.payload import safe_json

if TYPE_CHECKING:
    from garcon.executions.client import Client

MOST_LISTED = 10_000
"""Open executions that are listed: ten calls, of 48 a second for an account."""

UNDECIDED = "(unknown)"
"""Shown for executions without a note: not decided yet, or by a decider without a build."""


@dataclass(frozen=True, slots=True)
class Known:
    """The facts remembered of one execution, and when they were read (seconds since the epoch)."""

    read: float
    last: LastDecision


@dataclass(frozen=True, slots=True)
class BuildLine:
    """The open executions of one build.

    Attributes:
        build: Its id; empty if it is unknown.
        open: Number of its open executions.
        stuck: Number of those that wait for code that fits.
        oldest: The earliest start of one of them.
        decided: When one of them was decided last, as far as it is known.
        host: By which host.
    """

    build: str
    open: int
    stuck: int
    oldest: datetime
    decided: datetime | None
    host: str


def builds(args: argparse.Namespace, out: Output) -> int:
    """``builds``: a line for each build; times in UTC."""
    client = target.client(args)
    listed = client.list(Status.OPEN, limit=MOST_LISTED)
    path = _memory_of(client)
    known = _remembered(path)
    due = sorted(listed, key=lambda each: _read_at(known, each))[: args.calls]
    for each in due:
        if last := _last_decision(client, each):
            known[each.execution.run_id] = last
    kept = {each.execution.run_id for each in listed}
    _remember(path, {run: each for run, each in known.items() if run in kept}, out)
    lines = build_lines((each, known.get(each.execution.run_id)) for each in listed)
    unread = sum(each.execution.run_id not in known for each in listed)
    values = {"builds": lines, "open": len(listed), "read": len(due), "unread": unread}
    out.answer(values, _table(lines, len(listed), len(due), unread))
    return 0


def _read_at(known: Mapping[str, Known], each: Summary) -> float:
    found = known.get(each.execution.run_id)
    return found.read if found else 0.0


def _last_decision(client: "Client", each: Summary) -> Known | None:
    try:
        return Known(datetime.now(UTC).timestamp(), client.last_decision(each.execution))
    except NotFound:
        return None  # it has closed since it was listed, and its domain keeps nothing


def build_lines(found: Iterable[tuple[Summary, Known | None]]) -> list[BuildLine]:
    """The lines, those with the most open executions first.

    Args:
        found: The open executions, each with what is known of it.
    """
    of_build: dict[str, list[tuple[Summary, LastDecision]]] = defaultdict(list)
    for summary, known in found:
        last = known.last if known else LastDecision()
        of_build[last.build].append((summary, last))
    lines = [_line(build, members) for build, members in of_build.items()]
    return sorted(lines, key=lambda each: (-each.open, each.build))


def _line(build: str, members: list[tuple[Summary, LastDecision]]) -> BuildLine:
    decided = [(last.decided, last.host) for _, last in members if last.decided]
    latest, host = max(decided, default=(None, ""))
    return BuildLine(
        build=build,
        open=len(members),
        stuck=sum(last.is_stuck for _, last in members),
        oldest=min(summary.started for summary, _ in members),
        decided=latest,
        host=host,
    )


def _table(lines: list[BuildLine], listed: int, read: int, unread: int) -> str:
    if not lines:
        return "No execution is open."
    head = ("BUILD", "OPEN", "STUCK", "OLDEST (UTC)", "DECIDED (UTC)", "BY HOST")
    rows = [head, *(_cells(each) for each in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    table = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    rest = f" {unread} were never read: run it again, or raise --calls." if unread else ""
    return "\n".join([*table, f"{listed} open executions, {read} of them read now.{rest}"])


def _cells(each: BuildLine) -> tuple[str, ...]:
    return (
        presentation.printable(each.build) or UNDECIDED,
        str(each.open),
        str(each.stuck or ""),
        _time(each.oldest),
        _time(each.decided),
        presentation.printable(each.host),
    )


def _time(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") if moment else ""


# --- memory ---------------------------------------------------------------------------------------


def _memory_of(client: "Client") -> Path:
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    place = f"{client.place} {client.flow.domain} {client.flow.name}"
    digest = hashlib.sha256(place.encode(errors="replace")).hexdigest()[:16]
    return base / "garcon" / f"builds-{digest}.json"


def _remembered(path: Path) -> dict[str, Known]:
    try:
        found = safe_json.loads(path.read_text(encoding="utf-8"))
        return {run: _known(*members) for run, members in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _known(read: float, build: str, host: str, decided: float | None, stuck: bool) -> Known:  # noqa: FBT001 - members of a list
    at = None if decided is None else datetime.fromtimestamp(decided, UTC)
    return Known(float(read), LastDecision(str(build), str(host), at, bool(stuck)))


def _remember(path: Path, known: Mapping[str, Known], out: Output) -> None:
    new = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        new.write_text(json.dumps({run: _members(each) for run, each in known.items()}))
        new.replace(path)
    except OSError as error:
        out.note(f"garcon: what was read is not remembered: {error}.")


def _members(each: Known) -> list[Any]:
    last = each.last
    decided = last.decided.timestamp() if last.decided else None
    return [each.read, last.build, last.host, decided, last.is_stuck]

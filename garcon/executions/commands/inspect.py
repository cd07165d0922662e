"""The commands that read: list, count, show, state, history."""

import argparse
import contextlib
import dataclasses
import itertools
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from garcon.executions import (
    last_decision,
    presentation,
    recorded_history,
    redrive,
    slowness,
    standstill,
    state_view,
    svg,
    terminal,
    timeline,
)
from garcon.executions.commands import columns, selection, target
from garcon.executions.commands.output import Output, glyphs, width
from garcon.executions.errors import NotFound
from garcon.executions.standstill import Standstill
from garcon.executions.values import Summary

if TYPE_CHECKING:
    from garcon.executions.client import Client

EXAMINED = 1_000
"""Open executions that ``--stuck``, ``--waiting`` and ``--quiet`` look at: a call each,
of 60 a second for an account."""


def list_executions(args: argparse.Namespace, out: Output) -> int:
    """``list``: a line for each execution; times in UTC."""
    if _examining(args):
        return _list_examined(args, out)
    now = datetime.now(UTC)
    client = target.client(args)
    if args.json_lines:  # without builds: they are written as they are listed
        for each in itertools.islice(client.select(selection.criteria(args, now)), args.limit):
            out.line(each)
        return 0
    found = client.list(where=selection.criteria(args, now), limit=args.limit)
    builds = _builds(client, found) if columns.BUILD in args.columns else {}
    values = [
        dataclasses.asdict(each) | {"build": builds.get(each.execution)} if builds else each
        for each in found
    ]
    out.answer({"executions": values}, columns.draw(found, args.columns, now, builds))
    return 0


def _builds(client: "Client", found: Sequence[Summary]) -> columns.Builds:
    """The builds that executions were decided by last: a call each, of 60 a second."""
    builds = {}
    for each in found:
        with contextlib.suppress(NotFound):  # its domain has forgotten it since it was listed
            builds[each.execution] = client.last_decision(each.execution).build
    return builds


def count(args: argparse.Namespace, out: Output) -> int:
    """``count``: the number of executions."""
    found = target.client(args).count(selection.criteria(args, datetime.now(UTC)))
    text = f"more than {found.number:,}" if found.truncated else str(found.number)
    out.answer({"count": found.number, "truncated": found.truncated}, text)
    return 0


def _list_examined(args: argparse.Namespace, out: Output) -> int:
    """List the open executions with a reason, by the end of the history of each."""
    now, client = datetime.now(UTC), target.client(args)
    criteria = selection.of_open(selection.criteria(args, now), _examining(args))
    open_ones = client.list(where=criteria, limit=EXAMINED)
    if len(open_ones) == EXAMINED:
        out.note(f"garcon: only the latest {EXAMINED:,} open executions are examined.")
    examined = ((each, _examine(args, client.latest(each.execution), now)) for each in open_ones)
    found = [*itertools.islice(((each, why) for each, why in examined if why), args.limit)]
    values = [{**dataclasses.asdict(each), **why} for each, why in found]
    out.answer({"executions": values}, _reasons(found, _examining(args), now))
    return 0


def _examining(args: argparse.Namespace) -> str:
    options = {"--stuck": args.stuck, "--waiting": args.waiting, "--quiet": args.quiet}
    return ", ".join(option for option, value in options.items() if value)


def _examine(
    args: argparse.Namespace, latest: Sequence[recorded_history.Event], now: datetime
) -> dict[str, Standstill | str]:
    """The reasons for which an execution is listed, by their kind."""
    found = {
        "standstill": standstill.standstill(latest) if args.stuck else None,
        "waiting": slowness.waiting(latest, now, args.waiting) if args.waiting else None,
        "quiet": slowness.quiet(latest, now, args.quiet) if args.quiet else None,
    }
    return {kind: why for kind, why in found.items() if why}


def _reasons(
    found: Sequence[tuple[Summary, dict[str, Standstill | str]]], options: str, now: datetime
) -> str:
    if not found:
        none = {"--stuck": "No open execution is known to be stuck."}
        return none.get(options, f"No open execution meets {options}.")
    head, *lines = columns.draw([each for each, _ in found], columns.DEFAULT, now).splitlines()
    rows = (
        [line, *(f"  {part}" for each in why.values() for part in _wrapped(each))]
        for line, (_, why) in zip(lines, found, strict=True)
    )
    return "\n".join([head, *itertools.chain.from_iterable(rows)])


def _wrapped(why: Standstill | str) -> list[str]:
    text = presentation.printable(why) if isinstance(why, str) else presentation.standstill(why)
    return presentation.wrap(text, width() - 2)


def show(args: argparse.Namespace, out: Output) -> int:
    """``show``: a timeline in the terminal, and as a picture with ``--svg``."""
    history = target.history(args)
    workflow_id = history.execution.workflow_id
    why = standstill.of_history(history.events)
    decided = last_decision.last_decision(list(reversed(history.events)))
    runs = redrive.lineage(history.events[0])
    drawn = timeline.timeline(history.events, 0.0 if history.from_file else time.time())
    if args.svg:
        _write(Path(args.svg), svg.as_svg(drawn, workflow_id))
    if out.as_json:
        values = {"workflow_id": workflow_id, "timeline": drawn, "standstill": why}
        out.answer(values | {"last_decision": decided, "redrive_of": runs}, "")
    else:
        lines = terminal.draw(drawn, workflow_id, width(), glyphs(), args.rows)
        out.draw(
            [
                *lines,
                *terminal.decided_by(decided, width()),
                *terminal.lineage(runs, width()),
                *terminal.standstill(why, width()),
            ]
        )
    return 0


def state(args: argparse.Namespace, out: Output) -> int:
    """``state``: what the decider exposes, and what is open."""
    client = target.client(args)
    found = client.state(target.execution(args, client))
    flow = getattr(client.flow, "name", None) or ""
    lines = state_view.lines(found, flow, datetime.now(UTC))
    wrapped = (part for line in lines for part in presentation.wrap(line, width()))
    out.answer(found, "\n".join(wrapped))
    return 0


def history(args: argparse.Namespace, out: Output) -> int:
    """``history``: all events, in the form that ``replay``, ``show`` and ``rerun`` read."""
    client = target.client(args)
    events = client.history(target.execution(args, client))
    out.answer({"events": events}, recorded_history.dumps(events).rstrip())
    return 0


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", errors="replace")
    except OSError as error:
        raise target.UsageError(f"{path} cannot be written: {error.strerror}.") from error

"""The commands that act on many executions: redrive, signal, cancel and terminate with ``--where``.

Rules:

1. Without ``--yes`` nothing is done: the executions are counted, and the first of them shown.
2. A batch that was interrupted goes on when the same command is given again: its report has the
   executions that it chose at first, and what became of them.
"""

import argparse
import hashlib
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from garcon.executions import batch, criteria
from garcon.executions.batch import Act
from garcon.executions.batch_report import BatchOutcome, BatchReport
from garcon.executions.client import Client
from garcon.executions.commands import columns, selection, target
from garcon.executions.commands.output import Output
from garcon.executions.values import Summary

SHOWN = 10  # executions of a dry run, and outcomes of a batch, in the terminal
STEP = 5.0  # seconds between two lines of progress

_DONE = {
    "redrive": "redriven",
    "signal": "signalled",
    "cancel": "asked to cancel",
    "terminate": "terminated",
}


def is_asked(args: argparse.Namespace) -> bool:
    """Whether the command is to act on many executions.

    Raises:
        UsageError: It names one execution, too, or none.
    """
    name = args.command_name
    if not args.where:
        if args.execution is None:
            raise target.UsageError(f"{name} needs a WORKFLOW_ID, or --where KEY=VALUE for many.")
        return False
    one = args.run_id or (args.execution if name != "signal" else args.input)
    if one:
        raise target.UsageError(f"{name} takes one execution or --where, not both: {one!r}.")
    return True


def act_on(
    args: argparse.Namespace,
    out: Output,
    client: Client,
    make: Callable[[Client], Act],
    options: Sequence[Any],
) -> int:
    """Act on the executions that meet ``--where``.

    Args:
        args: The arguments.
        out: Receives the answer.
        client: The client.
        make: Makes the act.
        options: The act's options, which are a part of the batch's name.
    """
    named = {
        "verb": args.command_name,
        "where": sorted(args.where),
        "options": list(options),
        "domain": client.flow.domain,
        "type": getattr(client.flow, "name", None),
        "place": client.place,
    }
    report = BatchReport(Path(args.report) if args.report else _default_path(named))
    try:
        if report.is_unfinished:
            report.ensure_of(named)
        if not report.is_unfinished:
            chosen = _choose(args, client)
            if not (args.yes and chosen):
                return _answer_dry_run(args, out, chosen)
            report.begin(named, [each.execution for each in chosen])
        elif not args.yes:
            return _answer_unfinished(out, report)
        return _carry_out(args, out, client, make(client), report)
    finally:
        report.close()


def _choose(args: argparse.Namespace, client: Client) -> list[Summary]:
    wanted = selection.criteria(args, datetime.now(UTC))
    if args.command_name == "redrive":
        named = criteria.of_flow(wanted, getattr(client.flow, "name", None))
        return batch.redrivable(client, named)
    found = client.select(selection.of_open(wanted, args.command_name))
    is_cancelling = args.command_name == "cancel"
    return [each for each in found if not (is_cancelling and each.cancel_requested)]


def _answer_dry_run(args: argparse.Namespace, out: Output, chosen: Sequence[Summary]) -> int:
    shown = columns.draw(chosen[:SHOWN], columns.DEFAULT, datetime.now(UTC))
    more = f"\n... and {len(chosen) - SHOWN:,} more" if len(chosen) > SHOWN else ""
    verb = f"would be {_DONE[args.command_name]}"
    sentence = f"{_number(len(chosen))} {verb}; nothing is done yet. Add --yes to do it."
    values = {"dry_run": True, "count": len(chosen), "executions": chosen}
    out.answer(values, f"{shown}{more}\n{sentence}" if chosen else shown)
    return 0


def _answer_unfinished(out: Output, report: BatchReport) -> int:
    left = sum(1 for _ in report.left())
    values = {"dry_run": True, "count": left, "unfinished": True, "report": report.path}
    out.answer(
        values,
        f"This batch is unfinished: {left:,} of {_number(len(report.lines))} are left. Add --yes "
        f"to go on with it, or remove its report: {report.path}",
    )
    return 0


def _carry_out(
    args: argparse.Namespace, out: Output, client: Client, act: Act, report: BatchReport
) -> int:
    before = len(report.lines) - sum(1 for _ in report.left())
    if before:
        out.note(f"garcon: goes on; {before:,} of {len(report.lines):,} are done.")
    told = time.monotonic()
    for number, _ in enumerate(
        batch.carry_out(client, act, report, client.clock, time.time), before + 1
    ):
        if not args.quiet and time.monotonic() - told > STEP:
            told = time.monotonic()
            out.note(f"garcon: {number:,} of {len(report.lines):,}")
    return _answer(args, out, report)


def _answer(args: argparse.Namespace, out: Output, report: BatchReport) -> int:
    counts = Counter(line.outcome for line in report.lines)
    done, skipped, failed = (counts[each] for each in BatchOutcome)
    parts = [
        f"{done:,} {_DONE[args.command_name]}",
        *([f"{skipped:,} skipped"] if skipped else []),
        *([f"{failed:,} failed; the same command attempts them again"] if failed else []),
    ]
    others = [line for line in report.lines if line.outcome is not BatchOutcome.DONE]
    shown = [f"  {each.execution.workflow_id} {each.outcome}: {each.text}" for each in others]
    more = [f"  ... and {len(others) - SHOWN:,} more"] if len(others) > SHOWN else []
    head = f"{_number(len(report.lines))}: {', '.join(parts)}. Report: {report.path}"
    values = {"count": len(report.lines), "done": done, "skipped": skipped, "failed": failed}
    executions = [
        {**_ids(line.execution), "outcome": line.outcome, "text": line.text}
        for line in report.lines
    ]
    out.answer(
        {**values, "report": report.path, "executions": executions},
        "\n".join([head, *shown[:SHOWN], *more]),
    )
    report.finish()
    return 1 if failed else 0


def _ids(run: Any) -> dict[str, str]:
    return {"workflow_id": run.workflow_id, "run_id": run.run_id}


def _number(count: int) -> str:
    return f"{count:,} execution{'' if count == 1 else 's'}"


def _default_path(named: Any) -> Path:
    digest = hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()[:12]
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "garcon" / f"{named['verb']}-{digest}.jsonl"

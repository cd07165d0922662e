"""The executions that a command acts on: the criteria of its options."""

import argparse
from dataclasses import replace
from datetime import UTC, datetime

from garcon.executions import criteria as parsed
from garcon.executions import presentation
from garcon.executions.commands import target
from garcon.executions.criteria import Criteria
from garcon.executions.values import Status


def criteria(args: argparse.Namespace, now: datetime) -> Criteria:
    """The criteria of ``--where`` and of the options for which it has a shorter form.

    Raises:
        InputNotSendable: One of them is invalid.
    """
    texts = [
        *args.where,
        *([f"status={args.status}"] if args.status else []),
        *([f"tag={args.tag}"] if args.tag else []),
    ]
    found = parsed.parse(texts, now)
    return replace(found, since=_ago(now, args.days)) if args.days else found


def of_open(found: Criteria, option: str) -> Criteria:
    """The criteria for an option that concerns open executions only.

    Raises:
        UsageError: Only closed ones could meet the criteria.
    """
    if not found.lists_open:
        statuses = ", ".join(sorted(found.statuses)) or "closed"
        raise target.UsageError(f"{option} is for open executions, not those {statuses}.")
    return replace(found, statuses=frozenset({Status.OPEN}))


def _ago(now: datetime, days: float) -> datetime:
    # The epoch at the earliest: SWF has nothing older, and ``datetime`` ends at the year 1.
    seconds = now.timestamp() - days * presentation.DAY
    return datetime.fromtimestamp(max(seconds, 0.0), UTC)

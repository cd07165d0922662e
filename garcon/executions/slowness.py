"""Slow executions: open ones that wait for a worker, or in which nothing happens. Pure.

They are found by the end of a history, so an older task may be missed in a busy execution; in one
that is slow, it is there.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from garcon.executions import parsing, presentation
from garcon.executions.pending import pending
from garcon.executions.recorded_history import Event, moment
from garcon.executions.values import Status

NAMED = 3  # open things in a sentence


def waiting(latest: Sequence[Event], now: datetime, seconds: float) -> str | None:
    """A sentence if a task is older than so many seconds and no worker has taken it.

    Args:
        latest: The end of a history, the latest event first, at least one.
        now: The present.
        seconds: The bound.
    """
    if parsing.status(latest[0]) is not Status.OPEN:
        return None
    late = [
        each
        for each in pending(reversed(latest))
        if each.task_list and not each.started and (now - each.since).total_seconds() > seconds
    ]
    if not late:
        return None
    first = min(late, key=lambda each: each.since)
    age = presentation.duration((now - first.since).total_seconds())
    more = f"; so do {len(late) - 1} more" if len(late) > 1 else ""
    name = f"{first.kind} {first.id}".rstrip()
    return f"{name} waits since {age} for a worker of {first.task_list}{more}"


def quiet(latest: Sequence[Event], now: datetime, seconds: float) -> str | None:
    """A sentence if nothing has happened for so many seconds; the arguments are as above."""
    if parsing.status(latest[0]) is not Status.OPEN:
        return None
    since = datetime.fromtimestamp(moment(latest[0]), UTC)
    silent = (now - since).total_seconds()
    if silent <= seconds:
        return None
    found = pending(reversed(latest))
    what = ", ".join(f"{each.kind} {each.id}".rstrip() for each in found[:NAMED]) or "nothing"
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return f"nothing has happened since {presentation.duration(silent)}; open: {what}{more}"

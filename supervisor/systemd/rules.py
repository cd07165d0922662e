"""What the service manager is told, decided from two pictures of the pool: no clock, no socket.

Rules of this file (sd_notify(3) names the fields):

1. ``READY=1`` when a generation serves all of its seats for the first time. A list that was found
   degraded is not waited for: to end the others for its sake would be the worse service.
2. ``RELOADING=1``, with the moment, when another generation is wanted or has taken over, for
   whatever reason; ``READY=1`` when the one that serves has all seats again. That is the end of a
   roll that was given up, too.
3. ``STOPPING=1`` when the program leaves, once; nothing of the above follows.
4. While it leaves and makes progress, more time is asked for. Progress is a count that has changed
   (processes left, tasks in hand, reports owed), or a task in hand within its own timeout. A task
   without a timeout is no progress by itself: one that hangs would hold the stop up for ever.
5. ``STATUS=`` is one line for people, told when it has changed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING

from supervisor.core.service import Service

if TYPE_CHECKING:
    from collections.abc import Iterator

EXTENSION = 150.0
"""Seconds that are asked for at a time: the core looks around every 60, so one may be late."""

EXTEND_EVERY = 30.0
"""Seconds between two such requests: a fifth of what each gives."""

_NOTHING_YET = Service()


@dataclass(frozen=True)
class Told:
    """What the service manager knows.

    Attributes:
        seen: The picture that it was told of last.
        settled: The generation that was seen at full strength last; 0 before ``READY=1``.
        reloading: Whether it waits for the end of a roll.
        progress: Whether a drain has got on since more time was asked for.
        extended_at: When more time was asked for last, in the picture's seconds.
        status: The line that it shows.
    """

    seen: Service = _NOTHING_YET
    settled: int = 0
    reloading: bool = False
    progress: bool = False
    extended_at: float = -inf
    status: str = ""


def tell(told: Told, seen: Service, now: float) -> tuple[Told, list[str]]:
    """What it knows then, and the fields that make it know; ``now`` in monotonic seconds."""
    step = _leave if seen.leaving is not None else _serve
    known, fields = step(replace(told, seen=seen), told.seen, now)
    status = status_of(known)
    if status != told.status:
        fields.append(f"STATUS={status}")
    return replace(known, status=status), fields


def _serve(told: Told, _before: Service, now: float) -> tuple[Told, list[str]]:
    seen, fields = told.seen, list[str]()
    if seen.full and not told.settled:
        told = replace(told, settled=seen.generation)
        fields.append("READY=1")
    if not told.settled:
        return told, fields
    settled = seen.generation if seen.full else told.settled
    reloading = seen.changing or seen.generation != settled
    if reloading and not told.reloading:
        fields += ["RELOADING=1", f"MONOTONIC_USEC={_microseconds(now)}"]
    if told.reloading and not reloading:
        fields.append("READY=1")
    return replace(told, settled=settled, reloading=reloading), fields


def _leave(told: Told, before: Service, now: float) -> tuple[Told, list[str]]:
    fields = ["STOPPING=1"] if before.leaving is None else []
    progress = told.progress or told.seen.in_time or _counts(before) != _counts(told.seen)
    if not progress or now < told.extended_at + EXTEND_EVERY:
        return replace(told, progress=progress), fields
    fields.append(f"EXTEND_TIMEOUT_USEC={_microseconds(EXTENSION)}")
    return replace(told, progress=False, extended_at=now), fields


def _counts(seen: Service) -> tuple[bool, int, int, int]:
    return seen.leaving is None, seen.left, seen.working, seen.owed


def _microseconds(seconds: float) -> int:
    return int(seconds * 1_000_000)


# --- for people -----------------------------------------------------------------------------------


def status_of(told: Told) -> str:
    """One line, as ``systemctl status`` shows it."""
    seen = told.seen
    if seen.leaving is not None:
        why = " ".join(seen.leaving.split())  # a line is all there is
        left = f"{seen.left} processes left, {seen.working} tasks in hand"
        return f"Leaving ({why}): {left}, {seen.owed} reports owed"
    if not seen.generation:
        return "Starting"
    return "; ".join(_serving(told))


def _serving(told: Told) -> Iterator[str]:
    seen = told.seen
    yield f"{seen.ready} of {seen.wanted} workers ready, {seen.working} at work"
    if seen.degraded:
        yield f"degraded: {', '.join(seen.degraded)}"
    if seen.quiet:
        yield f"quiet: {', '.join(seen.quiet)}"
    if seen.owed:
        yield f"{seen.owed} reports owed"
    if told.reloading:
        yield "restarting"
    yield f"generation {seen.generation}"

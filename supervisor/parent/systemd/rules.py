"""The content of notifications: fields that follow from two views of the pool; no clock, no socket.

Rules of this file (sd_notify(3) names the fields):

1. ``READY=1`` is sent when a generation serves all of its slots for the first time, and each kept
   release serves, or has failed to start, or is late: whoever replaces hosts one after the other
   takes the next one then, which may be the last that serves old code. A degraded list is not
   waited for: ending the others because of it would be the worse service.
2. ``RELOADING=1`` is sent, with the time, when a restart is requested or a new generation is
   active, and ``READY=1`` when the active one serves all slots again, also after a rollback.
3. A refused restart is answered with ``RELOADING=1`` and ``READY=1`` at once: with
   ``Type=notify-reload`` the manager would wait for both, and call the unit failed. ``STATUS=``
   shows the refusal until the next restart begins.
4. ``STOPPING=1`` is sent once, when the supervisor leaves; nothing of the above follows.
5. A drain that makes progress asks for more time. Progress is a changed count (processes, tasks,
   pending reports), or a task within its own timeout. A task without a timeout is not progress by
   itself: one that hangs would hold up the stop for ever.
6. ``STATUS=`` is one line for people, sent when it has changed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING

from supervisor.core.service_view import Service

if TYPE_CHECKING:
    from collections.abc import Iterator

EXTENSION = 150.0
"""Seconds requested at a time: the core checks every 60, so one check may be late."""

EXTEND_INTERVAL = 30.0
"""Seconds between two such requests: a fifth of what each gives."""

_NOTHING_YET = Service()


@dataclass(frozen=True)
class LastNotified:
    """The knowledge of the service manager.

    Attributes:
        view: The view that it was notified of last.
        settled: The generation that last served all slots; 0 before ``READY=1``.
        reloading: Whether it waits for the end of a deploy.
        progress: Whether a drain has made progress since the last request for time.
        extended_at: When more time was requested last, in monotonic seconds.
        status: The line that it shows.
        refusal: Why the last restart was refused; empty if it was not.
    """

    view: Service = _NOTHING_YET
    settled: int = 0
    reloading: bool = False
    progress: bool = False
    extended_at: float = -inf
    status: str = ""
    refusal: str = ""


def refuse_reload(last: LastNotified, why: str, now: float) -> tuple[LastNotified, list[list[str]]]:
    """The manager's new knowledge after a refused restart, and the datagrams to send."""
    known = replace(last, refusal=" ".join(why.split()))  # a newline would end the field
    if not last.settled or last.reloading or last.view.leaving is not None:
        return known, []  # it waits for something else, whose end answers it
    return known, [["RELOADING=1", f"MONOTONIC_USEC={_microseconds(now)}"], ["READY=1"]]


def notify(last: LastNotified, view: Service, now: float) -> tuple[LastNotified, list[str]]:
    """The manager's new knowledge, and the fields to send; ``now`` in monotonic seconds."""
    step = _leave if view.leaving is not None else _serve
    known, fields = step(replace(last, view=view), last.view, now)
    status = status_of(known)
    if status != last.status:
        fields.append(f"STATUS={status}")
    return replace(known, status=status), fields


def _serve(last: LastNotified, _before: Service, now: float) -> tuple[LastNotified, list[str]]:
    view, fields = last.view, list[str]()
    if view.full and not last.settled:
        last = replace(last, settled=view.generation)
        fields.append("READY=1")
    if not last.settled:
        return last, fields
    settled = view.generation if view.full else last.settled
    reloading = view.changing or view.generation != settled
    if reloading and not last.reloading:
        fields += ["RELOADING=1", f"MONOTONIC_USEC={_microseconds(now)}"]
    if last.reloading and not reloading:
        fields.append("READY=1")
    refusal = "" if view.changing else last.refusal
    return replace(last, settled=settled, reloading=reloading, refusal=refusal), fields


def _leave(last: LastNotified, before: Service, now: float) -> tuple[LastNotified, list[str]]:
    fields = ["STOPPING=1"] if before.leaving is None else []
    progress = last.progress or last.view.in_time or _counts(before) != _counts(last.view)
    if not progress or now < last.extended_at + EXTEND_INTERVAL:
        return replace(last, progress=progress), fields
    fields.append(f"EXTEND_TIMEOUT_USEC={_microseconds(EXTENSION)}")
    return replace(last, progress=False, extended_at=now), fields


def _counts(view: Service) -> tuple[bool, int, int, int]:
    return view.leaving is None, view.left, view.working, view.pending_reports


def _microseconds(seconds: float) -> int:
    return int(seconds * 1_000_000)


# --- the status line ------------------------------------------------------------------------------


def status_of(last: LastNotified) -> str:
    """One line, as ``systemctl status`` shows it."""
    view = last.view
    if view.leaving is not None:
        why = " ".join(view.leaving.split())  # a newline would end the field
        left = f"{view.left} processes left, {view.working} tasks in progress"
        return f"Leaving ({why}): {left}, {view.pending_reports} pending reports"
    if not view.generation:
        return "Starting"
    return "; ".join(_serving(last))


def _serving(last: LastNotified) -> Iterator[str]:
    view = last.view
    yield f"{view.ready} of {view.desired} workers ready, {view.working} working"
    if view.awaited:
        yield f"starting release {', '.join(view.awaited)}"
    if view.degraded:
        yield f"degraded: {', '.join(view.degraded)}"
    if view.quiet:
        yield f"quiet: {', '.join(view.quiet)}"
    if view.pending_reports:
        yield f"{view.pending_reports} pending reports"
    if last.reloading:
        yield "restarting"
    yield f"generation {view.generation}"
    if last.refusal:
        yield f"restart refused: {last.refusal}"

"""Causes of standstill: an open execution that does not go on, by the end of its history. Pure.

Each cause is a function of ``CAUSES``: from the latest events to a ``Standstill``. A further cause
is a function more.
"""

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from garcon.executions import parsing, recorded_history
from garcon.executions.recorded_history import Event, Events
from garcon.executions.values import Status
from garcon.history import build_notes, decision_deaths, returned_tasks


class StandstillCause(enum.StrEnum):
    """The kind of a standstill."""

    PARKED = "parked"
    RETURNED = "returned"
    STUCK = "stuck"


@dataclass(frozen=True, slots=True)
class Standstill:
    """The reason why an open execution does not go on.

    Attributes:
        cause: The kind.
        attempts: Failed attempts at its decision in a row.
        why: How the last one failed.
        next_attempt: Time of the next attempt, if a timer brings one.
        remedy: What to do, a sentence.
    """

    cause: StandstillCause
    attempts: int
    why: str
    next_attempt: datetime | None
    remedy: str


def standstill(latest: Sequence[Event]) -> Standstill | None:
    """The cause of a standstill; ``None`` if it has closed, or goes on as far as they show.

    Args:
        latest: The end of its history, the latest event first, at least one.
    """
    if parsing.status(latest[0]) is not Status.OPEN:
        return None
    return next((found for find in CAUSES if (found := find(latest))), None)


def of_history(events: Events) -> Standstill | None:
    """As ``standstill``, of a history whose oldest event comes first."""
    return standstill(list(reversed(events)))


def _parked(latest: Sequence[Event]) -> Standstill | None:
    deaths = decision_deaths.parked(latest)
    if deaths is None:
        return None
    return Standstill(
        StandstillCause.PARKED,
        deaths.deaths,
        deaths.why,
        _timer_end(latest),
        "Deploy code that can decide it, or terminate it.",
    )


def _returned(latest: Sequence[Event]) -> Standstill | None:
    returned = returned_tasks.latest(latest)
    if returned is None:
        return None
    return Standstill(
        StandstillCause.RETURNED,
        returned.returned,
        returned.why,
        _timer_end(latest),
        "Give its deciders' hosts what they lack.",
    )


def _stuck(latest: Sequence[Event]) -> Standstill | None:
    note = build_notes.latest(latest)
    if note is None or not note.is_stuck:
        return None
    build = f"build {note.build}" if note.build else "the code that began it"
    return Standstill(
        StandstillCause.STUCK,
        note.waits,
        note.why,
        _timer_end(latest),
        f"Deploy {build}, or code that fits what it has done: restore it, or guard the change.",
    )


CAUSES: tuple[Callable[[Sequence[Event]], Standstill | None], ...] = (_parked, _returned, _stuck)
"""The first that applies is shown."""


def _timer_end(latest: Sequence[Event]) -> datetime | None:
    """The time at which the return timer fires, if it runs."""
    for event in latest:
        if returned_tasks.is_over(event):
            return None
        if event["eventType"] == "TimerStarted" and returned_tasks.answer_of(event):
            seconds = recorded_history.attributes(event)["startToFireTimeout"]
            started = datetime.fromtimestamp(recorded_history.moment(event), UTC)
            return started + timedelta(seconds=int(seconds))
    return None

"""A decider that contradicts its history: what was begun, and is not asked for any more.

A decider is run from its start at every decision, and must ask again for whatever it asked for
before: activities, timers, children, lambda functions. If it does not, its code was changed while
the execution ran, or depends on something else than the history (the time, chance, a database).
What it decides then rests on a past that was not, so it is not sent. Once the code is restored, or
the change guarded with ``version``, the execution goes on.

A flow without a decider contradicts its history if something runs that it does not have any more:
an activity that was renamed or removed, an instance that its generators do not give now. What has
ended is no contradiction: such a flow has no line that depends on it.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from garcon.errors import GarconError
from garcon.event import History
from garcon.lifecycles import CHILD, LAMBDA, TIMER
from garcon.states import Waitable
from garcon.timers import OWN_TIMERS

_OUR_FILES = f"{Path(__file__).parents[1]}{os.sep}"


class Contradiction(GarconError):
    """The decider does not ask for something that it began before.

    Attributes:
        event_id: Number of the event by which that began.
    """

    def __init__(self, sentence: str, event_id: int) -> None:
        super().__init__(sentence)
        self.event_id = event_id


def begun(history: History) -> Iterator[tuple[str, int]]:
    """What a decider began: its name in sentences, and the number of the event."""
    for of_name in history.activities.values():
        for state in of_name.values():
            if state.event_id:
                yield state.what, state.event_id
    for life in (TIMER, CHILD, LAMBDA):
        for thing in history.things[life.kind].values():
            if thing.event_id and not (life is TIMER and thing.id.startswith(OWN_TIMERS)):
                yield thing.what, thing.event_id


def forgotten(history: History, asked: set[str]) -> tuple[str, int] | None:
    """The first thing in the history that this run has not asked for; its name and event."""
    missing = (each for each in begun(history) if each[0] not in asked)
    return min(missing, key=lambda each: each[1], default=None)


def orphaned(history: History, names: Iterable[str]) -> tuple[str, int] | None:
    """The first activity of these names that runs; its name in sentences and event."""
    running = (each for name in names for each in history.activities[name].values() if each.open)
    found = min(running, key=lambda each: each.event_id, default=None)
    return (found.what, found.event_id) if found else None


def orphan(what: str, event_id: int, where: str) -> Contradiction:
    """The error for something that runs and that a flow without a decider does not have.

    Args:
        what: Its name.
        event_id: Number of the event by which it began.
        where: The flow's file, or its name.
    """
    return Contradiction(
        f"{what} began with event {event_id} and runs, and {where} has no such activity, or its "
        "generators give it no more. Nothing is decided until it has ended. Restore the code, or "
        "let it end.",
        event_id,
    )


def contradiction(what: str, event_id: int, where: str) -> Contradiction:
    """The error for a forgotten thing.

    Args:
        what: Its name.
        event_id: Number of the event by which it began.
        where: What the decider does instead.
    """
    return Contradiction(
        f"{what} began with event {event_id}, and the decider asks for it no more: {where}. "
        "Nothing is decided. Restore the code, or guard the change with schedule.version.",
        event_id,
    )


def other_input(state: Waitable, event_id: int, where: str) -> Contradiction:
    """The error for a thing that is asked for with another input than it began with."""
    return Contradiction(
        f"{state.what} began with event {event_id} and another input than {where} gives it. An id "
        "stands for one input: give another id, or the same input at every decision.",
        event_id,
    )


def flow_line() -> str:
    """The line of the flow that is being run, as ``file:line``."""
    frame = sys._getframe(1)  # noqa: SLF001 - traceback and inspect read whole files for this
    while frame.f_back and frame.f_code.co_filename.startswith(_OUR_FILES):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def line_of(function: Callable[..., Any]) -> str:
    """Where a function begins, as ``file:line``."""
    code = getattr(function, "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else repr(function)

"""Non-deterministic deciders: something in the history is no longer requested by the code.

A decider is run from its start for every decision, and has to request everything again that it
requested before: activities, timers, children, lambda functions. If it does not, its code was
changed while the execution ran, or depends on something besides the history (the time, chance, a
database). Its decisions then rest on a past that did not happen, so they are not sent. Once the
code is restored, or the change guarded with ``version``, the execution goes on.

A flow without a decider differs from its history if something runs that it no longer has: an
activity that was renamed or removed, an instance that its generators no longer return. An activity
that has ended does not count: no line of such a flow depends on it.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from garcon.activity import ActivityState
from garcon.errors import GarconError
from garcon.event import History
from garcon.history.event_types import CHILD, LAMBDA, TIMER
from garcon.history.reserved_timers import OWN_TIMERS
from garcon.history.states import State

_OUR_FILES = f"{Path(__file__).parents[1]}{os.sep}"


class NonDeterminism(GarconError):
    """The flow's code does not request something that its history has.

    Attributes:
        event_id: Number of the event by which that began.
    """

    def __init__(self, sentence: str, event_id: int) -> None:
        super().__init__(f"Non-deterministic decider: {sentence}")
        self.event_id = event_id


def first_not_requested(history: History, requested: set[str]) -> ActivityState | State | None:
    """The first thing that began in the history and is not among the requested names."""
    missing = (each for each in _begun(history) if each.what not in requested)
    return min(missing, key=lambda each: each.event_id, default=None)


def _begun(history: History) -> Iterator[ActivityState | State]:
    """Everything that the flow's decider began."""
    for of_name in history.activities.values():
        yield from (state for state in of_name.values() if state.event_id)
    for life in (TIMER, CHILD, LAMBDA):
        for thing in history.states_by_kind[life.kind].values():
            if thing.event_id and not (life is TIMER and thing.id.startswith(OWN_TIMERS)):
                yield thing


def first_running(history: History, names: Iterable[str]) -> ActivityState | None:
    """The first activity with one of these names that runs."""
    running = (each for name in names for each in history.activities[name].values() if each.open)
    return min(running, key=lambda each: each.event_id, default=None)


def not_requested(state: ActivityState | State, where: str) -> NonDeterminism:
    """The error for a thing that a run of the decider did not request.

    Args:
        state: The thing.
        where: What the run did instead, and at which line.
    """
    return NonDeterminism(
        f"{_name(state)} was scheduled in event {state.event_id}, but the current code no longer "
        f"schedules it: {where}. No decisions are sent. Restore the code, or guard the change with "
        "schedule.version.",
        state.event_id,
    )


def not_in_flow(state: ActivityState, flow_name: str) -> NonDeterminism:
    """The error for an activity that runs and that a flow without a decider does not have.

    Args:
        state: The activity.
        flow_name: The flow's file, or its name.
    """
    return NonDeterminism(
        f"{_name(state)} was scheduled in event {state.event_id} and still runs, but {flow_name} "
        "has no such activity, or its generators no longer return it. No decisions are sent until "
        "it has ended. Restore the code, or wait for its end.",
        state.event_id,
    )


def other_input(state: ActivityState | State, where: str) -> NonDeterminism:
    """The error for a thing that is requested with another input than it began with.

    Args:
        state: The thing.
        where: The line that requests it.
    """
    return NonDeterminism(
        f"{_name(state)} was scheduled in event {state.event_id} with another input than {where} "
        "gives it now. No decisions are sent. An id stands for one input: use another id, or the "
        "same input in every run.",
        state.event_id,
    )


def _name(state: ActivityState | State) -> str:
    return state.what[0].lower() + state.what[1:]


def flow_line() -> str:
    """The line of the flow that is being run, as ``file:line``."""
    # Not by traceback or inspect: they read whole files, and this runs at every decision.
    frame = sys._getframe(1)  # noqa: SLF001 - see above
    while frame.f_back and frame.f_code.co_filename.startswith(_OUR_FILES):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def line_of(function: Callable[..., Any]) -> str:
    """The first line of a function, as ``file:line``."""
    code = getattr(function, "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else repr(function)

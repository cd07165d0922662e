"""The way back: for a while the code before is kept, should the new one trip.

1. When a generation takes over, the one before it becomes the *previous* one and keeps its zygote
   for ``probation`` seconds, if it can fork and served every list: else it is no place to go to.
2. The new one trips when one of its lists is degraded, when it is convicted (``trial``), or when
   its zygote is lost. Then the previous one is current again, with its settings, and takes the
   seats back as any generation takes them: who is of the tripped one leaves when its heir is ready.
3. Those of the previous one that had been told to leave go on leaving, beside their seats.
4. A new restart may come at any time; the one that serves then is the next previous one.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from supervisor import exits
from supervisor.core import outcome
from supervisor.core.generation import Failure, Gate, Generation
from supervisor.core.state import Deploy, Outcome
from supervisor.messages import Level

if TYPE_CHECKING:
    from supervisor.core.state import State
    from supervisor.core.turn import Turn
    from supervisor.settings import Settings


def watch(turn: Turn) -> None:
    """Go back to the previous generation, or let it go."""
    state = turn.state
    if state.previous is None or state.current is None:
        return
    if state.leaving or not state.previous.can_fork or _ends_at(state) <= turn.now:
        state.previous = None
    elif tripped := _tripped(state.current):
        _return(turn, state.current, state.previous, tripped)


def next_deadline(state: State) -> float:
    """When the previous one is let go."""
    return _ends_at(state) if state.previous and not state.leaving else inf


def keep(state: State, before: Generation | None, settings: Settings) -> None:
    """Somebody takes over from this one, with these settings."""
    fit = before is not None and before.can_fork and not before.degraded_at
    state.previous = before if fit and settings.probation else None


def _ends_at(state: State) -> float:
    assert state.current  # noqa: S101 - for the type checker: there is a previous one
    return state.current.promoted_at + state.settings.probation


def _tripped(current: Generation) -> Failure | None:
    if current.degraded_at:
        lists = ", ".join(each.name for each in current.degraded_at)
        return Failure(f"its workers of {lists} died early again and again", exits.GAVE_UP)
    if not current.can_fork:
        return Failure("its zygote was lost", exits.GAVE_UP)
    return current.failure


def _return(turn: Turn, tripped: Generation, previous: Generation, failure: Failure) -> None:
    state = turn.state
    state.current, state.previous = previous, None
    previous.relieve_leavers()
    previous.was_full = False
    turn.take_up(previous.settings)
    last = f"; the last death: {state.last_death}" if state.last_death else ""
    text = outcome.report(
        f"Generation {tripped.number} tripped in its probation; generation {previous.number} takes"
        " its seats back.",
        gate=Gate.PROBATION,
        why=f"{failure.why}{last}",
        serving=f"generation {previous.number}, with the code from before",
    )
    state.deploy = Deploy(tripped.number, Outcome.RETURNED, text)
    turn.note(
        Level.ERROR,
        "generation_returned",
        text,
        generation=tripped.number,
        serving=previous.number,
        gate=Gate.PROBATION.value,
        why=failure.why,
        **failure.facts,
    )

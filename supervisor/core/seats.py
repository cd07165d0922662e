"""Every empty, rested seat is filled.

1. Wanted are all seats of the current generation, and the canaries of a registered candidate.
2. A seat is empty when nobody of the same generation is alive on it, not even one that was killed:
   two of them would serve it for a moment.
3. A generation without a zygote fills nothing: its seats wait for the next generation.
4. While the program leaves, nothing is filled.
5. That a generation serves all its seats is told once: it is what people wait for.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from supervisor.messages import Level, Serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supervisor.core.generation import Generation
    from supervisor.core.state import State
    from supervisor.core.turn import Turn
    from supervisor.messages import Seat


def fill(turn: Turn) -> None:
    """Fork for every seat that is due."""
    for generation, seat in list(_empty(turn.state)):
        if generation.rested_at(seat) <= turn.now:
            turn.fork(generation, Serve(seat))


def tell_when_full(turn: Turn) -> None:
    """Rule 5."""
    current = turn.state.current
    if current and not current.was_full and current.is_full:
        current.was_full = True
        turn.note(
            Level.INFO,
            "full_strength",
            f"All {len(current.seats)} workers of generation {current.number} are ready.",
            generation=current.number,
            workers=len(current.seats),
        )


def next_deadline(state: State) -> float:
    """When the next empty seat has rested."""
    return min((each.rested_at(seat) for each, seat in _empty(state)), default=inf)


def _empty(state: State) -> Iterator[tuple[Generation, Seat]]:
    if state.leaving:
        return
    for generation in (state.current, state.candidate):
        if generation and generation.can_fork:
            wanted, seated = state.wanted_seats(generation), generation.seated
            if len(seated) < len(wanted):
                yield from ((generation, seat) for seat in wanted if seat not in seated)

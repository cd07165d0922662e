"""Every empty, rested seat is filled.

1. Wanted are all seats of the current generation (``pools``), and the canaries of a registered
   candidate.
2. A seat is empty when nobody of the same generation is alive on it, not even one that was killed:
   two of them would serve it for a moment.
3. A generation without a zygote fills nothing: its seats wait for the next generation.
4. While the program leaves, nothing is filled.
5. An heir of an elder waits for room (``surge``); a death or an elder's end makes it.
6. That a generation serves all its seats is told once: it is what people wait for.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from supervisor.core import surge
from supervisor.messages import Level, Seat, Serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supervisor.core.generation import Generation
    from supervisor.core.state import State
    from supervisor.core.turn import Turn


def fill(turn: Turn) -> None:
    """Fork for every seat that is due."""
    empty = list(_empty(turn.state))
    if not empty:
        return
    kept, room = surge.kept_by_elders(turn.state), surge.room(turn.state)
    for generation, seat in empty:
        heir = generation is turn.state.current and seat in kept
        if generation.rested_at(seat) <= turn.now and not (heir and room <= 0):
            turn.fork(generation, Serve(seat))
            room -= 1


def tell_when_full(turn: Turn) -> None:
    """Rule 6."""
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
    empty = list(_empty(state))
    if not empty:
        return inf
    held_back = surge.kept_by_elders(state) if surge.room(state) <= 0 else set[Seat]()
    return min(
        (
            generation.rested_at(seat)
            for generation, seat in empty
            if generation is not state.current or seat not in held_back
        ),
        default=inf,
    )


def _empty(state: State) -> Iterator[tuple[Generation, Seat]]:
    if state.leaving:
        return
    for generation in (state.current, state.candidate):
        if generation and generation.can_fork:
            wanted, seated = state.wanted_seats(generation), generation.seated
            # A candidate's first seat may be another now than when its canary was forked.
            if generation is state.candidate or len(seated) < len(wanted):
                yield from ((generation, seat) for seat in wanted if seat not in seated)

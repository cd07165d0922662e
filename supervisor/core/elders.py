"""Elders: workers of generations that are neither current nor candidate.

1. An elder serves until its heir is ready: a worker of the current generation on the same seat.
2. Where the current generation has no such seat, there is no heir to wait for.
3. Who is of an abandoned generation is told to leave at once: it was to prove itself, and did not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from supervisor.core.generation import Generation
    from supervisor.core.turn import Turn
    from supervisor.core.worker import Worker


def relieve(turn: Turn) -> None:
    """Tell elders to leave whose heirs are ready."""
    state = turn.state
    if state.leaving or len(state.generations) == 1:
        return
    for worker in list(state.may_be_told()):
        if not state.goes_on(worker.generation) and _is_relieved(worker, state.current):
            turn.tell_to_leave(worker)


def _is_relieved(elder: Worker, current: Generation | None) -> bool:
    wanted = current is not None and elder.seat in current.seats
    if elder.generation.abandoned or current is None or elder.seat is None or not wanted:
        return True
    heir = current.seated.get(elder.seat)
    return heir is not None and heir.is_strength

"""Elders: workers of generations that are neither current nor candidate.

1. An elder serves until its heir is ready: a worker of the current generation on the same seat.
   Restarts may follow one another faster than elders leave; then an elder of a later generation is
   as good an heir.
2. Where the current generation has no such seat, there is no heir to wait for.
3. Who is of an abandoned generation is told to leave at once: it was to prove itself, and did not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from supervisor.core.state import State
    from supervisor.core.turn import Turn
    from supervisor.core.worker import Worker
    from supervisor.messages import Seat


def relieve(turn: Turn) -> None:
    """Tell elders to leave whose heirs are ready."""
    state = turn.state
    if state.leaving or len(state.generations) == 1:
        return
    latest = _latest(state)
    for worker in list(state.may_be_told()):
        if not state.goes_on(worker.generation) and _is_relieved(worker, state, latest):
            turn.tell_to_leave(worker)


def _latest(state: State) -> dict[Seat, int]:
    """The latest generation of elders that serves each seat."""
    latest: dict[Seat, int] = {}
    for worker in state.serving():
        if worker.seat and worker.is_strength and not state.goes_on(worker.generation):
            latest[worker.seat] = max(latest.get(worker.seat, 0), worker.generation.number)
    return latest


def _is_relieved(elder: Worker, state: State, latest: dict[Seat, int]) -> bool:
    current = state.current
    wanted = current is not None and elder.seat in current.seats
    if elder.generation.abandoned or current is None or elder.seat is None or not wanted:
        return True
    heir = current.seated.get(elder.seat)
    ready = heir is not None and heir.is_strength
    return ready or latest.get(elder.seat, 0) > elder.generation.number

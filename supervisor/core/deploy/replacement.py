"""Departure of retiring workers: those of generations that are neither active nor candidate.

Rules:

1. A retiring worker serves until its replacement, a worker of the active generation on the same
   slot, is ready. Restarts may follow one another faster than workers leave; then a retiring worker
   of a later generation will do as well.
2. If the active generation does not have the slot, there is no replacement to wait for.
3. A worker of a generation that was given up leaves at once: its code did not prove itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from supervisor.core.generation import Worker
    from supervisor.core.state import State
    from supervisor.core.turn import Turn
    from supervisor.ipc.messages import Slot


def retire_old_workers(turn: Turn) -> None:
    """Ask retiring workers to leave whose replacements are ready."""
    state = turn.state
    if state.drain or len(state.generations) == 1:
        return
    latest = _latest_generations(state)
    for worker in list(state.may_be_asked_to_leave()):
        if not state.fills_slots(worker.generation) and _is_replaced(worker, state, latest):
            turn.ask_to_leave(worker)


def _latest_generations(state: State) -> dict[Slot, int]:
    """The latest retiring generation that serves each slot."""
    latest: dict[Slot, int] = {}
    for worker in state.serving():
        if worker.slot and worker.is_ready and not state.fills_slots(worker.generation):
            latest[worker.slot] = max(latest.get(worker.slot, 0), worker.generation.number)
    return latest


def _is_replaced(retiring: Worker, state: State, latest: dict[Slot, int]) -> bool:
    active = state.active
    desired = active is not None and retiring.slot in active.slots
    if retiring.generation.given_up or active is None or retiring.slot is None or not desired:
        return True
    replacement = active.occupied.get(retiring.slot)
    ready = replacement is not None and replacement.is_ready
    return ready or latest.get(retiring.slot, 0) > retiring.generation.number

"""Filling of the slots, and the notes that they are all filled or all empty.

Rules:

1. Desired are all slots of the active generation (``pools``), and the canaries of a candidate whose
   startup jobs are done.
2. A slot is empty if it has no living worker of the same generation, not even a killed one: for a
   moment two workers would serve it.
3. An empty slot is filled as soon as its backoff is over. A generation without a zygote fills
   nothing: its slots wait for the next generation. During a drain nothing is filled.
4. *Surge*: beside the pool are all living workers that serve, less the desired slots. That is
   replacements, retiring workers that end their last poll or task, and canaries. A replacement of a
   retiring worker is forked only while fewer than ``surge`` are beside the pool.
5. Not counted are the replaced workers of the active generation: after a rollback it does not wait
   until the workers that it had asked to leave have ended their tasks.
6. A slot that no worker serves is filled whatever is beside the pool: strength before economy.
   Canaries are not held back either: without them the new code cannot prove itself.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from supervisor.ipc.messages import Level, Role, Slot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supervisor.core.generation import Generation
    from supervisor.core.state import State
    from supervisor.core.turn import Turn


def fill_slots(turn: Turn) -> None:
    """Fork a worker for every empty slot that is due."""
    state = turn.state
    empty = list(_empty_slots(state))
    if not empty:
        return
    still_served, room = _slots_of_retiring_workers(state), _surge_room(state)
    for generation, slot in empty:
        replaces = generation is state.active and slot in still_served
        if generation.backoff_until(slot) <= turn.now and not (replaces and room <= 0):
            turn.fork(generation, generation.job_at(slot, _list_to_take_over(state, slot)))
            room -= 1


def _list_to_take_over(state: State, slot: Slot) -> int | str:
    """The private list of a dead decider, of this slot or of a killed supervisor; 0 for none."""
    if slot in state.private_lists:
        return state.private_lists.pop(slot)
    is_decider = slot.task_list.role is Role.DECIDER
    return state.orphaned_lists.pop(0) if is_decider and state.orphaned_lists else 0


def next_deadline(state: State) -> float:
    """Time at which the next empty slot is due."""
    empty = list(_empty_slots(state))
    if not empty:
        return inf
    held_back = _slots_of_retiring_workers(state) if _surge_room(state) <= 0 else set[Slot]()
    return min(
        (
            generation.backoff_until(slot)
            for generation, slot in empty
            if generation is not state.active or slot not in held_back
        ),
        default=inf,
    )


def _empty_slots(state: State) -> Iterator[tuple[Generation, Slot]]:
    if state.drain:
        return
    for generation in (state.active, state.candidate):
        if generation and generation.can_fork:
            desired, occupied = state.desired_slots(generation), generation.occupied
            # A candidate's first slot may be another now than when its canary was forked.
            if generation is state.candidate or len(occupied) < len(desired):
                yield from ((generation, slot) for slot in desired if slot not in occupied)


def _surge_room(state: State) -> int:
    """The number of replacements of retiring workers that may be forked now."""
    if state.active is None:
        return 0
    desired = len(state.desired_slots(state.active))
    beside = sum(1 for _ in state.serving()) - len(state.active.replaced) - desired
    return state.settings.surge.of(desired) - beside


def _slots_of_retiring_workers(state: State) -> set[Slot]:
    """The slots that a retiring worker serves and goes on serving."""
    if len(state.generations) == 1:
        return set()
    retiring = (each for each in state.serving() if not state.fills_slots(each.generation))
    return {each.slot for each in retiring if each.slot and each.is_ready}


# --- notes ----------------------------------------------------------------------------------------


def note_full_strength(turn: Turn) -> None:
    """Note once that every slot of the active generation is served: people wait for it."""
    active = turn.state.active
    if turn.state.holds_polls:
        return
    if active and not active.full_strength_noted and active.is_full:
        active.full_strength_noted = True
        turn.note(
            Level.INFO,
            "full_strength",
            f"All {len(active.slots)} workers of generation {active.number} are ready.",
            generation=active.number,
            workers=len(active.slots),
        )


def note_empty_lists(turn: Turn) -> None:
    """Note once that a quiet list has no worker left: now people may touch what its tasks use."""
    pools = turn.state.pools
    ending = [each for each, pool in pools.items() if pool.quiet and not pool.is_empty]
    if not ending or turn.state.drain:
        return
    served = {each.slot.task_list for each in turn.state.serving() if each.slot}
    for task_list in [each for each in ending if each not in served]:
        pools[task_list].is_empty = True
        turn.note(
            Level.INFO,
            "list_empty",
            f"{task_list.name} has no worker left; it stays quiet until it is resumed.",
            task_list=task_list.name,
        )

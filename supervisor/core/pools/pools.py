"""The slots of each task list: the one place that decides them.

Rules:

1. The settings give the slots of a list. A size that was requested since holds instead, for every
   generation that has the list, until the settings give another number.
2. Slots belong to the pool, not to a generation. So a retiring worker and its replacement meet at
   the same slot, and a restart after a change of size is as gapless as one before it.
3. A pool that shrinks gives up first the slots without a ready worker, then those of parked ones,
   which leave at once, then those of polling ones, then those of busy ones, which finish their
   task; among equals the last. So indexes may have gaps, which a pool that grows fills first.
4. A quiet list keeps its slots, but no worker is desired at them. So does every list while the
   instance is in a warm pool (``warm_pool``).
5. The worker of a slot that is given up is asked to leave and no longer occupies it. So a slot that
   is desired again is filled at once, beside the end of that worker's poll or task.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import count, islice
from typing import TYPE_CHECKING

from supervisor.core.stages import Stage
from supervisor.core.state import Pool
from supervisor.ipc.messages import Level, Slot

if TYPE_CHECKING:
    from collections.abc import Iterable

    from supervisor.core.generation import Generation
    from supervisor.core.state import State
    from supervisor.core.turn import Turn
    from supervisor.ipc.messages import TaskList


def fit_pools(turn: Turn) -> None:
    """Give every pool its desired slots, and dismiss the workers of slots that are given up."""
    state = turn.state
    if state.active and state.active is not state.pooled:
        _follow(state, state.active)
    if not state.resized or state.drain:
        return
    state.resized = False
    for task_list, pool in state.pools.items():
        _fit_indexes(state, task_list, pool)
    for generation in (state.active, state.candidate):
        if generation:
            _fit_slots(turn, generation)


def resize(turn: Turn, task_list: TaskList, size: int, why: str) -> None:
    """Desire this many workers of a list."""
    pool = turn.state.pools[task_list]
    if size == pool.desired:
        return
    turn.note(
        Level.INFO,
        "scaled",
        f"{task_list.name} is scaled from {pool.desired} to {size} workers: {why}.",
        task_list=task_list.name,
        workers=size,
        before=pool.desired,
        why=why,
    )
    pool.desired, turn.state.resized = size, True


# --- the pools ------------------------------------------------------------------------------------


def _follow(state: State, generation: Generation) -> None:
    """Take over the lists and the bounds of the generation that is active now."""
    state.pools, state.pooled, state.resized = _planned(state, generation), generation, True
    for task_list, pool in state.pools.items():
        pool.bounds = generation.bounds.get(task_list)


def _planned(state: State, generation: Generation) -> dict[TaskList, Pool]:
    """The pools as they are once this generation is active."""
    return {each: _configured(state.pools.get(each), n) for each, n in generation.sizes.items()}


def _configured(pool: Pool | None, size: int) -> Pool:
    if pool is None:
        return Pool(size, size, tuple(range(size)))
    if pool.configured == size:
        return pool
    indexes = _grown(pool.indexes[:size], size)
    return replace(pool, configured=size, desired=size, indexes=indexes, bounds=None, demands=())


def _fit_indexes(state: State, task_list: TaskList, pool: Pool) -> None:
    if pool.bounds:
        pool.desired = pool.bounds.clamp(pool.desired)
    surplus = len(pool.indexes) - pool.desired
    if surplus > 0:
        given_up = _least_useful_first(state, task_list, pool)[:surplus]
        pool.indexes = tuple(each for each in pool.indexes if each not in given_up)
    pool.indexes = _grown(pool.indexes, pool.desired)


def _least_useful_first(state: State, task_list: TaskList, pool: Pool) -> list[int]:
    """The indexes of a pool's slots in the order in which they are given up."""
    staying = [each for each in state.serving() if each.is_staying]
    occupied = {each.slot for each in staying}
    ready = {each.slot for each in staying if each.is_ready}
    busy = {each.slot for each in staying if each.task}
    polling = {each.slot for each in staying if each.is_ready and each.stage is not Stage.PARKED}
    slots = [Slot(task_list, each) for each in pool.indexes]
    in_order = sorted(
        slots,
        key=lambda each: (
            *(each in busy, each in polling, each in ready, each in occupied),
            -each.index,
        ),
    )
    return [each.index for each in in_order]


def _grown(indexes: Iterable[int], size: int) -> tuple[int, ...]:
    taken = tuple(indexes)
    free = (each for each in count() if each not in taken)
    return tuple(sorted((*taken, *islice(free, max(0, size - len(taken))))))


# --- a generation's slots in them -----------------------------------------------------------------


def _fit_slots(turn: Turn, generation: Generation) -> None:
    before = generation.slots
    generation.slots = tuple(
        Slot(task_list, index)
        for task_list, pool in _planned(turn.state, generation).items()
        if not (pool.quiet or turn.state.holds_polls)
        for index in pool.indexes
    )
    desired = set(generation.slots)
    generation.full_strength_noted = generation.full_strength_noted and desired <= set(before)
    for slot in [each for each in before if each not in desired]:
        for worker in generation.clear_slot(slot):
            turn.dismiss(worker)

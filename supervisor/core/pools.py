"""Which seats each task list has: the one place that knows.

1. The settings say how many seats a list usually has. What is asked for meanwhile holds instead,
   for every generation that has the list, until the settings say another number.
2. Seats belong to the pool and not to a generation. So an elder and its heir meet at the same
   seat, and a roll after a change of size goes below strength no more than one before it.
3. A pool that shrinks gives up first the seats where nobody is ready, then those of idle workers,
   then those of busy ones, who finish their task; of equals the last. So indexes may have gaps,
   which a pool that grows fills first.
4. A quiet list keeps its seats, and nobody is wanted at them.
5. Who sits at a seat that is given up is told to leave, and no longer counts as sitting there: when
   the seat is wanted again it is filled at once, beside the end of that one's poll or task.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count, islice
from typing import TYPE_CHECKING

from supervisor.messages import Seat

if TYPE_CHECKING:
    from collections.abc import Iterable

    from supervisor.core.generation import Generation
    from supervisor.core.state import State
    from supervisor.core.turn import Turn
    from supervisor.messages import TaskList
    from supervisor.spans import Span


@dataclass(slots=True)
class Pool:
    """The seats of one task list."""

    usual: int  # how many the settings want
    wanted: int  # how many are wanted now
    indexes: tuple[int, ...]  # of its seats, ascending
    span: Span | None = None  # between what its backlog may size it, if it may
    quiet: bool = False
    is_still: bool = False  # quiet, and nobody serves it any more
    pending: int | None = None  # tasks that wait, as was counted last
    demands: tuple[int, ...] = ()  # of the last counts (``scaling``)


def fit(turn: Turn) -> None:
    """Let every pool have the seats that are wanted; tell who loses a seat to leave."""
    state = turn.state
    if state.current and state.current is not state.pooled:
        _adopt(state, state.current)
    if not state.resized or state.leaving:
        return
    state.resized = False
    for task_list, pool in state.pools.items():
        _resize(state, task_list, pool)
    for generation in (state.current, state.candidate):
        if generation:
            _seat(turn, generation)


def served(state: State) -> tuple[TaskList, ...]:
    """The lists on which somebody is wanted now."""
    return tuple(each for each, pool in state.pools.items() if pool.indexes and not pool.quiet)


# --- how many, and which --------------------------------------------------------------------------


def _adopt(state: State, generation: Generation) -> None:
    """Another generation serves: its lists and its settings hold."""
    state.pools, state.pooled, state.resized = _planned(state, generation), generation, True
    for task_list, pool in state.pools.items():
        pool.span = generation.spans.get(task_list)


def _planned(state: State, generation: Generation) -> dict[TaskList, Pool]:
    """The pools as they are once this generation serves."""
    return {each: _usual(state.pools.get(each), size) for each, size in generation.sizes.items()}


def _usual(pool: Pool | None, usual: int) -> Pool:
    if pool is None:
        return Pool(usual, usual, tuple(range(usual)))
    if pool.usual == usual:
        return pool
    indexes = _grown(pool.indexes[:usual], usual)
    return Pool(
        usual, usual, indexes, quiet=pool.quiet, is_still=pool.is_still, pending=pool.pending
    )


def _resize(state: State, task_list: TaskList, pool: Pool) -> None:
    if pool.span:
        pool.wanted = pool.span.within(pool.wanted)
    surplus = len(pool.indexes) - pool.wanted
    if surplus > 0:
        given_up = _in_order(state, task_list, pool)[:surplus]
        pool.indexes = tuple(each for each in pool.indexes if each not in given_up)
    pool.indexes = _grown(pool.indexes, pool.wanted)


def _in_order(state: State, task_list: TaskList, pool: Pool) -> list[int]:
    """The seats in the order in which they are given up."""
    staying = [each for each in state.serving() if each.stays]
    seated = {each.seat for each in staying}
    ready = {each.seat for each in staying if each.is_strength}
    busy = {each.seat for each in staying if each.task}
    seats = [Seat(task_list, each) for each in pool.indexes]
    in_order = sorted(
        seats, key=lambda each: (each in busy, each in ready, each in seated, -each.index)
    )
    return [each.index for each in in_order]


def _grown(indexes: Iterable[int], size: int) -> tuple[int, ...]:
    taken = tuple(indexes)
    free = (each for each in count() if each not in taken)
    return tuple(sorted((*taken, *islice(free, max(0, size - len(taken))))))


# --- who sits there -------------------------------------------------------------------------------


def _seat(turn: Turn, generation: Generation) -> None:
    before = generation.seats
    generation.seats = tuple(
        Seat(task_list, index)
        for task_list, pool in _planned(turn.state, generation).items()
        if not pool.quiet
        for index in pool.indexes
    )
    wanted = set(generation.seats)
    generation.was_full = generation.was_full and wanted <= set(before)
    for seat in [each for each in before if each not in wanted]:
        for worker in generation.vacate(seat):
            turn.take_seat(worker)

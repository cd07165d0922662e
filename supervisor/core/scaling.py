"""How many workers the backlog of a list wants (``--scale LIST=MIN..MAX``).

1. The *demand* is a worker for each task that waits or is worked on. SWF's count of those that wait
   is an estimate; one that is truncated says only that there are very many.
2. A pool grows to the demand at once: tasks wait now, and MAX is what the host can take.
3. It shrinks to the greatest demand of the last ``scale_samples`` counts: a wave that comes back
   within that time finds its workers there. That is never below the number of those who are busy
   now, who lose their seats last (``pools``): so only idle workers go.
4. Counts of a quiet list are not heeded: that tasks wait there is meant.
5. An attendant counts. It is stopped and started again when the lists are others. While there is
   none, the pools keep their size.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from supervisor.core.asked import resize
from supervisor.core.state import Standing
from supervisor.per_list import named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from supervisor.core.state import State
    from supervisor.core.turn import Turn
    from supervisor.messages import Backlog, TaskList

SCALE = "scale"


def count(event: Backlog, turn: Turn) -> None:
    """So many tasks of a list wait: size its pool."""
    state = turn.state
    for task_list in named(event.task_list, state.pools):
        pool = state.pools[task_list]
        pool.pending = event.pending
        if pool.span is None or pool.quiet or state.leaving:
            pool.demands = ()
            continue
        busy = _busy(state, task_list)
        demand = pool.span.most if event.truncated else busy + event.pending
        pool.demands = (*pool.demands, demand)[-state.settings.scale_samples :]
        size = pool.span.within(target(pool.wanted, pool.demands, state.settings.scale_samples))
        why = f"tasks waiting: {event.pending}, in hand: {busy}"
        resize(turn, task_list, size, why)


def target(size: int, demands: Sequence[int], samples: int) -> int:
    """How many workers there should be where ``size`` are; the newest demand comes last."""
    if demands[-1] >= size:
        return demands[-1]
    return max(demands) if len(demands) == samples and max(demands) < size else size


def _busy(state: State, task_list: TaskList) -> int:
    """Seats whose worker has a task in hand."""
    staying = (each for each in state.serving() if each.stays and each.task)
    return len({each.seat for each in staying if each.seat and each.seat.task_list == task_list})


# --- who counts -----------------------------------------------------------------------------------


def keep_counting(turn: Turn) -> None:
    """Have an attendant count the lists that are to be counted, and no others."""
    lists, counter = _counted(turn.state), turn.state.attendants.get(SCALE)
    if counter is None or counter.standing is Standing.GONE:
        if lists and (counter is None or counter.trouble.until <= turn.now):
            turn.start_attendant(SCALE, lists)
    elif counter.lists != lists and not turn.state.leaving:
        counter.trouble.until = turn.now  # when it is gone, another may begin
        turn.stop_attendant(counter)


def next_deadline(state: State) -> float:
    """When a lost counter has rested."""
    counter = state.attendants.get(SCALE)
    waits = counter is not None and counter.standing is Standing.GONE and _counted(state)
    return counter.trouble.until if counter and waits else inf


def _counted(state: State) -> tuple[TaskList, ...]:
    if state.leaving:
        return ()
    return tuple(each for each, pool in state.pools.items() if pool.span)

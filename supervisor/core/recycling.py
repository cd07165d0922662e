"""Tired workers are replaced, the replacement first.

1. A worker that has done its share says so and goes on. Its seat gets an heir beside it; when the
   heir is ready it takes the seat, and the tired one is told to leave. So recycling never goes
   below strength, and what it ends is no death.
2. A list recycles a tenth of its seats at once, but one at least. Each recycling is a worker more
   than the host was sized for, from the heir's fork until the relieved one is gone, and that may
   take as long as a task. So the limits of tasks and memory are soft; ``max_memory_hard`` is not.
3. Only the current generation recycles. Of others nobody stays: their heirs are on their way.
4. An heir that dies early makes its seat rest like any other; its tired worker goes on meanwhile.
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
    from supervisor.messages import Seat, TaskList

SHARE = 10
"""One of so many seats of a list recycles at once. It takes about two tasks (the poll that is open
when the heir is ready may bring one more), so who does more than twenty seldom waits."""


def recycle(turn: Turn) -> None:
    """Let ready heirs take their seats, and fork heirs for the tired."""
    current = turn.state.current
    if current is None or turn.state.leaving:
        return
    for seat, heir in list(current.heirs.items()):
        if heir.is_strength:
            _hand_over(turn, current, seat)
    for seat in list(_tired(current)):
        if current.rested_at(seat) <= turn.now:
            turn.fork(current, Serve(seat))


def next_deadline(state: State) -> float:
    """When the seat of a tired worker has rested from its last heir's death."""
    if state.current is None:
        return inf
    return min((state.current.rested_at(seat) for seat in _tired(state.current)), default=inf)


def _hand_over(turn: Turn, current: Generation, seat: Seat) -> None:
    heir, relieved = current.heirs[seat], current.hand_over(seat)
    if relieved.stays:
        turn.tell_to_leave(relieved)
    turn.note(
        Level.INFO,
        "worker_recycled",
        f"Worker {heir.number} replaces worker {relieved.number} at {seat.task_list.name}/"
        f"{seat.index}: {relieved.tired}.",
        worker=heir.number,
        relieved=relieved.number,
        why=relieved.tired,
    )


def _tired(current: Generation) -> Iterator[Seat]:
    """Seats whose worker is tired and has no heir, as many as may recycle at once."""
    if not current.can_fork:
        return
    free: dict[TaskList, int] = {}
    for seat, worker in current.tired.items():
        if worker.is_strength and seat not in current.heirs:
            task_list = seat.task_list
            left = free.setdefault(task_list, _free(current, task_list))
            if left > 0:
                free[task_list] -= 1
                yield seat


def _free(current: Generation, task_list: TaskList) -> int:
    return max(1, current.size(task_list) // SHARE) - current.recycling(task_list)

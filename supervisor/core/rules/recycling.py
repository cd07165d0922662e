"""Recycling: a worker that wants replacement goes when its replacement is ready.

Rules:

1. A worker that has done as many tasks, or grown as big, as it may asks for its replacement and
   goes on. The replacement starts beside it and takes the slot when it is ready; then the old
   worker is asked to leave. So recycling never goes below strength, and its end is not a death.
2. A list recycles a tenth of its slots at a time, but at least one. Each costs the host one more
   worker, from the replacement's fork until the old worker is gone, which may take as long as a
   task. So the limits of tasks and memory are soft; ``max_memory_hard`` is not.
3. Only the active generation recycles. In the others no worker stays: they are being replaced.
4. A replacement that dies early makes its slot back off like any other; the old worker goes on.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from supervisor.core.log_names import slot_name
from supervisor.ipc.messages import Level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supervisor.core.generation import Generation
    from supervisor.core.state import State
    from supervisor.core.turn import Turn
    from supervisor.ipc.messages import Slot, TaskList

SHARE = 10
"""One of this many slots of a list recycles at a time. It takes about two tasks (the open poll may
bring one more), so a worker that is replaced after more than twenty seldom waits for its turn."""


def recycle_workers(turn: Turn) -> None:
    """Let ready replacements take their slots, and fork the next ones."""
    active = turn.state.active
    if active is None or turn.state.drain:
        return
    for slot, replacement in list(active.replacements.items()):
        if replacement.is_ready:
            _hand_over_slot(turn, active, slot)
    for slot in list(_due_slots(active)):
        if active.backoff_until(slot) <= turn.now:
            turn.fork(active, active.job_at(slot))


def next_deadline(state: State) -> float:
    """Time at which the next slot may try another replacement."""
    if state.active is None:
        return inf
    return min((state.active.backoff_until(slot) for slot in _due_slots(state.active)), default=inf)


def _hand_over_slot(turn: Turn, active: Generation, slot: Slot) -> None:
    replacement, replaced = active.replacements[slot], active.hand_over_slot(slot)
    if replaced.is_staying:
        turn.ask_to_leave(replaced)
    turn.note(
        Level.INFO,
        "worker_recycled",
        f"Worker {replacement.number} replaces worker {replaced.number} at {slot_name(slot)}:"
        f" {replaced.wants_replacement}.",
        worker=replacement.number,
        replaced=replaced.number,
        why=replaced.wants_replacement,
    )


def _due_slots(active: Generation) -> Iterator[Slot]:
    """Slots whose worker waits for a replacement, as many as may recycle at a time."""
    if not active.can_fork:
        return
    free: dict[TaskList, int] = {}
    for slot, worker in active.wants_replacement.items():
        if worker.is_ready and slot not in active.replacements:
            task_list = slot.task_list
            left = free.setdefault(task_list, _room(active, task_list))
            if left > 0:
                free[task_list] -= 1
                yield slot


def _room(active: Generation, task_list: TaskList) -> int:
    most = max(1, active.count_slots(task_list) // SHARE)
    return most - active.count_extra_workers(task_list)

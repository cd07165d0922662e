"""Task lists that cannot keep their workers.

1. Too many early deaths of the current generation on one list make the list *degraded*: its seats
   are tried at the longest rest only. Other lists go on untouched.
2. A degraded list has recovered when a worker that came up since has lasted. Rests alone do not
   tell: they make the deaths rare, not the workers good.
3. When every list is degraded, none has a ready worker and no candidate is on its way to mend it,
   the program gives up with the last death's cause. Not while a list is quiet: it is to be resumed.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from supervisor import exits
from supervisor.core.generation import Failure
from supervisor.core.intensity import recent, too_many
from supervisor.messages import Level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supervisor.core.generation import Generation
    from supervisor.core.state import State
    from supervisor.core.turn import Turn
    from supervisor.core.worker import Worker
    from supervisor.messages import TaskList


def count(turn: Turn, generation: Generation, task_list: TaskList) -> None:
    """One more early death; degrade the list if it is one too many."""
    settings = turn.state.settings
    period = settings.intensity_period
    times = [*generation.early_deaths.get(task_list, ()), turn.now]
    generation.early_deaths[task_list] = recent(times, turn.now, period)
    allowed = settings.intensity_deaths * generation.size(task_list)
    if task_list not in generation.degraded_at and too_many(times, turn.now, period, allowed):
        generation.degraded_at[task_list] = turn.now
        turn.note(
            Level.ERROR,
            "list_degraded",
            f"Workers of {task_list.name} died early {len(times)} times within {period:g} s."
            f" Its seats rest up to {settings.rest_cap:g} s from now on; see what they died of.",
            task_list=task_list.name,
            generation=generation.number,
            deaths=len(times),
        )


def recover(turn: Turn) -> None:
    """Rule 2."""
    current = turn.state.current
    for task_list, worker in list(_risen(turn.state)):
        if current is None or task_list not in current.degraded_at:
            continue  # another worker of it was first
        if worker.lasts_at(turn.state.settings) <= turn.now:
            del current.degraded_at[task_list]
            current.early_deaths.pop(task_list, None)
            turn.note(
                Level.INFO,
                "list_recovered",
                f"A worker of {task_list.name} has lasted: the list is no longer degraded.",
                task_list=task_list.name,
                generation=current.number,
            )


def give_up(turn: Turn) -> None:
    """Rule 3."""
    state = turn.state
    current = state.current
    if (
        current is None
        or not current.degraded_at
        or not current.can_fork
        or state.candidate
        or state.leaving
    ):
        return  # somebody else decides: leaving does, or a generation that may mend it
    lost = bool(current.task_lists) and set(current.degraded_at) >= set(current.task_lists)
    if lost and not state.any_strength() and not any(each.quiet for each in state.pools.values()):
        why = f"no task list can keep a worker; the last death: {state.last_death}"
        turn.fail(Failure(why, exits.GAVE_UP))


def next_deadline(state: State) -> float:
    """When a degraded list may have recovered."""
    return min((each.lasts_at(state.settings) for _, each in _risen(state)), default=inf)


def _risen(state: State) -> Iterator[tuple[TaskList, Worker]]:
    """Ready workers that came up on a list since it was degraded."""
    if state.current is None or not state.current.degraded_at:
        return
    for seat, worker in state.current.seated.items():
        since = state.current.degraded_at.get(seat.task_list, inf)
        if worker.is_strength and worker.ready_at > since:
            yield seat.task_list, worker

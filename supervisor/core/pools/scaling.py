"""Pools that are sized by their backlog (``--scale LIST=MIN..MAX``).

Rules:

1. The *demand* is one worker for each task that waits or is in progress. SWF's count of waiting
   tasks is an estimate; a truncated one says only that there are very many. Hosts that count at the
   same time share the tasks that wait.
2. In a fleet most turns are not spent on a count, because the account has few. Then the pool itself
   shows the demand: with an idle worker nothing waits, for SWF would have given it the task; with
   none, the pool doubles.
3. A pool grows to the demand at once: tasks are waiting, and MAX is what the host can take.
4. It shrinks to the greatest demand of the last ``scale_samples`` counts, so that a wave of tasks
   that comes back finds its workers. That is never below the number of busy workers, who lose their
   slots last (``pools``): only idle workers go.
5. Counts of a quiet list are ignored: tasks are meant to wait there.
6. A sidecar counts. It is restarted when the lists to count change, or the number of hosts by half.
   While there is none, the pools keep their sizes.
7. The list of a single decider is counted with the others. If decisions wait there at two counts in
   a row, a warning says so.
"""

from __future__ import annotations

from math import ceil, inf
from typing import TYPE_CHECKING

from supervisor.core.pools.pool_settings import named
from supervisor.core.pools.pools import resize
from supervisor.core.state import SidecarState
from supervisor.ipc.messages import Level, Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from supervisor.core.state import Pool, State
    from supervisor.core.turn import Turn
    from supervisor.ipc.messages import Backlog, TaskList

BACKLOG = "backlog"
"""The sidecar's name."""

WAITS = 2
"""Counts in a row with waiting decisions, after which a warning is due: one may be a moment."""


def size_by_backlog(event: Backlog, turn: Turn) -> None:
    """Resize a list's pool by a count of its waiting tasks."""
    state = turn.state
    for task_list in named(event.task_list, state.pools):
        pool = state.pools[task_list]
        _note_count(event, task_list, turn)
        if pool.bounds is None or pool.quiet or state.drain:
            pool.demands = ()
            continue
        busy = _count_busy_slots(state, task_list)
        waiting = _waiting(event, pool, busy)
        demand = pool.bounds.most if event.truncated else busy + waiting
        pool.demands = (*pool.demands, demand)[-state.settings.scale_samples :]
        size = target(pool.desired, pool.demands, state.settings.scale_samples)
        why = f"tasks waiting: {_shown(event)}, in progress: {busy}"
        resize(turn, task_list, pool.bounds.clamp(size), why)


def _note_count(event: Backlog, task_list: TaskList, turn: Turn) -> None:
    """Write a count down, and warn if decisions wait for a single decider (rule 7)."""
    if event.pending is None:
        return
    pool = turn.state.pools[task_list]
    pool.pending, pool.counted_at = event.pending, turn.now
    pool.waits = pool.waits + 1 if event.pending else 0
    if pool.waits == WAITS and _is_single_decider(task_list, pool) and not pool.quiet:
        turn.note(
            Level.WARNING,
            "decisions_wait",
            f"{event.pending} decisions of {task_list.name} wait, and there is one decider on this"
            f" host. Raise --deciders, or write --scale {task_list.name}=1..4.",
            task_list=task_list.name,
            pending=event.pending,
        )


def _is_single_decider(task_list: TaskList, pool: Pool) -> bool:
    return task_list.role is Role.DECIDER and pool.desired == 1 and pool.bounds is None


def _waiting(event: Backlog, pool: Pool, busy: int) -> int:
    """Tasks that this host is to find workers for (rules 1 and 2)."""
    if event.pending is not None:
        return ceil(event.pending / max(1.0, event.counting))
    return pool.desired if busy >= pool.desired else 0


def _shown(event: Backlog) -> str:
    if event.pending is None:
        return "not counted"
    shared = f" among {event.counting:.0f} hosts" if event.counting > 1 else ""
    return f"{event.pending}{shared}"


def target(size: int, demands: Sequence[int], samples: int) -> int:
    """The desired size of a pool of ``size`` workers; the newest demand comes last."""
    if demands[-1] >= size:
        return demands[-1]
    return max(demands) if len(demands) == samples and max(demands) < size else size


def _count_busy_slots(state: State, task_list: TaskList) -> int:
    staying = (each for each in state.serving() if each.is_staying and each.task)
    return len({each.slot for each in staying if each.slot and each.slot.task_list == task_list})


# --- the sidecar that counts ----------------------------------------------------------------------


def run_backlog_sidecar(turn: Turn) -> None:
    """Have a sidecar count the lists that are sized by their backlog, and no others."""
    lists, counter = _lists_to_count(turn.state), turn.state.sidecars.get(BACKLOG)
    hosts = _hosts(turn.state)
    if counter is None or counter.status is SidecarState.GONE:
        if lists and (counter is None or counter.streak.backoff_until <= turn.now):
            turn.start_sidecar(BACKLOG, lists, hosts)
    elif (counter.lists != lists or _differ(counter.hosts, hosts)) and not turn.state.drain:
        counter.streak.backoff_until = turn.now  # its successor starts as soon as it is gone
        turn.stop_sidecar(counter)


def next_deadline(state: State) -> float:
    """Time at which a lost sidecar is started again."""
    counter = state.sidecars.get(BACKLOG)
    waits = counter is not None and counter.status is SidecarState.GONE and _lists_to_count(state)
    return counter.streak.backoff_until if counter and waits else inf


def _lists_to_count(state: State) -> tuple[TaskList, ...]:
    if state.drain:
        return ()
    scaled = any(pool.bounds for pool in state.pools.values())
    return tuple(
        each
        for each, pool in state.pools.items()
        if pool.bounds or (scaled and _is_single_decider(each, pool))
    )


def _hosts(state: State) -> int:
    """Hosts that count the same lists: as set, else those of the auto scaling group."""
    return state.settings.hosts or state.group_size or 1


def _differ(one: int, other: int) -> bool:
    """Whether the numbers of hosts differ by half: a smaller change is worth no restart."""
    return max(one, other) > min(one, other) * 1.5

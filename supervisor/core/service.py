"""The pool as a service manager sees it: a picture of one moment; nothing here decides."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from supervisor.core.stages import Stage
from supervisor.messages import Value

if TYPE_CHECKING:
    from supervisor.core.generation import Generation
    from supervisor.core.state import State


class Service(Value, frozen=True):
    """How the service does.

    Attributes:
        generation: The number of the generation that serves; 0 before the first.
        changing: Whether another generation is wanted or proves itself.
        full: Whether every seat is served, those of degraded lists left aside.
        wanted: Seats of the generation that serves; quiet lists have none.
        ready: Those of them that are served, by whichever generation.
        working: Tasks in hand.
        left: Processes of the pool, errands included.
        owed: Tasks of the dead of which SWF has to be told.
        in_time: Whether somebody has a task in hand and is within that task's own timeout.
        degraded: The lists that cannot be kept at strength, by their names.
        quiet: The lists that were quieted, by their names.
        leaving: Why the program leaves; None if it stays.
    """

    generation: int = 0
    changing: bool = False
    full: bool = False
    wanted: int = 0
    ready: int = 0
    working: int = 0
    left: int = 0
    owed: int = 0
    in_time: bool = False
    degraded: tuple[str, ...] = ()
    quiet: tuple[str, ...] = ()
    leaving: str | None = None


def service(state: State, now: float) -> Service:
    """The picture at ``now``, on the core's clock."""
    current, workers = state.current, state.workers.values()
    return Service(
        generation=current.number if current else 0,
        changing=state.candidate is not None or state.restart_asked is not None,
        full=current is not None and _is_full(current),
        wanted=len(current.seats) if current else 0,
        ready=_ready(state, current) if current else 0,
        working=sum(each.stage is Stage.WORKING for each in workers),
        left=len(workers),
        owed=len(state.debts),
        in_time=any(each.task is not None and now < each.late_at < inf for each in workers),
        degraded=tuple(each.name for each in current.degraded_at) if current else (),
        quiet=tuple(each.name for each, pool in state.pools.items() if pool.quiet),
        leaving=state.leaving.why if state.leaving else None,
    )


def _ready(state: State, current: Generation) -> int:
    if len(state.generations) == 1:
        return _strength(current)
    served = {each.seat for each in state.workers.values() if each.is_strength}
    return sum(each in served for each in current.seats)


def _is_full(current: Generation) -> bool:
    """A list that cannot be kept at strength is not waited for: the others serve without it."""
    if _strength(current) == len(current.seats):
        return True
    seats = (each for each in current.seats if each.task_list not in current.degraded_at)
    seated = (current.seated.get(each) for each in seats)
    return all(each is not None and each.is_strength for each in seated)


def _strength(current: Generation) -> int:
    return sum(each.is_strength for each in current.seated.values())

"""The pool as a service manager sees it at one moment. Nothing here decides."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from supervisor.core.stages import Stage
from supervisor.core.state import SidecarState
from supervisor.ipc.messages import Value

if TYPE_CHECKING:
    from supervisor.core.generation import Generation
    from supervisor.core.state import State


class Service(Value, frozen=True):
    """The state of the service.

    Attributes:
        generation: The number of the active generation; 0 before the first.
        changing: Whether another generation is requested or proves itself.
        full: Whether every slot has a ready worker, without the slots of degraded lists, and no
            kept release is awaited.
        desired: Slots of the active generation; quiet lists have none.
        ready: Those slots that have a ready worker, of any generation.
        working: Tasks in progress.
        left: Processes of the pool, with those that do a job; retired code counts as one.
        pending_reports: Reports that SWF is owed for tasks of dead workers.
        in_time: Whether a worker has a task and is within that task's own timeout.
        awaited: The names of the kept releases that start.
        degraded: The names of the degraded lists.
        quiet: The names of the quiet lists.
        leaving: Why the program is draining; None if it is not.
    """

    generation: int = 0
    changing: bool = False
    full: bool = False
    desired: int = 0
    ready: int = 0
    working: int = 0
    left: int = 0
    pending_reports: int = 0
    in_time: bool = False
    awaited: tuple[str, ...] = ()
    degraded: tuple[str, ...] = ()
    quiet: tuple[str, ...] = ()
    leaving: str | None = None


def service(state: State, now: float) -> Service:
    """The view at ``now``, on the core's clock."""
    active, workers, retired = state.active, state.workers.values(), state.retired_code()
    awaited = tuple(state.awaited_releases())
    is_full = active is not None and _is_full(active) and not _waits_for_instance(state)
    return Service(
        generation=active.number if active else 0,
        changing=state.candidate is not None or state.restart_request is not None,
        full=is_full and not awaited,
        desired=len(active.slots) if active else 0,
        ready=_count_ready_slots(state, active) if active else 0,
        working=sum(each.stage is Stage.WORKING for each in workers),
        left=len(workers) + sum(each.status is not SidecarState.GONE for each in retired),
        pending_reports=len(state.owed_reports),
        in_time=any(each.task is not None and now < each.late_at < inf for each in workers),
        degraded=tuple(each.name for each in active.degraded) if active else (),
        awaited=awaited,
        quiet=tuple(each.name for each, pool in state.pools.items() if pool.quiet),
        leaving=state.drain.why if state.drain else None,
    )


def _waits_for_instance(state: State) -> bool:
    """Whether no slot is desired only because the instance's state is not known yet."""
    return state.holds_polls and state.is_warm is None


def _count_ready_slots(state: State, active: Generation) -> int:
    if len(state.generations) == 1:
        return active.count_ready()
    served = {each.slot for each in state.workers.values() if each.is_ready}
    return sum(each in served for each in active.slots)


def _is_full(active: Generation) -> bool:
    """A degraded list is not waited for: the others serve without it."""
    if active.count_ready() == len(active.slots):
        return True
    slots = (each for each in active.slots if each.task_list not in active.degraded)
    occupied = (active.occupied.get(each) for each in slots)
    return all(each is not None and each.is_ready for each in occupied)

"""Snapshots of the core's facts, for ``status`` and the sidecars. Nothing here decides.

A task is shown without its token, by which anyone could answer in the worker's place.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from supervisor import exit_codes
from supervisor.core.stages import Stage
from supervisor.core.state import SidecarState, SlotDeaths
from supervisor.ipc.messages import (
    DeployStatus,
    EmptySlot,
    GenerationStatus,
    HandedOutStatus,
    Launch,
    ListState,
    SidecarStatus,
    Status,
    WorkerStatus,
)
from supervisor.ipc.messages.status import UNNEEDED, Unpolled, UnpolledList

if TYPE_CHECKING:
    from supervisor.core.generation import Generation, Worker
    from supervisor.core.state import DeployRecord, Pool, Sidecar, State
    from supervisor.ipc.messages import TaskList

_NO_DEATHS = SlotDeaths()

SHOWN_HANDED_OUT = 100
"""Tasks that were handed out and are shown one by one, the oldest first; all are counted."""

STUCK_FOR = 3_900.0
"""Seconds after which an execution no longer counts as stuck: its next attempt is due after an hour
at most, and may reach another host."""


def status(state: State, now: float) -> Status:
    """The snapshot of everything at ``now``, on the core's clock."""
    return Status(
        leaving=state.drain.why if state.drain else None,
        lists=pool(state, now),
        generations=tuple(_generation(state, each) for each in state.generations.values()),
        workers=tuple(_worker(state, each, now) for each in state.workers.values()),
        empty_slots=_empty_slots(state, now),
        sidecars=tuple(
            _sidecar(each, now)
            for each in state.sidecars.values()
            if not each.is_unneeded or each.unused_since is not None
        ),
        pending_reports=len(state.owed_reports),
        deaths={kind.value: number for kind, number in state.deaths_by_kind.items()},
        deploy=_deploy(state.deploy),
        instance=state.instance,
        stuck=sum(now - seen < STUCK_FOR for seen in state.stuck.values()),
        handed_out=len(state.handed_out.tasks),
        handed_out_tasks=_handed_out(state, now),
        unpolled_lists=_unpolled(state),
    )


def _sidecar(sidecar: Sidecar, now: float) -> SidecarStatus:
    if sidecar.unused_since is None:
        return SidecarStatus(sidecar.name, sidecar.status.name.lower(), build=sidecar.build)
    status = UNNEEDED if sidecar.status is SidecarState.GONE else sidecar.status.name.lower()
    unused = now - sidecar.unused_since
    return SidecarStatus(sidecar.name, status, build=sidecar.build, unused=unused)


def launch(state: State) -> Launch:
    """Ready once a generation serves; refused if the first one, or the settings, cannot be served.

    A start that was stopped by people, or by a network that fails, is neither. Nor is one whose old
    code is starting: the group would take away another host, perhaps the last one that serves it.
    """
    if state.active and state.any_ready() and not any(state.awaited_releases()):
        return Launch.READY
    refused = (exit_codes.USAGE, exit_codes.FLOW)
    is_refused = state.active is None and state.drain and state.drain.code in refused
    return Launch.REFUSED if is_refused else Launch.PENDING


def pool(state: State, now: float | None = None) -> tuple[ListState, ...]:
    """The task lists, each with its desired and its actual workers."""
    workers: dict[TaskList, list[Worker]] = {each: [] for each in state.pools}
    for worker in state.serving():
        if worker.slot and worker.slot.task_list in workers:
            workers[worker.slot.task_list].append(worker)
    return tuple(_list(state, task_list, workers[task_list], now) for task_list in state.pools)


def _handed_out(state: State, now: float) -> tuple[HandedOutStatus, ...]:
    return tuple(
        HandedOutStatus(
            workflow_id=each.task.workflow_id,
            run_id=each.task.run_id,
            activity_id=each.task.activity_id,
            activity_name=each.task.activity_name,
            seconds=now - each.since,
        )
        for each in islice(state.handed_out.tasks.values(), SHOWN_HANDED_OUT)
    )


def _unpolled(state: State) -> tuple[UnpolledList, ...]:
    """Lists whose tasks wait; not while the pool starts or leaves, when all of them do."""
    if state.active is None or state.drain or state.holds_polls:
        return ()
    external = (UnpolledList(each, Unpolled.EXTERNAL) for each in state.active.external_lists)
    staying = (each for each in state.serving() if each.is_staying)
    served = {worker.slot.task_list for worker in staying if worker.slot}
    own = (
        UnpolledList(task_list.name, _why_unpolled(pool), pool.pending)
        for task_list, pool in state.pools.items()
        if task_list not in served
    )
    return (*external, *own)


def _why_unpolled(pool: Pool) -> Unpolled:
    if pool.quiet:
        return Unpolled.QUIET
    return Unpolled.NO_WORKER if pool.desired else Unpolled.NO_SLOTS


def _list(state: State, task_list: TaskList, own: list[Worker], now: float | None) -> ListState:
    pool, permits = state.pools[task_list], state.permits.get(task_list)
    ready = [each for each in own if each.is_ready]
    return ListState(
        task_list=task_list,
        desired=0 if pool.quiet or state.holds_polls else pool.desired,
        ready=len(ready),
        working=sum(each.stage is Stage.WORKING for each in ready),
        leaving=sum(not each.is_staying for each in own),
        quiet=pool.quiet,
        scale=str(pool.bounds or ""),  # a plain ``str``: it is to travel over a channel
        pending=pool.pending,
        counted=now - pool.counted_at if now is not None and pool.pending is not None else None,
        parked=sum(each.stage is Stage.PARKED for each in ready),
        polls=permits.limit.allowed if permits else None,
    )


def _worker(state: State, worker: Worker, now: float) -> WorkerStatus:
    deaths = state.slot_deaths.get(worker.slot, _NO_DEATHS) if worker.slot else _NO_DEATHS
    return WorkerStatus(
        worker=worker.number,
        generation=worker.generation.number,
        slot=worker.slot,
        stage=worker.stage.value,
        seconds=now - worker.since,
        leaving=not worker.is_staying,
        task=worker.task and msgspec.structs.replace(worker.task, token=""),
        done=worker.done,
        deaths=deaths.number,
        last_death=deaths.last,
    )


def _empty_slots(state: State, now: float) -> tuple[EmptySlot, ...]:
    current = state.active
    if current is None or state.drain:
        return ()
    empty = [each for each in current.slots if each not in current.occupied]
    return tuple(
        EmptySlot(slot, max(0.0, current.backoff_until(slot) - now), deaths.number, deaths.last)
        for slot in empty
        for deaths in (state.slot_deaths.get(slot, _NO_DEATHS),)
    )


def _deploy(deploy: DeployRecord | None) -> DeployStatus | None:
    if deploy is None:
        return None
    return DeployStatus(deploy.generation, deploy.outcome.value, deploy.report)


def _generation(state: State, generation: Generation) -> GenerationStatus:
    statuses = (
        (state.active, "active"),
        (state.candidate, "candidate"),
        (state.previous, "previous"),
    )
    return GenerationStatus(
        generation=generation.number,
        status=next((name for each, name in statuses if each is generation), "retiring"),
        zygote=generation.zygote.name.lower(),
        degraded=tuple(each.name for each in generation.degraded),
        build=generation.build,
    )

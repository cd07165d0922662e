"""The core's knowledge, as pictures for those who ask; nothing here decides.

A task is shown without its token: who has that can answer in the worker's place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from supervisor.core.stages import Stage
from supervisor.core.state import SeatDeaths
from supervisor.messages import (
    AttendantStatus,
    DeployStatus,
    EmptySeat,
    GenerationStatus,
    ListState,
    Status,
    WorkerStatus,
)

if TYPE_CHECKING:
    from supervisor.core.generation import Generation
    from supervisor.core.pools import Pool
    from supervisor.core.state import Deploy, State
    from supervisor.core.worker import Worker
    from supervisor.messages import TaskList

_NO_DEATHS = SeatDeaths()


def status(state: State, now: float) -> Status:
    """The whole picture."""
    return Status(
        leaving=state.leaving.why if state.leaving else None,
        lists=pool(state),
        generations=tuple(_generation(state, each) for each in state.generations.values()),
        workers=tuple(_worker(state, each, now) for each in state.workers.values()),
        empty_seats=_empty_seats(state, now),
        attendants=tuple(
            AttendantStatus(each.name, each.standing.name.lower())
            for each in state.attendants.values()
        ),
        reports_owed=len(state.debts),
        deaths={kind.value: number for kind, number in state.deaths_by_kind.items()},
        deploy=_deploy(state.deploy),
        instance=state.instance,
    )


def pool(state: State) -> tuple[ListState, ...]:
    """The task lists, each with what it should have and what it has."""
    workers: dict[TaskList, list[Worker]] = {each: [] for each in state.pools}
    for worker in state.serving():
        if worker.seat and worker.seat.task_list in workers:
            workers[worker.seat.task_list].append(worker)
    return tuple(
        _list(task_list, pool, workers[task_list]) for task_list, pool in state.pools.items()
    )


def _list(task_list: TaskList, pool: Pool, own: list[Worker]) -> ListState:
    ready = [each for each in own if each.is_strength]
    return ListState(
        task_list=task_list,
        wanted=0 if pool.quiet else pool.wanted,
        ready=len(ready),
        working=sum(each.stage is Stage.WORKING for each in ready),
        leaving=sum(not each.stays for each in own),
        quiet=pool.quiet,
        scale=str(pool.span or ""),  # a plain one: it is to travel
        pending=pool.pending,
    )


def _worker(state: State, worker: Worker, now: float) -> WorkerStatus:
    deaths = state.seat_deaths.get(worker.seat, _NO_DEATHS) if worker.seat else _NO_DEATHS
    return WorkerStatus(
        worker=worker.number,
        generation=worker.generation.number,
        seat=worker.seat,
        stage=worker.stage.value,
        seconds=now - worker.since,
        leaving=not worker.stays,
        task=worker.task and msgspec.structs.replace(worker.task, token=""),
        done=worker.done,
        deaths=deaths.number,
        last_death=deaths.last,
    )


def _empty_seats(state: State, now: float) -> tuple[EmptySeat, ...]:
    current = state.current
    if current is None or state.leaving:
        return ()
    empty = [each for each in current.seats if each not in current.seated]
    return tuple(
        EmptySeat(seat, max(0.0, current.rested_at(seat) - now), deaths.number, deaths.last)
        for seat in empty
        for deaths in (state.seat_deaths.get(seat, _NO_DEATHS),)
    )


def _deploy(deploy: Deploy | None) -> DeployStatus | None:
    if deploy is None:
        return None
    return DeployStatus(deploy.generation, deploy.outcome.value, deploy.report)


def _generation(state: State, generation: Generation) -> GenerationStatus:
    standings = (
        (state.current, "current"),
        (state.candidate, "candidate"),
        (state.previous, "previous"),
    )
    return GenerationStatus(
        generation=generation.number,
        standing=next((name for each, name in standings if each is generation), "elder"),
        zygote=generation.zygote.name.lower(),
        degraded=tuple(each.name for each in generation.degraded_at),
    )

"""The core's knowledge, as pictures for those who ask; nothing here decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supervisor.core.generation import Zygote
from supervisor.core.stages import Stage
from supervisor.messages import Instance, ListState, Seat, Task, Value

if TYPE_CHECKING:
    from supervisor.core.generation import Generation
    from supervisor.core.state import State
    from supervisor.core.worker import Worker
    from supervisor.messages import TaskList


class WorkerStatus(Value, frozen=True):
    """One worker: ``since`` is when its stage began, on the clock that the core is told."""

    worker: int
    generation: int
    seat: Seat | None
    stage: str
    since: float
    leaving: bool
    task: Task | None


class GenerationStatus(Value, frozen=True):
    """One generation; ``standing`` is current, candidate or elder."""

    generation: int
    standing: str
    zygote: str
    degraded: tuple[str, ...]


class Status(Value, frozen=True):
    """Everything, at one moment."""

    leaving: str | None
    generations: tuple[GenerationStatus, ...]
    workers: tuple[WorkerStatus, ...]
    reports_owed: int
    deaths: dict[str, int]  # since the start, by the kind of their cause
    instance: Instance | None = None  # the EC2 instance that this is, once that is known


def status(state: State) -> Status:
    """The whole picture."""
    return Status(
        leaving=state.leaving.why if state.leaving else None,
        generations=tuple(_generation(state, each) for each in state.generations.values()),
        workers=tuple(_worker(each) for each in state.workers.values()),
        reports_owed=len(state.debts),
        deaths={kind.value: number for kind, number in state.deaths_by_kind.items()},
        instance=state.instance,
    )


def pool(state: State) -> tuple[ListState, ...]:
    """The current generation's task lists, each with what it should have and what it has."""
    if state.current is None:
        return ()
    ready = [each for each in state.serving() if each.is_strength]
    return tuple(_list(state.current, each, ready) for each in state.current.task_lists)


def _list(current: Generation, task_list: TaskList, ready: list[Worker]) -> ListState:
    own = [each for each in ready if each.seat and each.seat.task_list == task_list]
    return ListState(
        task_list=task_list,
        wanted=current.size(task_list),
        ready=len(own),
        working=sum(each.stage is Stage.WORKING for each in own),
    )


def _worker(worker: Worker) -> WorkerStatus:
    return WorkerStatus(
        worker=worker.number,
        generation=worker.generation.number,
        seat=worker.seat,
        stage=worker.stage.value,
        since=worker.since,
        leaving=not worker.stays,
        task=worker.task,
    )


def _generation(state: State, generation: Generation) -> GenerationStatus:
    standings = ((state.current, "current"), (state.candidate, "candidate"))
    return GenerationStatus(
        generation=generation.number,
        standing=next((name for each, name in standings if each is generation), "elder"),
        zygote=generation.zygote.name.lower() if generation.zygote is not Zygote.GONE else "gone",
        degraded=tuple(each.name for each in generation.degraded_at),
    )

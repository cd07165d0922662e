"""Settling of deaths: the answers that SWF is owed, the backoff of the place, and one log note.

Rules:

1. A worker that was asked to leave, or had finished its job, and exits with code 0 has not died.
   Every other end is a death and gets one note: cause, slot, generation, task, and the remedy.
2. For the task in progress SWF is owed an answer (``answers`` decides which, ``reports`` when). A
   decision that waited in the dead worker for its turn is returned. A task that was handed out is
   kept (``handing_out``).
3. A death is early or not, and its place backs off (``crash_loops``). A worker that has served long
   enough ends its slot's streak.
4. At a slot with a worker that wants replacement and with its replacement, the death of either
   costs no service: the other one is there.
5. A decision that ends its deciders is the fault of one execution until others do the same. So for
   the slot, the list and the comparison of generations an execution counts one death at most.
6. During a drain nothing is replaced.
7. The next decider at the slot polls the private list of a dead one as well, so that its executions
   do not wait there for their timeout.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from supervisor.core.causes import DeathKind
from supervisor.core.failures import Streak
from supervisor.core.generation import Leave
from supervisor.core.log_names import (
    after,
    sentence,
    slot_facts,
    task_facts,
    task_name,
    worker_name,
)
from supervisor.core.rules.answers import WORKER_DIED, answer_to, reason
from supervisor.core.rules.crash_loops import back_off, restart_backoff
from supervisor.core.rules.drain import abandon_task
from supervisor.core.rules.ledger import TaskOutcome
from supervisor.core.stages import Stage
from supervisor.core.state import OwedReport, SlotDeaths
from supervisor.ipc.messages import (
    Answer,
    Cancel,
    Complete,
    Fail,
    HandOut,
    Level,
    Report,
    ReturnTask,
    Role,
    SearchOpen,
    Serve,
    Slot,
    Task,
)

if TYPE_CHECKING:
    from supervisor.core.failures import ChargedRuns
    from supervisor.core.generation import Death, Generation, Worker
    from supervisor.core.state import State
    from supervisor.core.turn import Turn


def settle_deaths(turn: Turn) -> None:
    """Settle everything that dead workers leave behind."""
    while turn.state.deaths:
        death = turn.state.deaths.pop(0)
        remedies = [_owe_answer(turn, death)] if death.worker.task else []
        _keep_private_list(turn.state, death)
        remedies += [_owe_return(turn, death, each) for each in _waiting_decisions(death)]
        if not death.normal:
            _count_death(turn.state, death)
            remedies.append(_settle_place(turn, death.worker))
            _note_death(turn, death, " ".join(remedies))


def _keep_private_list(state: State, death: Death) -> None:
    """Rule 7. Only the kernel's word that it is dead counts: two deciders never share a list."""
    job = death.worker.job
    if death.worker.decides and not death.normal and death.status is not None:
        assert isinstance(job, Serve)  # noqa: S101 - for the type checker: it decides
        state.private_lists[job.slot] = job.private_list or death.worker.number


# --- answers that SWF is owed ---------------------------------------------------------------------


def _owe_answer(turn: Turn, death: Death) -> str:
    """Owe SWF the answer for the task in progress; returns the remedy, for people."""
    worker = death.worker
    assert worker.task  # noqa: S101 - for the type checker: the caller has looked
    assert worker.slot  # noqa: S101 - only a worker with a slot receives tasks
    answer = answer_to(death)
    if isinstance(answer, HandOut):
        turn.state.handed_out.add(worker.task, turn.now)
        turn.close_in_ledger(worker.task, TaskOutcome.HANDED_OUT)
    elif answer:
        timeout = inf if worker.task.timeout is None else worker.task.timeout
        role = worker.slot.task_list.role
        expires = worker.task_since + timeout
        turn.state.owed_reports.append(
            OwedReport(worker.task, role, answer, reason(death), expires)
        )
        if _fails_task(answer) and _is_charged(worker, worker.generation.failed_decision_runs):
            worker.generation.count_task(worker.slot.task_list, failed=True)
    else:
        turn.close_in_ledger(worker.task, TaskOutcome.ALREADY_CLOSED)
    if turn.state.drain and _is_abandoned(death):
        abandon_task(turn, turn.state.drain, worker.task)
    return f"Its task, {task_name(worker.task)}, {_remedy(answer)}."


def _waiting_decisions(death: Death) -> list[Task]:
    """The tasks that it had received, without the one in progress."""
    found = death.post.waiting if death.post else ()
    return [each for each in found if each != death.worker.task]


def _owe_return(turn: Turn, death: Death, task: Task) -> str:
    turn.state.owed_reports.append(OwedReport(task, Role.DECIDER, ReturnTask(), reason(death), inf))
    turn.add_to_ledger(task)
    if turn.state.drain and death.cause.kind is DeathKind.INTERRUPTED:
        abandon_task(turn, turn.state.drain, task)
    return sentence(f"{task_name(task)} waited in it and is returned to SWF.")


def _fails_task(answer: Answer) -> bool:
    """Whether the worker's death fails the task."""
    died = isinstance(answer, Fail) and answer.reason.startswith(WORKER_DIED)
    return died or isinstance(answer, ReturnTask)


def _is_charged(worker: Worker, runs: ChargedRuns) -> bool:
    """Whether its death counts: a decider's, with a decision in progress, once an execution."""
    return not worker.decides or worker.task is None or runs.charge(worker.task.run_id)


def _is_abandoned(death: Death) -> bool:
    interrupted = death.cause.kind is DeathKind.INTERRUPTED
    answered = death.post is not None and death.post.answer is not None
    return interrupted and not answered and death.worker.stale is None


def _remedy(answer: Answer | None) -> str:
    match answer:
        case None:
            return "was already closed in SWF"
        case Complete():
            return "is completed with the result that it left"
        case Fail():
            return "is reported to SWF as failed"
        case HandOut():
            return "was handed out, and stays with the program that has its token"
        case Cancel():
            return "is reported to SWF as canceled"
        case _:
            return "is returned to SWF"


# --- the place that it leaves ---------------------------------------------------------------------


def _count_death(state: State, death: Death) -> None:
    state.deaths_by_kind[death.cause.kind] += 1
    state.last_death = f"{worker_name(death.worker)} {death.cause.as_predicate}"
    if death.worker.slot:
        of_slot = state.slot_deaths.setdefault(death.worker.slot, SlotDeaths())
        of_slot.number, of_slot.last = of_slot.number + 1, death.cause.text


def _settle_place(turn: Turn, worker: Worker) -> str:
    """Let the place back off; returns the remedy, for people."""
    if isinstance(worker.job, Report):
        return _settle_report(turn, worker)
    if turn.state.drain:
        return "It is not replaced: the supervisor is draining."
    generation = worker.generation
    if worker.leave is not Leave.STAYING:
        return "It is not replaced: it was asked to leave."
    if not turn.state.fills_slots(generation):
        return f"It is not replaced: generation {generation.number} is retiring."
    if worker.slot is None:
        return _settle_startup_job(turn, generation, worker)
    return _settle_slot(turn, generation, worker, worker.slot)


def _settle_report(turn: Turn, worker: Worker) -> str:
    for owed in turn.state.owed_reports:
        if owed.reporter == worker.number:
            owed.reporter = None
            backoff = restart_backoff(turn.state.settings)
            seconds = backoff.wait_after(owed.attempts, turn.state.jitter)
            owed.backoff_until = turn.now + seconds
            return f"Its report is attempted again {after(seconds)}."
    return "SWF already had its report."


def _settle_startup_job(turn: Turn, generation: Generation, worker: Worker) -> str:
    if worker.stage is Stage.FINISHED:
        return "Its job was done."
    if isinstance(worker.job, SearchOpen):
        return "The open executions are searched again later."
    generation.early_deaths += 1
    return f"Its job is attempted again {after(back_off(turn, generation.job_streak))}."


def _settle_slot(turn: Turn, generation: Generation, worker: Worker, slot: Slot) -> str:
    seconds = _back_off_slot(turn, generation, worker, slot)
    other = generation.occupied.get(slot)
    if other is None:
        return f"The slot is filled again {after(seconds)}."
    if worker.wants_replacement:
        return f"Its replacement, worker {other.number}, takes the slot."
    return f"Worker {other.number} goes on, and gets another replacement {after(seconds)}."


def _back_off_slot(turn: Turn, generation: Generation, worker: Worker, slot: Slot) -> float:
    streak = generation.slot_streaks.setdefault(slot, Streak())
    if worker.uptime_reached_at(turn.state.settings) <= turn.now:
        streak.failures, streak.backoff_until = 0, turn.now
        return 0.0
    if not _is_charged(worker, generation.early_death_runs):
        streak.backoff_until = turn.now
        return 0.0
    if turn.state.is_candidate(generation):
        generation.early_deaths += 1
    return back_off(turn, streak)


# --- the note -------------------------------------------------------------------------------------


def _note_death(turn: Turn, death: Death, remedy: str) -> None:
    worker = death.worker
    turn.note(
        Level.WARNING,
        "worker_died",
        sentence(f"{worker_name(worker)} {death.cause.as_predicate}. {remedy}"),
        worker=worker.number,
        generation=worker.generation.number,
        cause=death.cause.text,
        kind=death.cause.kind.value,
        remedy=remedy,
        **slot_facts(worker.slot),
        **task_facts(worker.task),
    )

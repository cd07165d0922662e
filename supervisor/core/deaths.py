"""What a death costs, and the one line that tells of it.

1. Who was told to leave, or had finished its errand, and exits 0 is no death. Every other one gets
   one Note: cause, seat, generation, task, and what is done about it.
2. A task in hand becomes a debt: SWF has to be told (``reports``).
3. A rest belongs to (generation, seat): a candidate's crashes never delay the current generation.
   A worker that lasted clears it.
4. Before it has proved itself, a generation's deaths are counted in all, not in a row: a version
   that fails now and then is no good either.
5. Nothing is replaced while the program leaves.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from supervisor.core import degraded
from supervisor.core.leaving import abandon, task_facts, task_name
from supervisor.core.rest import jittered, rest
from supervisor.core.state import Debt, Leave, Trouble
from supervisor.messages import Level, Report, Seat

if TYPE_CHECKING:
    from supervisor.core.state import Death, Generation, Worker
    from supervisor.core.turn import Fact, Turn

REASON_LENGTH = 256
"""SWF's bound for a failure's reason, in characters (API reference, RespondActivityTaskFailed)."""


def mourn(turn: Turn) -> None:
    """Settle what the dead leave behind."""
    while turn.state.deaths:
        death = turn.state.deaths.pop(0)
        _owe_report(turn, death)
        if not death.normal:
            turn.state.last_death = f"{_who(death.worker)}: {death.cause}"
            _tell(turn, death, _settle(turn, death.worker))


# --- what is owed ---------------------------------------------------------------------------------


def _owe_report(turn: Turn, death: Death) -> None:
    worker = death.worker
    if worker.task is None or worker.seat is None:
        return
    timeout = inf if worker.task.timeout is None else worker.task.timeout
    turn.state.debts.append(
        Debt(
            task=worker.task,
            role=worker.seat.task_list.role,
            reason=_reason(death)[:REASON_LENGTH],
            expires=worker.held_since + timeout,
        )
    )
    if turn.state.leaving and worker.killing and worker.killing.interrupts:
        abandon(turn, turn.state.leaving, worker.task)


def _reason(death: Death) -> str:
    killing = death.worker.killing
    if killing is None:
        return f"WorkerDied: {death.cause}"
    if killing.interrupts:
        return f"Interrupted: {killing.why}"
    held = killing.at - death.worker.held_since
    return f"WorkerDied: killed after {held:g} s: {killing.why}"


# --- what is done about it ------------------------------------------------------------------------


def _settle(turn: Turn, worker: Worker) -> str:
    """Put the place to rest; returns what is done about it, for people."""
    if isinstance(worker.job, Report):
        return _settle_report(turn, worker)
    if turn.state.leaving:
        return "It is not replaced: the program leaves."
    generation = worker.generation
    if worker.leave is not Leave.STAYS or not turn.state.goes_on(generation):
        return "It is not replaced: it was on its way out."
    if worker.seat is None:
        return _settle_registering(turn, generation)
    return _settle_seat(turn, generation, worker, worker.seat)


def _settle_report(turn: Turn, worker: Worker) -> str:
    for debt in turn.state.debts:
        if debt.reporter == worker.number:
            debt.reporter = None
            seconds = rest(turn.state.settings, debt.tries, turn.state.jitter)
            debt.rested_at = turn.now + seconds
            return f"Its report rests {seconds:.1f} s."
    return "Its report had been made."


def _settle_registering(turn: Turn, generation: Generation) -> str:
    if generation.registered:
        return "The flow had been registered."
    generation.proving_deaths += 1
    return "Registering " + _rest(turn, generation.registering) + "."


def _settle_seat(turn: Turn, generation: Generation, worker: Worker, seat: Seat) -> str:
    trouble = generation.seat_troubles.setdefault(seat, Trouble())
    if worker.lasts_at(turn.state.settings) <= turn.now:
        trouble.in_a_row, trouble.until = 0, turn.now
        return "Its seat is filled at once."
    if turn.state.is_candidate(generation):
        generation.proving_deaths += 1
    else:
        degraded.count(turn, generation, seat.task_list)
    if seat.task_list in generation.degraded_at:
        trouble.until = turn.now + jittered(turn.state.settings.rest_cap, turn.state.jitter)
        return f"Its task list is degraded: the seat rests {trouble.until - turn.now:.1f} s."
    return "Its seat " + _rest(turn, trouble) + "."


def _rest(turn: Turn, trouble: Trouble) -> str:
    trouble.in_a_row += 1
    seconds = rest(turn.state.settings, trouble.in_a_row, turn.state.jitter)
    trouble.until = turn.now + seconds
    return f"rests {seconds:.1f} s"


# --- the line -------------------------------------------------------------------------------------


def _tell(turn: Turn, death: Death, remedy: str) -> None:
    worker = death.worker
    held = f" {task_name(worker.task)} was in its hands." if worker.task else ""
    turn.note(
        Level.WARNING,
        "worker_died",
        f"{_who(worker)}: {death.cause}.{held} {remedy}",
        worker=worker.number,
        generation=worker.generation.number,
        cause=death.cause,
        remedy=remedy,
        **_seat_facts(worker),
        **task_facts(worker.task),
    )


def _who(worker: Worker) -> str:
    if worker.seat is None:
        errand = "reporting" if worker.is_reporter else "registering"
        return f"The {errand} worker {worker.number}"
    return f"Worker {worker.number} at {worker.seat.task_list.name}/{worker.seat.index}"


def _seat_facts(worker: Worker) -> dict[str, Fact]:
    if worker.seat is None:
        return {}
    return {"task_list": worker.seat.task_list.name, "seat": worker.seat.index}

"""What a death costs, and the one line that tells of it.

1. Who was told to leave, or had finished its errand, and exits 0 is no death. Every other one gets
   one Note: cause, seat, generation, task, and what is done about it.
2. A task in hand becomes a debt: SWF has to be told (``answers`` says what, ``reports`` when). So
   does a decision that waited in the dead while it was at another one: it is handed back.
3. A rest belongs to (generation, seat): a candidate's crashes never delay the current generation.
   A worker that lasted clears it.
4. Before it has proved itself, a generation's deaths are counted in all, not in a row: a version
   that fails now and then is no good either.
5. A seat with a tired worker and its heir loses nothing by the death of either: the other is there.
6. Nothing is replaced while the program leaves.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from supervisor.core import degraded
from supervisor.core.answers import WORKER_DIED, answer_to, reason
from supervisor.core.causes import Kind
from supervisor.core.generation import Trouble
from supervisor.core.leaving import abandon, task_facts, task_name
from supervisor.core.ledger import Fate
from supervisor.core.rest import jittered, rest
from supervisor.core.stages import Stage
from supervisor.core.state import Debt, SeatDeaths
from supervisor.core.worker import Leave
from supervisor.messages import (
    Answer,
    Cancel,
    Complete,
    Fail,
    HandBack,
    Level,
    Register,
    Replay,
    Report,
    Role,
    Seat,
    Task,
)

if TYPE_CHECKING:
    from supervisor.core.generation import Generation
    from supervisor.core.state import State
    from supervisor.core.turn import Fact, Turn
    from supervisor.core.worker import Death, Worker


def mourn(turn: Turn) -> None:
    """Settle what the dead leave behind."""
    while turn.state.deaths:
        death = turn.state.deaths.pop(0)
        about_task = _owe_answer(turn, death) if death.worker.task else ""
        about_task += "".join(_owe_back(turn, death, each) for each in _waiting(death))
        if not death.normal:
            _count(turn.state, death)
            _tell(turn, death, f"{about_task}{_settle(turn, death.worker)}")


def _count(state: State, death: Death) -> None:
    state.deaths_by_kind[death.cause.kind] += 1
    state.last_death = f"{_who(death.worker)}: {death.cause.text}"
    if death.worker.seat:
        of_seat = state.seat_deaths.setdefault(death.worker.seat, SeatDeaths())
        of_seat.number, of_seat.last = of_seat.number + 1, death.cause.text


# --- what is owed ---------------------------------------------------------------------------------


def _owe_answer(turn: Turn, death: Death) -> str:
    """Owe SWF the answer to the task in hand; returns what is done about it, for people."""
    worker = death.worker
    assert worker.task  # noqa: S101 - for the type checker: the caller has looked
    assert worker.seat  # noqa: S101 - only who has a seat is handed tasks
    answer = answer_to(death)
    if answer:
        timeout = inf if worker.task.timeout is None else worker.task.timeout
        role = worker.seat.task_list.role
        expires = worker.held_since + timeout
        turn.state.debts.append(Debt(worker.task, role, answer, reason(death), expires))
        if _is_failure(answer):
            worker.generation.count(worker.seat.task_list, failed=True)
    else:
        turn.account(worker.task, Fate.UNWANTED)
    if turn.state.leaving and _is_abandoned(death):
        abandon(turn, turn.state.leaving, worker.task)
    return f"{task_name(worker.task)} was in its hands: {_what_is_said(answer)}. "


def _waiting(death: Death) -> list[Task]:
    """The decisions that it had been handed, but for the one that it had taken up."""
    found = death.post.waiting if death.post else ()
    return [each for each in found if each != death.worker.task]


def _owe_back(turn: Turn, death: Death, task: Task) -> str:
    turn.state.debts.append(Debt(task, Role.DECIDER, HandBack(), reason(death), inf))
    turn.account(task)
    if turn.state.leaving and death.cause.kind is Kind.INTERRUPTED:
        abandon(turn, turn.state.leaving, task)
    return f"{task_name(task)} waited in it: it is handed back. "


def _is_failure(answer: Answer) -> bool:
    """Whether the task failed by its worker's death."""
    died = isinstance(answer, Fail) and answer.reason.startswith(WORKER_DIED)
    return died or isinstance(answer, HandBack)


def _is_abandoned(death: Death) -> bool:
    interrupted = death.cause.kind is Kind.INTERRUPTED
    answered = death.post is not None and death.post.answer is not None
    return interrupted and not answered and death.worker.stale is None


def _what_is_said(answer: Answer | None) -> str:
    match answer:
        case None:
            return "SWF no longer wanted it"
        case Complete():
            return "its result is delivered"
        case Fail():
            return "SWF is told that it failed"
        case Cancel():
            return "SWF is told that it is canceled"
        case _:
            return "it is handed back"


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
        return _settle_errand(turn, generation, worker)
    return _settle_seat(turn, generation, worker, worker.seat)


def _settle_report(turn: Turn, worker: Worker) -> str:
    for debt in turn.state.debts:
        if debt.reporter == worker.number:
            debt.reporter = None
            seconds = rest(turn.state.settings, debt.tries, turn.state.jitter)
            debt.rested_at = turn.now + seconds
            return f"Its report rests {seconds:.1f} s."
    return "Its report had been made."


def _settle_errand(turn: Turn, generation: Generation, worker: Worker) -> str:
    if worker.stage is Stage.FINISHED:
        return "Its errand was done."
    generation.proving_deaths += 1
    return "Its errand " + _rest(turn, generation.errands)


def _settle_seat(turn: Turn, generation: Generation, worker: Worker, seat: Seat) -> str:
    rest_of_it = _rest_seat(turn, generation, worker, seat)
    if seat not in generation.seated:
        return f"Its seat {rest_of_it}"
    if worker.tired:
        return "Its heir takes the seat."
    return f"It was to replace a tired worker, which goes on; the seat {rest_of_it}"


def _rest_seat(turn: Turn, generation: Generation, worker: Worker, seat: Seat) -> str:
    trouble = generation.seat_troubles.setdefault(seat, Trouble())
    if worker.lasts_at(turn.state.settings) <= turn.now:
        trouble.in_a_row, trouble.until = 0, turn.now
        return "is filled at once."
    if turn.state.is_candidate(generation):
        generation.proving_deaths += 1
    else:
        degraded.count(turn, generation, seat.task_list)
    if seat.task_list in generation.degraded_at:
        trouble.until = turn.now + jittered(turn.state.settings.rest_cap, turn.state.jitter)
        return f"rests {trouble.until - turn.now:.1f} s: its task list is degraded."
    return _rest(turn, trouble)


def _rest(turn: Turn, trouble: Trouble) -> str:
    seconds = rest(turn.state.settings, trouble.in_a_row, turn.state.jitter)
    trouble.in_a_row += 1
    trouble.until = turn.now + seconds
    return f"rests {seconds:.1f} s." if seconds else "is filled at once."


# --- the line -------------------------------------------------------------------------------------


def _tell(turn: Turn, death: Death, remedy: str) -> None:
    worker = death.worker
    turn.note(
        Level.WARNING,
        "worker_died",
        f"{_who(worker)}: {death.cause.text}. {remedy}",
        worker=worker.number,
        generation=worker.generation.number,
        cause=death.cause.text,
        kind=death.cause.kind.value,
        remedy=remedy,
        **_seat_facts(worker),
        **task_facts(worker.task),
    )


_ERRANDS: dict[type, str] = {Report: "reporting", Register: "registering", Replay: "replaying"}


def _who(worker: Worker) -> str:
    if worker.seat is None:
        return f"The {_ERRANDS[type(worker.job)]} worker {worker.number}"
    return f"Worker {worker.number} at {worker.seat.task_list.name}/{worker.seat.index}"


def _seat_facts(worker: Worker) -> dict[str, Fact]:
    if worker.seat is None:
        return {}
    return {"task_list": worker.seat.task_list.name, "seat": worker.seat.index}

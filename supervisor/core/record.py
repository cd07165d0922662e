"""From events to facts: what happened is written down, and nothing is decided.

1. Who is not known is not listened to: a word may cross the end of its speaker.
2. A task is held from ``Working`` to ``Done``, and not a word longer: a worker that dies between
   ``Done`` and its next poll has nothing to report.
3. Who was told to leave finishes what it holds and what its open polls still bring. After the last
   ``Done`` that is possible only the exit is left, whatever it says.
4. A generation's failure is written down for the candidate alone; a current one goes on without
   its zygote.
"""

from __future__ import annotations

from functools import singledispatch
from math import inf
from typing import TYPE_CHECKING

from supervisor import exits, messages
from supervisor.core import asked, scaling
from supervisor.core.causes import Cause, Kind, cause_of, how_ended
from supervisor.core.generation import Failure, Gate, Zygote
from supervisor.core.leaving import task_facts, task_name
from supervisor.core.ledger import fate_of_answer, fate_of_result
from supervisor.core.outcome import RESTORE, difference
from supervisor.core.renewing import RENEWABLE, changed
from supervisor.core.stages import Stage
from supervisor.core.state import Debt, Standing
from supervisor.core.worker import Death, Doom, Leave
from supervisor.messages import Cancel, Complete, Fail, Level, Report, Result
from supervisor.per_list import pool_sizes, spans
from supervisor.settings import SettingsError

if TYPE_CHECKING:
    from supervisor.core.generation import Generation
    from supervisor.core.turn import Turn
    from supervisor.core.worker import Worker


@singledispatch
def record(event: messages.Event, turn: Turn) -> None:  # noqa: ARG001 - the cases use it
    """Write down what happened."""
    raise TypeError(f"{event!r} is not an event")


@record.register(messages.Tick)
def _(_event: messages.Tick, _turn: Turn) -> None:
    """Time has passed: no fact but the time itself."""


# --- said by workers ------------------------------------------------------------------------------


@record.register(messages.Polling)
def _(event: messages.Polling, turn: Turn) -> None:
    if worker := turn.state.workers.get(event.worker):
        worker.enter(Stage.POLLING, turn.now, turn.state.settings)
        worker.ready_at = min(worker.ready_at, turn.now)


@record.register(messages.Working)
def _(event: messages.Working, turn: Turn) -> None:
    if worker := turn.state.workers.get(event.worker):
        turn.account(event.task)
        worker.take(event.task, turn.now, turn.state.settings)


_COUNTED = frozenset({Result.COMPLETED, Result.FAILED, Result.CANCELED})
"""Ends of tasks that tell how good the code is; the others tell of SWF, or of people."""


@record.register(messages.Done)
def _(event: messages.Done, turn: Turn) -> None:
    if worker := turn.state.workers.get(event.worker):
        if worker.task:
            turn.account(worker.task, fate_of_result(event.result))
        worker.release()
        worker.done += 1
        if isinstance(worker.job, Report):
            _reported(worker, event.result, turn)
            return
        worker.enter(Stage.POLLING, turn.now, turn.state.settings)
        if worker.seat and event.result in _COUNTED:
            worker.generation.count(worker.seat.task_list, failed=event.result is Result.FAILED)
        if worker.leave is Leave.TOLD:
            worker.come_nearer_to_leaving(turn.now, turn.state.settings)


def _reported(worker: Worker, result: Result, turn: Turn) -> None:
    worker.enter(Stage.FINISHED, turn.now, turn.state.settings)
    for debt in [each for each in turn.state.debts if each.reporter == worker.number]:
        turn.state.debts.remove(debt)
        answered = result not in (Result.GONE, Result.ABANDONED)
        fate = fate_of_answer(debt.answer) if answered else fate_of_result(result)
        turn.account(debt.task, fate)
        turn.note(
            Level.WARNING if result is Result.ABANDONED else Level.INFO,
            "reported",
            f"{task_name(debt.task)} {_outcome(debt, result)} ({debt.why}).",
            result=result.value,
            **task_facts(debt.task),
        )


def _outcome(debt: Debt, result: Result) -> str:
    if result is Result.GONE:
        return "needed no report: SWF knows it no more"
    if result is Result.ABANDONED:
        return "could not be reported: SWF takes no answer to it"
    match debt.answer:
        case Complete():
            return "is completed with the result that its worker left"
        case Fail():
            return "is reported as failed"
        case Cancel():
            return "is canceled"
        case _:
            return "is handed back"


@record.register(messages.Stale)
def _(event: messages.Stale, turn: Turn) -> None:
    worker = turn.state.workers.get(event.worker)
    if worker and worker.task:
        worker.stale = event.why
        worker.let_go_by = min(worker.let_go_by, turn.now + turn.state.settings.cancel_grace)


@record.register(messages.Tired)
def _(event: messages.Tired, turn: Turn) -> None:
    if worker := turn.state.workers.get(event.worker):
        worker.tired = event.why
        worker.generation.tire(worker)


@record.register(messages.Registered)
def _(event: messages.Registered, turn: Turn) -> None:
    if worker := turn.state.workers.get(event.worker):
        worker.enter(Stage.FINISHED, turn.now, turn.state.settings)
        worker.generation.registered = True
        if event.new:
            turn.note(
                Level.INFO,
                "types_registered",
                "\n  ".join((f"Generation {worker.generation.number} has registered:", *event.new)),
                generation=worker.generation.number,
                types=len(event.new),
            )


@record.register(messages.Replayed)
def _(event: messages.Replayed, turn: Turn) -> None:
    if worker := turn.state.workers.get(event.worker):
        worker.enter(Stage.FINISHED, turn.now, turn.state.settings)
        worker.generation.replayed = True
        turn.note(
            Level.INFO,
            "histories_replayed",
            f"Generation {worker.generation.number} decides {event.executions} recorded executions"
            f" as they show, {event.decisions} decisions.",
            generation=worker.generation.number,
            executions=event.executions,
            decisions=event.decisions,
        )


@record.register(messages.Contradicted)
def _(event: messages.Contradicted, turn: Turn) -> None:
    if worker := turn.state.workers.get(event.worker):
        worker.enter(Stage.FINISHED, turn.now, turn.state.settings)
        facts: dict[str, str | int] = {"workflow_id": event.workflow_id}
        facts["event_id"] = event.event_id
        failure = Failure(difference(event), exits.FLOW, Gate.REPLAY, facts, RESTORE)
        _failed(worker.generation, failure, turn)


@record.register(messages.Refused)
def _(event: messages.Refused, turn: Turn) -> None:
    if worker := turn.state.workers.get(event.worker):
        worker.enter(Stage.FINISHED, turn.now, turn.state.settings)
        _failed(worker.generation, Failure(event.why, event.code), turn)


# --- seen by the kernel ---------------------------------------------------------------------------


@record.register(messages.Exited)
def _(event: messages.Exited, turn: Turn) -> None:
    if worker := turn.state.workers.get(event.worker):
        cause = cause_of(event.status, event.post)
        if worker.killing:
            cause = Cause(worker.killing.kind, f"{cause.text}: {worker.killing.why}")
        normal = event.status == 0 and worker.may_exit and worker.task is None
        turn.state.bury(Death(worker, cause, turn.now, normal, event.status, event.post))


@record.register(messages.ForkFailed)
def _(event: messages.ForkFailed, turn: Turn) -> None:
    if worker := turn.state.workers.get(event.worker):
        cause = Cause(Kind.NOT_FORKED, f"could not be forked: {event.why}")
        turn.state.bury(Death(worker, cause, turn.now))


@record.register(messages.TooBig)
def _(event: messages.TooBig, turn: Turn) -> None:
    worker = turn.state.workers.get(event.worker)
    if worker and worker.task and not worker.killing:
        limit = turn.state.settings.max_memory_hard
        worker.doom = Doom(turn.now, f"over the memory limit of {limit}", Kind.TOO_BIG)


# --- found on disk --------------------------------------------------------------------------------


@record.register(messages.Spooled)
def _(event: messages.Spooled, turn: Turn) -> None:
    known = {each.task.token for each in turn.state.debts}
    for report in event.reports:
        if report.task.token not in known:
            known.add(report.task.token)
            turn.state.debts.append(_debt(report, turn.now))
            turn.account(report.task)
    turn.note(
        Level.INFO,
        "spool_found",
        f"{len(event.reports)} tasks of a supervisor that is gone are reported now.",
        tasks=len(event.reports),
    )


def _debt(report: Report, now: float) -> Debt:
    # If nobody knows how long ago it began, its whole timeout is the longest it may be open.
    left = report.task.timeout if report.within is None else report.within
    expires = inf if left is None else now + left
    return Debt(report.task, report.role, report.answer, report.why, expires)


# --- generations ----------------------------------------------------------------------------------


@record.register(messages.GenerationReady)
def _(event: messages.GenerationReady, turn: Turn) -> None:
    generation = turn.state.generations.get(event.generation)
    if generation is None or generation.zygote is not Zygote.IMPORTING:
        return
    generation.zygote, generation.imported = Zygote.READY, True
    try:
        generation.sizes = pool_sizes(generation.settings, event.task_lists)
        generation.spans = spans(generation.settings, event.task_lists)
    except SettingsError as error:
        _failed(generation, Failure(str(error), exits.USAGE, Gate.SETTINGS), turn)
    else:
        turn.state.resized = True


@record.register(messages.GenerationLost)
def _(event: messages.GenerationLost, turn: Turn) -> None:
    generation = turn.state.generations.get(event.generation)
    if generation is None or generation.zygote is Zygote.GONE:
        return
    generation.zygote = Zygote.GONE
    _failed(generation, Failure(event.why, event.code), turn)
    if generation is turn.state.current:
        turn.state.failures, turn.state.restart_rested_at = 0, -inf
        next_one = "the one before it returns" if turn.state.previous else "a new one is started"
        turn.note(
            Level.WARNING,
            "zygote_lost",
            f"Generation {event.generation} cannot fork any more: {event.why}."
            f" Its workers go on; {next_one}.",
            generation=event.generation,
        )


def _failed(generation: Generation, failure: Failure, turn: Turn) -> None:
    if turn.state.is_candidate(generation):
        generation.failure = generation.failure or failure


# --- attendants -----------------------------------------------------------------------------------


@record.register(messages.AttendantReady)
def _(event: messages.AttendantReady, turn: Turn) -> None:
    attendant = turn.state.attendants.get(event.name)
    if attendant and attendant.standing is Standing.STARTING:
        attendant.standing, attendant.since = Standing.READY, turn.now


@record.register(messages.AttendantLost)
def _(event: messages.AttendantLost, turn: Turn) -> None:
    attendant = turn.state.attendants.get(event.name)
    if attendant and attendant.standing is not Standing.GONE:
        asked = attendant.standing is Standing.STOPPING
        attendant.standing = Standing.GONE
        if not asked:
            attendant.lost = event.why or how_ended(event.status)
            attendant.status = event.status


@record.register(messages.AllClosed)
def _(event: messages.AllClosed, turn: Turn) -> None:
    turn.state.all_closed = event.completed
    how = "all of them completed" if event.completed else "not all of them completed"
    turn.note(Level.INFO, "all_closed", f"The executions of --start have closed: {how}.")


# --- asked by people, and by the host -------------------------------------------------------------


@record.register(messages.DrainAsked)
def _(event: messages.DrainAsked, turn: Turn) -> None:
    leaving = turn.drain(event.why, within=event.within)
    if event.within is None:
        leaving.signals += 1


@record.register(messages.EndNoticed)
def _(event: messages.EndNoticed, turn: Turn) -> None:
    before = turn.state.leaving.end_by if turn.state.leaving else inf
    leaving = turn.drain(event.why, within=event.within)
    if leaving.end_by < before:
        leaving.why = event.why  # what is cut short at that end is cut short by it


@record.register(messages.InstanceKnown)
def _(event: messages.InstanceKnown, turn: Turn) -> None:
    turn.state.instance = event.instance


@record.register(messages.StopAsked)
def _(event: messages.StopAsked, turn: Turn) -> None:
    turn.stop(event.why)


@record.register(messages.RestartAsked)
def _(event: messages.RestartAsked, turn: Turn) -> None:
    if turn.state.leaving:
        turn.note(Level.WARNING, "restart_refused", "No restart: the program leaves.")
        return
    turn.state.restart_asked = event
    _name_what_stays(event, turn)
    when = "after the generation that is starting" if turn.state.candidate else "now"
    turn.note(Level.INFO, "restart_asked", f"Restart asked for ({event.why}): {when}.")


def _name_what_stays(event: messages.RestartAsked, turn: Turn) -> None:
    stays = [each for each in changed(turn.state.settings, event.settings) if each not in RENEWABLE]
    if stays:
        names = ", ".join(stays)
        turn.note(
            Level.WARNING,
            "settings_kept",
            f"These settings have changed and need a new supervisor: {names}. They stay as they"
            " are until it is ended and started again.",
            settings=names,
        )


@record.register(messages.ScaleAsked)
def _(event: messages.ScaleAsked, turn: Turn) -> None:
    asked.scale(event, turn)


@record.register(messages.Backlog)
def _(event: messages.Backlog, turn: Turn) -> None:
    scaling.count(event, turn)


@record.register(messages.QuietAsked)
@record.register(messages.ResumeAsked)
def _(event: messages.QuietAsked | messages.ResumeAsked, turn: Turn) -> None:
    asked.quieten(event, turn)

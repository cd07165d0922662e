"""From events to facts: what happened is written down, and nothing is decided.

1. Who is not known is not listened to: a word may cross the end of its speaker.
2. A task is held from ``Working`` to ``Done``, and not a word longer: a worker that dies between
   ``Done`` and its next poll has nothing to report.
3. Who was told to leave in an open poll may still be handed one task, and finishes it. After that
   ``Done`` only the exit is left, whatever it says.
4. A generation's failure is written down for the candidate alone; a current one goes on without
   its zygote.
"""

from __future__ import annotations

import signal
from functools import singledispatch
from math import inf
from typing import TYPE_CHECKING

from supervisor import messages
from supervisor.core.stages import Stage
from supervisor.core.state import BAD_SETTINGS, Death, Failure, Leave, Standing, Zygote
from supervisor.messages import Level, Report, Result, Seat
from supervisor.settings import SettingsError, pool_sizes

if TYPE_CHECKING:
    from supervisor.core.state import Generation, Worker
    from supervisor.core.turn import Turn


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
        worker.take(event.task, turn.now, turn.state.settings)
        if worker.leave is Leave.TOLD:
            worker.leave_by = inf


@record.register(messages.Done)
def _(event: messages.Done, turn: Turn) -> None:
    if worker := turn.state.workers.get(event.worker):
        worker.task = None
        if isinstance(worker.job, Report):
            _reported(worker, event.result, turn)
            return
        worker.enter(Stage.POLLING, turn.now, turn.state.settings)
        if worker.leave is Leave.TOLD:
            worker.leave = Leave.DISMISSED
            worker.leave_by = turn.now + turn.state.settings.leave_patience


def _reported(worker: Worker, result: Result, turn: Turn) -> None:
    worker.enter(Stage.FINISHED, turn.now, turn.state.settings)
    for debt in [each for each in turn.state.debts if each.reporter == worker.number]:
        turn.state.debts.remove(debt)
        turn.note(
            Level.INFO,
            "reported",
            f"SWF knows of the death: {debt.reason} ({result.value}).",
            workflow_id=debt.task.workflow_id,
            activity_id=debt.task.activity_id,
        )


@record.register(messages.Registered)
def _(event: messages.Registered, turn: Turn) -> None:
    if worker := turn.state.workers.get(event.worker):
        worker.enter(Stage.FINISHED, turn.now, turn.state.settings)
        worker.generation.registered = True


@record.register(messages.Refused)
def _(event: messages.Refused, turn: Turn) -> None:
    if worker := turn.state.workers.get(event.worker):
        worker.enter(Stage.FINISHED, turn.now, turn.state.settings)
        _failed(worker.generation, Failure(event.why, event.code), turn)


# --- seen by the kernel ---------------------------------------------------------------------------


@record.register(messages.Exited)
def _(event: messages.Exited, turn: Turn) -> None:
    if worker := turn.state.workers.get(event.worker):
        cause = _how_ended(event.status)
        if worker.killing:
            cause += f": {worker.killing.why}"
        normal = event.status == 0 and worker.may_exit and worker.task is None
        turn.state.bury(Death(worker, cause, normal))


@record.register(messages.ForkFailed)
def _(event: messages.ForkFailed, turn: Turn) -> None:
    if worker := turn.state.workers.get(event.worker):
        turn.state.bury(Death(worker, f"could not be forked: {event.why}", normal=False))


def _how_ended(status: int) -> str:
    """``killed by SIGKILL`` or ``exited 3``."""
    if status >= 0:
        return f"exited {status}"
    names = {each.value: each.name for each in signal.Signals}
    return f"killed by {names.get(-status, f'signal {-status}')}"


# --- generations ----------------------------------------------------------------------------------


@record.register(messages.GenerationReady)
def _(event: messages.GenerationReady, turn: Turn) -> None:
    generation = turn.state.generations.get(event.generation)
    if generation is None or generation.zygote is not Zygote.IMPORTING:
        return
    generation.zygote = Zygote.READY
    try:
        sizes = pool_sizes(turn.state.settings, event.task_lists)
    except SettingsError as error:
        _failed(generation, Failure(str(error), BAD_SETTINGS), turn)
    else:
        generation.seats = tuple(Seat(each, i) for each, size in sizes.items() for i in range(size))


@record.register(messages.GenerationLost)
def _(event: messages.GenerationLost, turn: Turn) -> None:
    generation = turn.state.generations.get(event.generation)
    if generation is None or generation.zygote is Zygote.GONE:
        return
    generation.zygote = Zygote.GONE
    _failed(generation, Failure(event.why, event.code), turn)
    if generation is turn.state.current:
        turn.state.failures, turn.state.restart_rested_at = 0, -inf
        turn.note(
            Level.WARNING,
            "zygote_lost",
            f"Generation {event.generation} cannot fork any more: {event.why}."
            " Its workers go on; a new generation is started.",
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
        attendant.standing = Standing.READY


@record.register(messages.AttendantLost)
def _(event: messages.AttendantLost, turn: Turn) -> None:
    attendant = turn.state.attendants.get(event.name)
    if attendant and attendant.standing is not Standing.GONE:
        asked = attendant.standing is Standing.STOPPING
        attendant.standing = Standing.GONE
        if not asked:
            attendant.lost = event.why or _how_ended(event.status)


@record.register(messages.AllClosed)
def _(event: messages.AllClosed, turn: Turn) -> None:
    turn.state.all_closed = event.completed
    how = "all of them completed" if event.completed else "not all of them completed"
    turn.note(Level.INFO, "all_closed", f"The executions of --start have closed: {how}.")


# --- asked by people ------------------------------------------------------------------------------


@record.register(messages.DrainAsked)
def _(event: messages.DrainAsked, turn: Turn) -> None:
    leaving = turn.drain(event.why, within=event.within)
    if event.within is None:
        leaving.signals += 1


@record.register(messages.StopAsked)
def _(event: messages.StopAsked, turn: Turn) -> None:
    turn.stop(event.why)


@record.register(messages.RestartAsked)
def _(event: messages.RestartAsked, turn: Turn) -> None:
    if turn.state.leaving:
        turn.note(Level.WARNING, "restart_refused", "No restart: the program leaves.")
        return
    turn.state.restart_asked = event.why
    when = "after the generation that is starting" if turn.state.candidate else "now"
    turn.note(Level.INFO, "restart_asked", f"Restart asked for ({event.why}): {when}.")

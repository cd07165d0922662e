"""From events to facts: what happened is written down, and nothing is decided.

Rules:

1. An event of an unknown worker, generation or sidecar is ignored: a message may cross the end of
   its sender.
2. A task is in progress from ``Working`` to ``Done``, no longer: a worker that dies between
   ``Done`` and its next poll leaves nothing to report.
3. A worker that was asked to leave finishes its task and those that its open polls still bring.
   After the last possible ``Done`` only the exit is left.
4. A generation's failure is written down for the candidate only; an active one goes on without its
   zygote.
"""

from __future__ import annotations

from functools import singledispatch
from math import inf
from typing import TYPE_CHECKING

from supervisor import exit_codes
from supervisor.config.settings import SettingsError
from supervisor.core.causes import Cause, DeathKind, cause_of
from supervisor.core.deploy.deploy_report import RESTORE, describe_difference
from supervisor.core.deploy.kept_releases import kept_beside, recall
from supervisor.core.deploy.lost_zygotes import (
    note_answer,
    note_failure,
    note_loss,
    note_unanswered,
)
from supervisor.core.failures import Failure, Gate, Misfit
from supervisor.core.generation import Death, Leave, ScheduledKill, Zygote
from supervisor.core.log_names import sentence, task_facts, task_name
from supervisor.core.outside_events import record_outside
from supervisor.core.pools import permits
from supervisor.core.pools.pool_settings import (
    NothingToServe,
    poll_bounds,
    pool_bounds,
    pool_sizes,
)
from supervisor.core.rules import interruptions, unused_build
from supervisor.core.rules.ledger import outcome_of_answer, outcome_of_result
from supervisor.core.rules.reports import describe_report
from supervisor.core.stages import Stage
from supervisor.core.state import OwedReport
from supervisor.ipc import messages
from supervisor.ipc.messages import HandOut, Level, Report, Result
from supervisor.ipc.messages.tallies import LOST

if TYPE_CHECKING:
    from supervisor.core.generation import Worker
    from supervisor.core.turn import Turn


EXIT_SECONDS = 1.0
"""Time between the end of a worker's channel and the end of its process."""


@singledispatch
def record(event: messages.Event, turn: Turn) -> None:
    """Write down what happened: in the pool here, outside of it there."""
    record_outside(event, turn)


@record.register(messages.Tick)
def _(_event: messages.Tick, _turn: Turn) -> None:
    """Nothing to write down but the time, which the turn has."""


# --- sent by workers ------------------------------------------------------------------------------


@record.register(messages.Polling)
def _(event: messages.Polling, turn: Turn) -> None:
    if worker := turn.state.workers.get(event.worker):
        worker.enter(Stage.POLLING, turn.now, turn.state.settings)
        _note_ready(worker, turn)


@record.register(messages.Parked)
def _(event: messages.Parked, turn: Turn) -> None:
    if worker := turn.state.workers.get(event.worker):
        permits.note_parked(worker, event.end, turn)
        _note_ready(worker, turn)


def _note_ready(worker: Worker, turn: Turn) -> None:
    if worker.ready_at == inf:
        worker.ready_at = turn.now
        note_answer(worker)


@record.register(messages.Working)
def _(event: messages.Working, turn: Turn) -> None:
    if worker := turn.state.workers.get(event.worker):
        permits.note_task(worker, turn)
        turn.add_to_ledger(event.task)
        worker.begin_task(event.task, turn.now, turn.state.settings)


_COUNTED = frozenset({Result.COMPLETED, Result.FAILED, Result.CANCELED, Result.STUCK})
"""Results that depend on the code; the others depend on SWF or on people."""


@record.register(messages.Done)
def _(event: messages.Done, turn: Turn) -> None:
    if worker := turn.state.workers.get(event.worker):
        if worker.task:
            turn.close_in_ledger(worker.task, outcome_of_result(event.result))
        turn.state.tally.end_task(worker, event.result, turn.now)
        if worker.task and event.result is Result.HANDED_OUT:
            turn.state.handed_out.add(worker.task, turn.now)
        failed = turn.state.note_result(worker, event.result, turn.now)
        worker.end_task()
        worker.done += 1
        if isinstance(worker.job, Report):
            _settle_report(worker, event.result, turn)
            return
        worker.enter(Stage.POLLING, turn.now, turn.state.settings)
        permits.note_done(worker, turn, parked=event.parked)
        if worker.slot and event.result in _COUNTED:
            worker.generation.count_task(worker.slot.task_list, failed=failed)
        if worker.leave is Leave.ASKED:
            worker.count_down_to_exit(turn.now, turn.state.settings)


def _settle_report(worker: Worker, result: Result, turn: Turn) -> None:
    worker.enter(Stage.FINISHED, turn.now, turn.state.settings)
    note_answer(worker)
    for owed in [each for each in turn.state.owed_reports if each.reporter == worker.number]:
        turn.state.owed_reports.remove(owed)
        answered = result not in (Result.ALREADY_CLOSED, Result.ABANDONED)
        outcome = outcome_of_answer(owed.answer) if answered else outcome_of_result(result)
        turn.close_in_ledger(owed.task, outcome)
        turn.note(
            Level.WARNING if result is Result.ABANDONED else Level.INFO,
            "reported",
            sentence(f"{task_name(owed.task)} {describe_report(owed, result)} ({owed.why})."),
            result=result.value,
            **task_facts(owed.task),
        )


@record.register(messages.Stale)
def _(event: messages.Stale, turn: Turn) -> None:
    worker = turn.state.workers.get(event.worker)
    if worker and worker.task:
        worker.stale = event.why
        worker.grace_ends = min(worker.grace_ends, turn.now + turn.state.settings.cancel_grace)


@record.register(messages.WantsReplacement)
def _(event: messages.WantsReplacement, turn: Turn) -> None:
    if worker := turn.state.workers.get(event.worker):
        worker.wants_replacement = event.why
        worker.generation.request_replacement(worker)


@record.register(messages.Registered)
def _(event: messages.Registered, turn: Turn) -> None:
    if worker := turn.state.workers.get(event.worker):
        worker.enter(Stage.FINISHED, turn.now, turn.state.settings)
        worker.generation.registered = True
        if event.new:
            turn.note(
                Level.INFO,
                "types_registered",
                "\n  ".join((f"Generation {worker.generation.number} registered:", *event.new)),
                generation=worker.generation.number,
                types=len(event.new),
            )


@record.register(messages.Replayed)
def _(event: messages.Replayed, turn: Turn) -> None:
    if worker := turn.state.workers.get(event.worker):
        worker.enter(Stage.FINISHED, turn.now, turn.state.settings)
        worker.generation.replayed = True
        turn.note(
            Level.WARNING if event.report else Level.INFO,
            "histories_replayed",
            f"Generation {worker.generation.number} replayed {event.executions} recorded executions"
            f" ({event.decisions} decisions) without a difference. {event.report}".rstrip(),
            generation=worker.generation.number,
            executions=event.executions,
            decisions=event.decisions,
            **({"report": event.report} if event.report else {}),
        )


@record.register(messages.NonDeterministic)
def _(event: messages.NonDeterministic, turn: Turn) -> None:
    recall(turn, event.builds)
    if worker := turn.state.workers.get(event.worker):
        worker.enter(Stage.FINISHED, turn.now, turn.state.settings)
        facts: dict[str, str | int] = {"workflow_id": event.workflow_id}
        facts["event_id"] = event.event_id
        failure = Failure(describe_difference(event), exit_codes.FLOW, Gate.REPLAY, facts, RESTORE)
        if event.builds and worker.generation.kept:
            worker.generation.misfit = Misfit(failure, event.builds, event.report)
            worker.generation.replayed = True
        else:
            note_failure(worker.generation, failure, turn)


@record.register(messages.OpenSearched)
def _(event: messages.OpenSearched, turn: Turn) -> None:
    if worker := turn.state.workers.get(event.worker):
        worker.enter(Stage.FINISHED, turn.now, turn.state.settings)
        unused_build.note_search(turn, event)


@record.register(messages.Returned)
def _(event: messages.Returned, turn: Turn) -> None:
    recall(turn, (event.build,))


@record.register(messages.FlowRefused)
def _(event: messages.FlowRefused, turn: Turn) -> None:
    if worker := turn.state.workers.get(event.worker):
        worker.enter(Stage.FINISHED, turn.now, turn.state.settings)
        note_failure(worker.generation, Failure(event.why, event.code), turn)


# --- reported by the kernel ----------------------------------------------------------------------


@record.register(messages.Exited)
def _(event: messages.Exited, turn: Turn) -> None:
    if worker := turn.state.workers.get(event.worker):
        cause = cause_of(event.status, event.post)
        if worker.killing:
            cause = Cause(worker.killing.kind, f"{cause.text}: {worker.killing.why}")
        normal = event.status == 0 and worker.may_exit and worker.task is None
        turn.state.tally.end_task(worker, LOST, turn.now)
        turn.state.remove_worker(Death(worker, cause, turn.now, normal, event.status, event.post))


@record.register(messages.ForkFailed)
def _(event: messages.ForkFailed, turn: Turn) -> None:
    if worker := turn.state.workers.get(event.worker):
        if event.unanswered:
            note_unanswered(worker, turn.now)
        cause = Cause(DeathKind.NOT_FORKED, f"could not be forked: {event.why}")
        turn.state.remove_worker(Death(worker, cause, turn.now))


@record.register(messages.MemoryExceeded)
def _(event: messages.MemoryExceeded, turn: Turn) -> None:
    worker = turn.state.workers.get(event.worker)
    if worker and worker.task and not worker.killing:
        limit = turn.state.settings.max_memory_hard
        worker.scheduled_kill = ScheduledKill(
            turn.now, f"over the memory limit of {limit}", DeathKind.TOO_BIG
        )


@record.register(messages.ChannelLost)
def _(event: messages.ChannelLost, turn: Turn) -> None:
    worker = turn.state.workers.get(event.worker)
    if worker and not worker.killing:
        worker.scheduled_kill = ScheduledKill(
            turn.now + EXIT_SECONDS,
            "it closed its channel to the supervisor and went on, as a task does that runs exec",
            DeathKind.LATE,
        )


# --- found on disk --------------------------------------------------------------------------------


@record.register(messages.OrphanedLists)
def _(event: messages.OrphanedLists, turn: Turn) -> None:
    turn.state.orphaned_lists.extend(event.names)


@record.register(messages.SpooledReports)
def _(event: messages.SpooledReports, turn: Turn) -> None:
    known = {each.task.token for each in turn.state.owed_reports}
    for report in event.reports:
        if isinstance(report.answer, HandOut):
            turn.state.handed_out.add(report.task, turn.now)
        elif report.task.token not in known:
            known.add(report.task.token)
            turn.state.owed_reports.append(_owed_report(report, turn.now))
            turn.add_to_ledger(report.task)
    turn.note(
        Level.INFO,
        "spool_found",
        f"Found {len(event.reports)} tasks of an ended supervisor in the spool; reporting them, or"
        " sending the heartbeats of those that were handed out.",
        tasks=len(event.reports),
    )


def _owed_report(report: Report, now: float) -> OwedReport:
    # Without its start time its whole timeout is the longest that it may be open.
    left = report.task.timeout if report.within is None else report.within
    expires = inf if left is None else now + left
    return OwedReport(report.task, report.role, report.answer, report.why, expires)


# --- generations ----------------------------------------------------------------------------------


@record.register(messages.GenerationReady)
def _(event: messages.GenerationReady, turn: Turn) -> None:
    generation = turn.state.generations.get(event.generation)
    if generation is None or generation.zygote is not Zygote.IMPORTING:
        return
    generation.zygote, generation.imported = Zygote.READY, True
    generation.external_lists = event.external_lists
    generation.restart_unset, generation.build = event.restart_unset, event.build
    generation.release, generation.kept = event.release, kept_beside(event, turn.state)
    interruptions.warn(turn)
    try:
        generation.sizes = pool_sizes(generation.settings, event.task_lists)
        generation.bounds = pool_bounds(generation.settings, event.task_lists)
        generation.poll_bounds = poll_bounds(generation.settings, event.task_lists)
    except SettingsError as error:
        code = 0 if isinstance(error, NothingToServe) else exit_codes.USAGE
        note_failure(generation, Failure(str(error), code, Gate.SETTINGS), turn)
    else:
        turn.state.resized = True


@record.register(messages.GenerationLost)
def _(event: messages.GenerationLost, turn: Turn) -> None:
    generation = turn.state.generations.get(event.generation)
    if generation is None or generation.zygote is Zygote.GONE:
        return
    note_loss(generation, Failure(event.why, event.code), turn)

"""Reports to SWF about the tasks of dead workers.

Rules:

1. Every owed report gets a fork of its own, the *reporter*, from the active generation or any other
   that can fork. So does every task that an ended supervisor left in its spool. SWF's answer that
   it does not know the task settles the report, too: the task is closed.
2. A reporter that dies before SWF answered is replaced after a growing wait, until the task's own
   timeout has passed: by then SWF has ended the task by itself. For a task without timeout there
   are ``ATTEMPTS`` reporters; then the report is noted as lost.
3. A drain waits for reports. Once its time is over it waits ``report_timeout`` more. A report that
   is not delivered by then, or that no generation can fork, is noted as lost.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from supervisor.core.log_names import sentence, task_facts, task_name
from supervisor.core.rules.ledger import TaskOutcome
from supervisor.core.state import LOCAL_ENDPOINT, SidecarState
from supervisor.ipc.messages import Cancel, Complete, Fail, Level, Report, Result

if TYPE_CHECKING:
    from supervisor.core.state import OwedReport, State
    from supervisor.core.turn import Turn

ATTEMPTS = 20
"""Reporters for a task without timeout. At a minute and a wait each they outlive half an hour
without SWF."""


def drop_hopeless(turn: Turn) -> None:
    """Drop the reports that are no longer needed, or can no longer be delivered."""
    for owed in _waiting(turn.state):
        if owed.expires <= turn.now:
            _drop_unneeded(turn, owed)
        elif why := _why_lost(turn.state, owed, turn.now):
            _drop_lost(turn, owed, why)


def send_reports(turn: Turn) -> None:
    """Fork a reporter for every report that is due."""
    for owed in _waiting(turn.state):
        if owed.backoff_until <= turn.now:
            _fork_reporter(turn, owed)


def describe_report(owed: OwedReport, result: Result) -> str:
    """The end of a report, as a predicate of its task."""
    if result is Result.ALREADY_CLOSED:
        return "needed no report: SWF had already closed it"
    if result is Result.ABANDONED:
        return "could not be reported: SWF did not accept an answer in time"
    match owed.answer:
        case Complete():
            return "was completed with the result that its worker left"
        case Fail():
            return "was reported to SWF as failed"
        case Cancel():
            return "was reported to SWF as canceled"
        case _:
            return "was returned to SWF"


def next_deadline(state: State) -> float:
    """Time at which a report is due, no longer needed, or lost."""
    waiting = _waiting(state)
    if not waiting:
        return inf
    ends = min(_drain_end(state), *(each.expires for each in waiting))
    if state.forking_generation() is None:
        return ends
    return min(ends, *(each.backoff_until for each in waiting))


def _waiting(state: State) -> list[OwedReport]:
    return [each for each in state.owed_reports if each.reporter is None]


def _fork_reporter(turn: Turn, owed: OwedReport) -> None:
    if generation := turn.state.forking_generation():
        job = Report(
            task=owed.task,
            role=owed.role,
            answer=owed.answer,
            why=owed.why,
            within=None if owed.expires == inf else owed.expires - turn.now,
            poison_deaths=turn.state.settings.poison_deaths,
            fail_poison_decision=turn.state.settings.on_poison_decision == "fail",
        )
        owed.reporter = turn.fork(generation, job).number
        owed.attempts += 1


def _why_lost(state: State, owed: OwedReport, now: float) -> str:
    if owed.expires == inf and owed.attempts >= ATTEMPTS:
        return f"{owed.attempts} reporters died before SWF answered."
    if _drain_end(state) <= now:
        return "The time of the drain is over."
    if state.drain and state.forking_generation() is None:
        return "No generation can fork a reporter."
    if _local_swf_is_gone(state):
        return "The local SWF is gone."
    return ""


def _drain_end(state: State) -> float:
    """Time at which a drain no longer waits for reports."""
    return state.drain.end_by + state.settings.report_timeout if state.drain else inf


def _local_swf_is_gone(state: State) -> bool:
    endpoint = state.sidecars.get(LOCAL_ENDPOINT)
    return endpoint is not None and endpoint.status is SidecarState.GONE


def _drop_unneeded(turn: Turn, owed: OwedReport) -> None:
    # A result that was reached and is not delivered is worth a warning.
    level = Level.WARNING if isinstance(owed.answer, Complete) else Level.INFO
    why = "The task's own timeout has passed, so SWF has ended it."
    _drop(turn, owed, level, "report_unneeded", why)


def _drop_lost(turn: Turn, owed: OwedReport, why: str) -> None:
    spool = turn.state.settings.spool
    left = (
        "The next supervisor finds it in the spool." if spool else "SWF learns it by timeout only."
    )
    _drop(turn, owed, Level.ERROR, "report_lost", f"{why} {left}")


def _drop(turn: Turn, owed: OwedReport, level: Level, event: str, why: str) -> None:
    turn.state.owed_reports.remove(owed)
    turn.close_in_ledger(owed.task, TaskOutcome.LOST)
    turn.note(
        level,
        event,
        sentence(f"{task_name(owed.task)} is not reported to SWF ({owed.why}). {why}"),
        reason=owed.why,
        **task_facts(owed.task),
    )

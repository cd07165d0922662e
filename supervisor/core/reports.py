"""How SWF is told of the tasks of the dead.

1. A task whose holder died with it is reported by a fork of its own, from the current generation or
   any other that can fork. So are those that a dead supervisor left in its spool. The answer "no
   such task" is as good as any: it is not open any more.
2. A reporter that dies before it was heard is replaced after a growing rest, until the task's own
   timeout is over: then SWF has seen its end by itself. A task without timeout gets
   ``report_tries``, and then is noted as lost.
3. Leaving waits for reports. Once its time is over it waits ``report_patience`` more; what cannot
   be told by then, or by nobody because nothing can fork, is noted as lost.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from supervisor.core.leaving import task_facts, task_name
from supervisor.core.ledger import Fate
from supervisor.core.state import Standing
from supervisor.messages import Complete, Level, Report

if TYPE_CHECKING:
    from supervisor.core.state import Debt, State
    from supervisor.core.turn import Turn


def strike_out(turn: Turn) -> None:
    """Drop the debts that cannot be paid."""
    for debt in _idle(turn.state):
        if debt.expires <= turn.now:
            _expire(turn, debt)
        elif lost := _why_lost(turn.state, debt, turn.now):
            _lose(turn, debt, lost)


def pay_debts(turn: Turn) -> None:
    """Fork a reporter for every debt that is due."""
    for debt in _idle(turn.state):
        if debt.rested_at <= turn.now:
            _report(turn, debt)


def next_deadline(state: State) -> float:
    """When a debt is due, pointless or given up."""
    idle = _idle(state)
    if not idle:
        return inf
    ends = min(_end(state), *(each.expires for each in idle))
    if state.forker() is None:
        return ends
    return min(ends, *(each.rested_at for each in idle))


def _idle(state: State) -> list[Debt]:
    return [each for each in state.debts if each.reporter is None]


def _report(turn: Turn, debt: Debt) -> None:
    if generation := turn.state.forker():
        job = Report(
            task=debt.task,
            role=debt.role,
            answer=debt.answer,
            why=debt.why,
            within=None if debt.expires == inf else debt.expires - turn.now,
            poison_deaths=turn.state.settings.poison_deaths,
        )
        debt.reporter = turn.fork(generation, job).number
        debt.tries += 1


def _why_lost(state: State, debt: Debt, now: float) -> str:
    if debt.expires == inf and debt.tries >= state.settings.report_tries:
        return f"{debt.tries} reporters died before they were heard."
    if _end(state) <= now:
        return "The program's time to leave is over."
    if state.leaving and state.forker() is None:
        return "No generation can fork a reporter any more."
    if _nobody_listens(state):
        return "The local SWF is gone."
    return ""


def _end(state: State) -> float:
    """When leaving waits for reports no more."""
    return state.leaving.end_by + state.settings.report_patience if state.leaving else inf


def _nobody_listens(state: State) -> bool:
    endpoint = state.attendants.get("endpoint")
    return endpoint is not None and endpoint.standing is Standing.GONE


def _expire(turn: Turn, debt: Debt) -> None:
    level = Level.WARNING if isinstance(debt.answer, Complete) else Level.INFO
    why = "The task's own timeout is over: SWF has seen its end by itself."
    _drop(turn, debt, level, "report_needless", why)


def _lose(turn: Turn, debt: Debt, why: str) -> None:
    spool = turn.state.settings.spool
    left = "The next start finds it in the spool." if spool else "Only its own timeout tells SWF."
    _drop(turn, debt, Level.ERROR, "report_lost", f"{why} {left}")


def _drop(turn: Turn, debt: Debt, level: Level, event: str, why: str) -> None:
    turn.state.debts.remove(debt)
    turn.account(debt.task, Fate.LOST)
    turn.note(
        level,
        event,
        f"{task_name(debt.task)} is not reported ({debt.why}). {why}",
        reason=debt.why,
        **task_facts(debt.task),
    )

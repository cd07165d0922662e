"""What SWF has to be told of the dead.

1. A task whose holder died with it is reported by a fork of its own, from the current generation or
   any other that can fork. The answer "no such task" is as good as any: it is not open any more.
2. A reporter that dies before it was heard is replaced after a growing rest, up to ``report_tries``
   in all. After that, or where nothing can fork while the program leaves, the task is noted as
   lost: its own timeout will tell SWF.
3. A task whose timeout is over is not reported: SWF has seen it by itself.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from supervisor.core.leaving import task_facts, task_name
from supervisor.core.state import Standing
from supervisor.messages import Fail, HandBack, Level, Report, Role

if TYPE_CHECKING:
    from supervisor.core.state import Debt, State
    from supervisor.core.turn import Turn


def pay_debts(turn: Turn) -> None:
    """Fork a reporter for every debt that is due; strike out those that cannot be paid."""
    for debt in [each for each in turn.state.debts if each.reporter is None]:
        if debt.expires <= turn.now:
            _drop(turn, debt, Level.INFO, "SWF sees it by the task's own timeout, which is over.")
        elif lost := _why_lost(turn.state, debt):
            _drop(turn, debt, Level.ERROR, f"{lost} Only the task's own timeout will tell SWF.")
        elif debt.rested_at <= turn.now:
            _report(turn, debt)


def next_deadline(state: State) -> float:
    """When a debt is due or pointless."""
    idle = [each for each in state.debts if each.reporter is None]
    expiry = min((each.expires for each in idle), default=inf)
    if state.forker() is None:
        return expiry
    return min([expiry, *(each.rested_at for each in idle)])


def _report(turn: Turn, debt: Debt) -> None:
    if generation := turn.state.forker():
        answer = Fail(debt.reason) if debt.role is Role.ACTIVITY else HandBack()
        job = Report(task=debt.task, role=debt.role, answer=answer, why=debt.reason)
        debt.reporter = turn.fork(generation, job).number
        debt.tries += 1


def _why_lost(state: State, debt: Debt) -> str:
    if debt.tries >= state.settings.report_tries:
        return f"{debt.tries} reporters died before they were heard."
    if state.leaving and state.forker() is None:
        return "No generation can fork a reporter any more."
    if _nobody_listens(state):
        return "The local SWF is gone."
    return ""


def _nobody_listens(state: State) -> bool:
    endpoint = state.attendants.get("endpoint")
    return endpoint is not None and endpoint.standing is Standing.GONE


def _drop(turn: Turn, debt: Debt, level: Level, why: str) -> None:
    turn.state.debts.remove(debt)
    turn.note(
        level,
        "report_needless" if level is Level.INFO else "report_lost",
        f"{task_name(debt.task)} is not reported ({debt.reason}). {why}",
        reason=debt.reason,
        **task_facts(debt.task),
    )

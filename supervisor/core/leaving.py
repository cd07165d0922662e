"""The way out of the program.

1. While draining everyone is told to leave, once. Whoever is left at ``end_by`` is killed; only
   reporters are spared, for they are short and what the others leave behind needs them.
2. A second signal, or being asked to stop, moves ``end_by`` to ``stop_patience`` from now. A second
   drain with a limit of its own (a notice of the machine's end) only moves it nearer.
3. The exit code is 1 when a task in hand was abandoned, or the drain's time was over.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from supervisor import exits
from supervisor.core.causes import Kind
from supervisor.core.stages import Stage
from supervisor.messages import Level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supervisor.core.state import Leaving, State
    from supervisor.core.turn import Fact, Turn
    from supervisor.core.worker import Worker
    from supervisor.messages import Task


def leave(turn: Turn) -> None:
    """Tell who has to leave; end who was told and has had its time."""
    leaving = turn.state.leaving
    if leaving is None:
        return
    if leaving.signals > 1:
        turn.stop(leaving.why)
    for worker in list(turn.state.may_be_told()):
        turn.tell_to_leave(worker)
    if leaving.end_by <= turn.now:
        _end(turn, leaving)


def next_deadline(state: State) -> float:
    """When those that are left are killed."""
    left = state.leaving and any(each.killing is None for each in _leavers(state))
    return state.leaving.end_by if state.leaving and left else inf


def _leavers(state: State) -> Iterator[Worker]:
    return (each for each in state.workers.values() if not each.is_reporter)


# --- draining -------------------------------------------------------------------------------------


def _end(turn: Turn, leaving: Leaving) -> None:
    for worker in list(_leavers(turn.state)):
        if worker.killing is None:
            if not leaving.stopping:
                leaving.code = max(leaving.code, exits.ABANDONED)
            leaving.ledger.polls_cut += worker.stage is Stage.POLLING
            turn.kill(worker, leaving.why, Kind.INTERRUPTED)


def abandon(turn: Turn, leaving: Leaving, task: Task) -> None:
    """A task in hand did not survive our leaving: the exit code says so."""
    leaving.code = max(leaving.code, exits.ABANDONED)
    turn.note(
        Level.WARNING,
        "task_abandoned",
        f"{task_name(task)} was abandoned: {leaving.why}.",
        **task_facts(task),
    )


def task_name(task: Task) -> str:
    """A task as people say it."""
    what = f"Activity {task.activity_id}" if task.activity_id else "A decision"
    return f"{what} of workflow {task.workflow_id}"


def task_facts(task: Task | None) -> dict[str, Fact]:
    """What a line in the log needs to find the task again."""
    if task is None:
        return {}
    return {
        "workflow_id": task.workflow_id,
        "run_id": task.run_id,
        "activity_id": task.activity_id or None,
    }

"""The outcome of every task that was in progress when the drain began, or came later.

Rules:

1. A task is entered when the drain begins, or when a last poll brings it. So are the tasks of dead
   workers whose reports are still owed. Each is closed once; the first outcome holds.
2. *Finished*: SWF accepted an answer, from the worker or on its behalf. *Returned*: SWF gives the
   task out again without loss, since it is a decision or was not started. *Abandoned*: the drain
   cut it short. *Died*: its worker died with it. *Already closed*: SWF had closed it before.
   *Handed out*: another program answers it. *Lost*: SWF could not be reached, so the task ends by
   its own timeout only.
3. SWF may still hand a task to an open poll that is cut, and no worker has it: cut polls are
   counted.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from supervisor.core.rules.answers import INTERRUPTED, NOT_STARTED, WORKER_DIED
from supervisor.ipc.messages import Fail, Result, ReturnTask

if TYPE_CHECKING:
    from supervisor.ipc.messages import Answer, Task


class TaskOutcome(enum.StrEnum):
    """The outcomes of tasks, worst first: the order of the drain report."""

    LOST = "lost"
    ABANDONED = "abandoned"
    DIED = "died"
    RETURNED = "returned"
    ALREADY_CLOSED = "already closed"
    HANDED_OUT = "handed out"
    FINISHED = "finished"


_OUTCOMES = {
    NOT_STARTED: TaskOutcome.RETURNED,
    INTERRUPTED: TaskOutcome.ABANDONED,
    WORKER_DIED: TaskOutcome.DIED,
}
"""By the first word of a failure's reason. The task's own failure is an answer: finished."""


@dataclass(slots=True)
class Entry:
    """A task and its outcome."""

    task: Task
    since: float  # when a worker received it, or the drain began
    outcome: TaskOutcome | None = None
    at: float = 0.0  # when the outcome was known


@dataclass(slots=True)
class Ledger:
    """All tasks of a drain, by token."""

    began: float
    entries: dict[str, Entry] = field(default_factory=dict)
    polls_cut: int = 0

    def add_task(self, task: Task, now: float) -> None:
        """Enter a task."""
        self.entries.setdefault(task.token, Entry(task, now))

    def close_task(self, task: Task, outcome: TaskOutcome, now: float) -> None:
        """Enter a task's outcome, if it has none yet."""
        entry = self.entries.get(task.token)
        if entry and entry.outcome is None:
            entry.outcome, entry.at = outcome, now

    def count_outcomes(self) -> dict[str, int]:
        """The number of tasks by outcome, without outcomes that no task had."""
        outcomes = [each.outcome for each in self.entries.values()]
        return {each.value: outcomes.count(each) for each in TaskOutcome if each in outcomes}


def outcome_of_result(result: Result) -> TaskOutcome:
    """The outcome of a task by its worker's result."""
    match result:
        case Result.ALREADY_CLOSED:
            return TaskOutcome.ALREADY_CLOSED
        case Result.ABANDONED:
            return TaskOutcome.LOST
        case Result.HANDED_OUT:
            return TaskOutcome.HANDED_OUT
        case Result.RETURNED:
            return TaskOutcome.RETURNED
        case _:
            return TaskOutcome.FINISHED


def outcome_of_answer(answer: Answer) -> TaskOutcome:
    """The outcome of a task by the answer that a reporter delivered."""
    match answer:
        case ReturnTask():
            return TaskOutcome.RETURNED
        case Fail(reason=reason):
            return _OUTCOMES.get(reason.partition(":")[0], TaskOutcome.FINISHED)
        case _:
            return TaskOutcome.FINISHED

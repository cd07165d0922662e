"""What became of every task that was in our hands when the program began to leave, or came later.

1. A task is entered when the drain begins, or when a last poll brings it. So are the tasks of the
   dead whose reports are still owed. Each is closed once; what comes first holds.
2. *Finished* is what SWF has accepted an answer to, from its worker or for it. *Handed back* is
   what SWF gives out again without loss: a decision, or a task that was not begun. *Abandoned* was
   cut short by our leaving, *died* took its worker along or was taken by it; SWF was told.
   *Unwanted* is what SWF had closed before us. *Lost* is what SWF could not be told: only the
   task's own timeout tells it.
3. An open poll that is cut may still be handed a task by SWF, and nobody has it: that is counted.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from supervisor.core.answers import INTERRUPTED, UNBEGUN, WORKER_DIED
from supervisor.messages import Fail, HandBack, Result

if TYPE_CHECKING:
    from supervisor.messages import Answer, Task


class Fate(enum.StrEnum):
    """What became of a task, the worst first: so they are shown."""

    LOST = "lost"
    ABANDONED = "abandoned"
    DIED = "died"
    HANDED_BACK = "handed back"
    UNWANTED = "unwanted"
    FINISHED = "finished"


_FATES = {
    UNBEGUN: Fate.HANDED_BACK,
    INTERRUPTED: Fate.ABANDONED,
    WORKER_DIED: Fate.DIED,
}
"""By the first word of a failure's reason; what the task itself failed with is an answer."""


@dataclass(slots=True)
class Entry:
    """One task."""

    task: Task
    since: float  # when it came into our hands, or the drain began
    fate: Fate | None = None
    at: float = 0.0  # when that was


@dataclass(slots=True)
class Ledger:
    """All of them, by token."""

    began: float
    entries: dict[str, Entry] = field(default_factory=dict)
    polls_cut: int = 0

    def take(self, task: Task, now: float) -> None:
        """A task is in our hands."""
        self.entries.setdefault(task.token, Entry(task, now))

    def close(self, task: Task, fate: Fate, now: float) -> None:
        """It no longer is."""
        entry = self.entries.get(task.token)
        if entry and entry.fate is None:
            entry.fate, entry.at = fate, now

    def counts(self) -> dict[str, int]:
        """How many had each fate, those that nobody had left out."""
        fates = [each.fate for each in self.entries.values()]
        return {each.value: fates.count(each) for each in Fate if each in fates}


def fate_of_result(result: Result) -> Fate:
    """What a worker's own last word on its task means."""
    match result:
        case Result.GONE:
            return Fate.UNWANTED
        case Result.ABANDONED:
            return Fate.LOST
        case Result.HANDED_BACK:
            return Fate.HANDED_BACK
        case _:
            return Fate.FINISHED


def fate_of_answer(answer: Answer) -> Fate:
    """What it means that SWF has this answer from a reporter."""
    match answer:
        case HandBack():
            return Fate.HANDED_BACK
        case Fail(reason=reason):
            return _FATES.get(reason.partition(":")[0], Fate.FINISHED)
        case _:
            return Fate.FINISHED

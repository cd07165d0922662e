"""The state of one execution: its history, folded up to the latest decision task."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from garcon.aws import usage
from garcon.decider.queue_waits import QueuedTasks, QueueWait
from garcon.event import Event, History

if TYPE_CHECKING:
    from garcon.decider.frontier import Frontier


@dataclass
class ExecutionState:
    """One execution up to a DecisionTaskStarted event.

    Attributes:
        run_id: The run.
        history: The events, folded.
        started: Number of the last DecisionTaskStarted event folded; 0 before any.
        frontier: The activities to look at next, see ``frontier``; made at the first use.
        events: All its events, if they were just read; they are not kept for the next task.
        nondeterminism: How the flow's code differs from the history, if it was found to.
        exposed: What the flow's decider exposed in the decision in progress.
        queued: Its activity tasks that wait for a worker, if that is counted.
        waits: The waits that the events folded last have ended.
        is_kept: Whether it was kept from the decision before, and not compared with the history
            since: the flow's code may have changed what it holds.
        is_doubtful: Whether the flow's code raised from it, or differs from the history, as kept.
    """

    run_id: str
    history: History = field(default_factory=History)
    started: int = 0
    frontier: "Frontier | None" = None
    events: list[dict[str, Any]] | None = None
    nondeterminism: str = ""
    exposed: dict[str, Any] = field(default_factory=dict)
    queued: QueuedTasks = field(default_factory=QueuedTasks)
    waits: list[QueueWait] = field(default_factory=list)
    is_kept: bool = False
    is_doubtful: bool = False

    def add(self, events: Sequence[Event], started: int) -> None:
        """Fold the next events, of which the last is DecisionTaskStarted number ``started``."""
        for event in events:
            self.history.add(event)
        if usage.meter is not None:
            self.waits = self.queued.fold(events)
        self.started = started

    def replace_by(self, other: "ExecutionState") -> None:
        """Become the other state, for all who hold this one."""
        vars(self).update(vars(other))

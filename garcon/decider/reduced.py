"""What a decider keeps of an execution between two decisions, and when it may go on from there.

Rules:

1. A reduced state is what the events up to one DecisionTaskStarted amount to. It may be gone on
   from if and only if SWF names that very event as the previous one (``previousStartedEventId``):
   then nobody has decided since, and nothing was missed.
2. Taking a state removes it, and it is put back only when SWF has accepted the decisions made from
   it. So whatever goes wrong in between leaves nothing behind that could be wrong.
3. The cache holds a bounded number of executions; the one that was used longest ago goes first.
   What it loses costs one reading of the full history, no more.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from garcon.event import Event, History

if TYPE_CHECKING:
    from garcon.decider.frontier import Frontier


@dataclass
class Reduced:
    """One execution up to its latest decision task.

    Attributes:
        run_id: The run.
        history: What the events amount to.
        started: Number of the DecisionTaskStarted event folded last; 0 before any.
        frontier: Which activities may be looked at next, see ``frontier``; made at the first use.
    """

    run_id: str
    history: History = field(default_factory=History)
    started: int = 0
    frontier: "Frontier | None" = None

    def add(self, events: Iterable[Event], started: int) -> None:
        """Fold the events that end with DecisionTaskStarted number ``started``."""
        for event in events:
            self.history.add(event)
        self.started = started


class Cache:
    """The reduced states of the executions decided lately; for several threads.

    Args:
        size: How many executions.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: OrderedDict[str, Reduced] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def take(self, run_id: str, previous: int) -> Reduced | None:
        """Remove what is kept of a run; it is returned if it ends with the event ``previous``."""
        with self._lock:
            found = self._kept.pop(run_id, None)
        return found if found and found.started == previous else None

    def keep(self, reduced: Reduced) -> None:
        """Keep this state, and drop the one used longest ago if there are too many."""
        with self._lock:
            self._kept[reduced.run_id] = reduced
            self._kept.move_to_end(reduced.run_id)
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)

    def clear(self) -> None:
        """Keep nothing."""
        with self._lock:
            self._kept.clear()

"""The states of recently decided executions, so that a later decision reads only newer events.

Rules:

1. A state is used if and only if SWF names its latest DecisionTaskStarted event as the previous one
   (``previousStartedEventId``): then no other process has decided since, and no event is missing.
2. Taking a state removes it. It is put back only when SWF has accepted the decisions made from it,
   so an error in between leaves no invalid state behind.
3. The cache holds a bounded number of executions and drops the least recently used. A dropped state
   costs one reading of the full history.
"""

import threading
from collections import OrderedDict

from garcon.decider.execution_state import ExecutionState


class StateCache:
    """States by run; safe to use from several threads.

    Args:
        size: The largest number of executions.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._states: OrderedDict[str, ExecutionState] = OrderedDict()
        self._lock = threading.Lock()  # one worker may be run by several threads

    def __len__(self) -> int:
        return len(self._states)

    def take(self, run_id: str, previous: int) -> ExecutionState | None:
        """Remove the state of a run, and return it if it ends with the event ``previous``."""
        with self._lock:
            state = self._states.pop(run_id, None)
        return state if state and state.started == previous else None

    def put(self, state: ExecutionState) -> None:
        """Store a state; the least recently used one is dropped if there are too many."""
        with self._lock:
            self._states[state.run_id] = state
            self._states.move_to_end(state.run_id)
            while len(self._states) > self._size:
                self._states.popitem(last=False)

    def clear(self) -> None:
        """Drop all states."""
        with self._lock:
            self._states.clear()

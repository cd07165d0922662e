"""What new code has to pass before anybody of it serves.

1. Two errands, one after the other, each in a fork of its own: it registers the flow, and where
   ``gate_replay`` is set it decides recorded histories again.
2. Histories are decided again where code serves already: they are what it would contradict. Who
   runs no deciders contradicts nobody.
3. An errand whose worker dies is done again, after a rest that grows (``deaths``).
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from supervisor.messages import Register, Replay, Role

if TYPE_CHECKING:
    from supervisor.core.generation import Generation
    from supervisor.core.state import State
    from supervisor.core.turn import Turn
    from supervisor.messages import Job


def take(turn: Turn, candidate: Generation) -> None:
    """Send the candidate on its next errand, or let it pass."""
    errand = _next(turn.state, candidate)
    if errand is None:
        candidate.cleared = True
    elif next_take(turn.state, candidate) <= turn.now:
        turn.fork(candidate, errand)


def next_take(state: State, candidate: Generation) -> float:
    """When its next errand may begin; not before somebody else is back from one."""
    # Reporters of the dead may be there before anybody serves.
    busy = any(not each.is_reporter for each in state.workers_of(candidate))
    return inf if busy or not candidate.can_fork else candidate.errands.until


def _next(state: State, candidate: Generation) -> Job | None:
    decides = any(size for each, size in candidate.sizes.items() if each.role is Role.DECIDER)
    if not candidate.registered:
        return Register(types=decides)
    histories = candidate.settings.gate_replay
    if histories and decides and state.current and not candidate.replayed:
        return Replay(str(histories))  # a plain one: it is to travel
    return None

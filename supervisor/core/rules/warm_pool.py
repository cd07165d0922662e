"""No polling while the instance waits in the warm pool of its auto scaling group.

Rules:

1. A warm instance is stopped, hibernated or kept running until the group needs it. SWF would give
   its polls tasks that then wait for their timeouts. So no slot is desired until the instance's
   target state is InService. The flow is imported meanwhile.
2. On EC2 no slot is desired before the ``ec2`` sidecar has reported that state, either: usually it
   has before the flow is imported. Metadata that do not answer hold up the start for ``HOLD``.
3. An instance that goes back to the warm pool after it was in service drains (``notices`` of the
   sidecar).
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from supervisor.ipc.messages import Level

if TYPE_CHECKING:
    from supervisor.core.state import State
    from supervisor.core.turn import Turn

HOLD = 5.0
"""Seconds from the start in which the state must be reported; a healthy host answers at once."""


def hold_polls(turn: Turn) -> None:
    """Desire no slots, or desire them again."""
    state = turn.state
    if state.settings.ec2 != "on":
        return
    if state.hold_by is None:
        state.hold_by = turn.now + HOLD
    holds = turn.now < state.hold_by if state.is_warm is None else state.is_warm
    if holds is not state.holds_polls:
        state.holds_polls, state.resized = holds, True


def note_warm_pool(turn: Turn, *, is_warm: bool) -> None:
    """Write the sidecar's report down, and note a wait and its end."""
    before, turn.state.is_warm = turn.state.is_warm, is_warm
    if is_warm and not before:
        text = "This instance is in the warm pool: no list is polled until it is in service."
        turn.note(Level.INFO, "warm_pool", text)
    elif before and not is_warm:
        turn.note(Level.INFO, "in_service", "This instance is in service: its lists are polled.")


def next_deadline(state: State) -> float:
    """Time at which a state that was not reported no longer holds up the polls."""
    waits = state.holds_polls and state.is_warm is None and state.hold_by is not None
    return state.hold_by if waits and state.hold_by is not None else inf

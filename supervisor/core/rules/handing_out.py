"""Tasks that were handed out (``activity.later()``): a sidecar sends their heartbeats.

Rules:

1. Such a task needs no worker. From its ``Done``, or from the death of a worker that had handed it
   out, the *heartbeats* sidecar keeps it; so no crash, restart, recycling or smaller pool ends it.
2. The sidecar starts with the first such task, and stays. One that is started again gets all tasks.
3. It gets a batch at a time, the next one when it has taken the last, so its channel never fills.
4. It reports which tasks SWF no longer has.
5. A drain does not wait for them. At its end the heartbeats end: with a spool the next supervisor
   goes on with them, else SWF times each task out by its heartbeat timeout, unless its program
   answers before or sends heartbeats itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from supervisor.core.rules.sidecars import HEARTBEATS
from supervisor.core.state import SidecarState

if TYPE_CHECKING:
    from supervisor.core.turn import Turn

BATCH = 32
"""Tasks in one message: each has 4 KiB at most, and a packet 204 KiB."""


def send_handed_out(turn: Turn) -> None:
    """Send the sidecar the tasks that it does not have."""
    handed_out = turn.state.handed_out
    sidecar = turn.state.sidecars.get(HEARTBEATS)
    if sidecar is None or sidecar.status is not SidecarState.READY:
        handed_out.lose_keeper()
    elif handed_out.unsent and not handed_out.is_sending:
        turn.hand_over(handed_out.take_unsent(BATCH))

"""Who is past its deadline is killed.

1. Every stage has its deadline (``stages``), set when the stage is entered.
2. Being told to leave adds a second deadline; the earlier one holds. So a hung task gets not a
   second longer by it.
3. KILL is sent once. Whoever the kernel does not give back within ``reap_patience`` counts as dead:
   a killed process never runs code again, so its task may be reported and its seat be filled.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from supervisor.core.stages import Stage
from supervisor.core.state import Death

if TYPE_CHECKING:
    from supervisor.core.state import State, Worker
    from supervisor.core.turn import Turn


def end_the_late(turn: Turn) -> None:
    """Kill who is late; give up who is killed and still there."""
    for worker in [each for each in turn.state.workers.values() if each.late_at <= turn.now]:
        if worker.killing:
            cause = "killed, but the kernel holds it in a system call that cannot be interrupted"
            turn.state.bury(Death(worker, cause, normal=False))
        else:
            turn.kill(worker, _why(worker, turn.now), interrupts=False)


def next_deadline(state: State) -> float:
    """When the next one is late."""
    return min((each.late_at for each in state.workers.values()), default=inf)


def _why(worker: Worker, now: float) -> str:
    if worker.leave_by <= now:
        return "it did not leave when told to"
    spent = f"{now - worker.since:g} s"
    match worker.stage:
        case Stage.WORKING:
            return "past its own timeout"
        case Stage.POLLING:
            return f"its poll hung for {spent}"
        case _:
            return f"{worker.stage.value} for {spent}"

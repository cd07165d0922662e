"""Who is past its deadline is killed.

1. Every stage has its deadline (``stages``), set when the stage is entered.
2. Being told to leave adds a second deadline, a task that SWF no longer wants a third; the earliest
   holds. So a hung task gets not a second longer by them.
3. Before it is killed, a late worker is asked for its stacks, and has ``stacks_grace`` to write
   them: it hangs, and this is the last chance to learn where. If it goes on meanwhile, it lives.
4. Who grew over the hard limit of memory is killed at once: it may take the host with it.
5. KILL is sent once. Whoever the kernel does not give back within ``reap_patience`` counts as dead:
   a killed process never runs code again, so its task may be reported and its seat be filled.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from supervisor.core.causes import Cause, Kind
from supervisor.core.stages import Stage
from supervisor.core.worker import Death
from supervisor.messages import Staleness

if TYPE_CHECKING:
    from supervisor.core.state import State
    from supervisor.core.turn import Turn
    from supervisor.core.worker import Killing, Worker


def end_the_late(turn: Turn) -> None:
    """Doom who is late, kill who is doomed, give up who is killed and still there."""
    for worker in [each for each in turn.state.workers.values() if each.late_at <= turn.now]:
        if worker.killing:
            turn.state.bury(Death(worker, _held(worker.killing), turn.now))
        elif worker.doom:
            turn.kill(worker, worker.doom.why, worker.doom.kind)
        else:
            turn.doom(worker, *_why(worker, turn.now))


def next_deadline(state: State) -> float:
    """When the next one is late."""
    return min((each.late_at for each in state.workers.values()), default=inf)


def _held(killing: Killing) -> Cause:
    how = "killed, but the kernel holds it in a system call that cannot be interrupted"
    return Cause(killing.kind, f"{how}: {killing.why}")


def _why(worker: Worker, now: float) -> tuple[str, Kind]:
    if worker.leave_by <= now:
        return "it did not leave when told to", Kind.LATE
    if worker.let_go_by <= now:
        what = "was canceled" if worker.stale is Staleness.CANCEL else "was gone from SWF"
        return f"its task {what}, and it went on", Kind.STALE
    spent = f"{now - worker.since:g} s"
    match worker.stage:
        case Stage.WORKING:
            return "past its own timeout", Kind.LATE
        case Stage.POLLING:
            return f"its poll hung for {spent}", Kind.LATE
        case _:
            return f"{worker.stage.value} for {spent}", Kind.LATE

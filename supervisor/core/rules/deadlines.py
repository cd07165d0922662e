"""Kills of workers that are past their deadline.

Rules:

1. Every stage has a deadline (``stages``), set when the worker enters it.
2. Being asked to leave adds a second deadline, a stale task a third; the earliest holds. So a hung
   task gets no extra second by them.
3. Before a late worker is killed it is asked for its stacks, and has ``stacks_timeout`` to write
   them: it hangs, and this is the last chance to learn where. If it goes on meanwhile, it lives.
4. A worker over the hard memory limit is killed at once: it may take the host with it.
5. KILL is sent once. A worker that the kernel has not reaped within ``reap_timeout`` counts as
   dead: a killed process never runs code again, so its task may be reported and its slot be filled.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from supervisor.core.causes import Cause, DeathKind
from supervisor.core.generation import Death
from supervisor.core.stages import Stage
from supervisor.ipc.messages import Staleness

if TYPE_CHECKING:
    from supervisor.core.generation import Killing, Worker
    from supervisor.core.state import State
    from supervisor.core.turn import Turn


def end_late_workers(turn: Turn) -> None:
    """Ask late workers for their stacks, then kill them, then count them as dead."""
    for worker in [each for each in turn.state.workers.values() if each.late_at <= turn.now]:
        if worker.killing:
            turn.state.remove_worker(Death(worker, _unreaped(worker.killing), turn.now))
        elif worker.scheduled_kill:
            turn.kill(worker, worker.scheduled_kill.why, worker.scheduled_kill.kind)
        else:
            turn.schedule_kill(worker, *_reason(worker, turn.now))


def next_deadline(state: State) -> float:
    """Time at which the next worker is late."""
    return min((each.late_at for each in state.workers.values()), default=inf)


def _unreaped(killing: Killing) -> Cause:
    how = "killed, but the kernel holds it in a system call that cannot be interrupted"
    return Cause(killing.kind, f"{how}: {killing.why}")


def _reason(worker: Worker, now: float) -> tuple[str, DeathKind]:
    if worker.leave_by <= now:
        return "it did not leave when asked to", DeathKind.LATE
    if worker.grace_ends <= now:
        what = "was canceled" if worker.stale is Staleness.CANCEL else "was already closed in SWF"
        return f"its task {what}, and it went on", DeathKind.STALE
    spent = f"{now - worker.since:g} s"
    match worker.stage:
        case Stage.WORKING:
            return "past its own timeout", DeathKind.LATE
        case Stage.POLLING:
            return f"its poll hung for {spent}", DeathKind.LATE
        case Stage.WAKING:
            return f"it had a permit for {spent} and did not poll", DeathKind.LATE
        case _:
            return f"{worker.stage.value} for {spent}", DeathKind.LATE

"""Who is past its deadline is killed.

1. Every stage has one: booting, polling (longer than a long poll), working (the task's own timeout
   and a margin), registering, reporting, and the exit of who has nothing left to do.
2. An activity without a timeout may take for ever; a decision may not, for SWF tells no timeout.
3. Being told to leave adds a second deadline; the earlier one holds. So a hung task gets not a
   second longer by it.
4. KILL is sent once. Whoever the kernel does not give back within ``reap_patience`` counts as dead:
   a killed process never runs code again, so its task may be reported and its seat be filled.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from supervisor.core.state import Stage
from supervisor.core.turn import Death
from supervisor.messages import Role

if TYPE_CHECKING:
    from supervisor.core.state import State, Worker
    from supervisor.core.turn import Turn
    from supervisor.settings import Settings


def end_the_late(turn: Turn) -> None:
    """Kill who is late; give up who is killed and still there."""
    for worker in list(turn.state.workers.values()):
        if deadline(worker, turn.state.settings) > turn.now:
            continue
        if worker.killing:
            _give_up(turn, worker)
        else:
            turn.kill(worker, _why(worker, turn), interrupts=False)


def next_deadline(state: State) -> float:
    """When the next one is late."""
    return min((deadline(each, state.settings) for each in state.workers.values()), default=inf)


def deadline(worker: Worker, settings: Settings) -> float:
    """When this worker is late."""
    if worker.killing:
        return worker.killing.at + settings.reap_patience
    return min(worker.since + patience(worker, settings), worker.leave_by)


def patience(worker: Worker, settings: Settings) -> float:
    """Seconds that the worker may spend in its stage."""
    match worker.stage:
        case Stage.BOOTING:
            return settings.boot_patience
        case Stage.REGISTERING:
            return settings.register_patience
        case Stage.REPORTING:
            return settings.report_patience
        case Stage.POLLING:
            return settings.poll_patience
        case Stage.FINISHED:
            return settings.leave_patience
        case Stage.WORKING:
            return _task_patience(worker, settings)


def _task_patience(worker: Worker, settings: Settings) -> float:
    if worker.task and worker.task.timeout is not None:
        return worker.task.timeout + settings.work_margin
    is_decider = worker.seat is not None and worker.seat.task_list.role is Role.DECIDER
    return settings.decision_patience if is_decider else inf


def _why(worker: Worker, turn: Turn) -> str:
    if worker.leave_by <= turn.now:
        return "it did not leave when told to"
    spent = f"{turn.now - worker.since:g} s"
    match worker.stage:
        case Stage.WORKING:
            return "past its own timeout"
        case Stage.POLLING:
            return f"its poll hung for {spent}"
        case _:
            return f"{worker.stage.value} for {spent}"


def _give_up(turn: Turn, worker: Worker) -> None:
    del turn.state.workers[worker.number]
    cause = "killed, but the kernel holds it in a system call that cannot be interrupted"
    turn.deaths.append(Death(worker, cause, normal=False))

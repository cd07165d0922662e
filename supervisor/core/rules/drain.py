"""The drain: all workers leave, then the program exits (``sidecars``).

Rules:

1. Every worker is asked to leave, once. Workers that are left at ``end_by`` are killed, but for
   reporters: they are short, and needed for the tasks that the others leave behind.
2. A second signal, or a request to stop, moves ``end_by`` to ``stop_timeout`` from now. A second
   drain with a limit of its own (a notice of the host's end) only moves it nearer.
   A signal within ``SAME_SIGNAL_SECONDS`` of the first is the same request: ``timeout``, foreman
   and terminals signal the group, and then the supervisor once more.
3. The exit code is 1 if a task in progress was abandoned, or if workers were left at ``end_by``.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from supervisor import exit_codes
from supervisor.core.causes import DeathKind
from supervisor.core.log_names import sentence, task_facts, task_name
from supervisor.core.stages import Stage
from supervisor.ipc.messages import Level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supervisor.core.generation import Worker
    from supervisor.core.state import Drain, State
    from supervisor.core.turn import Turn
    from supervisor.ipc.messages import Task


SAME_SIGNAL_SECONDS = 1.0
"""Time after the first signal in which a second one is not a request to hurry."""


def drain_workers(turn: Turn) -> None:
    """Ask workers to leave; kill those that are left when the time is over."""
    drain = turn.state.drain
    if drain is None:
        return
    for worker in list(turn.state.may_be_asked_to_leave()):
        turn.ask_to_leave(worker)
    if drain.end_by <= turn.now:
        _kill_remaining(turn, drain)


def take_signal(turn: Turn, drain: Drain, why: str) -> None:
    """A signal asks for the drain: the first, the first once more, or the one that stops now."""
    if drain.signalled_at == inf:
        drain.signalled_at = turn.now
    elif turn.now - drain.signalled_at >= SAME_SIGNAL_SECONDS:
        turn.stop(why)
    elif not drain.stopping:
        turn.note(
            Level.INFO,
            "signal_repeated",
            f"{why} within {SAME_SIGNAL_SECONDS:g} s of the first signal is the same request. One"
            " that comes later stops the supervisor now.",
        )


def next_deadline(state: State) -> float:
    """Time at which the remaining workers are killed."""
    left = state.drain and any(each.killing is None for each in _without_reporters(state))
    return state.drain.end_by if state.drain and left else inf


def abandon_task(turn: Turn, drain: Drain, task: Task) -> None:
    """Note a task that the drain cut short; the exit code says so, too."""
    drain.code = max(drain.code, exit_codes.ABANDONED)
    turn.note(
        Level.WARNING,
        "task_abandoned",
        sentence(f"{task_name(task)} was abandoned: {drain.cut_why}."),
        **task_facts(task),
    )


def _without_reporters(state: State) -> Iterator[Worker]:
    return (each for each in state.workers.values() if not each.is_reporter)


def _kill_remaining(turn: Turn, drain: Drain) -> None:
    for worker in list(_without_reporters(turn.state)):
        if worker.killing is None:
            if not drain.stopping:
                drain.code = max(drain.code, exit_codes.ABANDONED)
            drain.ledger.polls_cut += worker.stage in (Stage.WAKING, Stage.POLLING)
            turn.kill(worker, drain.cut_why, DeathKind.INTERRUPTED)

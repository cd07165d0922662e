"""Zygotes that are lost: they have died, or hang.

Rules:

1. The workers of a lost zygote go on, but cannot be replaced. A candidate fails by its loss; for an
   active generation the next one starts (``generations``), or the previous one comes back
   (``probation``).
2. A zygote *hangs* if it has let requests for workers wait for ``TIMEOUTS`` boot timeouts, and no
   worker that it forked has got ready or has reported meanwhile. It is ended, and counts as lost. A
   fork handler that waits for a lock would else cost one worker after the other. That of the
   generation before is left alone while that is kept for a rollback: nothing is requested of it.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from supervisor import exit_codes
from supervisor.core.failures import Failure, Streak
from supervisor.core.generation import Zygote
from supervisor.ipc.messages import Level

if TYPE_CHECKING:
    from supervisor.core.generation import Generation, Worker
    from supervisor.core.turn import Turn

TIMEOUTS = 2
"""The first may be that of a host which swaps for a moment."""


def note_failure(generation: Generation, failure: Failure, turn: Turn) -> None:
    """Write down why a candidate is to be given up; any other generation goes on."""
    if turn.state.is_candidate(generation):
        generation.failure = generation.failure or failure


def note_loss(generation: Generation, failure: Failure, turn: Turn) -> None:
    """Write down that a zygote is lost."""
    generation.zygote = Zygote.GONE
    note_failure(generation, failure, turn)
    if generation is turn.state.active:
        turn.state.lost_zygotes = Streak()
        turn.note(
            Level.WARNING,
            "zygote_lost",
            f"The zygote of generation {generation.number} is lost: {failure.why}."
            f" Its workers go on, but cannot be replaced; {_remedy(turn)}.",
            generation=generation.number,
        )


def _remedy(turn: Turn) -> str:
    if turn.state.drain:
        return "the supervisor is draining"
    previous = turn.state.previous
    return f"rolling back to generation {previous.number}" if previous else "starting a new one"


def note_unanswered(worker: Worker, now: float) -> None:
    """A worker was killed that its zygote had not forked."""
    generation = worker.generation
    generation.unanswered_since = min(generation.unanswered_since, worker.since)
    seconds = now - generation.unanswered_since
    if seconds >= TIMEOUTS * generation.settings.boot_timeout:
        generation.hangs_for = seconds


def note_answer(worker: Worker) -> None:
    """A worker shows that its zygote forks."""
    worker.generation.unanswered_since, worker.generation.hangs_for = inf, 0.0


def end_hung_zygotes(turn: Turn) -> None:
    """End the zygotes that hang."""
    for generation in turn.state.generations.values():
        is_kept = generation is turn.state.previous
        if generation.can_fork and generation.hangs_for and not is_kept:
            turn.retire(generation)
            why = f"it has let requests for workers wait for {generation.hangs_for:.0f} s"
            note_loss(generation, Failure(why, exit_codes.GAVE_UP), turn)

"""Probation: for a while the previous generation is kept, for a rollback to it.

Rules:

1. When a generation becomes active, the one before it becomes the *previous* one and keeps its
   zygote for ``probation`` seconds, provided that it can fork and no list of it is degraded.
2. The new generation fails in probation if one of its lists is degraded (``crash_loops``), if it
   fails more tasks (``failure_rate``), or if its zygote is lost. Then the previous one is active
   again, with its settings, and takes the slots back like any other: workers of the failed
   generation leave when their replacements are ready, and return what their last polls bring.
3. Workers of the previous generation that had been asked to leave still leave, beside their slots.
4. A restart may be requested during the probation; the generation that is active when the next one
   takes over becomes the previous one.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from supervisor import exit_codes
from supervisor.core.deploy.deploy_report import deploy_report
from supervisor.core.failures import Failure, Gate
from supervisor.core.state import DeployOutcome, DeployRecord
from supervisor.ipc.messages import Level

if TYPE_CHECKING:
    from supervisor.config.settings import Settings
    from supervisor.core.generation import Generation
    from supervisor.core.state import State
    from supervisor.core.turn import Turn


def begin_probation(state: State, settings: Settings) -> None:
    """Keep the active generation as the previous one; another with these settings takes over."""
    before = state.active
    is_fit = before is not None and before.can_fork and not before.degraded
    state.previous = before if is_fit and settings.probation else None


def end_probation(turn: Turn) -> None:
    """Roll back to the previous generation, or let it go when the probation is over."""
    state = turn.state
    if state.previous is None or state.active is None:
        return
    if state.drain or not state.previous.can_fork or _ends_at(state) <= turn.now:
        state.previous = None
    elif failure := _failure(state.active):
        _roll_back(turn, state.active, state.previous, failure)


def next_deadline(state: State) -> float:
    """Time at which the probation is over."""
    return _ends_at(state) if state.previous and not state.drain else inf


def _ends_at(state: State) -> float:
    assert state.active  # noqa: S101 - for the type checker: there is a previous one
    return state.active.activated_at + state.settings.probation


def _failure(active: Generation) -> Failure | None:
    if active.degraded:
        lists = ", ".join(each.name for each in active.degraded)
        return Failure(f"its workers of {lists} are in a crash loop", exit_codes.GAVE_UP)
    if not active.can_fork:
        return Failure("its zygote was lost", exit_codes.GAVE_UP)
    return active.failure


def _roll_back(turn: Turn, failed: Generation, previous: Generation, failure: Failure) -> None:
    state = turn.state
    state.active, state.previous = previous, None
    failed.is_rolled_back = True
    turn.return_unstarted(each for each in state.serving() if each.generation is failed)
    previous.release_slots_of_leavers()
    previous.full_strength_noted = False
    turn.apply_settings(previous.settings)
    last = f"; the last death: {state.last_death}" if state.last_death else ""
    text = deploy_report(
        f"Generation {failed.number} failed in probation; rolled back to generation"
        f" {previous.number}.",
        gate=Gate.PROBATION,
        why=f"{failure.why}{last}",
        active=previous.number,
    )
    state.deploy = DeployRecord(failed.number, DeployOutcome.ROLLED_BACK, text)
    turn.note(
        Level.ERROR,
        "generation_rolled_back",
        text,
        generation=failed.number,
        active=previous.number,
        gate=Gate.PROBATION.value,
        why=failure.why,
        **failure.facts,
    )

"""Whether new code fails more tasks than the code before it.

1. Counted are the tasks of each generation and task list: those that failed, by their own doing or
   by their worker's death, among all that were done. What was cancelled or handed back did not
   fail.
2. On trial are the candidate, beside the current generation, and the current one in its probation,
   beside the one before it.
3. It is convicted on a list when it has failed ``trial_failures`` tasks there, and its rate is
   above the other's by ``trial_deviations`` standard deviations of what chance alone makes of two
   samples of one rate. So a list whose tasks fail anyway convicts nobody.
4. Of who has done fewer than ``KNOWN`` tasks little is known: it is taken to have done so many at
   the rate seen, and to have failed one at least. Most tasks of most flows do not fail.
5. Looked at when a task has failed, and only then: what others do well convicts nobody.
"""

from __future__ import annotations

from math import ceil, sqrt
from typing import TYPE_CHECKING

from supervisor import exits
from supervisor.core.generation import Failure, Gate, Tally

if TYPE_CHECKING:
    from supervisor.core.generation import Generation
    from supervisor.core.turn import Turn
    from supervisor.messages import TaskList
    from supervisor.settings import Settings

KNOWN = 10
"""Tasks by which a rate begins to be known."""


def judge(turn: Turn) -> None:
    """Convict the generations on trial whose tasks have failed too often."""
    state = turn.state
    for accused, other in ((state.candidate, state.current), (state.current, state.previous)):
        if accused and other and accused.failure is None:
            accused.failure = _conviction(accused, other, accused.settings)


def is_worse(tally: Tally, than: Tally, settings: Settings) -> bool:
    """Whether the one fails more often than the other, by more than chance."""
    if tally.failed < settings.trial_failures:
        return False
    than = than if than.done >= KNOWN else _presumed(than)
    rate = (tally.failed + than.failed) / (tally.done + than.done)
    deviation = sqrt(rate * (1 - rate) * (1 / tally.done + 1 / than.done))
    difference = tally.failed / tally.done - than.failed / than.done
    return difference > settings.trial_deviations * deviation


def _presumed(tally: Tally) -> Tally:
    """Rule 4."""
    seen = KNOWN * tally.failed / tally.done if tally.done else 0
    return Tally(KNOWN, max(1, ceil(seen)))


def _conviction(accused: Generation, other: Generation, settings: Settings) -> Failure | None:
    for task_list, tally in accused.tallies.items():
        if tally.fresh:
            tally.fresh = False
            than = other.tallies.get(task_list, Tally())
            if is_worse(tally, than, settings):
                return _failure(task_list, tally, than, accused.gate)
    return None


def _failure(task_list: TaskList, tally: Tally, than: Tally, gate: Gate) -> Failure:
    why = (
        f"of {tally.done} tasks of {task_list.name} {tally.failed} failed, where the code before it"
        f" failed {than.failed} of {than.done}"
    )
    facts: dict[str, str | int] = {
        "task_list": task_list.name,
        "tasks": tally.done,
        "failed": tally.failed,
    }
    return Failure(why, exits.GAVE_UP, gate, facts)

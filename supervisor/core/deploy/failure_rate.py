"""The comparison of new code with the code before it: does it fail more of its tasks?

Rules:

1. Each generation's tasks are counted by task list: those that failed, by their own error or by
   their worker's death, among all that were done. A canceled or returned task has not failed.
2. The candidate is compared with the active generation, and the active generation during its
   probation with the previous one.
3. New code fails if it has failed ``min_failed_tasks`` tasks of one list, and its rate is above the
   other's by ``DEVIATIONS`` standard deviations of the difference that chance makes between two
   samples of one rate. So a list whose tasks often fail stops no new code.
4. Little is known of code that has done fewer than ``KNOWN`` tasks. It is taken to have done so
   many at the rate seen, and to have failed at least one: most tasks of most flows do not fail.
5. The rates are compared when a task of the new code has failed, and only then: the other code's
   success alone never stops a deploy.
"""

from __future__ import annotations

from math import ceil, sqrt
from typing import TYPE_CHECKING

from supervisor import exit_codes
from supervisor.core.failures import Failure, Gate, Tally

if TYPE_CHECKING:
    from supervisor.config.settings import Settings
    from supervisor.core.generation import Generation
    from supervisor.core.turn import Turn
    from supervisor.ipc.messages import TaskList

DEVIATIONS = 3.0
"""Standard deviations: chance alone exceeds three about once in a thousand comparisons."""

KNOWN = 10
"""Tasks after which a rate begins to be known."""


def stop_failing_code(turn: Turn) -> None:
    """Fail the new code that fails more tasks than the code before it."""
    state = turn.state
    for new, old in ((state.candidate, state.active), (state.active, state.previous)):
        if new and old and new.failure is None:
            new.failure = _compare(new, old)


def is_worse(new: Tally, old: Tally, settings: Settings) -> bool:
    """Whether new code fails more often than old code, by more than chance."""
    if new.failed < settings.min_failed_tasks:
        return False
    old = old if old.done >= KNOWN else _presumed(old)
    rate = (new.failed + old.failed) / (new.done + old.done)
    deviation = sqrt(rate * (1 - rate) * (1 / new.done + 1 / old.done))
    difference = new.failed / new.done - old.failed / old.done
    return difference > DEVIATIONS * deviation


def _presumed(tally: Tally) -> Tally:
    """Rule 4."""
    at_this_rate = KNOWN * tally.failed / tally.done if tally.done else 0
    return Tally(KNOWN, max(1, ceil(at_this_rate)))


def _compare(new: Generation, old: Generation) -> Failure | None:
    for task_list, tally in new.tallies.items():
        if tally.is_new:
            tally.is_new = False
            before = old.tallies.get(task_list, Tally())
            if is_worse(tally, before, new.settings):
                return _failure(task_list, tally, before, new.gate)
    return None


def _failure(task_list: TaskList, tally: Tally, before: Tally, gate: Gate) -> Failure:
    why = (
        f"it failed {tally.failed} of {tally.done} tasks of {task_list.name}; the code before it"
        f" failed {before.failed} of {before.done}"
    )
    facts: dict[str, str | int] = {
        "task_list": task_list.name,
        "tasks": tally.done,
        "failed": tally.failed,
    }
    return Failure(why, exit_codes.GAVE_UP, gate, facts)

"""When a quiet task list has become still: nobody serves it any more, of whatever generation.

Told once; it is what people wait for who want to touch what the list's tasks use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from supervisor.messages import Level

if TYPE_CHECKING:
    from supervisor.core.turn import Turn


def tell_when_still(turn: Turn) -> None:
    """Say that the last worker of a quiet list is gone."""
    pools = turn.state.pools.items()
    waited_for = [each for each, pool in pools if pool.quiet and not pool.is_still]
    if not waited_for or turn.state.leaving:
        return
    served = {each.seat.task_list for each in turn.state.serving() if each.seat}
    for task_list in waited_for:
        if task_list not in served:
            turn.state.pools[task_list].is_still = True
            turn.note(
                Level.INFO,
                "still",
                f"Nobody serves {task_list.name} any more, until it is resumed.",
                task_list=task_list.name,
            )

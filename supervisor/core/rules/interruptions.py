"""A warning about activities that an interruption fails, on a host that may be taken away.

Rules:

1. With ``retry=0``, a task that a reclaim or a scale-in cuts short fails its workflow, beside an
   idle host that could do it again. Whether it may be done again only its author knows.
2. So on a spot instance, or in an auto scaling group, a warning names such activities, once a
   generation, until ``restartable=True`` or ``restartable=False`` is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from supervisor.ipc.messages import Level

if TYPE_CHECKING:
    from collections.abc import Iterable

    from supervisor.core.turn import Turn

SPOT = "spot"
"""The life cycle of an instance that EC2 may reclaim."""


def warn(turn: Turn) -> None:
    """Warn of each generation's activities, as soon as they and the instance are known."""
    if not turn.state.may_be_taken_away:
        return
    for generation in turn.state.generations.values():
        if generation.restart_unset:
            turn.note(
                Level.WARNING,
                "restartable_unset",
                text(generation.restart_unset),
                generation=generation.number,
                activities=", ".join(generation.restart_unset),
            )
            generation.restart_unset = ()


def text(activities: Iterable[str]) -> str:
    """The warning about these activities."""
    return (
        f"An interruption of this host ends the workflow in {', '.join(activities)}: retry=0, and"
        " restartable= is not set. Set restartable=True if a task that was begun may begin again"
        " elsewhere, else restartable=False."
    )

"""The stages of a worker's life, and how long each may last.

1. Every stage has its patience: what takes longer hangs.
2. Working has the task's own timeout and a margin, for the answer may be on its way.
3. An activity without a timeout may take for ever. A decision may not: SWF tells no timeout for it,
   and its workflow waits.
"""

from __future__ import annotations

import enum
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from supervisor.messages import Task
    from supervisor.settings import Settings


class Stage(enum.StrEnum):
    """What a worker is at."""

    BOOTING = "booting"
    REGISTERING = "registering"
    REPLAYING = "replaying"
    REPORTING = "reporting"
    POLLING = "polling"
    WORKING = "working"
    FINISHED = "finished"  # an errand is done; only the exit is left


def patience(stage: Stage, settings: Settings) -> float:
    """Seconds that a worker may spend in a stage other than working."""
    match stage:
        case Stage.BOOTING:
            return settings.boot_patience
        case Stage.REGISTERING:
            return settings.register_patience
        case Stage.REPLAYING:
            return settings.replay_patience
        case Stage.REPORTING:
            return settings.report_patience
        case Stage.POLLING:
            return settings.poll_patience
        case _:
            return settings.leave_patience


def task_patience(task: Task, settings: Settings, *, decides: bool) -> float:
    """Seconds that a worker may work on a task."""
    if task.timeout is not None:
        return task.timeout + settings.work_margin
    return settings.decision_patience if decides else inf

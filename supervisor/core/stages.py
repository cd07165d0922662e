"""The stages of a worker's life, and how long each may last.

Rules:

1. Every stage has a timeout: a worker that takes longer counts as hung.
2. Working has the task's own timeout and a margin, since the answer may be on its way to SWF.
3. An activity without a timeout may run without limit. A decision may not: SWF states no timeout
   for it, and its workflow waits.
4. A parked worker may wait for ever, and has no timeout. Once it has a permit, its poll is due as
   soon as the first poll of a new worker.
"""

from __future__ import annotations

import enum
from math import inf
from typing import TYPE_CHECKING

from supervisor.ipc.messages import Register, Replay, Report, SearchOpen

if TYPE_CHECKING:
    from supervisor.config.settings import Settings
    from supervisor.ipc.messages import Job, Task


SEARCH_TIMEOUT = 900.0
"""Seconds of a search of the open executions, which ends by itself after ten minutes."""


class Stage(enum.StrEnum):
    """The present activity of a worker."""

    BOOTING = "booting"
    REGISTERING = "registering"
    REPLAYING = "replaying"
    SEARCHING = "searching"
    REPORTING = "reporting"
    PARKED = "parked"  # ready, without a permit to poll
    WAKING = "waking"  # it was given a permit, and its poll is still to begin
    POLLING = "polling"
    WORKING = "working"
    FINISHED = "finished"  # its job is done; only the exit is left


def first_stage(job: Job) -> Stage:
    """The stage in which a worker with this job begins."""
    match job:
        case Register():
            return Stage.REGISTERING
        case Replay():
            return Stage.REPLAYING
        case SearchOpen():
            return Stage.SEARCHING
        case Report():
            return Stage.REPORTING
        case _:
            return Stage.BOOTING


def stage_timeout(stage: Stage, settings: Settings) -> float:
    """Seconds that a worker may spend in a stage, other than working or parked."""
    match stage:
        case Stage.BOOTING | Stage.WAKING:
            return settings.boot_timeout
        case Stage.REGISTERING:
            return settings.register_timeout
        case Stage.REPLAYING:
            return settings.replay_timeout
        case Stage.REPORTING:
            return settings.report_timeout
        case Stage.POLLING:
            return settings.poll_timeout
        case _:
            return SEARCH_TIMEOUT if stage is Stage.SEARCHING else settings.exit_timeout


def task_timeout(task: Task, settings: Settings, *, decides: bool) -> float:
    """Seconds that a worker may work on a task."""
    if task.timeout is not None:
        return task.timeout + settings.task_margin
    return settings.decision_timeout if decides else inf

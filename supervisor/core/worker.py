"""A worker as the core knows it, from the wish to its death.

1. A *serving* worker has a seat; a registering and a reporting one have an errand. A worker *stays*
   until it is told to leave or killed. Only who stays and is ready counts as strength.
2. A *stale* task is one that SWF no longer wants. It is let go when its grace is over.
3. Who is told to leave may still be handed a task by a poll that it has open, beside the one in
   hand: its ``Done`` may have crossed the word. A sticky decider has two polls open, and polls its
   own list again for a while, so it may be handed more for as long as a poll may take.
4. Who is *doomed* is killed at a given moment. Whoever goes on to its next stage before it escapes,
   unless another deadline of its own is past.
"""

# ruff: noqa: D102 - a question is named by what it asks

from __future__ import annotations

import enum
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from supervisor.core.stages import Stage, patience, task_patience
from supervisor.messages import Report, Role, Serve

if TYPE_CHECKING:
    from supervisor.core.causes import Cause, Kind
    from supervisor.core.generation import Generation
    from supervisor.messages import Job, PostMortem, Seat, Staleness, Task
    from supervisor.settings import Settings


class Leave(enum.Enum):
    """How far a worker is on its way out."""

    STAYS = enum.auto()
    TOLD = enum.auto()  # polls that are under way may still bring it a task each
    DISMISSED = enum.auto()  # those tasks are answered; nothing may keep it


@dataclass(frozen=True, slots=True)
class Doom:
    """That a worker will be killed, and when."""

    at: float
    why: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Killing:
    """That a worker was killed by us."""

    at: float
    until: float  # when the kernel should have given it back
    why: str
    kind: Kind


@dataclass(slots=True, eq=False)
class Worker:
    """One process that was asked for."""

    number: int
    generation: Generation
    job: Job
    stage: Stage = Stage.BOOTING
    since: float = -inf
    stage_ends: float = inf
    ready_at: float = inf
    task: Task | None = None
    held_since: float = inf
    done: int = 0  # tasks that it has answered
    stale: Staleness | None = None  # why SWF no longer wants the task in hand
    let_go_by: float = inf  # when a stale task has had its grace
    tired: str = ""  # why it asks to be replaced
    leave: Leave = Leave.STAYS
    leave_by: float = inf
    tasks_to_come: int = 0  # one who was told to leave may always be handed so many
    polls_end: float = -inf  # and a sticky decider more until then
    doom: Doom | None = None
    killing: Killing | None = None

    @property
    def seat(self) -> Seat | None:
        return self.job.seat if isinstance(self.job, Serve) else None

    @property
    def is_reporter(self) -> bool:
        return isinstance(self.job, Report)

    @property
    def stays(self) -> bool:
        return self.leave is Leave.STAYS and self.killing is None

    @property
    def is_strength(self) -> bool:
        return self.ready_at < inf and self.stays

    @property
    def decides(self) -> bool:
        return self.seat is not None and self.seat.task_list.role is Role.DECIDER

    @property
    def may_exit(self) -> bool:
        return self.leave is not Leave.STAYS or self.stage is Stage.FINISHED

    @property
    def late_at(self) -> float:
        if self.killing is not None:
            return self.killing.until
        if self.doom is not None:
            return self.doom.at
        # Every worker is asked in every turn: ``min`` would take twice the time.
        at = self.stage_ends
        if self.leave_by < at:  # noqa: PLR1730 - see above
            at = self.leave_by
        if self.let_go_by < at:  # noqa: PLR1730 - see above
            at = self.let_go_by
        return at

    def lasts_at(self, settings: Settings) -> float:
        """When it has served long enough to count as good."""
        return self.ready_at + settings.lasting

    def enter(self, stage: Stage, now: float, settings: Settings) -> None:
        self._turn_to(stage, now, now + patience(stage, settings))

    def take(self, task: Task, now: float, settings: Settings) -> None:
        self.task, self.held_since = task, now
        patience = task_patience(task, settings, decides=self.decides)
        if self.leave is Leave.TOLD:
            self.leave_by = inf
        self._turn_to(Stage.WORKING, now, now + patience)

    def release(self) -> None:
        self.task, self.stale, self.let_go_by = None, None, inf

    def be_told(self, now: float, settings: Settings) -> None:
        """Open polls are waited for; a task in hand has its own patience."""
        sticky = self.decides and not settings.no_sticky
        self.leave = Leave.TOLD
        self.tasks_to_come = (2 if sticky else 1) + (self.task is not None)
        self.polls_end = now + settings.poll_patience if sticky else -inf
        if self.task is None:
            self.leave_by = now + settings.poll_patience

    def come_nearer_to_leaving(self, now: float, settings: Settings) -> None:
        """A task is answered by one who was told."""
        self.tasks_to_come -= 1
        if self.tasks_to_come > 0:
            self.leave_by = now + settings.poll_patience
        elif now < self.polls_end:
            self.leave_by = max(self.polls_end, now + settings.leave_patience)
        else:
            self.leave = Leave.DISMISSED
            self.leave_by = now + settings.leave_patience

    def _turn_to(self, stage: Stage, now: float, ends: float) -> None:
        self.stage, self.since, self.stage_ends = stage, now, ends
        if min(self.leave_by, self.let_go_by) > now:
            self.doom = None


@dataclass(frozen=True, slots=True)
class Death:
    """A worker that is gone."""

    worker: Worker
    cause: Cause
    at: float
    normal: bool = False
    status: int | None = None  # exit code or minus the signal; None if nobody knows
    post: PostMortem | None = None

"""A generation (the user's code as it was at one moment) and its workers, as the core knows them.

Rules:

1. At most one worker occupies a slot. Beside a worker that wants replacement its *replacement*
   starts, which takes the slot when it is ready, or when the other one is gone.
2. A *replaced* worker is alive and on its way out, but occupies no slot: it made room for its
   replacement, or had been asked to leave before its generation became active again.
3. A *serving* worker has a slot; all others have one job: register, replay or report. A worker
   *is staying* until it is asked to leave or killed. A staying worker that has polled is *ready*.
4. A *stale* task is one that SWF no longer wants. Its worker is killed when the grace ends.
5. A worker that was asked to leave may still receive a task from each open poll, beside the one in
   progress: its ``Done`` may have crossed the request. A sticky decider has two open polls, and
   polls its own list again for a while, so it may receive tasks for as long as a poll may take. The
   first decider has one more, of the list of its build. One that is parked, or has a startup job,
   has only to exit.
6. A worker with a *scheduled kill* is killed at that moment. By going on to its next stage it
   escapes, unless another of its deadlines has passed.
"""

# ruff: noqa: D102 - a property is named by the question that it answers

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

from supervisor.core.failures import ChargedRuns, Gate, Streak, Tally
from supervisor.core.stages import Stage, stage_timeout, task_timeout
from supervisor.ipc.messages import Report, Role, Serve

if TYPE_CHECKING:
    from supervisor.config.setting_types import PollBounds, PoolBounds
    from supervisor.config.settings import Settings
    from supervisor.core.causes import Cause, DeathKind
    from supervisor.core.failures import Failure, Misfit
    from supervisor.ipc.messages import Job, PostMortem, Slot, Staleness, Task, TaskList


class Zygote(enum.Enum):
    """The state of the process that forks a generation's workers."""

    IMPORTING = enum.auto()
    READY = enum.auto()
    GONE = enum.auto()


@dataclass(slots=True, eq=False)
class Generation:
    """One generation; at most one of its workers occupies each slot."""

    number: int
    settings: Settings
    started_at: float
    zygote: Zygote = Zygote.IMPORTING
    imported: bool = False
    sizes: dict[TaskList, int] = field(default_factory=dict)  # slots a list, by its settings
    bounds: dict[TaskList, PoolBounds] = field(default_factory=dict)  # lists sized by their backlog
    external_lists: tuple[str, ...] = ()  # served by other programs
    restart_unset: tuple[str, ...] = ()  # activities that an interruption fails
    poll_bounds: dict[TaskList, PollBounds] = field(default_factory=dict)  # lists with permits
    build: str = ""  # id of its code, once it is imported
    release: str = ""  # name of the release that it is; "" without --releases
    kept: tuple[str, ...] = ()  # names of releases to be retired code, the first ones of them
    misfit: Misfit | None = None  # open executions that it does not fit, until that is settled
    slots: tuple[Slot, ...] = ()  # desired ones; ``pools`` decides which
    registered: bool = False
    replayed: bool = False
    startup_jobs_done: bool = False  # it may fork workers that serve
    activated_at: float = inf
    given_up: bool = False
    is_rolled_back: bool = False
    full_strength_noted: bool = False
    failure: Failure | None = None  # why it must be given up, or rolled back
    early_deaths: int = 0  # of all its workers, while it is the candidate
    unanswered_since: float = inf  # when its zygote got the first request that it let wait
    hangs_for: float = 0.0  # seconds for which it has let requests wait, if it hangs
    job_streak: Streak = field(default_factory=Streak)
    slot_streaks: dict[Slot, Streak] = field(default_factory=dict)
    tallies: dict[TaskList, Tally] = field(default_factory=dict)
    early_death_runs: ChargedRuns = field(default_factory=ChargedRuns)
    failed_decision_runs: ChargedRuns = field(default_factory=ChargedRuns)
    degraded: tuple[TaskList, ...] = ()  # lists with a slot in a crash loop, as was noted
    occupied: dict[Slot, Worker] = field(default_factory=dict)  # until the kernel has reaped it
    wants_replacement: dict[Slot, Worker] = field(default_factory=dict)  # in order of request
    replacements: dict[Slot, Worker] = field(default_factory=dict)
    replaced: set[Worker] = field(default_factory=set)

    @property
    def can_fork(self) -> bool:
        return self.zygote is Zygote.READY

    @property
    def has_failed(self) -> bool:
        """Whether its code is not to start further tasks."""
        return self.given_up or self.is_rolled_back

    @property
    def gate(self) -> Gate:
        """The gate that it has reached."""
        if not self.imported:
            return Gate.IMPORT
        if not self.registered:
            return Gate.REGISTER
        if not self.startup_jobs_done:
            return Gate.REPLAY
        return Gate.CANARY if self.activated_at == inf else Gate.PROBATION

    @property
    def canaries(self) -> tuple[Slot, ...]:
        """The first slot of each task list: enough to show whether the code can serve it."""
        first: dict[TaskList, Slot] = {}
        for slot in self.slots:
            first.setdefault(slot.task_list, slot)
        return tuple(first.values())

    @property
    def is_full(self) -> bool:
        """Whether every slot has a ready worker."""
        return bool(self.slots) and self.count_ready() == len(self.slots)

    def count_ready(self) -> int:
        return sum(each.is_ready for each in self.occupied.values())

    def count_slots(self, task_list: TaskList) -> int:
        return sum(slot.task_list == task_list for slot in self.slots)

    def count_extra_workers(self, task_list: TaskList) -> int:
        """The workers of a list beside those that occupy its slots."""
        beside = (*self.replacements.values(), *self.replaced)
        return sum(each.slot is not None and each.slot.task_list == task_list for each in beside)

    def backoff_until(self, slot: Slot) -> float:
        return self.slot_streaks[slot].backoff_until if slot in self.slot_streaks else -inf

    def job_at(self, slot: Slot, private_list: int | str = 0) -> Serve:
        """The job of a worker at this slot."""
        return Serve(slot, private_list, needs_permit=slot.task_list in self.poll_bounds)

    def count_task(self, task_list: TaskList, *, failed: bool) -> None:
        """Count a task that is done."""
        if (tally := self.tallies.get(task_list)) is None:
            tally = self.tallies[task_list] = Tally()
        tally.done += 1
        tally.failed += failed
        tally.is_new = tally.is_new or failed

    # --- which worker occupies which slot

    def occupy(self, worker: Worker, slot: Slot) -> None:
        """Let a worker occupy an empty slot, or become the replacement at an occupied one."""
        (self.replacements if slot in self.occupied else self.occupied)[slot] = worker

    def request_replacement(self, worker: Worker) -> None:
        """Note that a worker wants replacement, if it occupies a slot."""
        if worker.slot and self.occupied.get(worker.slot) is worker:
            self.wants_replacement[worker.slot] = worker

    def hand_over_slot(self, slot: Slot) -> Worker:
        """Let the replacement take the slot; returns the replaced worker."""
        replaced = self.wants_replacement.pop(slot)
        self.occupied[slot] = self.replacements.pop(slot)
        self.replaced.add(replaced)
        return replaced

    def clear_slot(self, slot: Slot) -> list[Worker]:
        """Empty a slot; returns its worker and that one's replacement, if there are such."""
        self.wants_replacement.pop(slot, None)
        found = (self.occupied.pop(slot, None), self.replacements.pop(slot, None))
        return [each for each in found if each]

    def leave_slot(self, worker: Worker, slot: Slot) -> None:
        """Remove a worker that is gone; its replacement takes the slot."""
        self.replaced.discard(worker)
        if self.replacements.get(slot) is worker:
            del self.replacements[slot]
        elif self.occupied.get(slot) is worker:
            del self.occupied[slot]
            self.wants_replacement.pop(slot, None)
            if slot in self.replacements:
                self.occupied[slot] = self.replacements.pop(slot)

    def release_slots_of_leavers(self) -> None:
        """Empty the slots of all workers on their way out, so that they are filled at once."""
        for slots in (self.replacements, self.occupied):
            for slot, worker in list(slots.items()):
                if not worker.is_staying:
                    del slots[slot]
                    self.replaced.add(worker)
        for slot in self.replacements.keys() - self.occupied.keys():
            self.occupied[slot] = self.replacements.pop(slot)
        self.wants_replacement = {
            slot: each for slot, each in self.wants_replacement.items() if each.is_staying
        }


class Leave(enum.Enum):
    """The steps of a worker's way out."""

    STAYING = enum.auto()
    ASKED = enum.auto()  # its open polls may still bring a task each
    DISMISSED = enum.auto()  # those tasks are answered: only the exit is left


@dataclass(frozen=True, slots=True)
class ScheduledKill:
    """A kill that is to come."""

    at: float
    why: str
    kind: DeathKind


@dataclass(frozen=True, slots=True)
class Killing:
    """A kill that was sent."""

    at: float
    until: float  # then it counts as dead, reaped or not
    why: str
    kind: DeathKind


@dataclass(slots=True, eq=False)
class Worker:
    """One process, from the request for its fork until its death."""

    number: int
    generation: Generation
    job: Job
    stage: Stage = Stage.BOOTING
    since: float = -inf
    stage_ends: float = inf
    ready_at: float = inf
    task: Task | None = None
    task_since: float = inf
    done: int = 0  # tasks that it has answered
    stale: Staleness | None = None  # why SWF no longer wants its task
    grace_ends: float = inf  # when a worker with a stale task is killed
    has_permit: bool = False  # to poll, on a list with permits
    wants_replacement: str = ""  # why it asks to be replaced
    leave: Leave = Leave.STAYING
    leave_by: float = inf
    tasks_to_come: int = 0  # tasks that it may receive after it was asked to leave
    polls_end: float = -inf  # until then a sticky decider may receive more
    scheduled_kill: ScheduledKill | None = None
    killing: Killing | None = None
    # Of its job, which stays the same, and read a dozen times for each message:
    slot: Slot | None = field(init=False, default=None)
    needs_permit: bool = field(init=False, default=False)  # whether it polls only with one
    decides: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        if isinstance(self.job, Serve):
            self.slot, self.needs_permit = self.job.slot, self.job.needs_permit
            self.decides = self.slot.task_list.role is Role.DECIDER

    @property
    def is_reporter(self) -> bool:
        return isinstance(self.job, Report)

    @property
    def is_staying(self) -> bool:
        return self.leave is Leave.STAYING and self.killing is None

    @property
    def is_ready(self) -> bool:
        return self.ready_at < inf and self.is_staying

    @property
    def polls_build(self) -> bool:
        """Whether it polls the list of its build beside that of the flow."""
        first = self.slot is not None and self.slot.index == 0
        return first and self.decides and bool(self.generation.build)

    @property
    def may_exit(self) -> bool:
        return self.leave is not Leave.STAYING or self.stage is Stage.FINISHED

    @property
    def late_at(self) -> float:
        if self.killing is not None:
            return self.killing.until
        if self.scheduled_kill is not None:
            return self.scheduled_kill.at
        # Read for every worker in every turn: ``min`` would take twice the time.
        at = self.stage_ends
        if self.leave_by < at:  # noqa: PLR1730 - see above
            at = self.leave_by
        if self.grace_ends < at:  # noqa: PLR1730 - see above
            at = self.grace_ends
        return at

    def uptime_reached_at(self, settings: Settings) -> float:
        """Time at which it has served so long that its death would not be an early one."""
        return self.ready_at + settings.min_uptime

    def enter(self, stage: Stage, now: float, settings: Settings) -> None:
        self._enter(stage, now, now + stage_timeout(stage, settings))

    def park(self, now: float) -> None:
        self.has_permit = False
        self._enter(Stage.PARKED, now, inf)

    def begin_task(self, task: Task, now: float, settings: Settings) -> None:
        self.task, self.task_since = task, now
        stage_timeout = task_timeout(task, settings, decides=self.decides)
        if self.leave is Leave.ASKED:
            self.leave_by = inf
        self._enter(Stage.WORKING, now, now + stage_timeout)

    def end_task(self) -> None:
        self.task, self.stale, self.grace_ends = None, None, inf

    def mark_asked_to_leave(self, now: float, settings: Settings) -> None:
        """Open polls may end by themselves; a task in progress keeps its own deadline."""
        # Without a poll no task can come. A startup job may be killed at any time: it is repeated.
        if self.stage is Stage.PARKED or self.slot is None:
            self.leave, self.leave_by = Leave.DISMISSED, now + settings.exit_timeout
            return
        sticky = self.decides and settings.sticky
        self.leave = Leave.ASKED
        polls = 1 + sticky + self.polls_build
        self.tasks_to_come = polls + (self.task is not None)
        self.polls_end = now + settings.poll_timeout if sticky else -inf
        if self.task is None:
            self.leave_by = now + settings.poll_timeout

    def count_down_to_exit(self, now: float, settings: Settings) -> None:
        """Note the answer of a worker that was asked to leave."""
        self.tasks_to_come -= 1
        if self.tasks_to_come > 0:
            self.leave_by = now + settings.poll_timeout
        elif now < self.polls_end:
            self.leave_by = max(self.polls_end, now + settings.exit_timeout)
        else:
            self.leave = Leave.DISMISSED
            self.leave_by = now + settings.exit_timeout

    def _enter(self, stage: Stage, now: float, ends: float) -> None:
        self.stage, self.since, self.stage_ends = stage, now, ends
        if min(self.leave_by, self.grace_ends) > now:
            self.scheduled_kill = None


@dataclass(frozen=True, slots=True)
class Death:
    """The end of a worker."""

    worker: Worker
    cause: Cause
    at: float
    normal: bool = False  # it was expected to exit, and did so with code 0
    status: int | None = None  # exit code, or minus the signal; None if unknown
    post: PostMortem | None = None

"""The facts that the core knows, and every question that its rules ask about them.

Rules:

1. Facts change in two places only: ``record`` (what happened) and ``turn`` (what the core did about
   it). Rules ask; every question has a name here.
2. The *candidate* is the generation that has to prove itself; the first one is a candidate without
   an *active* one beside it. All other generations are *retiring*: they serve until their
   replacements are ready. One of them may be the *previous* one, kept for a rollback.
"""

# ruff: noqa: D102 - a method is named by the question that it answers

from __future__ import annotations

import enum
from collections import Counter
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

from supervisor.core.build_use import BuildUse
from supervisor.core.failures import Streak
from supervisor.core.handed_out_tasks import HandedOutTasks
from supervisor.core.pools.poll_limit import PollLimit
from supervisor.core.stages import Stage
from supervisor.core.tally import RunningTally
from supervisor.ipc.messages import RETIRED, Result, Serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from supervisor.config.setting_types import PoolBounds
    from supervisor.config.settings import Settings
    from supervisor.core.causes import DeathKind
    from supervisor.core.failures import Failure
    from supervisor.core.generation import Death, Generation, Worker
    from supervisor.core.rules.ledger import Ledger
    from supervisor.ipc.messages import (
        Answer,
        Instance,
        RestartRequested,
        Role,
        Slot,
        Task,
        TaskList,
    )


LOCAL_ENDPOINT = "local_endpoint"
"""The sidecar that is a local SWF."""


@dataclass(slots=True)
class OwedReport:
    """The answer that SWF is still owed for the task of a dead worker."""

    task: Task
    role: Role
    answer: Answer
    why: str  # for people
    expires: float  # when the task's own timeout ends it in SWF
    reporter: int | None = None
    attempts: int = 0
    backoff_until: float = -inf


class SidecarState(enum.Enum):
    """The stages of a sidecar's life."""

    STARTING = enum.auto()
    READY = enum.auto()
    STOPPING = enum.auto()
    GONE = enum.auto()


@dataclass(slots=True)
class Sidecar:
    """A small process beside the pool."""

    name: str
    status: SidecarState
    since: float
    lost: str = ""  # why it ended, if it was not asked to and the loss is not settled yet
    exit_status: int = 0  # of one that is gone: exit code, or minus the signal
    lists: tuple[TaskList, ...] = ()  # the lists whose waiting tasks it counts
    hosts: int = 1  # hosts that count them
    streak: Streak = field(default_factory=Streak)  # of early ends
    build: str = ""  # of retired code, once it has served
    was_ready: bool = False
    is_hurried: bool = False  # retired code was asked to stop, and not only to drain
    ended_as_asked: bool = False  # it was asked to end before it did
    is_late: bool = False  # retired code does not serve yet, and is no longer waited for
    unused_since: float | None = None  # retired code ends, because its build was unused since then
    unused_beside: int = 0  # the generation that was active when it said so
    is_recalled: bool = False  # an execution needs its build since

    @property
    def release(self) -> str:
        """The release that it serves as retired code; "" if it is another sidecar."""
        return self.name.removeprefix(RETIRED) if self.name.startswith(RETIRED) else ""

    @property
    def is_unneeded(self) -> bool:
        """Whether it is retired code that has ended because it has nothing to serve."""
        gone = self.status is SidecarState.GONE and not self.lost
        return bool(self.release) and gone and not self.streak.failures

    @property
    def is_awaited(self) -> bool:
        """Whether it starts, for the first time in a row, and is not late."""
        is_first = self.status is SidecarState.STARTING and not self.streak.failures
        return is_first and not self.is_late


@dataclass(slots=True)
class Pool:
    """The slots of one task list."""

    configured: int  # slots, by the settings
    desired: int  # slots, by the settings or a later request
    indexes: tuple[int, ...]  # of its slots, ascending
    bounds: PoolBounds | None = None  # the bounds of a pool that is sized by its backlog
    quiet: bool = False
    is_empty: bool = False  # quiet, and the end of its last worker was noted
    pending: int | None = None  # waiting tasks, by the latest count
    counted_at: float = 0.0  # when that count came
    waits: int = 0  # counts in a row by which tasks wait
    demands: tuple[int, ...] = ()  # workers that the latest counts called for (``scaling``)


@dataclass(slots=True)
class ListPermits:
    """The permits of one list.

    Attributes:
        limit: How many there are.
        workers: The ready workers that stay and need one, by number.
        parked: Those of them that wait for one, in the order of their parking.
    """

    limit: PollLimit = field(default_factory=PollLimit)
    workers: dict[int, Worker] = field(default_factory=dict)
    parked: dict[int, Worker] = field(default_factory=dict)


@dataclass(slots=True)
class SlotDeaths:
    """The deaths at one slot since the start, for people."""

    number: int = 0
    last: str = ""  # the cause of the latest one


@dataclass(slots=True)
class Drain:
    """The end of the program, once it has begun. It never turns back."""

    why: str
    code: int
    ledger: Ledger
    end_why: str = ""  # why it has to end by ``end_by``, if that is another reason
    end_by: float = inf  # workers that are left then are killed
    stopping: bool = False
    signalled_at: float = inf  # when the first signal asked for it
    reported: bool = False  # the drain report is in the log

    @property
    def cut_why(self) -> str:
        """The reason for what is cut short."""
        return self.end_why or self.why


class DeployOutcome(enum.StrEnum):
    """The stages and ends of a deploy."""

    STARTED = "started"
    ACTIVE = "active"
    FAILED = "failed"  # at a gate, before it was active
    ROLLED_BACK = "rolled back"  # it failed in probation, and the previous generation is active


@dataclass(frozen=True, slots=True)
class DeployRecord:
    """The outcome of the latest deploy, with a report if it failed."""

    generation: int
    outcome: DeployOutcome
    report: str = ""


MOST_STUCK = 10_000
"""Stuck executions that are counted. Beyond that the oldest is dropped."""


@dataclass(slots=True)
class State:
    """All facts that the core knows."""

    settings: Settings
    jitter: Random
    workers: dict[int, Worker] = field(default_factory=dict)
    deaths: list[Death] = field(default_factory=list)  # not settled yet
    private_lists: dict[Slot, int | str] = field(default_factory=dict)  # of dead deciders
    orphaned_lists: list[str] = field(default_factory=list)  # of a killed supervisor's deciders
    generations: dict[int, Generation] = field(default_factory=dict)
    sidecars: dict[str, Sidecar] = field(default_factory=dict)
    owed_reports: list[OwedReport] = field(default_factory=list)
    handed_out: HandedOutTasks = field(default_factory=HandedOutTasks)
    instance: Instance | None = None  # the EC2 instance of this host, once it is known
    is_warm: bool | None = None  # whether it is in the group's warm pool; None before the report
    hold_by: float | None = None  # when the polls begin without that report (``warm_pool``)
    holds_polls: bool = False  # no slot is desired
    may_be_taken_away: bool = False  # a spot instance, or one of an auto scaling group
    group_size: int = 0  # instances of this host's auto scaling group; 0 if unknown
    active: Generation | None = None
    candidate: Generation | None = None
    previous: Generation | None = None  # kept for a rollback while the active one is in probation
    deploy: DeployRecord | None = None
    pools: dict[TaskList, Pool] = field(default_factory=dict)
    permits: dict[TaskList, ListPermits] = field(default_factory=dict)
    pooled: Generation | None = None  # the generation whose settings the pools follow
    is_kept: bool = False  # whether it is retired code that another supervisor has started
    build_use: BuildUse = field(default_factory=BuildUse)  # of such code
    resized: bool = False  # the pools changed, and the slots do not fit them yet
    stuck: dict[str, float] = field(default_factory=dict)  # runs, and when they were seen last
    drain: Drain | None = None
    restart_request: RestartRequested | None = None
    lost_zygotes: Streak = field(default_factory=Streak)  # generations that failed without one
    last_failure: Failure | None = None
    last_death: str = ""
    slot_deaths: dict[Slot, SlotDeaths] = field(default_factory=dict)
    deaths_by_kind: Counter[DeathKind] = field(default_factory=Counter)
    tally: RunningTally = field(default_factory=RunningTally)
    all_closed: bool | None = None  # all executions of --start completed; None while one is open
    exited: bool = False
    last_worker: int = 0
    last_generation: int = 0

    def note_result(self, worker: Worker, result: Result, now: float) -> bool:
        """Note what became of a worker's task; returns whether it counts as failed."""
        task = worker.task if worker.decides else None
        is_newly_stuck = task is not None and self.note_decision(task.run_id, result, now)
        return result is Result.FAILED or is_newly_stuck

    def note_decision(self, run_id: str, result: Result, now: float) -> bool:
        """Note whether a decision left its execution stuck; returns whether it was not before."""
        is_stuck = result is Result.STUCK
        was_stuck = self.stuck.pop(run_id, None) is not None
        if is_stuck:
            self.stuck[run_id] = now
            if len(self.stuck) > MOST_STUCK:
                del self.stuck[next(iter(self.stuck))]
        return is_stuck and not was_stuck

    # --- workers

    def add_worker(self, worker: Worker) -> None:
        self.workers[worker.number] = worker
        if worker.slot:
            worker.generation.occupy(worker, worker.slot)

    def remove_worker(self, death: Death) -> None:
        """Remove a dead worker; its death is to be settled."""
        worker = death.worker
        del self.workers[worker.number]
        if worker.slot:
            worker.generation.leave_slot(worker, worker.slot)
        self.deaths.append(death)

    def workers_of(self, generation: Generation) -> Iterator[Worker]:
        return (each for each in self.workers.values() if each.generation is generation)

    def serving(self) -> Iterator[Worker]:
        return (each for each in self.workers.values() if isinstance(each.job, Serve))

    def may_be_asked_to_leave(self) -> Iterator[Worker]:
        """Staying workers, without reporters and those that only have to exit."""
        for each in self.workers.values():
            if each.is_staying and not each.is_reporter and each.stage is not Stage.FINISHED:
                yield each

    def any_ready(self) -> bool:
        return any(each.is_ready for each in self.serving())

    # --- generations

    def lacks_zygote(self) -> bool:
        """Whether there is no active generation, or one that cannot replace its dead workers."""
        return self.active is None or not self.active.can_fork

    def is_candidate(self, generation: Generation) -> bool:
        return generation is self.candidate

    def has_fallback(self, generation: Generation) -> bool:
        """Whether another generation can serve if this one fails."""
        if generation is self.candidate:
            return self.active is not None
        return generation is self.active and self.previous is not None

    def fills_slots(self, generation: Generation) -> bool:
        """Whether its dead workers are replaced; a retiring or failed generation only ends."""
        return generation is self.active or generation is self.candidate

    def desired_slots(self, generation: Generation) -> tuple[Slot, ...]:
        if generation is self.active:
            return generation.slots
        if generation is self.candidate and generation.startup_jobs_done:
            return generation.canaries
        return ()

    def forking_generation(self) -> Generation | None:
        """The generation to fork a reporter from: the active one, else the newest that can."""
        if self.active and self.active.can_fork:
            return self.active
        able = [each for each in self.generations.values() if each.can_fork]
        return max(able, key=lambda each: each.number, default=None)

    # --- sidecars

    def only_sidecars_left(self) -> bool:
        """Whether the program is draining, and no worker, owed report or retired code is left."""
        is_draining = self.drain is not None and not self.workers and not self.owed_reports
        return is_draining and all(each.status is SidecarState.GONE for each in self.retired_code())

    def retired_code(self) -> Iterator[Sidecar]:
        return (each for each in self.sidecars.values() if each.release)

    def awaited_releases(self) -> Iterator[str]:
        """The kept releases that start, and that whoever waits for this host waits for."""
        return (each.release for each in self.retired_code() if each.is_awaited)

    def endpoint_ready(self) -> bool:
        """Whether there is an SWF to call: the real one always counts as ready."""
        endpoint = self.sidecars.get(LOCAL_ENDPOINT)
        return not self.settings.local or (
            endpoint is not None and endpoint.status is SidecarState.READY
        )

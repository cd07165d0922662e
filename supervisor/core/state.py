"""What is known, and every question that the rules ask about it.

1. Facts change in two places only: ``record`` (what happened) and ``turn`` (what we did about it).
   Rules ask; what they ask has a name here.
2. A *serving* worker has a seat; a registering and a reporting one have an errand. A worker *stays*
   until it is told to leave or killed. Only who stays and is ready counts as strength.
3. The *candidate* is the generation that has to prove itself; the first one is a candidate without
   a *current* one beside it. All others are *elders*: they serve until their heirs are ready.
"""

# ruff: noqa: D102 - a question is named by what it asks

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

from supervisor.core.stages import Stage, patience, task_patience
from supervisor.messages import Report, Role, Serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from supervisor.messages import Job, Seat, Task, TaskList
    from supervisor.settings import Settings


BAD_SETTINGS = 2
"""Exit code: the settings cannot be served."""

BROKEN_FLOW = 3
"""Exit code: the flow cannot be loaded."""

GAVE_UP = 4
"""Exit code: the pool cannot be kept alive."""


class Leave(enum.Enum):
    """How far a worker is on its way out."""

    STAYS = enum.auto()
    TOLD = enum.auto()  # a poll that is under way may still bring it one task
    DISMISSED = enum.auto()  # that task is answered; nothing may keep it


@dataclass(frozen=True, slots=True)
class Killing:
    """That a worker was killed by us."""

    at: float
    until: float  # when the kernel should have given it back
    why: str
    interrupts: bool  # a drain or stop cut it short; it was not late


@dataclass(slots=True, eq=False)
class Worker:
    """One process that was asked for, from the wish to its death."""

    number: int
    generation: Generation
    job: Job
    stage: Stage = Stage.BOOTING
    since: float = -inf
    stage_ends: float = inf
    ready_at: float = inf
    task: Task | None = None
    held_since: float = inf
    leave: Leave = Leave.STAYS
    leave_by: float = inf
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
    def may_exit(self) -> bool:
        return self.leave is not Leave.STAYS or self.stage is Stage.FINISHED

    @property
    def late_at(self) -> float:
        if self.killing:
            return self.killing.until
        return min(self.leave_by, self.stage_ends)

    def lasts_at(self, settings: Settings) -> float:
        """When it has served long enough to count as good."""
        return self.ready_at + settings.lasting

    def enter(self, stage: Stage, now: float, settings: Settings) -> None:
        self.stage, self.since = stage, now
        self.stage_ends = now + patience(stage, settings)

    def take(self, task: Task, now: float, settings: Settings) -> None:
        decides = self.seat is not None and self.seat.task_list.role is Role.DECIDER
        self.task, self.stage = task, Stage.WORKING
        self.held_since = self.since = now
        self.stage_ends = now + task_patience(task, settings, decides=decides)


@dataclass(frozen=True, slots=True)
class Death:
    """A worker that is gone; ``cause`` as people say it."""

    worker: Worker
    cause: str
    normal: bool


@dataclass(slots=True)
class Trouble:
    """Early deaths in a row at one place, and until when it rests."""

    in_a_row: int = 0
    until: float = -inf


@dataclass(frozen=True, slots=True)
class Failure:
    """Why something ends, and the program's exit code if that was all there is."""

    why: str
    code: int


class Zygote(enum.Enum):
    """The process that a generation's workers are forked from."""

    IMPORTING = enum.auto()
    READY = enum.auto()
    GONE = enum.auto()


@dataclass(slots=True, eq=False)
class Generation:
    """The user's code as it was at one moment; every seat of it has at most one living worker."""

    number: int
    started_at: float
    zygote: Zygote = Zygote.IMPORTING
    seats: tuple[Seat, ...] = ()
    registered: bool = False
    abandoned: bool = False
    was_full: bool = False
    failure: Failure | None = None  # of a candidate: it has to be given up
    proving_deaths: int = 0  # in all, not in a row: a version may fail now and then
    registering: Trouble = field(default_factory=Trouble)
    seat_troubles: dict[Seat, Trouble] = field(default_factory=dict)
    early_deaths: dict[TaskList, list[float]] = field(default_factory=dict)
    degraded_at: dict[TaskList, float] = field(default_factory=dict)
    seated: dict[Seat, Worker] = field(default_factory=dict)  # till the kernel has taken them

    @property
    def can_fork(self) -> bool:
        return self.zygote is Zygote.READY

    @property
    def task_lists(self) -> tuple[TaskList, ...]:
        return tuple(dict.fromkeys(seat.task_list for seat in self.seats))

    @property
    def canaries(self) -> tuple[Seat, ...]:
        """One seat a task list: enough to see whether the code can serve it."""
        return tuple(seat for seat in self.seats if seat.index == 0)

    @property
    def is_full(self) -> bool:
        """Whether somebody serves every seat and will go on."""
        return len(self.seats) == sum(each.is_strength for each in self.seated.values())

    def size(self, task_list: TaskList) -> int:
        return sum(seat.task_list == task_list for seat in self.seats)

    def rested_at(self, seat: Seat) -> float:
        return self.seat_troubles[seat].until if seat in self.seat_troubles else -inf


@dataclass(slots=True)
class Debt:
    """A task whose holder died with it: SWF has to be told."""

    task: Task
    role: Role
    reason: str
    expires: float  # when SWF sees it by the task's own timeout
    reporter: int | None = None
    tries: int = 0
    rested_at: float = -inf


class Standing(enum.Enum):
    """What an attendant is at."""

    STARTING = enum.auto()
    READY = enum.auto()
    STOPPING = enum.auto()
    GONE = enum.auto()


@dataclass(slots=True)
class Attendant:
    """A small process beside the pool."""

    name: str
    standing: Standing
    since: float
    lost: str = ""  # why it is gone, where nobody had asked it to end


@dataclass(slots=True)
class Leaving:
    """That the program is on its way out; it never turns back."""

    why: str
    code: int
    end_by: float = inf  # who is left then is killed
    stopping: bool = False
    signals: int = 0


@dataclass(slots=True)
class State:
    """Everything that the core knows."""

    settings: Settings
    jitter: Random
    workers: dict[int, Worker] = field(default_factory=dict)
    deaths: list[Death] = field(default_factory=list)  # not mourned yet
    generations: dict[int, Generation] = field(default_factory=dict)
    attendants: dict[str, Attendant] = field(default_factory=dict)
    debts: list[Debt] = field(default_factory=list)
    current: Generation | None = None
    candidate: Generation | None = None
    leaving: Leaving | None = None
    restart_asked: str | None = None
    failures: int = 0  # candidates in a row that could not replace a lost zygote
    last_failure: Failure | None = None
    restart_rested_at: float = -inf
    last_death: str = ""
    all_closed: bool | None = None  # whether all completed, once they have closed
    exited: bool = False
    last_worker: int = 0
    last_generation: int = 0

    # --- workers

    def seat(self, worker: Worker) -> None:
        """Enter a worker in the books."""
        self.workers[worker.number] = worker
        if worker.seat:
            worker.generation.seated[worker.seat] = worker

    def bury(self, death: Death) -> None:
        """Strike a worker out of the books."""
        worker = death.worker
        del self.workers[worker.number]
        if worker.seat:
            del worker.generation.seated[worker.seat]
        self.deaths.append(death)

    def workers_of(self, generation: Generation) -> Iterator[Worker]:
        return (each for each in self.workers.values() if each.generation is generation)

    def serving(self) -> Iterator[Worker]:
        return (each for each in self.workers.values() if isinstance(each.job, Serve))

    def any_strength(self) -> bool:
        return any(each.is_strength for each in self.serving())

    # --- generations

    def lacks_zygote(self) -> bool:
        """Whether the current generation's dead cannot be replaced."""
        return self.current is not None and not self.current.can_fork

    def is_candidate(self, generation: Generation) -> bool:
        return generation is self.candidate

    def goes_on(self, generation: Generation) -> bool:
        """Whether its dead are replaced: elders and abandoned ones only wait for their end."""
        return generation is self.current or generation is self.candidate

    def wanted_seats(self, generation: Generation) -> tuple[Seat, ...]:
        if generation is self.current:
            return generation.seats
        if generation is self.candidate and generation.registered:
            return generation.canaries
        return ()

    def forker(self) -> Generation | None:
        """Who can fork an errand now: the current one, else the newest."""
        if self.current and self.current.can_fork:
            return self.current
        able = [each for each in self.generations.values() if each.can_fork]
        return max(able, key=lambda each: each.number, default=None)

    # --- attendants

    def endpoint_ready(self) -> bool:
        """Whether SWF can be spoken to; a real one always can."""
        endpoint = self.attendants.get("endpoint")
        return not self.settings.local or (
            endpoint is not None and endpoint.standing is Standing.READY
        )

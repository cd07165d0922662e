"""What is known, and every question that the rules ask about it.

1. Facts change in two places only: ``record`` (what happened) and ``turn`` (what we did about it).
   Rules ask; what they ask has a name here.
2. The *candidate* is the generation that has to prove itself; the first one is a candidate without
   a *current* one beside it. All others are *elders*: they serve until their heirs are ready. One
   of them may be the *previous* one: for a while it can become the current one again.
"""

# ruff: noqa: D102 - a question is named by what it asks

from __future__ import annotations

import enum
from collections import Counter
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

from supervisor.core.generation import Trouble
from supervisor.core.stages import Stage
from supervisor.messages import Serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from supervisor.core.causes import Kind
    from supervisor.core.generation import Failure, Generation
    from supervisor.core.ledger import Ledger
    from supervisor.core.pools import Pool
    from supervisor.core.worker import Death, Worker
    from supervisor.messages import Answer, Instance, RestartAsked, Role, Seat, Task, TaskList
    from supervisor.settings import Settings


@dataclass(slots=True)
class Debt:
    """A task whose holder died with it: SWF has to be told."""

    task: Task
    role: Role
    answer: Answer
    why: str  # for people
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
    status: int = 0  # how it ended, once it is gone
    lists: tuple[TaskList, ...] = ()  # whose waiting tasks it counts
    trouble: Trouble = field(default_factory=Trouble)  # of one that is started again


@dataclass(slots=True)
class SeatDeaths:
    """The deaths at one seat, for people."""

    number: int = 0
    last: str = ""  # its cause


@dataclass(slots=True)
class Leaving:
    """That the program is on its way out; it never turns back."""

    why: str
    code: int
    ledger: Ledger
    end_by: float = inf  # who is left then is killed
    stopping: bool = False
    signals: int = 0
    reported: bool = False  # what became of the tasks in hand


class Outcome(enum.StrEnum):
    """What became of a generation that was to take over."""

    STARTED = "started"
    CURRENT = "current"
    ABANDONED = "abandoned"
    RETURNED = "returned"  # it tripped, and the one before it took its seats back


@dataclass(frozen=True, slots=True)
class Deploy:
    """The latest generation, and what became of it; a report says why where it was stopped."""

    generation: int
    outcome: Outcome
    report: str = ""


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
    instance: Instance | None = None  # the EC2 instance that this is, once that is known
    current: Generation | None = None
    candidate: Generation | None = None
    previous: Generation | None = None  # what to return to while the current one is on probation
    deploy: Deploy | None = None
    pools: dict[TaskList, Pool] = field(default_factory=dict)
    pooled: Generation | None = None  # whose settings the pools follow
    resized: bool = False  # whether a pool or what is wanted of it has changed
    leaving: Leaving | None = None
    restart_asked: RestartAsked | None = None
    failures: int = 0  # candidates in a row that could not replace a lost zygote
    last_failure: Failure | None = None
    restart_rested_at: float = -inf
    last_death: str = ""
    seat_deaths: dict[Seat, SeatDeaths] = field(default_factory=dict)
    deaths_by_kind: Counter[Kind] = field(default_factory=Counter)
    all_closed: bool | None = None  # whether all completed, once they have closed
    exited: bool = False
    last_worker: int = 0
    last_generation: int = 0

    # --- workers

    def seat(self, worker: Worker) -> None:
        """Enter a worker in the books."""
        self.workers[worker.number] = worker
        if worker.seat:
            worker.generation.sit(worker, worker.seat)

    def bury(self, death: Death) -> None:
        """Strike a worker out of the books."""
        worker = death.worker
        del self.workers[worker.number]
        if worker.seat:
            worker.generation.rise(worker, worker.seat)
        self.deaths.append(death)

    def workers_of(self, generation: Generation) -> Iterator[Worker]:
        return (each for each in self.workers.values() if each.generation is generation)

    def serving(self) -> Iterator[Worker]:
        return (each for each in self.workers.values() if isinstance(each.job, Serve))

    def may_be_told(self) -> Iterator[Worker]:
        """Who may be told to leave: whoever stays, but reporters and who only has to exit."""
        for each in self.workers.values():
            if each.stays and not each.is_reporter and each.stage is not Stage.FINISHED:
                yield each

    def any_strength(self) -> bool:
        return any(each.is_strength for each in self.serving())

    # --- generations

    def lacks_zygote(self) -> bool:
        """Whether there is no generation whose dead can be replaced."""
        return self.current is None or not self.current.can_fork

    def is_candidate(self, generation: Generation) -> bool:
        return generation is self.candidate

    def on_trial(self, generation: Generation) -> bool:
        """Whether another one goes on, or returns, should this one be no good."""
        if generation is self.candidate:
            return self.current is not None
        return generation is self.current and self.previous is not None

    def goes_on(self, generation: Generation) -> bool:
        """Whether its dead are replaced: elders and abandoned ones only wait for their end."""
        return generation is self.current or generation is self.candidate

    def wanted_seats(self, generation: Generation) -> tuple[Seat, ...]:
        if generation is self.current:
            return generation.seats
        if generation is self.candidate and generation.cleared:
            return generation.canaries
        return ()

    def forker(self) -> Generation | None:
        """Who can fork an errand now: the current one, else the newest."""
        if self.current and self.current.can_fork:
            return self.current
        able = [each for each in self.generations.values() if each.can_fork]
        return max(able, key=lambda each: each.number, default=None)

    # --- attendants

    def nothing_left(self) -> bool:
        """Whether we leave, and only the attendants are still there."""
        return self.leaving is not None and not self.workers and not self.debts

    def endpoint_ready(self) -> bool:
        """Whether SWF can be spoken to; a real one always can."""
        endpoint = self.attendants.get("endpoint")
        return not self.settings.local or (
            endpoint is not None and endpoint.standing is Standing.READY
        )

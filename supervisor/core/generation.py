"""A generation as the core knows it: the user's code as it was at one moment.

1. Every seat has at most one worker that serves it for good (*seated*). Beside a tired one an
   *heir* gets ready, and takes the seat when it is, or when the tired one is gone.
2. A worker that made room for its heir is *relieved*: alive, at no seat, on its way out. So are
   those that had been told to leave when their generation takes its seats back.
"""

# ruff: noqa: D102 - a question is named by what it asks

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from supervisor.core.worker import Worker
    from supervisor.messages import Seat, TaskList
    from supervisor.settings import Settings
    from supervisor.spans import Span


@dataclass(slots=True)
class Trouble:
    """Early deaths in a row at one place, and until when it rests."""

    in_a_row: int = 0
    until: float = -inf


class Gate(enum.StrEnum):
    """Where new code can be stopped, in the order of its way."""

    IMPORT = "import"
    SETTINGS = "settings"
    REGISTER = "register"
    REPLAY = "replay"
    CANARY = "canary"
    PROBATION = "probation"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why something ends, and the program's exit code if that was all there is."""

    why: str
    code: int
    gate: Gate | None = None  # None where it is not a generation that ends
    facts: Mapping[str, str | int] = field(default_factory=dict)
    to_do: str = ""  # where it is not what that gate's failures usually need


@dataclass(slots=True)
class Tally:
    """Tasks of one list that one generation has done, those among them that failed."""

    done: int = 0
    failed: int = 0
    fresh: bool = False  # whether one has failed that nobody has judged yet


class Zygote(enum.Enum):
    """The process that a generation's workers are forked from."""

    IMPORTING = enum.auto()
    READY = enum.auto()
    GONE = enum.auto()


@dataclass(slots=True, eq=False)
class Generation:
    """The user's code as it was at one moment; every seat of it has at most one living worker."""

    number: int
    settings: Settings
    started_at: float
    zygote: Zygote = Zygote.IMPORTING
    imported: bool = False
    sizes: dict[TaskList, int] = field(default_factory=dict)  # its lists, as its settings say
    spans: dict[TaskList, Span] = field(default_factory=dict)  # of those sized by their backlog
    seats: tuple[Seat, ...] = ()  # those that are wanted (``pools`` says which)
    registered: bool = False
    replayed: bool = False
    cleared: bool = False  # its errands are done: somebody may serve
    promoted_at: float = inf
    abandoned: bool = False
    was_full: bool = False
    failure: Failure | None = None  # of a candidate: it has to be given up
    proving_deaths: int = 0  # in all, not in a row: a version may fail now and then
    errands: Trouble = field(default_factory=Trouble)
    seat_troubles: dict[Seat, Trouble] = field(default_factory=dict)
    tallies: dict[TaskList, Tally] = field(default_factory=dict)
    early_deaths: dict[TaskList, list[float]] = field(default_factory=dict)
    degraded_at: dict[TaskList, float] = field(default_factory=dict)
    seated: dict[Seat, Worker] = field(default_factory=dict)  # till the kernel has taken them
    tired: dict[Seat, Worker] = field(default_factory=dict)  # of the seated, in their order
    heirs: dict[Seat, Worker] = field(default_factory=dict)
    relieved: set[Worker] = field(default_factory=set)

    @property
    def can_fork(self) -> bool:
        return self.zygote is Zygote.READY

    @property
    def gate(self) -> Gate:
        """Where it stands on its way."""
        if not self.imported:
            return Gate.IMPORT
        if not self.registered:
            return Gate.REGISTER
        if not self.cleared:
            return Gate.REPLAY
        return Gate.CANARY if self.promoted_at == inf else Gate.PROBATION

    @property
    def task_lists(self) -> tuple[TaskList, ...]:
        """Those on which somebody is wanted."""
        return tuple(dict.fromkeys(seat.task_list for seat in self.seats))

    @property
    def canaries(self) -> tuple[Seat, ...]:
        """The first seat of each task list: enough to see whether the code can serve it."""
        first: dict[TaskList, Seat] = {}
        for seat in self.seats:
            first.setdefault(seat.task_list, seat)
        return tuple(first.values())

    @property
    def is_full(self) -> bool:
        """Whether somebody serves every seat and will go on."""
        strength = sum(each.is_strength for each in self.seated.values())
        return bool(self.seats) and strength == len(self.seats)

    def size(self, task_list: TaskList) -> int:
        return sum(seat.task_list == task_list for seat in self.seats)

    def recycling(self, task_list: TaskList) -> int:
        """How many workers of a list there are beside its seats."""
        beside = (*self.heirs.values(), *self.relieved)
        return sum(each.seat is not None and each.seat.task_list == task_list for each in beside)

    def rested_at(self, seat: Seat) -> float:
        return self.seat_troubles[seat].until if seat in self.seat_troubles else -inf

    def count(self, task_list: TaskList, *, failed: bool) -> None:
        """One more task is done."""
        if (tally := self.tallies.get(task_list)) is None:
            tally = self.tallies[task_list] = Tally()
        tally.done += 1
        tally.failed += failed
        tally.fresh = tally.fresh or failed

    # --- who sits where

    def sit(self, worker: Worker, seat: Seat) -> None:
        """Take an empty seat, or wait beside it for one's turn."""
        (self.heirs if seat in self.seated else self.seated)[seat] = worker

    def tire(self, worker: Worker) -> None:
        """Let it ask for an heir, if it has a seat to leave."""
        if worker.seat and self.seated.get(worker.seat) is worker:
            self.tired[worker.seat] = worker

    def hand_over(self, seat: Seat) -> Worker:
        """Let the heir take the seat; returns who is relieved."""
        relieved, self.seated[seat] = self.tired.pop(seat), self.heirs.pop(seat)
        self.relieved.add(relieved)
        return relieved

    def vacate(self, seat: Seat) -> list[Worker]:
        """Let nobody sit at the seat, nor wait for it; returns who did."""
        self.tired.pop(seat, None)
        found = (self.seated.pop(seat, None), self.heirs.pop(seat, None))
        return [each for each in found if each]

    def rise(self, worker: Worker, seat: Seat) -> None:
        """Leave the seat for ever; an heir takes it."""
        self.relieved.discard(worker)
        if self.heirs.get(seat) is worker:
            del self.heirs[seat]
        elif self.seated.get(seat) is worker:
            del self.seated[seat]
            self.tired.pop(seat, None)
            if seat in self.heirs:
                self.seated[seat] = self.heirs.pop(seat)

    def relieve_leavers(self) -> None:
        """Let all who are on their way out make room: their seats are wanted again."""
        for seats in (self.heirs, self.seated):
            for seat, worker in list(seats.items()):
                if not worker.stays:
                    del seats[seat]
                    self.relieved.add(worker)
        for seat in self.heirs.keys() - self.seated.keys():
            self.seated[seat] = self.heirs.pop(seat)
        self.tired = {seat: each for seat, each in self.tired.items() if each.stays}

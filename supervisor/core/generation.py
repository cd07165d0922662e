"""A generation as the core knows it: the user's code as it was at one moment.

1. Every seat has at most one worker that serves it for good (*seated*). Beside a tired one an
   *heir* gets ready, and takes the seat when it is, or when the tired one is gone.
2. A worker that made room for its heir is *relieved*: alive, at no seat, on its way out.
"""

# ruff: noqa: D102 - a question is named by what it asks

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from supervisor.core.worker import Worker
    from supervisor.messages import Seat, TaskList


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
    tired: dict[Seat, Worker] = field(default_factory=dict)  # of the seated, in their order
    heirs: dict[Seat, Worker] = field(default_factory=dict)
    relieved: set[Worker] = field(default_factory=set)

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

    def recycling(self, task_list: TaskList) -> int:
        """How many workers of a list there are beside its seats."""
        beside = (*self.heirs.values(), *self.relieved)
        return sum(each.seat is not None and each.seat.task_list == task_list for each in beside)

    def rested_at(self, seat: Seat) -> float:
        return self.seat_troubles[seat].until if seat in self.seat_troubles else -inf

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

"""What the judge remembers of workers and of seats."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from supervisor import messages
    from supervisor.messages import Staleness


@dataclass
class Life:
    """A worker as the judge knows it."""

    generation: int
    job: messages.Job
    forked_at: float
    ready_at: float = inf
    told: bool = False
    asked_at: float = inf  # for its stacks
    is_asked: bool = False  # and has not gone on since
    killed_at: float = inf
    interrupted: bool = False  # killed because the program leaves
    finished: bool = False
    task: messages.Task | None = None
    stale: Staleness | None = None
    stale_at: float = inf
    tired: bool = False
    relieved: bool = False  # on its way out, beside a seat that is somebody else's
    too_big: bool = False
    unseated: bool = False  # told to leave because its seat is gone, or killed before that

    @property
    def serves_on(self) -> bool:
        return self.ready_at < inf and not self.told and self.killed_at == inf

    def goes_on(self) -> None:
        """It has said that it is at something new."""
        self.is_asked = False

    def lets_go(self) -> None:
        """It has no task in hand."""
        self.task, self.stale, self.stale_at, self.too_big = None, None, inf, False


@dataclass
class Rest:
    """What the judge remembers of a seat."""

    early_deaths: int = 0
    died_at: float = -inf

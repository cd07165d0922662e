"""The checker's memory of workers and slots."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from supervisor.ipc.messages import Serve

if TYPE_CHECKING:
    from supervisor.ipc import messages
    from supervisor.ipc.messages import Slot, Staleness, TaskList


@dataclass
class ObservedWorker:
    """A living worker."""

    generation: int
    job: messages.Job
    forked_at: float
    ready_at: float = inf
    asked_to_leave: bool = False
    stacks_asked_at: float = inf
    stacks_asked: bool = False  # and it has sent nothing since
    killed_at: float = inf
    interrupted: bool = False  # killed by a drain or stop
    finished: bool = False
    task: messages.Task | None = None
    stale: Staleness | None = None
    stale_at: float = inf
    wants_replacement: bool = False
    replaced: bool = False  # on its way out, and the slot belongs to another worker
    too_big: bool = False
    channel_lost: bool = False
    dismissed: bool = False  # its slot was given up
    parked: bool = False
    polls: bool = False  # or was given a permit to

    @property
    def stays(self) -> bool:
        return not self.asked_to_leave and self.killed_at == inf

    @property
    def is_ready(self) -> bool:
        return self.ready_at < inf and self.stays

    def serves(self, task_list: TaskList, generation: int | None = None) -> bool:
        """Whether it serves this list, as a worker of this generation if one is given."""
        of_it = generation is None or self.generation == generation
        return isinstance(self.job, Serve) and self.job.slot.task_list == task_list and of_it

    def is_at(self, slot: Slot, generation: int) -> bool:
        """Whether it was forked for this slot of this generation."""
        at_slot = isinstance(self.job, Serve) and self.job.slot == slot
        return at_slot and self.generation == generation

    def enter_stage(self, *, parked: bool = False, polls: bool = False) -> None:
        """Note that it has entered another stage."""
        self.stacks_asked = False
        self.parked, self.polls = parked, polls

    def end_task(self) -> None:
        """Note that it has no task in progress."""
        self.task, self.stale, self.stale_at, self.too_big = None, None, inf, False


@dataclass
class ObservedSlot:
    """The early deaths in a row at a slot of a generation."""

    early_deaths: int = 0
    died_at: float = -inf

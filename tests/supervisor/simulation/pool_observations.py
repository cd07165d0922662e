"""The checker's memory of the pools: their sizes, and which are quiet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from supervisor.core.pools.pool_settings import pool_bounds

if TYPE_CHECKING:
    from supervisor.config.settings import Settings
    from supervisor.ipc import messages
    from supervisor.ipc.messages import Slot, TaskList


@dataclass
class PoolObservations:
    """The slots of each generation by its settings, and the changes that were noted since."""

    settings: Settings
    slots: dict[int, set[Slot]] = field(default_factory=dict)
    lists: set[TaskList] = field(default_factory=set)
    sizes: dict[TaskList, int] = field(default_factory=dict)  # as requested since
    quiet: set[TaskList] = field(default_factory=set)
    serving: int = 0  # the active generation
    shrinking: set[TaskList] = field(default_factory=set)  # in this turn

    def desired(self, task_list: TaskList, generation: int) -> int:
        """The desired workers of this generation on a list."""
        return 0 if task_list in self.quiet else self.size(task_list, generation)

    def size(self, task_list: TaskList, generation: int) -> int:
        """The same, quiet or not; a candidate whose settings give another size has that."""
        usual = self._usual(task_list, generation)
        holds = usual == self._usual(task_list, self.serving)
        return self.sizes.get(task_list, usual) if holds else usual

    def total(self, generation: int) -> int:
        """The desired slots of this generation."""
        lists = {each.task_list for each in self.slots[generation]} | self.sizes.keys()
        return sum(self.desired(each, generation) for each in lists)

    def adopted(self, before: int, now: int) -> None:
        """Another generation is active: where its settings give another size, that applies."""
        self.serving = now
        for task_list in list(self.sizes):
            if self._usual(task_list, before) != self._usual(task_list, now):
                del self.sizes[task_list]

    def _usual(self, task_list: TaskList, generation: int) -> int:
        return sum(each.task_list == task_list for each in self.slots.get(generation, ()))

    def changed(self, note: messages.Note) -> tuple[TaskList, bool]:
        """Read a note about a pool; returns which, and whether its new size is allowed."""
        task_list = next(each for each in self.lists if each.name == note.facts["task_list"])
        if note.event == "scaled":
            return task_list, self._scaled(task_list, note)
        if note.event == "quiet":
            self.quiet.add(task_list)
            self.shrinking.add(task_list)
        else:
            self.quiet.discard(task_list)
        return task_list, True

    def _scaled(self, task_list: TaskList, note: messages.Note) -> bool:
        size = self.sizes[task_list] = int(str(note.facts["workers"]))
        if size < int(str(note.facts["before"])):
            self.shrinking.add(task_list)
        span = pool_bounds(self.settings, self.lists).get(task_list)
        return 0 <= size <= self.settings.max_workers_per_list and (
            not span or span.clamp(size) == size
        )

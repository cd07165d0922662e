"""What the judge remembers of the pools: how big they are to be, and which are quiet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from supervisor.per_list import spans

if TYPE_CHECKING:
    from supervisor import messages
    from supervisor.messages import Seat, TaskList
    from supervisor.settings import Settings


@dataclass
class PoolBook:
    """Made of the generations' seats, as their settings say, and of what was noted since."""

    settings: Settings
    seats: dict[int, set[Seat]] = field(default_factory=dict)
    lists: set[TaskList] = field(default_factory=set)
    sizes: dict[TaskList, int] = field(default_factory=dict)  # as was asked for since
    quiet: set[TaskList] = field(default_factory=set)
    serving: int = 0  # the generation that serves
    shrinking: set[TaskList] = field(default_factory=set)  # in this turn

    def wanted(self, task_list: TaskList, generation: int) -> int:
        """How many workers of this generation the list should have."""
        return 0 if task_list in self.quiet else self.size(task_list, generation)

    def size(self, task_list: TaskList, generation: int) -> int:
        """The same, quiet or not; a candidate whose settings say another size has that."""
        usual = self._usual(task_list, generation)
        holds = usual == self._usual(task_list, self.serving)
        return self.sizes.get(task_list, usual) if holds else usual

    def total(self, generation: int) -> int:
        """Seats of this generation that are wanted."""
        lists = {each.task_list for each in self.seats[generation]} | self.sizes.keys()
        return sum(self.wanted(each, generation) for each in lists)

    def adopted(self, before: int, now: int) -> None:
        """Another generation serves: where its settings say another size, that holds."""
        self.serving = now
        for task_list in list(self.sizes):
            if self._usual(task_list, before) != self._usual(task_list, now):
                del self.sizes[task_list]

    def _usual(self, task_list: TaskList, generation: int) -> int:
        return sum(each.task_list == task_list for each in self.seats.get(generation, ()))

    def changed(self, note: messages.Note) -> tuple[TaskList, bool]:
        """Read a note about a pool; returns which, and whether its new size may be."""
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
        span = spans(self.settings, self.lists).get(task_list)
        return 0 <= size <= self.settings.most_workers and (not span or span.within(size) == size)

"""The tasks that workers have handed out, by number, and which of them a sidecar keeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from supervisor.ipc.messages import HandedOutTask

if TYPE_CHECKING:
    from collections.abc import Iterable

    from supervisor.ipc.messages import Task


@dataclass(slots=True)
class HandedOut:
    """A task, and when it was handed out."""

    task: Task
    since: float


@dataclass(slots=True)
class HandedOutTasks:
    """All of them.

    Attributes:
        tasks: By number, oldest first.
        unsent: Numbers of those that the sidecar does not have, oldest first.
        is_sending: Whether the sidecar has still to take what was sent last.
        last: The latest number.
    """

    tasks: dict[int, HandedOut] = field(default_factory=dict)
    unsent: dict[int, None] = field(default_factory=dict)
    is_sending: bool = False
    last: int = 0

    def add(self, task: Task, now: float) -> None:
        """A worker has handed this task out."""
        self.last += 1
        self.tasks[self.last] = HandedOut(task, now)
        self.unsent[self.last] = None

    def remove(self, numbers: Iterable[int]) -> None:
        """SWF no longer has these."""
        for number in numbers:
            self.tasks.pop(number, None)
            self.unsent.pop(number, None)

    def take_unsent(self, most: int) -> tuple[HandedOutTask, ...]:
        """The next tasks for the sidecar, which counts as sending until ``is_sending`` is reset."""
        numbers = list(self.unsent)[:most]
        for number in numbers:
            del self.unsent[number]
        self.is_sending = bool(numbers)
        return tuple(HandedOutTask(number, self.tasks[number].task) for number in numbers)

    def lose_keeper(self) -> None:
        """The sidecar is gone: the next one has none of them."""
        self.is_sending = False
        if len(self.unsent) < len(self.tasks):
            self.unsent = dict.fromkeys(self.tasks)

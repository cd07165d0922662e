"""Running counts of ended tasks and of log entries. No rule compares them but ``unused_build``."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from supervisor.ipc.messages.tallies import BOUNDS, Tallies, TaskTally

if TYPE_CHECKING:
    from supervisor.core.generation import Worker
    from supervisor.ipc.messages import TaskList


@dataclass(slots=True)
class _Durations:
    classes: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    seconds: float = 0.0


@dataclass(slots=True)
class RunningTally:
    """The counts since the start."""

    events: Counter[str] = field(default_factory=Counter)
    tasks: dict[tuple[TaskList, str], _Durations] = field(default_factory=dict)

    def end_task(self, worker: Worker, result: str, now: float) -> None:
        """Count the task that the worker has in progress, if it has one."""
        if worker.task and worker.slot:
            self.add_task(worker.slot.task_list, result, max(0.0, now - worker.task_since))

    def add_task(self, task_list: TaskList, result: str, seconds: float) -> None:
        """Count a task that has ended."""
        key = task_list, result
        if (durations := self.tasks.get(key)) is None:
            durations = self.tasks[key] = _Durations()
        durations.classes[bisect_left(BOUNDS, seconds)] += 1
        durations.seconds += seconds

    def count_tasks(self) -> int:
        """The number of tasks that have ended."""
        return sum(sum(each.classes) for each in self.tasks.values())

    def snapshot(self) -> Tallies:
        """The counts at this moment."""
        tasks = (
            TaskTally(task_list, result, tuple(each.classes), each.seconds)
            for (task_list, result), each in self.tasks.items()
        )
        return Tallies(tuple(tasks), dict(self.events))

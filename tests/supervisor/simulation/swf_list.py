"""A simulated task list at SWF: tasks that arrive, polls that wait, and how long each waited.

Rules:

1. A poll and its answer take ``TRIP`` seconds. Polls are served in the order of their arrival.
2. A poll without a task ends after ``LONG_POLL``. That of a dead process gets no task: what SWF
   hands to such a poll is lost, and no supervisor can help it.
3. In an outage each poll fails, also those that are open when it begins.
"""

from __future__ import annotations

from collections import deque
from math import inf
from typing import TYPE_CHECKING

from supervisor.ipc.messages import PollEnd
from tests.supervisor.simulation.scenarios import LONG_POLL, TaskPlan

if TYPE_CHECKING:
    from tests.supervisor.simulation.scenarios import Scenario
    from tests.supervisor.simulation.simulated_processes import Process
    from tests.supervisor.simulation.world import World

TRIP = 1 / 32
"""Seconds from a poll to the task that waits for it."""


class SwfList:
    """One task list.

    Attributes:
        waits: Seconds that each task waited until its worker had it.
        tasks: The moments of arrival of the tasks that wait.
        polled_at: The moment of each poll.
        longest_neglect: Most seconds in which a task waited beside a parked worker.
    """

    def __init__(self, world: World, scenario: Scenario) -> None:
        self.waits: list[float] = []
        self.tasks: deque[float] = deque()
        self.polled_at: list[float] = []
        self.longest_neglect = 0.0
        self._neglected_since = inf
        self._world = world
        self._lasts = scenario.lasts
        self._outage = scenario.outage
        self._polls: dict[int, Process] = {}  # that wait, by number
        for at in scenario.arrivals or ():
            world.later(at, self._arrive)
        world.later(scenario.outage[0], self._break_off)

    @property
    def polls(self) -> int:
        """Polls so far."""
        return len(self.polled_at)

    @property
    def open_polls(self) -> int:
        """Polls of living processes that wait."""
        return sum(each.alive for each in self._polls.values())

    def watch(self, *, has_parked: bool) -> None:
        """Look at the tasks that wait; to be called after each turn."""
        if not (self.tasks and has_parked):
            self._neglected_since = inf
            return
        self._neglected_since = min(self._neglected_since, self._world.now)
        neglect = self._world.now - self._neglected_since
        self.longest_neglect = max(self.longest_neglect, neglect)

    def poll(self, process: Process) -> None:
        """A process polls."""
        self.polled_at.append(self._world.now)
        if self._is_down:
            self._world.later(TRIP, lambda: process.end_poll(PollEnd.FAILED))
            return
        number = self.polls
        self._polls[number] = process
        self._world.later(TRIP, self._serve)
        self._world.later(LONG_POLL, lambda: self._end(number))

    @property
    def _is_down(self) -> bool:
        return self._outage[0] <= self._world.now < self._outage[1]

    def _break_off(self) -> None:
        broken, self._polls = list(self._polls.values()), {}
        for process in broken:
            process.end_poll(PollEnd.FAILED)

    def _arrive(self) -> None:
        self.tasks.append(self._world.now)
        self._serve()

    def _serve(self) -> None:
        while self.tasks and self._polls:
            process = self._polls.pop(next(iter(self._polls)))
            if process.alive:
                self.waits.append(self._world.now - self.tasks.popleft())
                process.take_task(TaskPlan(lasts=self._lasts))

    def _end(self, number: int) -> None:
        if process := self._polls.pop(number, None):
            process.end_poll()

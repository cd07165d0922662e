"""A task list at the simulated SWF: tasks that wait for a poll, polls that wait for a task.

Rules:

1. A poll and its answer take ``TRIP`` seconds together. Polls are served in the order of their
   arrival, and so are tasks.
2. A poll without a task ends after ``POLL_SECONDS``. A list takes ``pollers`` open ones.
3. In an outage each poll fails, also those that are open when it begins.
4. A task that is given to a process that has just ended is lost, as with SWF.
"""

from __future__ import annotations

from array import array
from collections import deque
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Protocol

from supervisor.ipc.messages import PollEnd
from tests.benchmarks.fleet_model.account import Reply

if TYPE_CHECKING:
    from tests.benchmarks.fleet_model.account import Account
    from tests.benchmarks.fleet_model.virtual_clock import VirtualTime

TRIP = 0.02
"""Seconds of a round trip, as to SWF in the same region."""

POLL_SECONDS = 60.0


@dataclass(frozen=True)
class ListPlan:
    """One task list and its load.

    Attributes:
        name: The list's name.
        lasts: Seconds that a task lasts, on average.
        timeout: Start-to-close timeout in seconds.
        heartbeat_timeout: In seconds.
        share: The part of all tasks that come to this list.
        workers: Workers of each host.
    """

    name: str
    lasts: float
    timeout: float
    heartbeat_timeout: float
    share: float
    workers: int


@dataclass(slots=True, eq=False)
class SimulatedTask:
    """One attempt at a task, from its arrival on.

    Attributes:
        plan: Its list and timeouts.
        arrived: When SWF scheduled it.
        lasts: Seconds of work.
        token: Its number; another one for each attempt.
        given: When a poll got it.
        signed_at: When SWF accepted the last sign of it: the poll, or a heartbeat.
        repeats: Of a decision: the task that it schedules once more.
    """

    plan: ListPlan
    arrived: float
    lasts: float
    token: str
    given: float = inf
    signed_at: float = inf
    repeats: SimulatedTask | None = None


class PollingWorker(Protocol):
    """A process that polls."""

    def take_task(self, task: SimulatedTask) -> None:
        """The poll brought this task."""

    def end_poll(self, end: PollEnd) -> None:
        """The poll brought none."""


class SimulatedList:
    """One task list.

    Attributes:
        name: Its name.
        arrivals: When each task arrived that a poll has got.
        waits: Seconds that it waited for it.
        tasks: Those that wait.
        polls: Open polls and when they end, the oldest first.
    """

    def __init__(
        self, name: str, operation: str, time: VirtualTime, account: Account, pollers: int
    ) -> None:
        self.name = name
        self.arrivals = array("d")
        self.waits = array("f")
        self.tasks: deque[SimulatedTask] = deque()
        self.polls: dict[PollingWorker, float] = {}
        self._operation = operation
        self._time = time
        self._account = account
        self._pollers = pollers
        self._has_timer = False

    def add(self, task: SimulatedTask) -> None:
        """SWF schedules a task."""
        self.tasks.append(task)
        self._serve()

    def poll(self, worker: PollingWorker) -> None:
        """A worker polls."""
        now = self._time.now
        reply = self._account.call(self._operation, now)
        if reply is not Reply.ACCEPTED:
            throttled = reply is Reply.THROTTLED
            end = PollEnd.THROTTLED if throttled else PollEnd.FAILED
            self._time.later(TRIP, worker.end_poll, end)
        elif len(self.polls) >= self._pollers:
            self._time.later(TRIP, worker.end_poll, PollEnd.LIMITED)
        else:
            self.polls[worker] = now + POLL_SECONDS
            self._serve()
            self._set_timer()

    def drop(self, worker: PollingWorker) -> bool:
        """The connection of a worker that dies is gone; whether its poll was open."""
        return self.polls.pop(worker, None) is not None

    def break_off(self) -> None:
        """An outage begins: every open poll fails."""
        for worker in self.polls:
            self._time.later(TRIP, worker.end_poll, PollEnd.FAILED)
        self.polls.clear()

    def _serve(self) -> None:
        now = self._time.now
        while self.tasks and self.polls and not self._account.is_down(now):
            worker = next(iter(self.polls))
            del self.polls[worker]
            task = self.tasks.popleft()
            task.given = task.signed_at = now
            self.arrivals.append(task.arrived)
            self.waits.append(now - task.arrived)
            self._time.later(TRIP, worker.take_task, task)

    def _set_timer(self) -> None:
        if self.polls and not self._has_timer:
            self._has_timer = True
            self._time.later(next(iter(self.polls.values())) - self._time.now, self._expire)

    def _expire(self) -> None:
        self._has_timer = False
        while self.polls:
            worker, ends = next(iter(self.polls.items()))
            if ends > self._time.now:
                break
            del self.polls[worker]
            self._time.later(TRIP, worker.end_poll, PollEnd.EMPTY)
        self._set_timer()

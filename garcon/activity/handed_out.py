"""Heartbeats of tasks that were handed out by ``activity.later()``, as long as SWF has them.

Rules:

1. One thread of the process sends them, for all its tasks; it ends with the last one. Each task has
   its own pace (``heartbeat_pace``).
2. The first heartbeat goes out at once: the new sender does not know when the last one was.
3. A task ends when SWF answers a heartbeat that it no longer has it: another program has answered,
   or it has timed out. Until then nothing here knows of the answer.
4. A request to cancel the task ends it: no one can interrupt the other program, so SWF gets the
   answer that the task is canceled, and refuses the later one.
5. Heartbeats say that this process lives, not that the other program does. The task's own timeout
   bounds that.
"""

import heapq
import itertools
import os
import threading
import time
from collections.abc import Callable
from math import inf
from typing import Any, NamedTuple, Protocol

from garcon import client as clients
from garcon import runner
from garcon.activity.attempt_outcome import AttemptHandedOut
from garcon.activity.heartbeat_pace import HeartbeatPace
from garcon.activity.shared_throttling import HOST, SharedThrottling
from garcon.activity.task_execution import ActivityExecution, TaskHeartbeats
from garcon.aws import aws_errors
from garcon.user_code.forks import ParentOnly
from garcon.utils import UNKNOWN, error_code

MOST = 10_000
"""Tasks whose heartbeats one process sends. At the default timeout of ten minutes they are 27 calls
a second, of the 160 that SWF lets an account make; one thread has 37 ms for each."""

CANCELED = "It was handed out, and its cancelling was requested."
"""The details of a task that was cancelled while another program had it."""


class TaskKeeper(Protocol):
    """Keeps tasks that were handed out."""

    def keep(self, execution: ActivityExecution) -> None:
        """Send its heartbeats from now on."""


class DueTask(NamedTuple):
    """A task that was handed out, in the order of its next heartbeats."""

    due: float
    number: int  # decides between tasks that are due at once
    execution: ActivityExecution
    heartbeats: TaskHeartbeats


class HandedOutTasks:
    """The heartbeats of many tasks. Its caller waits from one to the next; it is not thread-safe.

    Args:
        now: The time, in seconds.
        throttling: What the workers of the host share.
    """

    def __init__(
        self, now: Callable[[], float] = time.monotonic, throttling: SharedThrottling = HOST
    ) -> None:
        self._now = now
        self._throttling = throttling
        self._tasks: list[DueTask] = []
        self._numbers = itertools.count()

    def __len__(self) -> int:
        return len(self._tasks)

    @property
    def due(self) -> float:
        """Time at which the next heartbeat is due; infinity if there is no task."""
        return self._tasks[0].due if self._tasks else inf

    @property
    def wait(self) -> float:
        """Seconds until then."""
        return max(self.due - self._now(), 0.0)

    def add(self, execution: ActivityExecution) -> bool:
        """Send this task's heartbeats, the first at once; returns whether there was room for it."""
        if len(self._tasks) >= MOST:
            execution.logger.error(
                "%s was handed out, but %s other tasks are: no heartbeats are sent for it, so it "
                "times out unless the other program sends them.",
                execution.activity_id,
                MOST,
            )
            return False
        timeout = execution.heartbeat_timeout or runner.DEFAULT_TASK_HEARTBEAT
        pace = HeartbeatPace(timeout, self._now())
        execution.is_handed_out = True
        execution.heartbeats = TaskHeartbeats(pace, self._now, self._throttling)
        self._push(self._now(), execution, execution.heartbeats)
        return True

    def send_due(self) -> list[ActivityExecution]:
        """Send the heartbeats that are due; returns the tasks that SWF no longer has."""
        ended = []
        while self.due <= self._now():
            execution, heartbeats = heapq.heappop(self._tasks)[2:]
            if _is_open(execution):
                self._push(heartbeats.due, execution, heartbeats)
            else:
                ended.append(execution)
        return ended

    def _push(self, due: float, execution: ActivityExecution, heartbeats: TaskHeartbeats) -> None:
        heapq.heappush(self._tasks, DueTask(due, next(self._numbers), execution, heartbeats))


def _is_open(execution: ActivityExecution) -> bool:
    """Send a heartbeat, and answer a request to cancel; whether SWF still has the task."""
    try:
        with ParentOnly("a heartbeat"):
            is_open = execution.heartbeat_in_background()
            return is_open and not (execution.cancel_requested and _is_canceled(execution))
    except Exception as error:  # the user's client may raise anything
        if execution.heartbeats:
            execution.heartbeats.note_error(error)  # or the next one would be due at once
        execution.logger.exception("A heartbeat of %s failed.", execution.activity_id)
        return True


def _is_canceled(execution: ActivityExecution) -> bool:
    """Answer that the task is canceled; whether SWF accepted it, or has the task no longer."""
    try:
        execution.cancel(CANCELED)
    except aws_errors.ERRORS as error:
        if error_code(error) == UNKNOWN:
            return True
        explanation = clients.explain(error, f"canceling {execution.activity_id}")
        execution.logger.warning("%s The next heartbeat tries again.", explanation.sentence)
        return False
    execution.logger.info("%s was handed out, and is canceled now.", execution.activity_id)
    return True


class HandedOutThread:
    """The thread that sends heartbeats for the process's tasks.

    Args:
        tasks: The tasks.
    """

    def __init__(self, tasks: HandedOutTasks | None = None) -> None:
        self.process = os.getpid()
        self._tasks = tasks or HandedOutTasks()
        self._new: list[ActivityExecution] = []
        self._changed = threading.Condition()
        self._is_running = False

    def keep(self, execution: ActivityExecution) -> None:
        """Send its heartbeats from now on."""
        with self._changed:
            self._new.append(execution)
            if not self._is_running:
                # A daemon: what another program does must not keep this one alive.
                threading.Thread(target=self._run, name="handed out", daemon=True).start()
                self._is_running = True
            self._changed.notify()

    def _run(self) -> None:
        while self._has_tasks():
            self._tasks.send_due()

    def _has_tasks(self) -> bool:
        """Wait until a heartbeat is due; whether there are any tasks."""
        with self._changed:
            if not self._new and len(self._tasks):
                self._changed.wait(min(self._tasks.wait, threading.TIMEOUT_MAX))
            for execution in self._new:
                self._tasks.add(execution)
            self._new.clear()
            self._is_running = bool(len(self._tasks))
            return self._is_running


_threads: list[HandedOutThread] = []


def current() -> TaskKeeper:
    """The keeper of the calling process."""
    # After a fork, the parent's thread does not exist; its tasks are the parent's.
    if not _threads or _threads[0].process != os.getpid():
        _threads[:] = [HandedOutThread()]
    return _threads[0]


def outcome(execution: ActivityExecution, result: Any) -> AttemptHandedOut:
    """The outcome of tasks that have handed their task out; their result is dropped."""
    if result:
        execution.logger.warning(
            "%s was handed out, so what its tasks returned is dropped; the program that has the "
            "token answers.",
            execution.activity_id,
        )
    return AttemptHandedOut()

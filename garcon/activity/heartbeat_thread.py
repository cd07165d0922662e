"""Background heartbeats: a thread sends them while a task runs.

Rules:

1. ``heartbeat_pace`` says when a heartbeat is due, by the time left to the task's deadline. The
   task's own heartbeats count, too.
2. The thread begins and ends with the task. But a task of less than a second leaves its thread to
   the next task; a second later the thread ends if there is none. To start and end a thread costs
   more than all else that a quick task costs.
3. The answer waits for a heartbeat that is being sent, but not for one that hangs in the network:
   its response is ignored.
4. No error of a heartbeat fails the task. SWF's response is kept with the execution, and the task's
   own next heartbeat raises it.
5. The child of a fork has no such thread, and leaves its parent's alone.
6. A task that never releases the interpreter lock starves the thread. So SWF notices the hang, as
   it should.
"""

import contextvars
import os
import threading
import time
from typing import Protocol

import msgspec

from garcon import runner
from garcon.activity.heartbeat_pace import HeartbeatPace
from garcon.activity.shared_throttling import HOST, SharedThrottling
from garcon.activity.task_execution import ActivityExecution, TaskHeartbeats, ignore_stale
from garcon.user_code.forks import ParentOnly

QUICK_TASK = 1.0
"""Seconds; a task that lasts longer ends its thread with it."""

HANG_TIMEOUT = 5.0
"""Seconds that a heartbeat may hold up the answer; a healthy one takes milliseconds."""


class Alarm(Protocol):
    """Lets the thread wait and be woken; a test decides when a wait passes."""

    def now(self) -> float:
        """Monotonic seconds."""

    def wait(self, timeout: float) -> object:
        """Wait until ``set``, or for so many seconds."""

    def set(self) -> None:
        """End the wait."""

    def clear(self) -> None:
        """Let the next wait last again."""


class EventAlarm(threading.Event):
    """A wakeup in real time."""

    now = staticmethod(time.monotonic)


class HeartbeatTask(msgspec.Struct):
    """The task in progress, as the thread sees it.

    Attributes:
        execution: The task.
        context: The context variables of the thread that executes it, for the logger's name.
        began: When it began, in monotonic seconds.
        heartbeats: When they are due.
    """

    execution: ActivityExecution
    context: contextvars.Context
    began: float
    heartbeats: TaskHeartbeats


class HeartbeatThread:
    """Heartbeats of the tasks that one thread executes, one after the other.

    Args:
        wakeup: Lets the thread wait.
        throttling: What the workers of the host share; memory of its own if not given.

    Attributes:
        process: The process that made it; its thread does not exist in a fork.
        throttling: What the workers of the host share.
        hangs: Whether a heartbeat hangs in the network; the next task gets another object.
    """

    def __init__(self, wakeup: Alarm, throttling: SharedThrottling | None = None) -> None:
        self.process = os.getpid()
        self.throttling = throttling or SharedThrottling()
        self.hangs = False
        self._wakeup = wakeup
        self._lock = (
            threading.Lock()
        )  # also held while a heartbeat is sent, so ``end`` waits for it
        self._task: HeartbeatTask | None = None
        self._is_running = False
        self._wakes_at = 0.0  # when the thread's current wait ends by itself

    def begin(self, execution: ActivityExecution) -> None:
        """Send heartbeats for this task from now on."""
        if execution.heartbeats is None:
            execution.heartbeats = self._heartbeats_of(execution)
        now, due = self._wakeup.now(), execution.heartbeats.due
        with self._lock:
            self._task = HeartbeatTask(
                execution, contextvars.copy_context(), now, execution.heartbeats
            )
            if not self._is_running:
                first = min(max(due - now, 0.0), QUICK_TASK)
                self._wakes_at = now + first
                self._is_running = self._start(execution, first)
            elif due < self._wakes_at:
                # The thread still waits as long as the last task allowed, which is too long.
                self._wakeup.set()

    def end(self) -> None:
        """Send no more heartbeats for the task."""
        if not self._lock.acquire(timeout=HANG_TIMEOUT):
            self.hangs = True
            if task := self._task:
                # By the time the response comes, the supervisor's record is of the next task.
                task.execution.on_stale = ignore_stale
            return
        self._task = None
        if self._wakes_at > self._wakeup.now() + QUICK_TASK:
            self._wakeup.set()  # so the thread ends now; after a quick task it wakes soon enough
        self._lock.release()

    def _heartbeats_of(self, execution: ActivityExecution) -> TaskHeartbeats:
        timeout = execution.heartbeat_timeout or runner.DEFAULT_TASK_HEARTBEAT
        # SWF's clock runs since the receipt; loading a long input may have taken some of the time.
        received_at = self._wakeup.now() - (time.monotonic() - execution.received)
        pace = HeartbeatPace(timeout, received_at)
        return TaskHeartbeats(pace, self._wakeup.now, self.throttling)

    def _start(self, execution: ActivityExecution, first: float) -> bool:
        thread = threading.Thread(
            target=self._run,
            args=(first,),
            name="heartbeats",
            daemon=True,  # one that hangs in the network must not keep the process alive
        )
        try:
            thread.start()
        except RuntimeError as error:  # the limit on threads is reached
            execution.logger.warning("No heartbeats for %s: %s.", execution.activity_id, error)
            return False
        return True

    # --- in the thread

    def _run(self, seconds: float | None) -> None:
        while seconds is not None:
            self._wakeup.wait(seconds)
            self._wakeup.clear()
            seconds = self._send_if_due()

    def _send_if_due(self) -> float | None:
        """Send a heartbeat if one is due; the seconds to wait then, ``None`` to end the thread."""
        with self._lock:
            task, now = self._task, self._wakeup.now()
            is_open = task is not None and (task.heartbeats.due > now or _send(task))
            # Set under the lock: ``begin`` must not count on a thread that is about to end.
            self._is_running = is_open and not self.hangs
            if task is None or not self._is_running:
                return None
            now = self._wakeup.now()  # sending may have taken its time
            wait = max(task.heartbeats.due - now, 0.0)
            if now < task.began + QUICK_TASK:
                # The task may still prove quick, and be the last: look again soon (rule 2).
                wait = min(wait, QUICK_TASK)
            self._wakes_at = now + wait
            return wait


_of_threads = threading.local()


def current() -> HeartbeatThread:
    """The heartbeats of the calling thread's tasks."""
    found: HeartbeatThread | None = getattr(_of_threads, "heartbeats", None)
    # After a fork, the parent's object may hold a locked lock, and its thread does not exist.
    if found is None or found.hangs or found.process != os.getpid():
        found = _of_threads.heartbeats = HeartbeatThread(EventAlarm(), HOST)
    return found


class BackgroundHeartbeats:
    """A block in which heartbeats are sent for a task.

    Args:
        execution: The task; its ``heartbeat_timeout`` sets the pace.
        thread: The heartbeats of the calling thread.
    """

    def __init__(self, execution: ActivityExecution, thread: HeartbeatThread) -> None:
        self._execution = execution
        self._thread = thread

    def __enter__(self) -> None:
        """Begin."""
        self._thread.begin(self._execution)

    def __exit__(self, *_: object) -> None:
        """End."""
        # A task that forks may return from the child too, where ``end`` could wait for a lock that
        # no thread there will release.
        if os.getpid() == self._thread.process:
            self._thread.end()


def _send(task: HeartbeatTask) -> bool:
    """Send one heartbeat; whether another makes sense."""
    return task.context.run(_heartbeat, task.execution, task.heartbeats)


def _heartbeat(execution: ActivityExecution, heartbeats: TaskHeartbeats) -> bool:
    try:
        with ParentOnly("a heartbeat"):
            return execution.heartbeat_in_background()
    except Exception as error:
        heartbeats.note_error(error)  # or the next one would be due at once
        execution.logger.exception("A heartbeat of %s failed.", execution.activity_id)
        return True

"""Signs of life in the background: a thread that beats while the work of a task goes on.

Rules:

1. It beats at a third of the heartbeat timeout: one beat may be lost to a throttle or a reset, and
   the next is still in time. A task that is done by then costs no call.
2. It begins and ends with the task. But a task of less than a second leaves it to its successor,
   and it ends when it looks around, a second later, and finds none: to start and end a thread costs
   more than all else that is done for a quick task.
3. The answer waits for a beat that is under way, but not for one that hangs in the network: what
   such a beat still brings is nobody's business any more.
4. Nothing that goes wrong in it fails the work. What SWF says is kept with the task, and the task's
   own next heartbeat raises it.
5. The child of a fork has no such thread, and leaves its parent's alone.
6. A task that never lets other threads run starves it. So SWF sees that hang, as it should.
"""

import contextvars
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from garcon import runner
from garcon.activity.execution import ActivityExecution, nobody

SHARE = 3  # beats in a heartbeat timeout; see rule 1
QUICK = 1.0  # seconds; a task that lasts longer has a thread that ends with it
HANGING = 5.0  # seconds that a beat may hold up the answer; a healthy one takes milliseconds


class Bell(Protocol):
    """Wakes the thread; ``Alarm``, in tests one whose waits pass when the test says so."""

    def now(self) -> float:
        """Seconds on a clock that never goes back."""

    def wait(self, timeout: float) -> object:
        """Until it rings, or so many seconds have passed."""

    def set(self) -> None:
        """Ring."""

    def clear(self) -> None:
        """It has been heard."""


class Alarm(threading.Event):
    """A bell in real time."""

    now = staticmethod(time.monotonic)


@dataclass
class Task:
    """A task in hand, as the thread knows it."""

    execution: ActivityExecution
    context: contextvars.Context  # its logger is that of the thread that does the work
    begun: float
    every: float
    due: float  # when the next beat is


class Beats:
    """The signs of life of the tasks that one thread does, one after the other."""

    def __init__(self, bell: Bell) -> None:
        self.process = os.getpid()
        self.hangs = False  # in the network; whoever finds it so takes new ones
        self._bell = bell
        self._lock = threading.Lock()  # held during a beat, too
        self._task: Task | None = None
        self._runs = False
        self._looks_at = 0.0  # when the thread looks around next, if nothing rings before

    def begin(self, execution: ActivityExecution) -> None:
        """A task is in hand."""
        every = (execution.heartbeat_timeout or runner.DEFAULT_TASK_HEARTBEAT) / SHARE
        now = self._bell.now()
        with self._lock:
            self._task = Task(execution, contextvars.copy_context(), now, every, now + every)
            if not self._runs:
                first = min(every, QUICK)
                self._looks_at = now + first
                self._runs = self._start(execution, first)
            elif self._task.due < self._looks_at:
                self._bell.set()

    def end(self) -> None:
        """It is in hand no more."""
        if not self._lock.acquire(timeout=HANGING):
            self.hangs = True
            if task := self._task:
                task.execution.on_stale = nobody
            return
        self._task = None
        if self._looks_at > self._bell.now() + QUICK:
            self._bell.set()
        self._lock.release()

    def _start(self, execution: ActivityExecution, first: float) -> bool:
        thread = threading.Thread(
            target=self._run,
            args=(first,),
            name="heartbeats",
            daemon=True,  # one that hangs in the network does not keep the process
        )
        try:
            thread.start()
        except RuntimeError as error:  # the machine has no thread left
            execution.logger.warning("No heartbeats of %s: %s.", execution.activity_id, error)
            return False
        return True

    # --- in the thread

    def _run(self, seconds: float | None) -> None:
        while seconds is not None:
            self._bell.wait(seconds)
            self._bell.clear()
            seconds = self._look()

    def _look(self) -> float | None:
        """Beat if it is time; returns how long to wait, or None where there is nothing to do."""
        with self._lock:
            task, now = self._task, self._bell.now()
            lives = task is not None and (task.due > now or _beat(task, now))
            self._runs = lives and not self.hangs
            if task is None or not self._runs:
                return None
            wait = task.due - now
            if now < task.begun + QUICK:
                wait = min(wait, QUICK)
            self._looks_at = now + wait
            return wait


_of_threads = threading.local()


def of_thread() -> Beats:
    """Those of the tasks that this thread does."""
    beats: Beats | None = getattr(_of_threads, "beats", None)
    if beats is None or beats.hangs or beats.process != os.getpid():
        beats = _of_threads.beats = Beats(Alarm())
    return beats


@contextmanager
def beating(execution: ActivityExecution, beats: Beats) -> Iterator[None]:
    """Within the block SWF hears that the task is alive.

    Args:
        execution: The task in hand; its ``heartbeat_timeout`` says how often.
        beats: Those of this thread.
    """
    beats.begin(execution)
    try:
        yield
    finally:
        if os.getpid() == beats.process:
            beats.end()


def _beat(task: Task, now: float) -> bool:
    """One sign of life; whether another one makes sense."""
    task.due = now + task.every
    return task.context.run(_show_life, task.execution)


def _show_life(execution: ActivityExecution) -> bool:
    try:
        return execution.beat()
    except Exception:
        execution.logger.exception("A heartbeat of %s failed.", execution.activity_id)
        return True

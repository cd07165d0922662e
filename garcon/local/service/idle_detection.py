"""Detection of idle clients, so that a virtual clock knows when it may jump.

- A thread that waits in the service is idle.
- A thread that was given a task is busy until the task is answered, the thread waits in the
  service again (it gave the task up, or lost it), or the thread has ended. So a worker that dies
  during a task does not stop the time, and its task times out.
- While the time is held, no thread counts as idle.

Where one thread polls and others do the work, the first rule is wrong: hold the time, or use the
wall clock.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread


class IdleDetector:
    """The threads that use one service; every method is called under the service's lock."""

    def __init__(self) -> None:
        self._callers: set[Thread] = set()
        self._waiting: Counter[Thread] = Counter()
        self._working: dict[str, Thread] = {}
        self._holds = 0

    def note_call(self, thread: Thread) -> None:
        """Note that a thread made a call."""
        self._callers.add(thread)

    def note_task(self, token: str, thread: Thread) -> None:
        """Note that a thread was given the task of this token."""
        self._working[token] = thread

    def note_answer(self, token: str) -> None:
        """Note that the task of this token was answered."""
        self._working.pop(token, None)

    @contextmanager
    def waiting(self, thread: Thread) -> Iterator[None]:
        """A block in which the thread waits in the service."""
        self._waiting[thread] += 1
        try:
            yield
        finally:
            self._waiting[thread] -= 1
            self._waiting += Counter()  # drops the threads with a count of 0

    def hold(self, change: int) -> None:
        """Hold the time once more (1) or once less (-1)."""
        self._holds += change

    def is_idle(self) -> bool:
        """Whether at least one thread waits and no thread is busy."""
        self._working = {
            token: thread for token, thread in self._working.items() if self._is_busy(thread)
        }
        return bool(self._waiting) and not self._working and not self._holds

    def _is_busy(self, thread: Thread) -> bool:
        return thread.is_alive() and thread not in self._waiting

    def has_one_client(self) -> bool:
        """Whether at most one of the threads that made calls is alive."""
        self._callers = {thread for thread in self._callers if thread.is_alive()}
        return len(self._callers) <= 1

"""Who waits and who works, so that a virtual clock knows when it may jump.

- A thread that waits in the service works on nothing.
- A thread that was handed a task works on it until the task is answered for, the thread waits in
  the service again (it gave the task up, or lost it), or the thread has ended. So a worker that
  dies with a task in its hands does not stop the time, and its task times out.
- While the time is held by somebody, nobody is idle.

Where one thread polls and others do the work, the first rule is wrong: hold the time, or use the
wall clock.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread


class Presence:
    """The threads that use one service; every method is called under the service's lock."""

    def __init__(self) -> None:
        self._callers: set[Thread] = set()
        self._waiting: Counter[Thread] = Counter()
        self._working: dict[str, Thread] = {}
        self._holds = 0

    def calls(self, thread: Thread) -> None:
        """A thread has made a call."""
        self._callers.add(thread)

    def takes(self, token: str, thread: Thread) -> None:
        """A thread was handed the task of this token."""
        self._working[token] = thread

    def answers(self, token: str) -> None:
        """Somebody has answered for the task of this token."""
        self._working.pop(token, None)

    @contextmanager
    def waiting(self, thread: Thread) -> Iterator[None]:
        """Within, a thread waits in the service."""
        self._waiting[thread] += 1
        try:
            yield
        finally:
            self._waiting[thread] -= 1
            self._waiting += Counter()  # drops those that wait no longer

    def hold(self, change: int) -> None:
        """Somebody holds the time (1), or lets it go (-1)."""
        self._holds += change

    def idle(self) -> bool:
        """Whether everybody waits, and at least one does."""
        self._working = {
            token: thread for token, thread in self._working.items() if self._is_busy(thread)
        }
        return bool(self._waiting) and not self._working and not self._holds

    def _is_busy(self, thread: Thread) -> bool:
        return thread.is_alive() and thread not in self._waiting

    def alone(self) -> bool:
        """Whether no other thread that uses the service is alive but those that wait."""
        self._callers = {each for each in self._callers if each.is_alive()}
        return len(self._callers) <= 1

"""One process, two task lists: a long poll open on each, and tasks given out one at a time.

Why two polls side by side: a poll lasts up to a minute and cannot be withdrawn, so polling the
lists in turn would let a task wait a minute on one while the other is asked. So each list has a
thread that does nothing but wait for SWF; everything else happens in the thread that calls.

Rules:

1. A list has at most one poll open, and is asked again only when the caller comes for the next
   task. So at most one task waits here while another is decided, and lists that are always full
   are served in turn: answers are given out as they came.
2. Nothing that a poll brought is lost: it is given out by ``next`` or, once no poll is to be
   opened any more, by ``wait``.
3. An error of a poll is raised to the caller in its turn; the other list's poll stays open.
"""

import threading
from collections.abc import Callable, Mapping
from queue import SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")


class Polls(Generic[T]):
    """Polls that are open, by the name of their list."""

    def __init__(self) -> None:
        self._orders: dict[str, SimpleQueue[Callable[[], T]]] = {}
        self._answers: SimpleQueue[tuple[str, T | BaseException]] = SimpleQueue()
        self._open: set[str] = set()

    @property
    def open(self) -> bool:
        """Whether an answer is still to come, or to be given out."""
        return bool(self._open)

    def next(self, polls: Mapping[str, Callable[[], T]]) -> T:
        """Have these polls open, unless their list has one open; the first answer of any.

        Args:
            polls: One long poll each, by the name of its list; called in the list's own thread.

        Raises:
            Exception: What the poll raised.
        """
        self.open_all(polls)
        return self.wait()

    def open_all(self, polls: Mapping[str, Callable[[], T]]) -> None:
        """Have these polls open, unless their list has one open."""
        for name in polls.keys() - self._open:
            self._order(name, polls[name])

    def wait(self) -> T:
        """The first answer of the open polls; there must be one.

        Raises:
            Exception: What the poll raised.
        """
        name, outcome = self._answers.get()
        self._open.discard(name)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def _order(self, name: str, poll: Callable[[], T]) -> None:
        if name not in self._orders:
            self._orders[name] = SimpleQueue()
            # A daemon: a process that is told to end at once does not wait out its polls.
            threading.Thread(target=self._serve, args=(name,), name=name, daemon=True).start()
        self._open.add(name)
        self._orders[name].put(poll)

    def _serve(self, name: str) -> None:
        while True:
            poll = self._orders[name].get()
            try:
                self._answers.put((name, poll()))
            except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
                self._answers.put((name, error))

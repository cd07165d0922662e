"""Long polls of several lists side by side; their results are returned one at a time.

A poll lasts up to a minute and cannot be withdrawn, so polling the lists in turn would let a task
wait a minute on one list while the other is polled. So each list has a thread that only waits for
SWF; everything else happens in the calling thread.

Rules:

1. A list has at most one open poll. It is polled again only when the caller asks for the next
   task, so at most one task waits here while another is decided. Results are returned in the order
   of their arrival, so full lists are served in turn.
2. Nothing that a poll returned is lost: ``next`` returns it or, once no poll is to be opened any
   longer, ``wait``.
3. The error of a poll is raised to the caller in its turn; the other list's poll stays open.
4. A single list with no other poll open is polled in the calling thread.
"""

import threading
from collections.abc import Callable, Mapping
from queue import SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")


class PollThreads(Generic[T]):
    """The open polls, by the name of their list."""

    def __init__(self) -> None:
        # Only the calling thread changes these; the threads share nothing but the queues.
        self._requests: dict[str, SimpleQueue[Callable[[], T]]] = {}
        self._results: SimpleQueue[tuple[str, T | BaseException]] = SimpleQueue()
        self._open: set[str] = set()

    @property
    def is_open(self) -> bool:
        """Whether a result is still to come, or to be returned."""
        return bool(self._open)

    def next(self, polls: Mapping[str, Callable[[], T]]) -> T:
        """Open these polls, unless their list has one open, and return the first result of any.

        Args:
            polls: One long poll for each list, by the list's name.

        Raises:
            Exception: What the poll raised.
        """
        if len(polls) == 1 and not self._open:
            (poll,) = polls.values()
            return poll()
        self.open_all(polls)
        return self.wait()

    def open_all(self, polls: Mapping[str, Callable[[], T]]) -> None:
        """Open these polls, each in its list's thread, unless the list has one open."""
        for name in polls.keys() - self._open:
            self._request(name, polls[name])

    def wait(self) -> T:
        """Wait for the first result of the open polls; there must be one.

        Raises:
            Exception: What the poll raised.
        """
        name, result = self._results.get()
        # Closed only now, and not when the poll returned: until its result is taken, the list must
        # not be polled again, or two tasks would wait here.
        self._open.discard(name)
        if isinstance(result, BaseException):
            raise result
        return result

    def _request(self, name: str, poll: Callable[[], T]) -> None:
        if name not in self._requests:
            self._requests[name] = SimpleQueue()
            # A daemon: a process that has to end at once does not wait for its polls.
            threading.Thread(target=self._serve, args=(name,), name=name, daemon=True).start()
        self._open.add(name)
        self._requests[name].put(poll)

    def _serve(self, name: str) -> None:
        while True:
            poll = self._requests[name].get()
            try:
                self._results.put((name, poll()))
            except BaseException as error:  # noqa: BLE001 - raised again in the calling thread
                self._results.put((name, error))

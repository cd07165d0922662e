"""A priority queue whose entries can be withdrawn.

Deadlines and task lists are both "the least key first, and many entries never get their turn":
a completed activity withdraws four timeouts. A withdrawn entry stays in the heap, dead, until it
comes to the top or the dead outnumber the living; so a withdrawal is cheap, and memory follows
the living. Among equal keys the oldest comes first.
"""

import heapq
import math
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

SMALL = 64
"""Entries below which clearing the dead away is not worth a pass over the heap."""


@dataclass(slots=True, eq=False)
class Entry(Generic[T]):
    """A place in the queue."""

    key: float
    item: T
    alive: bool = True


class LazyHeap(Generic[T]):
    """The queue: `push`, `peek`, `pop`, `withdraw`; its length counts the living."""

    __slots__ = ("_heap", "_live", "_serial")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Entry[T]]] = []
        self._live = 0
        self._serial = 0

    def __len__(self) -> int:
        return self._live

    def push(self, key: float, item: T) -> Entry[T]:
        """Queue an item; the entry is what `withdraw` takes."""
        entry = Entry(key, item)
        self._serial += 1
        self._live += 1
        heapq.heappush(self._heap, (key, self._serial, entry))
        return entry

    def peek(self) -> Entry[T] | None:
        """The living entry with the least key, left in its place."""
        while self._heap and not self._heap[0][2].alive:
            heapq.heappop(self._heap)
        return self._heap[0][2] if self._heap else None

    def least(self) -> float:
        """The least key, infinity if there is none."""
        entry = self.peek()
        return entry.key if entry else math.inf

    def pop(self) -> T:
        """Take the item of the least key.

        Raises:
            IndexError: nothing alive is left.
        """
        entry = self.peek()
        if entry is None:
            raise IndexError("pop from an empty queue")
        item = entry.item
        self.withdraw(entry)
        return item

    def withdraw(self, entry: Entry[T]) -> None:
        """Take an entry out; one that has already left is left alone."""
        if not entry.alive:
            return
        entry.alive = False
        # A task knows its entry and the entry its task: let go, so that both end here and now
        # and not when the garbage collector comes round.
        del entry.item
        self._live -= 1
        if len(self._heap) > SMALL and len(self._heap) > 2 * self._live:
            self._heap = [place for place in self._heap if place[2].alive]
            heapq.heapify(self._heap)

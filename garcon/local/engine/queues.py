"""A priority queue whose entries can be withdrawn.

Deadlines and task lists have the same form: the least key first, and many entries that never get
their turn (a completed activity withdraws four timeouts). A withdrawn entry stays in the heap,
dead, until it comes to the top or the dead outnumber the live ones; so a withdrawal is cheap, and
memory follows the live entries. Among equal keys the oldest comes first.
"""

import heapq
import math
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

SMALL = 64
"""Heap length up to which dead entries are not worth a pass that removes them."""


@dataclass(slots=True, eq=False)
class HeapEntry(Generic[T]):
    """A place in the queue."""

    key: float
    item: T
    alive: bool = True


class LazyHeap(Generic[T]):
    """The queue: `push`, `peek`, `pop`, `withdraw`; its length counts the live entries."""

    __slots__ = ("_heap", "_live", "_serial")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, HeapEntry[T]]] = []
        self._live = 0
        self._serial = 0

    def __len__(self) -> int:
        return self._live

    def push(self, key: float, item: T) -> HeapEntry[T]:
        """Queue an item; the returned entry is the argument of `withdraw`."""
        entry = HeapEntry(key, item)
        self._serial += 1
        self._live += 1
        heapq.heappush(self._heap, (key, self._serial, entry))
        return entry

    def peek(self) -> HeapEntry[T] | None:
        """The live entry with the least key, left in its place."""
        while self._heap and not self._heap[0][2].alive:
            heapq.heappop(self._heap)
        return self._heap[0][2] if self._heap else None

    def least(self) -> float:
        """The least key, infinity without entries."""
        entry = self.peek()
        return entry.key if entry else math.inf

    def pop(self) -> T:
        """Remove and return the item with the least key.

        Raises:
            IndexError: the queue has no live entry.
        """
        entry = self.peek()
        if entry is None:
            raise IndexError("pop from an empty queue")
        item = entry.item
        self.withdraw(entry)
        return item

    def withdraw(self, entry: HeapEntry[T]) -> None:
        """Remove an entry; one that was removed before changes nothing."""
        if not entry.alive:
            return
        entry.alive = False
        # A task refers to its entry and the entry to its task: cut the circle, so that both are
        # freed here and do not wait for the garbage collector.
        del entry.item
        self._live -= 1
        if len(self._heap) > SMALL and len(self._heap) > 2 * self._live:
            self._heap = [place for place in self._heap if place[2].alive]
            heapq.heapify(self._heap)

"""The queue with withdrawals."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garcon.local.engine.queues import SMALL, LazyHeap


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=200))
def test_live_entries_leave_in_order_of_key_and_age(pushes: list[tuple[int, bool]]) -> None:
    """After any withdrawals, the others leave by key, and the oldest first among equals."""
    heap: LazyHeap[int] = LazyHeap()
    entries = [heap.push(key, place) for place, (key, _) in enumerate(pushes)]
    for entry, (_, stays) in zip(entries, pushes, strict=True):
        if not stays:
            heap.withdraw(entry)
    expected = sorted((key, place) for place, (key, stays) in enumerate(pushes) if stays)
    assert len(heap) == len(expected)
    assert heap.least() == (expected[0][0] if expected else math.inf)
    assert [heap.pop() for _ in expected] == [place for _, place in expected]


def test_withdrawing_twice_changes_nothing_more() -> None:
    """The second withdrawal of an entry has no effect."""
    heap: LazyHeap[str] = LazyHeap()
    entry = heap.push(1, "a")
    heap.push(2, "b")
    heap.withdraw(entry)
    heap.withdraw(entry)
    assert len(heap) == 1


def test_an_empty_queue_has_nothing_to_pop() -> None:
    """To pop from an empty queue is an error, not None."""
    heap: LazyHeap[str] = LazyHeap()
    with pytest.raises(IndexError):
        heap.pop()


def test_dead_entries_do_not_pile_up() -> None:
    """Memory follows the live entries: after many withdrawals the heap is small again."""
    heap: LazyHeap[int] = LazyHeap()
    heap.push(0, 0)
    for place in range(10_000):
        heap.withdraw(heap.push(1, place))
    assert len(heap._heap) <= SMALL + 1

"""Counts of children in the process table, of the living and the dead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supervisor.ipc import channel, crash_record
from supervisor.parent.process_table import Child, Children, ProcessKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supervisor.ipc.counter_table import CounterTable

CALLS, SAMPLE = ("calls", "PollForActivityTask", "accepted"), ("sample", "open")


@pytest.fixture
def children() -> Iterator[Children]:
    """A table; what is in it at the end is closed."""
    made = Children()
    yield made
    for each in made:
        made.remove(each)


def born(children: Children, number: int) -> tuple[Child, CounterTable]:
    """A worker, and the counters that it writes."""
    ours, theirs = channel.pair()
    theirs.close()
    record = crash_record.make()
    child = Child(ProcessKind.WORKER, number, ours, crash_record=record)
    children.add(child)
    return child, crash_record.CrashRecord(record).counters()


def test_the_counts_of_all_workers_are_added_up(children: Children) -> None:
    """The number never falls: a worker's counts stay when it is removed."""
    (first, counters), (_, others) = born(children, 1), born(children, 2)
    counters.add(CALLS, 3)
    others.add(CALLS, 4)
    assert children.counters() == {CALLS: (7.0,)}
    counters.add(CALLS, 1)
    children.remove(first)
    assert children.counters() == {CALLS: (8.0,)}
    _, replacement = born(children, 3)
    replacement.add(CALLS)
    assert children.counters() == {CALLS: (9.0,)}


def test_a_sample_ends_with_the_process_that_took_it(children: Children) -> None:
    """The next sampler's takes its place, and is not added to it."""
    sampler, counters = born(children, 1)
    counters.put(SAMPLE, 90.0)
    counters.put(SAMPLE, 80.0)
    assert children.counters() == {SAMPLE: (80.0,)}
    children.remove(sampler)
    assert children.counters() == {}


def test_a_child_without_a_record_counts_nothing(children: Children) -> None:
    """A zygote has none."""
    ours, theirs = channel.pair()
    theirs.close()
    children.add(Child(ProcessKind.ZYGOTE, 1, ours))
    assert children.counters() == {}

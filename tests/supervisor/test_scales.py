"""Who works is weighed once a second; nobody else is."""

from __future__ import annotations

import os
from math import inf

from supervisor import channel, memory
from supervisor.children import Child, Kind
from supervisor.messages import TooBig
from supervisor.scales import Scales


def child(key: int, *, working: bool = True, killed: bool = False) -> Child:
    """A worker of our book, with a pid of its number."""
    ours, theirs = channel.pair()
    for each in (ours, theirs):
        each.close()
    return Child(Kind.WORKER, key, ours, key, working=working, killed=killed)


def test_who_works_and_is_too_big_is_told_once_a_second() -> None:
    """The idle look at themselves, the killed are on their way out."""
    book = [child(1), child(2), child(3, working=False), child(4, killed=True)]
    weighed = Scales(100, {1: 101, 2: 100, 3: 500, 4: 500}.__getitem__)
    assert weighed.next_look(book) <= 10.0
    assert weighed.look(book, 10.0) == [TooBig(1, 101)]
    assert weighed.next_look(book) == 11.0
    assert weighed.look(book, 10.9) == []
    assert weighed.look(book, 11.0) == [TooBig(1, 101)]


def test_nothing_is_waited_for_without_a_limit_or_without_work() -> None:
    """An idle pool is not woken."""
    assert Scales(None).next_look([child(1)]) == inf
    assert Scales(None).look([child(1)], 5.0) == []
    assert Scales(100).next_look([child(1, working=False)]) == inf


def test_a_process_has_a_size_and_one_that_is_gone_has_none() -> None:
    """What the kernel tells of this very process, and of nobody."""
    assert memory.resident(os.getpid()) > 5 << 20
    assert memory.resident(2**22 + 1) == 0

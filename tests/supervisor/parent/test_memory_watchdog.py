"""The memory watchdog: working workers are checked once a second, others never."""

from __future__ import annotations

from math import inf

from supervisor.ipc import channel
from supervisor.ipc.messages import MemoryExceeded
from supervisor.parent.memory_watchdog import MemoryWatchdog
from supervisor.parent.process_table import Child, ProcessKind


def child(key: int, *, working: bool = True, killed: bool = False) -> Child:
    """A worker whose pid is its number."""
    ours, theirs = channel.pair()
    for each in (ours, theirs):
        each.close()
    return Child(ProcessKind.WORKER, key, ours, key, working=working, killed=killed)


def test_a_working_worker_above_the_limit_is_found_once_a_second() -> None:
    """Idle workers check themselves, and killed ones are about to end."""
    children = [child(1), child(2), child(3, working=False), child(4, killed=True)]
    watchdog = MemoryWatchdog(100, {1: 101, 2: 100, 3: 500, 4: 500}.__getitem__)
    assert watchdog.next_check(children) <= 10.0
    assert watchdog.check(children, 10.0) == [MemoryExceeded(1, 101)]
    assert watchdog.next_check(children) == 11.0
    assert watchdog.check(children, 10.9) == []
    assert watchdog.check(children, 11.0) == [MemoryExceeded(1, 101)]


def test_without_a_limit_or_work_no_check_is_due() -> None:
    """An idle pool is not woken."""
    assert MemoryWatchdog(None).next_check([child(1)]) == inf
    assert MemoryWatchdog(None).check([child(1)], 5.0) == []
    assert MemoryWatchdog(100).next_check([child(1, working=False)]) == inf

"""Each worker's limits lie a little below the settings', and are reported once."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.child.worker_limits import SPREAD, WorkerLimits


def tasks_done(limit: int, jitter_seed: int) -> int:
    """The number of tasks after which a worker asks to be replaced."""
    limits = WorkerLimits(limit, None, random.Random(jitter_seed))
    return next(count for count in range(1, limit + 2) if limits.reason_to_leave())


@given(st.integers(1, 500), st.integers(0, 2**32))
def test_a_worker_asks_near_the_limit_of_tasks(limit: int, jitter_seed: int) -> None:
    """A worker asks at the limit at the latest, and at most a tenth of it earlier."""
    assert limit * (1 - SPREAD) - 1 <= tasks_done(limit, jitter_seed) <= limit


def test_workers_do_not_ask_together() -> None:
    """Of ten workers with the same limit no three ask after the same number of tasks."""
    counts = [tasks_done(1000, jitter_seed) for jitter_seed in range(10)]
    assert max(counts.count(each) for each in counts) <= 2


def test_a_worker_asks_when_it_has_grown() -> None:
    """A worker asks at the memory limit at the latest, and once."""
    sizes = iter([10, 85, 100, 200])
    limits = WorkerLimits(None, 100 << 20, random.Random(1), lambda _: next(sizes) << 20)
    assert [limits.reason_to_leave() for _ in range(4)] == [
        "",
        "",
        "memory limit reached, 100 MiB held",
        "",
    ]


def test_without_limits_no_worker_asks() -> None:
    """Without a limit the memory is not even read."""
    limits = WorkerLimits(None, None, random.Random(1), lambda _: pytest.fail("read"))
    assert not any(limits.reason_to_leave() for _ in range(100))

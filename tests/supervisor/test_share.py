"""Each worker's share is a little below the limit, and is asked about once."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.share import SPREAD, Share


def tasks_done(limit: int, seed: int) -> int:
    """After how many tasks a worker asks."""
    share = Share(limit, None, random.Random(seed))
    return next(count for count in range(1, limit + 2) if share.spent())


@given(st.integers(1, 500), st.integers(0, 2**32))
def test_a_worker_asks_near_the_limit_of_tasks(limit: int, seed: int) -> None:
    """Never later than the limit, and at most a tenth of it earlier."""
    assert limit * (1 - SPREAD) - 1 <= tasks_done(limit, seed) <= limit


def test_workers_do_not_ask_together() -> None:
    """Of ten workers with the same limit no three ask after the same task."""
    asked = [tasks_done(1000, seed) for seed in range(10)]
    assert max(asked.count(each) for each in asked) <= 2


def test_a_worker_asks_when_it_has_grown() -> None:
    """At the limit of memory at the latest, and once."""
    sizes = iter([10, 85, 100, 200])
    share = Share(None, 100 << 20, random.Random(1), lambda _: next(sizes) << 20)
    assert [share.spent() for _ in range(4)] == ["", "", "it holds 100 MiB of memory", ""]


def test_without_limits_nobody_asks_and_nothing_is_looked_at() -> None:
    """No limit, no cost."""
    share = Share(None, None, random.Random(1), lambda _: pytest.fail("looked at"))
    assert not any(share.spent() for _ in range(100))

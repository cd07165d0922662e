"""The waits between attempts."""

from __future__ import annotations

import random
from random import Random
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from garcon.aws.backoff import Backoff
from supervisor import backoff as supervisors

if TYPE_CHECKING:
    import pytest

WAITS = Backoff(first=1.0, factor=2.0, cap=30.0, jitter=0.5)
EXACT = Backoff(first=0.25, factor=1.5, cap=10.0, jitter=0.0)


def test_waits_grow_by_the_factor_up_to_the_cap() -> None:
    """Without jitter the waits are exact, and never shorter than the one before."""
    found = [EXACT.wait_after(attempts) for attempts in range(20)]
    assert found[:4] == [0.0, 0.25, 0.375, 0.5625]
    assert found == sorted(found)
    assert found[-1] == 10.0


@given(st.integers(1, 10_000), st.integers())
def test_jitter_only_takes_away(attempts: int, seed: int) -> None:
    """A wait lies between half of its bound and all of it, however many attempts failed."""
    bound = min(2.0 ** min(attempts - 1, 10), 30.0)
    assert bound / 2 <= WAITS.wait_after(attempts, Random(seed)) <= bound


def test_a_fork_draws_its_own_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The generator is that of the random module, the only one that Python seeds anew in a fork."""
    monkeypatch.setattr(random, "uniform", lambda low, _high: low)
    assert WAITS.wait_after(1) == 0.5


@given(st.integers(0, 100), st.integers())
def test_the_supervisor_computes_the_same_waits(attempts: int, seed: int) -> None:
    """The supervising process must not import garcon, so it has this value a second time."""
    own = supervisors.Backoff(first=1.0, factor=2.0, cap=30.0, jitter=0.5)
    wait = WAITS.wait_after(attempts, Random(seed))
    assert own.wait_after(attempts, Random(seed)) == wait

"""Waits between attempts: bounds, growth and jitter."""

from __future__ import annotations

import itertools
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from supervisor.backoff import Backoff

BACKOFF = Backoff(first=0.5, factor=2.0, cap=30.0, jitter=0.5)

seeds = st.integers(0, 1000)


def test_without_a_failure_there_is_no_wait() -> None:
    """The first attempt, and the one after a success, are made at once."""
    assert BACKOFF.wait_after(0, Random(0)) == 0.0


def test_the_first_wait_is_the_one_that_was_set() -> None:
    """Without jitter the waits are exactly those that the settings say."""
    exact = Backoff(first=0.25, factor=3.0, cap=5.0, jitter=0.0)
    waits = [exact.wait_after(attempts, Random(0)) for attempts in range(1, 6)]
    assert waits == [0.25, 0.75, 2.25, 5.0, 5.0]


@given(seeds)
def test_waits_grow_by_the_factor(seed: int) -> None:
    """With the same draw, every wait below the cap is twice the one before."""
    waits = [BACKOFF.wait_after(attempts, Random(seed)) for attempts in range(1, 6)]
    assert [round(b / a, 9) for a, b in itertools.pairwise(waits)] == [2.0] * 4


@given(st.integers(1, 10**30), seeds)
def test_a_wait_lies_between_half_the_first_and_the_cap(attempts: int, seed: int) -> None:
    """However many failures there were: never above the cap, never below half the first wait."""
    assert 0.25 <= BACKOFF.wait_after(attempts, Random(seed)) <= 30.0


def test_integers_are_safe_for_any_number_of_failures() -> None:
    """A factor given as an integer is not raised to a number that fills the memory."""
    assert Backoff(1, 2, 60, 0).wait_after(10**18, Random(0)) == 60


def test_clients_that_failed_together_do_not_come_back_together() -> None:
    """Eight slots that failed as often as each other wait differently long."""
    random = Random(0)
    assert len({BACKOFF.wait_after(3, random) for _ in range(8)}) == 8


@given(seeds)
def test_the_longest_wait_is_the_cap_with_jitter(seed: int) -> None:
    """It is the wait after very many failures."""
    assert BACKOFF.longest_wait(Random(seed)) == BACKOFF.wait_after(10**6, Random(seed))

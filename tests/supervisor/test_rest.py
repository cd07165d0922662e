"""Rests and intensity: pure functions of numbers."""

from __future__ import annotations

import itertools
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from supervisor.core.intensity import recent, too_many
from supervisor.core.rest import rest
from supervisor.settings import Settings

SETTINGS = Settings(rest_initial=0.5, rest_factor=2.0, rest_cap=30.0)

times = st.lists(st.floats(0, 1000), max_size=20)
seeds = st.integers(0, 1000)


def test_what_had_lasted_is_tried_again_at_once() -> None:
    """No early end, no rest."""
    assert rest(SETTINGS, 0, Random(0)) == 0.0


@given(seeds)
def test_rests_grow_by_the_factor(seed: int) -> None:
    """The same dice make every rest below the cap twice the one before."""
    rests = [rest(SETTINGS, n, Random(seed)) for n in range(1, 6)]
    assert [round(b / a, 9) for a, b in itertools.pairwise(rests)] == [2.0] * 4


@given(st.integers(1, 10_000), seeds)
def test_a_rest_lies_between_half_of_it_and_the_cap(early_ends: int, seed: int) -> None:
    """However many early ends there were: never above the cap, never below half the first."""
    assert 0.25 <= rest(SETTINGS, early_ends, Random(seed)) <= 30.0


def test_what_died_together_does_not_come_back_together() -> None:
    """Eight seats with one outage rest differently long."""
    dice = Random(0)
    assert len({rest(SETTINGS, 3, dice) for _ in range(8)}) == 8


@given(times, st.integers(0, 20))
def test_deaths_are_too_many_when_more_than_allowed_are_recent(
    deaths: list[float], allowed: int
) -> None:
    """The verdict is the count of the recent ones, and nothing else."""
    late = [each for each in deaths if each > 940]
    assert too_many(deaths, 1000, 60, allowed) == (len(late) > allowed)


def test_a_death_is_forgotten_when_the_period_is_over() -> None:
    """A death exactly one period ago counts no more; one a moment younger does."""
    assert recent([40.0, 40.5], now=100.0, period=60.0) == [40.5]

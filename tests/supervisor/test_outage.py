"""Rests grow, are jittered and bounded; lines are few."""

from __future__ import annotations

import itertools
import random

from hypothesis import given
from hypothesis import strategies as st

from supervisor.outage import FIRST_REST, LINE_EVERY, LONGEST_REST, Outage


@given(st.integers(0, 2**32), st.integers(1, 200))
def test_rests_stay_between_half_the_first_and_the_longest(seed: int, fails: int) -> None:
    """No rest is near zero, so nothing spins, and none exceeds the cap."""
    outage = Outage(random.Random(seed))
    rests = [outage.failed(float(n))[0] for n in range(fails)]
    assert all(FIRST_REST / 2 <= rest <= LONGEST_REST for rest in rests)
    assert rests[-1] >= min(LONGEST_REST, FIRST_REST * 2.0 ** (fails - 1)) / 2


@given(st.lists(st.floats(0.1, 30), min_size=1, max_size=100))
def test_one_line_at_the_beginning_and_at_most_one_a_minute(gaps: list[float]) -> None:
    """The first failure is told; later lines are a minute or more apart."""
    outage, now, spoken = Outage(random.Random(1)), 0.0, []
    for gap in gaps:
        now += gap
        if outage.failed(now)[1]:
            spoken.append(now)
    assert spoken[0] == gaps[0]
    assert all(later - sooner >= LINE_EVERY for sooner, later in itertools.pairwise(spoken))


def test_the_end_tells_how_long_it_lasted_and_starts_over() -> None:
    """After a success rests are short again and the next trouble is told anew."""
    outage = Outage(random.Random(1))
    assert outage.over(5.0) is None
    for second in range(20):
        outage.failed(100.0 + second)
    assert outage.over(130.0) == 30.0
    rest, speak = outage.failed(131.0)
    assert speak
    assert rest <= FIRST_REST

"""Rests grow, are jittered and bounded; lines are few, however many workers there are."""

from __future__ import annotations

import itertools
import os
import random

from hypothesis import given
from hypothesis import strategies as st

from supervisor.outage import FIRST_REST, LINE_EVERY, LONGEST_REST, Outage, Voice, voices


@given(st.integers(0, 2**32), st.integers(1, 200))
def test_rests_stay_between_half_the_first_and_the_longest(seed: int, fails: int) -> None:
    """No rest is near zero, so nothing spins, and none exceeds the cap."""
    outage = Outage(random.Random(seed))
    rests = [outage.failed(float(n))[0] for n in range(fails)]
    assert all(FIRST_REST / 2 <= rest <= LONGEST_REST for rest in rests)
    assert rests[-1] >= min(LONGEST_REST, FIRST_REST * 2.0 ** (fails - 1)) / 2


@given(st.lists(st.floats(0.1, 30), min_size=1, max_size=100), st.integers(1, 5))
def test_one_line_at_the_beginning_and_at_most_one_a_minute(gaps: list[float], many: int) -> None:
    """The first failure is told; later lines are a minute or more apart, of all workers."""
    voice, now, spoken = Voice(), 0.0, []
    workers = itertools.cycle([Outage(random.Random(1), voice) for _ in range(many)])
    for gap in gaps:
        now += gap
        if next(workers).failed(now)[1]:
            spoken.append(now)
    assert spoken[0] == gaps[0]
    assert all(later - sooner >= LINE_EVERY for sooner, later in itertools.pairwise(spoken))


def test_the_end_tells_how_long_it_lasted_and_starts_over() -> None:
    """After a success rests are short again, and trouble a minute later is told anew."""
    outage = Outage(random.Random(1))
    assert outage.over(5.0) is None
    for second in range(20):
        outage.failed(100.0 + second)
    assert outage.over(130.0) == 30.0
    rest, speak = outage.failed(100.0 + LINE_EVERY)
    assert speak
    assert rest <= FIRST_REST


def test_the_end_is_told_once_and_only_after_a_beginning() -> None:
    """Of all workers that come back one says so; trouble that nobody told of ends in silence."""
    voice = Voice()
    workers = [Outage(random.Random(n), voice) for n in range(3)]
    for each in workers:
        each.failed(100.0)
    assert [each.over(110.0) for each in workers] == [10.0, None, None]
    assert not workers[0].failed(120.0)[1]
    assert workers[0].over(121.0) is None


def test_forked_processes_share_a_voice_and_task_lists_do_not() -> None:
    """What one process has told the others of its list do not tell; another list has its own."""
    heard = voices(["a", "b"])
    child = os.fork()
    if child == 0:
        os._exit(not heard["a"].begins(100.0))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert not heard["a"].begins(101.0)
    assert heard["b"].begins(101.0)

"""Trying again."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from garcon.insist import LONGEST_REST, Patience, insist, rests
from tests.garcon.fakes import THROTTLED, FakeClock, refusal


def answers(*each: Any) -> Any:
    """A call with prepared answers."""
    prepared = iter(each)

    def send() -> Any:
        answer = next(prepared)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return send


@given(st.floats(0, 1, exclude_max=True))
def test_rests_grow_to_a_bound_and_vary(draw: float) -> None:
    """Each is at least half of a doubling bound, and none is longer than half a minute."""
    found = list(itertools.islice(rests(lambda: draw), 10))
    bounds = [min(2.0**n, LONGEST_REST) for n in range(10)]
    assert all(bound / 2 <= rest <= bound for rest, bound in zip(found, bounds, strict=True))


def test_insisting_returns_what_the_call_returned() -> None:
    """Passing troubles are told, with the rest that follows, and rested on."""
    clock, told = FakeClock(), []
    trouble = refusal(THROTTLED)
    result = insist(
        answers(trouble, trouble, "accepted"),
        clock.now() + 100,
        lambda *each: told.append(each),
        clock.clock,
    )
    assert result == "accepted"
    assert [rest for _, rest in told] == clock.slept
    assert [error for error, _ in told] == [trouble, trouble]


def test_a_permanent_trouble_is_raised_at_once() -> None:
    """Nothing is tried again that cannot succeed."""
    clock = FakeClock()
    with pytest.raises(ClientError):
        insist(
            answers(refusal("AccessDeniedException"), "never"),
            clock.now() + 100,
            lambda *_: None,
            clock.clock,
        )
    assert clock.slept == []


def test_nothing_is_tried_beyond_the_deadline() -> None:
    """The last error is raised while there is time left, not after it."""
    clock = FakeClock()
    deadline = clock.now() + 10
    with pytest.raises(ClientError):
        insist(answers(*[refusal(THROTTLED)] * 99), deadline, lambda *_: None, clock.clock)
    assert 2 < sum(clock.slept) <= 10


def test_patience_grows_and_starts_over() -> None:
    """A loop that fails rests longer each time, until it succeeds."""
    clock = FakeClock()
    patience = Patience(clock.clock)
    for _ in range(3):
        patience.rest()
    patience.reset()
    patience.rest()
    assert clock.slept[2] >= 2
    assert clock.slept[3] <= 1

"""Retries: calls that are repeated until SWF accepts them, and pauses of polling loops."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from garcon.aws.backoff import Backoff
from garcon.aws.retrying import Clock, PollBackoff, call_until_accepted
from tests.garcon.fakes import THROTTLED, FakeClock, refusal


def answers(*prepared: Any) -> Any:
    """A call with prepared answers."""
    left = iter(prepared)

    def call() -> Any:
        answer = next(left)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return call


def test_the_call_is_repeated_until_it_returns() -> None:
    """Each transient error is reported with the wait that follows, and waited for."""
    clock, retries = FakeClock(), []
    error = refusal(THROTTLED)
    result = call_until_accepted(
        answers(error, error, "accepted"),
        100,
        lambda *args: retries.append(args),
        clock=clock.clock,
    )
    assert result == "accepted"
    assert [wait for _, wait in retries] == clock.slept
    assert [error for error, _ in retries] == [error, error]


def test_the_waits_are_those_of_the_backoff() -> None:
    """A caller with another pace passes its own backoff."""
    clock = FakeClock()
    waits = Backoff(first=3, factor=10, cap=20, jitter=0)
    call_until_accepted(
        answers(*[refusal(THROTTLED)] * 3, "accepted"), 100, clock=clock.clock, backoff=waits
    )
    assert clock.slept == [3, 20, 20]


def test_a_permanent_error_is_raised_at_once() -> None:
    """Nothing is repeated that cannot succeed."""
    clock = FakeClock()
    with pytest.raises(ClientError):
        call_until_accepted(
            answers(refusal("AccessDeniedException"), "never"), 100, clock=clock.clock
        )
    assert clock.slept == []


def test_the_caller_says_which_errors_are_transient() -> None:
    """An error that someone can repair is waited for where the caller wants that."""
    clock = FakeClock()
    denied = refusal("AccessDeniedException")
    result = call_until_accepted(
        answers(denied, "accepted"), 100, clock=clock.clock, is_transient=lambda _: True
    )
    assert result == "accepted"


def test_an_error_that_is_not_of_aws_is_never_retried() -> None:
    """A fault of the program is raised at once, whatever the caller calls transient."""
    clock = FakeClock()
    with pytest.raises(ZeroDivisionError):
        call_until_accepted(
            answers(ZeroDivisionError()), 100, clock=clock.clock, is_transient=lambda _: True
        )


def test_no_attempt_begins_after_the_timeout() -> None:
    """The last error is raised while there is time left, not after it."""
    clock = FakeClock()
    with pytest.raises(ClientError):
        call_until_accepted(answers(*[refusal(THROTTLED)] * 99), 10, clock=clock.clock)
    assert 2 < sum(clock.slept) <= 10


def test_a_process_that_is_to_end_stops_the_retries() -> None:
    """A sleep that returns False was interrupted by a shutdown: the call's error is raised."""
    waits: list[float] = []

    def interrupted(seconds: float) -> bool:
        waits.append(seconds)
        return len(waits) < 2

    with pytest.raises(ClientError):
        call_until_accepted(answers(*[refusal(THROTTLED)] * 9), 100, clock=Clock(sleep=interrupted))
    assert len(waits) == 2


def test_a_polling_loop_pauses_longer_until_a_poll_succeeds() -> None:
    """Pauses grow while polls fail, and start over after a success."""
    clock = FakeClock()
    polls = PollBackoff(clock.clock)
    for _ in range(3):
        polls.pause()
    polls.reset()
    polls.pause()
    assert clock.slept[2] >= 2
    assert clock.slept[3] <= 1

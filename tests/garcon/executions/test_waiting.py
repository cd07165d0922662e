"""Waits for an execution, in simulated time."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garcon.aws.retrying import Clock
from garcon.executions import Execution, NotFound, RequestRefused, StillOpen
from garcon.executions.waiting import BACKOFF, START_LAG, Watch
from tests.garcon.histories import History

RUN = Execution("order-17", "run-1")


class Time:
    """A clock that only waits advance."""

    def __init__(self) -> None:
        self.now = 0.0
        self.clock = Clock(now=lambda: self.now, sleep=self._sleep)

    def _sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.now += seconds


def closed_history() -> list[dict[str, Any]]:
    """A closed execution of five events."""
    history = History()
    history.scheduled("a")
    history.completed("a-1")
    history.add("WorkflowExecutionCompleted")
    return history.events


def follow(time: Time, read: Any, timeout: float | None = None) -> Any:
    """All new events and all reported errors of a watch."""
    errors: list[str] = []
    new = list(Watch(read, errors.append, time.clock, timeout).follow(RUN))
    return new, errors


def test_waits_grow_from_a_quarter_second_to_ten() -> None:
    """The first wait is short, none is longer than ten seconds, and they never shrink."""
    waits = [BACKOFF.wait_after(polls) for polls in range(1, 31)]
    assert (waits[0], waits[-1]) == (0.25, 10)
    assert waits == sorted(waits)


@given(st.lists(st.floats(0.0, 300.0), min_size=5, max_size=5))
def test_every_event_comes_once_and_the_end_is_seen_soon(gaps: list[float]) -> None:
    """Each event comes once, and the end is seen late by at most half of the silence before it."""
    time, events = Time(), closed_history()
    moments = list(itertools.accumulate(gaps))
    seen_at = [0.0]

    def read(_: Execution, seen: int) -> Any:
        count = sum(moment <= time.now for moment in moments)
        if events[seen:count]:
            seen_at.append(time.now)
        return events[seen:count]

    new, _ = follow(time, read)
    assert [event for each in new for event in each.events] == events
    *_, before, last = seen_at
    assert last - moments[-1] <= min(BACKOFF.cap, 0.25 + (moments[-1] - before) / 2) + 1e-6


def test_waits_start_over_with_each_new_event() -> None:
    """After a long silence, the poll after a new event follows in a quarter of a second."""
    time, events = Time(), closed_history()
    polls: list[tuple[float, int]] = []

    def read(_: Execution, seen: int) -> Any:
        polls.append((time.now, seen))
        count = 1 + (time.now > 60) + (time.now > 120) * 3
        return events[seen:count]

    follow(time, read)
    after_events = [b[0] - a[0] for a, b in itertools.pairwise(polls) if b[1] != a[1]]
    assert after_events == [pytest.approx(0.25)] * 2


def test_the_timeout_is_kept_to_the_moment() -> None:
    """The last wait is no longer than what is left of the timeout."""
    time = Time()
    with pytest.raises(StillOpen, match="still open after 7 s"):
        follow(time, lambda *_: closed_history()[:1], 7)
    assert time.now == pytest.approx(7)


def test_a_transient_error_is_reported_and_the_wait_goes_on() -> None:
    """After the error the history is polled again, and no event is missed."""
    time, events = Time(), closed_history()
    errors_to_come = [RequestRefused("Throttled.", transient=True)] * 2

    def read(_: Execution, seen: int) -> Any:
        if errors_to_come and seen == 0:
            raise errors_to_come.pop()
        return events[seen:]

    new, errors = follow(time, read)
    assert new[0].events == events
    assert errors == ["Throttled. Polling its history again."] * 2
    assert time.now > 0


def test_a_permanent_error_ends_the_wait() -> None:
    """An error that another call will not cure is raised as it is."""

    def read(*_: Any) -> Any:
        raise RequestRefused("No permission.", transient=False)

    with pytest.raises(RequestRefused, match="No permission"):
        follow(Time(), read)


def test_a_new_execution_may_be_unknown_for_a_moment() -> None:
    """SWF's answers lag behind a start: an unknown execution is polled a few seconds longer."""
    time = Time()

    def appears(_: Execution, seen: int) -> Any:
        if time.now < 1:
            raise NotFound("Unknown.")
        return closed_history()[seen:]

    new, errors = follow(time, appears)
    assert len(new[0].events) == 5
    assert set(errors) == {"Unknown. Polling its history again."}

    def never(*_: Any) -> Any:
        raise NotFound("Unknown.")

    begun = time.now
    with pytest.raises(NotFound):
        follow(time, never)
    assert START_LAG < time.now - begun < START_LAG + BACKOFF.cap


def test_an_execution_that_vanishes_is_not_waited_for() -> None:
    """Once it was seen, an unknown execution is one that SWF has deleted."""

    def read(_: Execution, seen: int) -> Any:
        if seen:
            raise NotFound("Unknown.")
        return closed_history()[:1]

    time = Time()
    with pytest.raises(NotFound):
        follow(time, read)
    assert time.now < START_LAG


def test_two_thousand_runs_are_followed() -> None:
    """An execution that continues as new again and again does not exhaust the stack."""

    def read(run: Execution, seen: int) -> Any:
        history = History()
        number = int(run.run_id.removeprefix("run-"))
        if number < 2_000:
            history.add("WorkflowExecutionContinuedAsNew", newExecutionRunId=f"run-{number + 1}")
        else:
            history.add("WorkflowExecutionCompleted")
        return history.events[seen:]

    new, _ = follow(Time(), read)
    assert new[-1].execution == Execution("order-17", "run-2000")

"""Waiting for an execution, in simulated time."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garcon.insist import Clock
from garcon.workflow import Execution, NotFound, Refused, StillOpen
from garcon.workflow.looking import APPEARING, LONGEST_REST, Watch, rests
from tests.garcon.histories import History

RUN = Execution("order-17", "run-1")


class Time:
    """A clock that only rests move."""

    def __init__(self) -> None:
        self.now = 0.0
        self.clock = Clock(now=lambda: self.now, sleep=self._sleep)

    def _sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.now += seconds


def story() -> list[dict[str, Any]]:
    """A closed execution of five events."""
    told = History()
    told.scheduled("a")
    told.completed("a-1")
    told.add("WorkflowExecutionCompleted")
    return told.events


def follow(time: Time, read: Any, timeout: float | None = None) -> Any:
    """All that a watch tells."""
    told: list[str] = []
    news = list(Watch(read, told.append, time.clock, timeout).follow(RUN))
    return news, told


def test_rests_grow_to_ten_seconds() -> None:
    """The first are short, none is longer than the longest, and they never shrink."""
    found = list(itertools.islice(rests(), 30))
    assert found[0] == 0.25
    assert found == sorted(found)
    assert found[-1] == LONGEST_REST


@given(st.lists(st.floats(0.0, 300.0), min_size=5, max_size=5))
def test_every_event_is_told_once_and_the_end_not_much_too_late(waits: list[float]) -> None:
    """Whenever events come, each is heard once, and late by half of the silence at most."""
    time, events = Time(), story()
    moments = list(itertools.accumulate(waits))
    heard = [0.0]

    def read(_: Execution, seen: int) -> Any:
        come = sum(moment <= time.now for moment in moments)
        if events[seen:come]:
            heard.append(time.now)
        return events[seen:come]

    news, _ = follow(time, read)
    assert [each for one in news for each in one.events] == events
    *_, before, last = heard
    assert last - moments[-1] <= min(LONGEST_REST, 0.25 + (moments[-1] - before) / 2) + 1e-6


def test_rests_start_over_with_every_event() -> None:
    """After a long silence, the look after the news follows soon."""
    time, events = Time(), story()
    looks: list[tuple[float, int]] = []

    def read(_: Execution, seen: int) -> Any:
        looks.append((time.now, seen))
        come = 1 + (time.now > 60) + (time.now > 120) * 3
        return events[seen:come]

    follow(time, read)
    after = [b[0] - a[0] for a, b in itertools.pairwise(looks) if b[1] != a[1]]
    assert after == [pytest.approx(0.25)] * 2


def test_the_timeout_is_kept_to_the_moment() -> None:
    """The last rest is no longer than what is left."""
    time = Time()
    with pytest.raises(StillOpen, match="still open after 7 s"):
        follow(time, lambda *_: story()[:1], 7)
    assert time.now == pytest.approx(7)


def test_a_passing_trouble_is_told_and_rested_on() -> None:
    """The wait goes on, and nothing that happened meanwhile is missed."""
    time, events = Time(), story()
    troubles = [Refused("Throttled.", passing=True)] * 2

    def read(_: Execution, seen: int) -> Any:
        if troubles and seen == 0:
            raise troubles.pop()
        return events[seen:]

    news, told = follow(time, read)
    assert news[0].events == events
    assert told == ["Throttled. Looking again."] * 2
    assert time.now > 0


def test_a_lasting_trouble_ends_the_wait() -> None:
    """It is raised as it is."""

    def read(*_: Any) -> Any:
        raise Refused("No permission.", passing=False)

    with pytest.raises(Refused, match="No permission"):
        follow(Time(), read)


def test_an_execution_may_take_a_moment_to_be_seen() -> None:
    """SWF answers about a new execution late; unknown for longer, it is not there."""
    time = Time()

    def appears(_: Execution, seen: int) -> Any:
        if time.now < 1:
            raise NotFound("Unknown.")
        return story()[seen:]

    news, told = follow(time, appears)
    assert len(news[0].events) == 5
    assert set(told) == {"Unknown."}

    def never(*_: Any) -> Any:
        raise NotFound("Unknown.")

    begun = time.now
    with pytest.raises(NotFound):
        follow(time, never)
    assert APPEARING < time.now - begun < APPEARING + LONGEST_REST


def test_an_execution_that_vanishes_is_not_waited_for() -> None:
    """Once it was seen, unknown means that SWF has forgotten it."""

    def read(_: Execution, seen: int) -> Any:
        if seen:
            raise NotFound("Unknown.")
        return story()[:1]

    time = Time()
    with pytest.raises(NotFound):
        follow(time, read)
    assert time.now < APPEARING


def test_a_thousand_runs_are_followed() -> None:
    """An execution that continues as new for ever does not exhaust the stack."""

    def read(run: Execution, seen: int) -> Any:
        told = History()
        number = int(run.run_id.removeprefix("run-"))
        if number < 2_000:
            told.add("WorkflowExecutionContinuedAsNew", newExecutionRunId=f"run-{number + 1}")
        else:
            told.add("WorkflowExecutionCompleted")
        return told.events[seen:]

    news, _ = follow(Time(), read)
    assert news[-1].execution == Execution("order-17", "run-2000")

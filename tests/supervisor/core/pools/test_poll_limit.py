"""The poll limit: how it grows with waiting tasks, shrinks without them, and takes an outage."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.core.pools.poll_limit import AT_ONCE, CEILING_SECONDS, PROBES, THROTTLED, PollLimit
from supervisor.ipc.messages import PollEnd

WORKERS = 64


def limit_after(*ends: PollEnd | float, others: int = 0, least: int = 1) -> PollLimit:
    """The limit of 64 workers after polls that ended so, or brought a task after so many seconds.

    Each ends a second after the one before, the first at 0.
    """
    limit = PollLimit()
    limit.bound(least, 10_000, WORKERS)
    for now, end in enumerate(ends):
        if isinstance(end, PollEnd):
            limit.note_end(end, others, now, Random(1))
        else:
            limit.note_task(end, now)
    return limit


def test_waiting_tasks_double_the_limit_up_to_the_number_of_workers() -> None:
    """A poll that brings a task at once is followed by two, these by four, up to all."""
    allowed = [limit_after(*[0.1] * polls).allowed for polls in range(8)]
    assert allowed == [1, 2, 4, 8, 16, 32, 64, 64]


def test_a_task_that_did_not_wait_changes_nothing() -> None:
    """One poll is enough for tasks that come one by one."""
    assert limit_after(*[AT_ONCE + 0.1] * 20).allowed == 1


def test_empty_polls_halve_the_limit_down_to_the_least() -> None:
    """After a burst an idle list is back at its least with as many polls as it took to grow."""
    assert limit_after(*[0.1] * 6, *[PollEnd.EMPTY] * 5).allowed == 2
    assert limit_after(*[0.1] * 6, *[PollEnd.EMPTY] * 9).allowed == 1
    assert limit_after(*[0.1] * 6, *[PollEnd.EMPTY] * 9, least=4).allowed == 4


def test_an_outage_leaves_one_prober_that_waits_longer_each_time() -> None:
    """The polls that were open fail and halve the limit; no poll is begun before its wait ends."""
    limit = limit_after(*[0.1] * 6)
    for _ in range(WORKERS):
        limit.note_end(PollEnd.FAILED, 0, 10.0, Random(1))
    assert limit.allowed == 1
    waits, now = [], 100.0
    for _ in range(12):
        limit.note_end(PollEnd.FAILED, 0, now, Random(1))
        waits.append(limit.backoff_until - now)
        now = limit.backoff_until
    assert max(waits) <= PROBES.cap
    assert waits[-1] >= PROBES.cap * (1 - PROBES.jitter)


def test_the_polls_that_fail_together_are_one_failure() -> None:
    """Sixty-four broken connections do not make the first wait the longest."""
    limit = limit_after(*[0.1] * 6)
    for _ in range(WORKERS):
        limit.note_end(PollEnd.FAILED, 0, 10.0, Random(1))
    assert limit.backoff_until <= 10.0 + PROBES.first


@pytest.mark.parametrize("answer", [PollEnd.EMPTY, 30.0, 0.1])
def test_any_answer_ends_the_outage(answer: PollEnd | float) -> None:
    """An empty poll and a task show alike that SWF is back."""
    limit = limit_after(*[PollEnd.FAILED] * 9, answer)
    assert limit.backoff_until < 0
    limit.note_end(PollEnd.FAILED, 0, 100.0, Random(1))
    assert limit.backoff_until <= 100.0 + PROBES.first


def test_a_throttled_list_probes_less_often_than_one_in_an_outage() -> None:
    """The budget is the account's: the lists of all hosts share what is left of it."""
    limit, waits, now = limit_after(), [], 100.0
    for _ in range(12):
        limit.note_end(PollEnd.THROTTLED, 0, now, Random(1))
        waits.append(limit.backoff_until - now)
        now = limit.backoff_until
    assert waits[0] <= THROTTLED.first
    assert THROTTLED.cap / 2 <= waits[-1] <= THROTTLED.cap
    limit.note_task(0.1, now)
    assert limit.backoff_until < 0
    assert limit.allowed == 2


def test_one_broken_connection_halves_the_limit() -> None:
    """The workers whose polls are answered go on."""
    limit = limit_after(*[0.1] * 6, PollEnd.FAILED)
    assert limit.allowed == 32
    assert limit.backoff_until > 6


def test_a_refused_poll_lowers_the_ceiling_and_delays_no_other() -> None:
    """SWF takes no more polls than those that are open, and the next may follow at once."""
    limit = limit_after(*[0.1] * 6, PollEnd.LIMITED, others=16)
    assert limit.allowed == 16
    assert limit.backoff_until < 0
    limit.note_task(0.1, 8.0)
    assert limit.allowed == 16


def test_the_ceiling_rises_by_one_a_minute() -> None:
    """It is remembered, but not for ever."""
    limit = limit_after(*[0.1] * 6, PollEnd.LIMITED, others=16)
    limit.note_task(0.1, 6.0 + 10.5 * CEILING_SECONDS)
    assert limit.allowed == 26
    limit.note_task(0.1, 6.0 + 11 * CEILING_SECONDS)
    assert limit.allowed == 27
    limit.note_task(0.1, 6.0 + 100 * CEILING_SECONDS)
    limit.note_task(0.1, 6.0 + 100 * CEILING_SECONDS)
    assert limit.allowed == 64


def test_a_host_whose_only_poll_is_refused_probes_as_in_an_outage() -> None:
    """Other hosts have all the polls of the list; this one asks again within seconds."""
    limit = limit_after(PollEnd.LIMITED, others=0)
    assert limit.allowed == 1
    assert 0 < limit.backoff_until <= PROBES.first


@given(
    st.lists(st.sampled_from([e for e in PollEnd if e is not PollEnd.NONE]) | st.floats(0, 70)),
    st.integers(0, 70),
    st.integers(1, 80),
    st.integers(0, 80),
)
def test_the_limit_keeps_its_bounds(
    ends: list[PollEnd | float], others: int, least: int, more: int
) -> None:
    """Never below one, nor above the greatest; waits never exceed the longest."""
    limit = PollLimit()
    most = least + more
    limit.bound(least, most, WORKERS)
    for now, end in enumerate(ends):
        if isinstance(end, PollEnd):
            limit.note_end(end, others, now, Random(now))
        else:
            limit.note_task(end, now)
        assert 1 <= limit.allowed <= min(most, WORKERS)
        if PollEnd.LIMITED not in ends:
            assert limit.allowed >= min(least, WORKERS)
        longest = THROTTLED if PollEnd.THROTTLED in ends else PROBES
        assert limit.backoff_until <= now + longest.cap

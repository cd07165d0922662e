"""The hook's clock and the protection's debounce, in told time."""

from __future__ import annotations

from itertools import pairwise
from math import inf

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from supervisor.attendants.ec2.hook import BEATS, SOON, Hook, Waiting, limit
from supervisor.attendants.ec2.protection import MINUTE, Protection

HOOK = Hook("pool", "drain", heartbeat=60.0, limit=300.0)


def all_beats(waiting: Waiting) -> list[float]:
    """When heartbeats go out, all of them taken."""
    beats: list[float] = []
    while waiting.beat_at < inf and len(beats) < 100:
        beats.append(waiting.beat_at)
        waiting.beaten(waiting.beat_at)
    return beats


@pytest.mark.parametrize(("heartbeat", "expected"), [(30.0, 3000.0), (7200.0, 172800.0)])
def test_a_group_waits_a_hundred_times_or_two_days(heartbeat: float, expected: float) -> None:
    """Whichever is shorter."""
    assert limit(heartbeat) == expected


def test_the_first_heartbeat_goes_out_at_once() -> None:
    """It tells whether it may; then three go out in the time that one buys."""
    waiting = Waiting(HOOK, since=100.0)
    assert waiting.beat_at == 100.0
    waiting.beaten(100.0)
    assert waiting.beat_at == 100.0 + 60.0 / BEATS
    assert waiting.ends == 400.0


def test_no_heartbeat_goes_out_that_buys_nothing() -> None:
    """When the rest of the limit is bought already, the group is left in peace."""
    waiting = Waiting(HOOK, since=0.0)
    beats = all_beats(waiting)
    assert (len(beats), beats[-1]) == (13, 240.0)


def test_nothing_is_bought_beyond_the_limit() -> None:
    """Whenever the last heartbeat happened to go out."""
    waiting = Waiting(HOOK, since=0.0)
    waiting.missed(0.0)
    assert all_beats(waiting)[-1] == 245.0
    waiting.refuse()
    assert waiting.ends == 300.0


def test_a_lost_heartbeat_is_sent_again_soon() -> None:
    """Nobody knows whether it was taken."""
    waiting = Waiting(HOOK, since=0.0)
    waiting.missed(0.0)
    assert waiting.beat_at == SOON
    assert waiting.ends == 300.0


def test_refused_heartbeats_leave_what_was_bought() -> None:
    """At first one heartbeat timeout, later up to where the last one reached."""
    waiting = Waiting(HOOK, since=0.0)
    waiting.refuse()
    assert (waiting.ends, waiting.beat_at) == (60.0, inf)
    later = Waiting(HOOK, since=0.0)
    later.beaten(50.0)
    later.refuse()
    assert later.ends == 110.0


@effort(max_examples=100)
@given(st.floats(30, 7200), st.lists(st.sampled_from(["taken", "lost", "refused"]), max_size=40))
def test_the_group_is_kept_waiting_to_its_limit_and_never_beyond(
    heartbeat: float, answers: list[str]
) -> None:
    """As long as heartbeats are taken, none comes later than the one before had bought."""
    waiting, bought = Waiting(Hook("g", "h", heartbeat, limit(heartbeat)), 0.0), heartbeat
    for answer in answers:
        now = waiting.beat_at
        if now == inf:
            break
        if answer == "taken":
            assert now <= bought or "lost" in answers
            waiting.beaten(now)
            bought = now + heartbeat
        elif answer == "lost":
            waiting.missed(now)
            assert now < waiting.beat_at <= now + heartbeat / BEATS
        else:
            waiting.refuse()
        assert waiting.ends <= limit(heartbeat)


# --- protection -----------------------------------------------------------------------------------


def test_a_busy_instance_is_protected_at_once_and_an_idle_one_a_minute_later() -> None:
    """Each is wished for once."""
    protection = Protection()
    assert protection.wish(0, 0.0) is None
    assert protection.wish(2, 5.0) is True
    protection.on = True
    assert protection.wish(2, 70.0) is None
    assert protection.wish(0, 70.0 + MINUTE - 1) is None
    assert protection.wish(0, 70.0 + MINUTE) is False


def test_a_wish_that_did_not_come_true_is_made_again_a_minute_later() -> None:
    """Not at once: what refuses it may be the number of calls."""
    protection = Protection()
    assert protection.wish(1, 0.0) is True
    assert protection.wish(1, MINUTE - 1) is None
    assert protection.wish(1, MINUTE) is True


def test_what_the_group_says_is_believed() -> None:
    """An instance that was left protected is opened when it idles, and at our end."""
    assert Protection(on=True).wish(0, 0.0) is False
    assert Protection(on=True).last_wish() is False
    assert Protection(on=False).last_wish() is None


@effort(max_examples=100)
@given(
    st.lists(st.tuples(st.floats(0, 90), st.sampled_from([0, 0, 1, 5]), st.booleans()), max_size=60)
)
def test_there_is_at_most_one_call_a_minute(looks: list[tuple[float, int, bool]]) -> None:
    """However tasks come and go, and whether the calls succeed or not."""
    protection, now, calls = Protection(), 0.0, list[float]()
    for rest, in_hand, succeeds in looks:
        now += rest
        wish = protection.wish(in_hand, now)
        if wish is not None:
            calls.append(now)
            assert wish is True or not in_hand
            if succeeds:
                protection.on = wish
    assert all(later - sooner >= MINUTE for sooner, later in pairwise(calls))

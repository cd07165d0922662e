"""Heartbeats of a hook and changes of the protection come when due, by the test's clock."""

from __future__ import annotations

from itertools import pairwise
from math import inf

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from supervisor.sidecars.ec2.lifecycle_hook import (
    HEARTBEATS_PER_TIMEOUT,
    RETRY_AFTER,
    HookWait,
    TerminationHook,
    limit,
)
from supervisor.sidecars.ec2.scale_in_protection import MINUTE, ScaleInProtection

HOOK = TerminationHook("pool", "drain", heartbeat=60.0, limit=300.0)


def all_heartbeats(wait: HookWait) -> list[float]:
    """The times of all heartbeats, if all are accepted."""
    beats: list[float] = []
    while wait.heartbeat_at < inf and len(beats) < 100:
        beats.append(wait.heartbeat_at)
        wait.accepted(wait.heartbeat_at)
    return beats


@pytest.mark.parametrize(("heartbeat", "expected"), [(30.0, 3000.0), (7200.0, 172800.0)])
def test_a_group_waits_a_hundred_timeouts_or_two_days(heartbeat: float, expected: float) -> None:
    """The shorter of the two is the limit."""
    assert limit(heartbeat) == expected


def test_the_first_heartbeat_goes_out_at_once() -> None:
    """It shows whether heartbeats are permitted; then three go out in each timeout."""
    wait = HookWait(HOOK, since=100.0)
    assert wait.heartbeat_at == 100.0
    wait.accepted(100.0)
    assert wait.heartbeat_at == 100.0 + 60.0 / HEARTBEATS_PER_TIMEOUT
    assert wait.ends_at == 400.0


def test_no_heartbeat_goes_out_that_moves_nothing() -> None:
    """Heartbeats end when the wait reaches to its limit."""
    wait = HookWait(HOOK, since=0.0)
    beats = all_heartbeats(wait)
    assert (len(beats), beats[-1]) == (13, 240.0)


def test_the_wait_never_exceeds_its_limit() -> None:
    """The limit holds whenever the last heartbeat goes out."""
    wait = HookWait(HOOK, since=0.0)
    wait.unanswered(0.0)
    assert all_heartbeats(wait)[-1] == 245.0
    wait.refused()
    assert wait.ends_at == 300.0


def test_a_heartbeat_without_a_response_is_sent_again_soon() -> None:
    """It may have been accepted or not."""
    wait = HookWait(HOOK, since=0.0)
    wait.unanswered(0.0)
    assert wait.heartbeat_at == RETRY_AFTER
    assert wait.ends_at == 300.0


def test_a_refused_heartbeat_leaves_the_granted_time() -> None:
    """That is one heartbeat timeout from the start, or from the last accepted heartbeat."""
    wait = HookWait(HOOK, since=0.0)
    wait.refused()
    assert (wait.ends_at, wait.heartbeat_at) == (60.0, inf)
    later = HookWait(HOOK, since=0.0)
    later.accepted(50.0)
    later.refused()
    assert later.ends_at == 110.0


@effort(max_examples=100)
@given(st.floats(30, 7200), st.lists(st.sampled_from(["accepted", "lost", "refused"]), max_size=40))
def test_heartbeats_keep_the_group_waiting_up_to_its_limit(
    heartbeat: float, answers: list[str]
) -> None:
    """While heartbeats are accepted, none comes after the time that the last one granted."""
    wait, granted_until = (
        HookWait(TerminationHook("g", "h", heartbeat, limit(heartbeat)), 0.0),
        heartbeat,
    )
    for answer in answers:
        now = wait.heartbeat_at
        if now == inf:
            break
        if answer == "accepted":
            assert now <= granted_until or "lost" in answers
            wait.accepted(now)
            granted_until = now + heartbeat
        elif answer == "lost":
            wait.unanswered(now)
            assert now < wait.heartbeat_at <= now + heartbeat / HEARTBEATS_PER_TIMEOUT
        else:
            wait.refused()
        assert wait.ends_at <= limit(heartbeat)


# --- protection -----------------------------------------------------------------------------------


def test_a_busy_instance_is_protected_at_once_and_an_idle_one_a_minute_later() -> None:
    """Each change is due once."""
    protection = ScaleInProtection()
    assert protection.due_change(0, 0.0) is None
    assert protection.due_change(2, 5.0) is True
    protection.on = True
    assert protection.due_change(2, 70.0) is None
    assert protection.due_change(0, 70.0 + MINUTE - 1) is None
    assert protection.due_change(0, 70.0 + MINUTE) is False


def test_a_failed_change_is_due_again_a_minute_later() -> None:
    """It is not due at once: the number of calls may be the reason."""
    protection = ScaleInProtection()
    assert protection.due_change(1, 0.0) is True
    assert protection.due_change(1, MINUTE - 1) is None
    assert protection.due_change(1, MINUTE) is True


def test_the_groups_own_record_holds() -> None:
    """An instance found protected loses that when it idles, and when the sidecar ends."""
    assert ScaleInProtection(on=True).due_change(0, 0.0) is False
    assert ScaleInProtection(on=True).last_change() is False
    assert ScaleInProtection(on=False).last_change() is None


@effort(max_examples=100)
@given(
    st.lists(st.tuples(st.floats(0, 90), st.sampled_from([0, 0, 1, 5]), st.booleans()), max_size=60)
)
def test_there_is_at_most_one_call_a_minute(steps: list[tuple[float, int, bool]]) -> None:
    """This holds however tasks come and go, and whether calls succeed or not."""
    protection, now, calls = ScaleInProtection(), 0.0, list[float]()
    for seconds, in_progress, succeeds in steps:
        now += seconds
        change = protection.due_change(in_progress, now)
        if change is not None:
            calls.append(now)
            assert change is True or not in_progress
            if succeeds:
                protection.on = change
    assert all(later - sooner >= MINUTE for sooner, later in pairwise(calls))

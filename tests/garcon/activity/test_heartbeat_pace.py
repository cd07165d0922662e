"""The rule of heartbeats in simulated time: their times, their number, the tasks that are saved."""

from __future__ import annotations

import mmap
import os
import random
from statistics import pstdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garcon.activity.heartbeat_pace import SHORTEST_RETRY, TOO_LATE, HeartbeatPace
from garcon.activity.shared_throttling import HALF_LIFE, LINE_EVERY, SharedThrottling
from tests.benchmarks import heartbeats

TIMEOUTS = st.floats(1.0, 86_400.0)
LEVELS = st.floats(0.0, 1.0)
SEEDS = st.integers(0, 2**32)


def begun(timeout: float, seed: int, at: float = 1000.0) -> HeartbeatPace:
    """The pace of a task that was received at this time."""
    return HeartbeatPace(timeout, at, random.Random(seed).uniform)


@given(TIMEOUTS, LEVELS, SEEDS)
def test_the_next_heartbeat_is_due_between_half_and_nine_tenths(
    timeout: float, level: float, seed: int
) -> None:
    """Without throttling it is at most three quarters; the first comes from a tenth on."""
    pace = begun(timeout, seed)
    assert 0.1 - 1e-6 <= (pace.due(0.0) - 1000.0) / timeout <= 0.75 + 1e-6
    pace.note_accepted(2000.0)
    assert 0.5 - 1e-6 <= (pace.due(0.0) - 2000.0) / timeout <= 0.75 + 1e-6
    assert pace.due(0.0) - 1e-6 * timeout <= pace.due(level) <= 2000.0 + timeout * (0.9 + 1e-6)


@given(TIMEOUTS, SEEDS)
def test_each_retry_takes_its_share_of_the_time_left(timeout: float, seed: int) -> None:
    """None is due past the deadline while there is time left, and their number is bounded."""
    pace = begun(timeout, seed)
    now, calls = pace.due(0.0), 0
    while pace.deadline - now >= timeout * TOO_LATE:
        pace.note_refused(now, "throttled")
        left = pace.deadline - now
        assert SHORTEST_RETRY * left * 0.999 <= pace.due(1.0) - now <= 0.301 * left
        now, calls = pace.due(0.0), calls + 1
    assert now < pace.deadline
    assert calls <= 37  # nine tenths to this power is less than a fiftieth
    pace.note_refused(now, "throttled")
    assert pace.due(0.0) - now >= timeout * 0.99


@given(TIMEOUTS, SEEDS, st.floats(0.01, 0.95))
def test_a_call_that_is_accepted_in_the_last_moment_saves_the_task(
    timeout: float, seed: int, share: float
) -> None:
    """Whenever SWF accepts heartbeats again with a twentieth of the time left, one is in time."""
    pace = begun(timeout, seed)
    accepting_from = 1000.0 + timeout * share
    while (now := pace.due(0.0)) < accepting_from:
        pace.note_refused(now, "throttled")
    assert now < pace.deadline


@pytest.mark.slow
@given(SEEDS)
def test_tasks_that_began_together_spread(seed: int) -> None:
    """Their heartbeats lie apart at the first interval, and do not gather later."""
    chance = random.Random(seed).uniform
    tasks = [HeartbeatPace(60.0, 0.0, chance) for _ in range(100)]
    for _ in range(3):
        dues = [each.due(0.0) for each in tasks]
        assert pstdev(dues) > 3.0
        for each, due in zip(tasks, dues, strict=True):
            each.note_accepted(due)


def test_a_failure_that_no_attempt_cures_costs_one_call_an_interval() -> None:
    """The deadline stays: SWF has accepted nothing."""
    pace = begun(60.0, 1)
    deadline = pace.deadline
    pace.note_failed(1010.0, "AccessDenied")
    assert pace.due(0.0) >= 1040.0
    assert pace.deadline == deadline


def test_a_loss_has_refused_heartbeats_for_its_reason_only_after_the_deadline() -> None:
    """An accepted heartbeat clears the refusal; an earlier loss has another reason."""
    pace = begun(18.0, 1)
    assert not pace.explain_loss(1020.0)
    pace.note_refused(1012.0, "Rate exceeded")
    assert not pace.explain_loss(1017.0)
    assert pace.explain_loss(1018.0) == "its heartbeats were refused for 18 s (Rate exceeded)"
    pace.note_accepted(1018.0)
    assert not pace.explain_loss(1099.0)


@pytest.mark.slow
def test_no_result_is_lost_to_half_the_budget_of_a_heartbeat_each_third() -> None:
    """One in nine tenths of each timeout fits; the tasks of eight hosts begin together."""
    outcome = heartbeats.measure("paced", heartbeats.Load(tasks=96, hosts=8), seed=0)
    assert outcome.refused == 0


def test_the_throttling_rises_by_refusals_and_halves_with_time() -> None:
    """It stays between 0 and 1."""
    shared = SharedThrottling()
    assert shared.level(5.0) == 0.0
    for _ in range(100):
        shared.note_throttled(1000.0)
    assert shared.level(1000.0) == pytest.approx(1.0)
    assert shared.level(1000.0 + HALF_LIFE) == pytest.approx(0.5)
    assert shared.level(999.0) == pytest.approx(1.0)


def test_a_line_is_due_once_a_minute_for_each_list() -> None:
    """The next one counts the refusals since the last."""
    shared = SharedThrottling()
    assert shared.claim_line("a", 1000.0) == 1
    assert [shared.claim_line("a", 1000.0 + each) for each in (1, 2, 59)] == [None] * 3
    assert shared.claim_line("b", 1001.0) == 1
    assert shared.claim_line("a", 1000.0 + LINE_EVERY) == 4


def test_what_a_fork_is_refused_its_parent_knows() -> None:
    """The workers of a host share the throttling, and the line of a list is written by one."""
    shared = SharedThrottling(mmap.mmap(-1, SharedThrottling.BYTES))
    child = os.fork()
    if child == 0:
        shared.note_throttled(1000.0)
        shared.claim_line("a", 1000.0)
        os._exit(0)
    os.waitpid(child, 0)
    assert shared.level(1000.0) > 0.0
    assert shared.claim_line("a", 1001.0) is None

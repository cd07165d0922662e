"""Waits grow, are jittered and bounded; lines are few, however many workers there are."""

from __future__ import annotations

import itertools
import os
import random

from hypothesis import given
from hypothesis import strategies as st

from supervisor.child.poll_backoff import (
    BACKOFF,
    LINE_EVERY,
    OutageLog,
    PollBackoff,
    shared_outage_logs,
)


@given(st.integers(0, 2**32), st.integers(1, 200))
def test_waits_stay_between_half_the_first_and_the_cap(jitter_seed: int, failures: int) -> None:
    """No wait is near zero, so nothing spins, and none exceeds the cap."""
    outage = PollBackoff(random.Random(jitter_seed))
    waits = [outage.failed(float(n))[0] for n in range(failures)]
    assert all(BACKOFF.first / 2 <= wait <= BACKOFF.cap for wait in waits)
    assert waits[-1] >= min(BACKOFF.cap, BACKOFF.first * 2.0 ** (failures - 1)) / 2


@given(st.lists(st.floats(0.1, 30), min_size=1, max_size=100), st.integers(1, 5))
def test_one_line_at_the_beginning_and_at_most_one_a_minute(gaps: list[float], many: int) -> None:
    """The first failure is logged; later lines of all workers are a minute or more apart."""
    outage_log, now, logged = OutageLog(), 0.0, []
    workers = itertools.cycle([PollBackoff(random.Random(1), outage_log) for _ in range(many)])
    for gap in gaps:
        now += gap
        if next(workers).failed(now)[1]:
            logged.append(now)
    assert logged[0] == gaps[0]
    assert all(later - sooner >= LINE_EVERY for sooner, later in itertools.pairwise(logged))


def test_a_recovery_has_the_duration_and_starts_over() -> None:
    """After a success waits are short again, and an outage a minute later is logged anew."""
    outage = PollBackoff(random.Random(1))
    assert outage.recovered(5.0) is None
    for second in range(20):
        outage.failed(100.0 + second)
    assert outage.recovered(130.0) == 30.0
    wait, log_due = outage.failed(100.0 + LINE_EVERY)
    assert log_due
    assert wait <= BACKOFF.first


def test_a_recovery_is_logged_once_and_only_after_a_logged_outage() -> None:
    """One of all workers logs the recovery; none logs that of an unlogged outage."""
    outage_log = OutageLog()
    workers = [PollBackoff(random.Random(n), outage_log) for n in range(3)]
    for each in workers:
        each.failed(100.0)
    assert [each.recovered(110.0) for each in workers] == [10.0, None, None]
    assert not workers[0].failed(120.0)[1]
    assert workers[0].recovered(121.0) is None


def test_forked_processes_share_an_outage_log_and_task_lists_do_not() -> None:
    """After one process has logged, the others of its list do not; another list still does."""
    logs = shared_outage_logs(["a", "b"])
    child = os.fork()
    if child == 0:
        os._exit(not logs["a"].claim_failure(100.0))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert not logs["a"].claim_failure(101.0)
    assert logs["b"].claim_failure(101.0)

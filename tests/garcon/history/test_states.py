"""States of activity instances, and their next steps."""

from __future__ import annotations

import pytest

from garcon import activity
from garcon.activity import (
    ACTIVITY_COMPLETED,
    ACTIVITY_FAILED,
    ACTIVITY_SCHEDULED,
    ACTIVITY_STANDBY,
    ActivityState,
    may_schedule,
)


def state(*states: int) -> ActivityState:
    """An instance that went through these states."""
    made = ActivityState("x-1")
    for each in states:
        made.add_state(each)
    return made


def test_a_new_state_is_standby_and_not_ready() -> None:
    """Before any event the instance has not been scheduled."""
    assert state().get_last_state() == ACTIVITY_STANDBY
    assert not state().ready


def test_the_last_state_counts() -> None:
    """The latest event decides the current state."""
    assert state(ACTIVITY_SCHEDULED, ACTIVITY_FAILED).get_last_state() == ACTIVITY_FAILED
    assert state(ACTIVITY_SCHEDULED, ACTIVITY_COMPLETED).ready


@pytest.mark.parametrize("value", [{"a": 1}, {}, 0, False, ""])
def test_a_result_is_set_once_even_a_falsy_one(value: object) -> None:
    """An activity id has one result."""
    made = state(ACTIVITY_COMPLETED)
    made.set_result(value)
    assert made.result == value
    with pytest.raises(ValueError, match="already set"):
        made.set_result(value)


def test_result_and_wait_raise_until_ready() -> None:
    """A decider that asks too early ends quietly by this exception."""
    for early in (state(), state(ACTIVITY_SCHEDULED), state(ACTIVITY_FAILED)):
        with pytest.raises(activity.ActivityInstanceNotReadyException):
            _ = early.result
        with pytest.raises(activity.ActivityInstanceNotReadyException):
            early.wait()
    known = state(ACTIVITY_SCHEDULED)
    known.set_result({"a": 1})
    with pytest.raises(activity.ActivityInstanceNotReadyException):
        _ = known.result
    state(ACTIVITY_COMPLETED).wait()
    assert state(ACTIVITY_COMPLETED).result == {}


def test_failures_are_counted_in_all_forms() -> None:
    """The argument may be a state, its list, or several of them."""
    one = state(ACTIVITY_SCHEDULED, ACTIVITY_FAILED, ACTIVITY_SCHEDULED, ACTIVITY_FAILED)
    assert activity.count_activity_failures(one) == 2
    assert activity.count_activity_failures(one.states) == 2
    assert activity.count_activity_failures({"a": one, "b": one}) == 4
    assert activity.count_activity_failures([]) == 0


@pytest.mark.parametrize(
    ("states", "may"),
    [
        ((), True),
        ((ACTIVITY_SCHEDULED,), False),
        ((ACTIVITY_SCHEDULED, ACTIVITY_COMPLETED), False),
        ((ACTIVITY_SCHEDULED, ACTIVITY_FAILED), True),
    ],
)
def test_only_new_and_failed_instances_are_scheduled(states: tuple[int, ...], *, may: bool) -> None:
    """Open and completed instances are left alone; a failed one with a retry left is not."""
    assert may_schedule(state(*states), retry=1) is may
    assert may_schedule(None, retry=0)


def test_retries_allow_repetitions_and_no_more() -> None:
    """``retry=N`` allows N retries; one more failure ends the workflow with the reasons."""
    made = ActivityState("x-1")
    for why in ("one", "two"):
        made.begin()
        made.fail(why)
    assert may_schedule(made, retry=2)
    with pytest.raises(activity.RetriesExhausted, match="exceeded its retry limit") as caught:
        may_schedule(made, retry=1)
    assert caught.value.details == "x-1: one; two"


def test_cancelled_instances_are_not_retried() -> None:
    """Cancelling is a decision, not a failure, so retries do not undo it."""
    made = ActivityState("x-1")
    made.begin()
    made.cancel()
    with pytest.raises(activity.ActivityImpossible, match="x-1 was cancelled"):
        may_schedule(made, retry=5)


def test_transient_refusals_hold_back_and_others_are_final() -> None:
    """Too many open activities is transient; a missing type is permanent."""
    made = ActivityState("x-1")
    made.refuse("OPEN_ACTIVITIES_LIMIT_EXCEEDED")
    assert not may_schedule(made, retry=0)
    made.refuse("ACTIVITY_TYPE_DOES_NOT_EXIST")
    with pytest.raises(activity.ActivityImpossible, match="ACTIVITY_TYPE_DOES_NOT_EXIST"):
        may_schedule(made, retry=9)


def test_a_state_may_complete_again() -> None:
    """Of two completions of an id the later result counts."""
    made = ActivityState("x-1")
    made.complete({"n": 1})
    made.complete({"n": 2})
    assert made.result == {"n": 2}

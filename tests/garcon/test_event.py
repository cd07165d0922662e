"""The fold from history to states."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from garcon import event
from garcon.activity import (
    ACTIVITY_COMPLETED,
    ACTIVITY_FAILED,
    ACTIVITY_SCHEDULED,
    ActivityInstanceNotReadyException,
    ActivityState,
)
from garcon.history.event_types import EVENT_TYPES
from garcon.payload.codec import NotReadable
from tests.garcon.fakes import model
from tests.garcon.histories import History

OPEN, DONE, FAILED = ACTIVITY_SCHEDULED, ACTIVITY_COMPLETED, ACTIVITY_FAILED


def state_of(history: History, name: str = "x") -> ActivityState:
    """The state of one activity."""
    return event.activity_states_from_events(history.events)[name][f"{name}-1"]


def test_all_event_types_of_the_model_are_known() -> None:
    """No event type of SWF's service model is taken for an unknown one."""
    assert set(model().shape_for("EventType").enum) == EVENT_TYPES  # type: ignore[attr-defined]


def test_scheduled_completed_failed() -> None:
    """The documented states come in their order, with the result."""
    history = History()
    history.scheduled("x")
    history.failed("x-1", "burnt")
    history.scheduled("x")
    history.completed("x-1", {"a": 1})
    state = state_of(history)
    assert state.states == [OPEN, FAILED, OPEN, DONE]
    assert (state.result, state.failures) == ({"a": 1}, ["burnt"])


def test_states_are_by_name_and_id() -> None:
    """The states have only activities that were ever scheduled."""
    history = History()
    history.scheduled("x", "x-one")
    history.scheduled("x", "x-two")
    history.scheduled("y")
    states = event.activity_states_from_events(history.events)
    assert {name: sorted(ids) for name, ids in states.items()} == {
        "x": ["x-one", "x-two"],
        "y": ["y-1"],
    }


@pytest.mark.parametrize("kind", model().shape_for("ActivityTaskTimeoutType").enum)  # type: ignore[attr-defined]
def test_every_timeout_is_a_failure_with_its_type(kind: str) -> None:
    """A lost worker is noticed, whichever of the timeouts is exceeded."""
    history = History()
    history.scheduled("x")
    history.timed_out("x-1", kind)
    state = state_of(history)
    assert state.states == [OPEN, FAILED]
    assert state.failures == [f"timed out ({kind})"]


def test_a_cancelled_activity_is_marked_as_cancelled() -> None:
    """It is no longer open, and more than just failed."""
    history = History()
    history.scheduled("x")
    history.canceled("x-1")
    assert state_of(history).canceled


def test_an_id_that_is_used_again_is_not_ready() -> None:
    """An earlier result does not count while the activity is open again."""
    history = History()
    history.scheduled("x")
    history.completed("x-1", {"n": 1})
    history.scheduled("x")
    with pytest.raises(ActivityInstanceNotReadyException):
        _ = state_of(history).result


def test_of_two_completions_of_an_id_the_later_counts() -> None:
    """A second completion is accepted, and its result is used."""
    history = History()
    for result in ({"n": 1}, {"n": 2}):
        history.scheduled("x")
        history.completed("x-1", result)
    assert state_of(history).result == {"n": 2}
    assert event.get_current_context(history.events) == {"n": 2}


@pytest.mark.parametrize("cause", model().shape_for("ScheduleActivityTaskFailedCause").enum)  # type: ignore[attr-defined]
def test_every_refusal_is_noted(cause: str) -> None:
    """No cause is lost, and an activity that SWF refused does not count as scheduled."""
    history = History()
    history.refused("x", cause)
    state = state_of(history)
    assert state.refusal is not None
    assert (state.refusal.cause, state.states) == (cause, [])


def test_a_refusal_because_the_id_is_in_use_changes_nothing() -> None:
    """The activity of that id is open and keeps its state."""
    history = History()
    history.scheduled("x")
    history.refused("x", "ACTIVITY_ID_ALREADY_IN_USE")
    assert state_of(history).refusal is None


def test_the_wait_timer_lifts_transient_refusals() -> None:
    """The number of refusals is kept until the activity is scheduled."""
    history = History()
    history.refused("x", "ACTIVITY_CREATION_RATE_EXCEEDED")
    history.timer_started()
    assert event.History(history.events).refusals.held_back
    history.timer_fired()
    after = event.History(history.events)
    assert (after.refusals.held_back, after.activities["x"]["x-1"].refusals) == ([], 1)
    history.scheduled("x")
    assert state_of(history).refusals == 0


def test_other_timers_lift_nothing() -> None:
    """Only the wait timer lifts refusals, not a timer of the flow."""
    history = History()
    history.refused("x", "ACTIVITY_CREATION_RATE_EXCEEDED")
    history.timer_started("other")
    history.timer_fired("other")
    assert event.History(history.events).refusals.held_back


def test_without_a_wait_timer_the_end_of_an_activity_lifts_refusals() -> None:
    """If SWF refuses the timer too, the next end of an activity lifts the refusals."""
    history = History()
    history.scheduled("y")
    history.refused("x", "OPEN_ACTIVITIES_LIMIT_EXCEEDED")
    history.timer_refused("OPEN_TIMERS_LIMIT_EXCEEDED")
    assert event.History(history.events).refusals.wait_timer == "OPEN_TIMERS_LIMIT_EXCEEDED"
    history.completed("y-1")
    after = event.History(history.events)
    assert (after.refusals.held_back, after.refusals.wait_timer) == ([], None)


def test_a_refused_wait_timer_matters_only_while_none_is_open() -> None:
    """If the wait timer is open, or starts later, nothing else is waited for."""
    history = History()
    history.timer_started()
    history.timer_refused("TIMER_ID_ALREADY_IN_USE")
    assert event.History(history.events).refusals.wait_timer is None
    later = History()
    later.timer_refused("TIMER_CREATION_RATE_EXCEEDED")
    later.timer_started()
    assert event.History(later.events).refusals.wait_timer is None


def test_a_refusal_to_close_is_counted() -> None:
    """A missing permission counts; an unhandled decision does not, it is decided again at once."""
    history = History()
    history.not_closed("UNHANDLED_DECISION")
    assert not event.History(history.events).refusals.closing_blocked
    history.not_closed("OPERATION_NOT_PERMITTED", "FailWorkflowExecutionFailed")
    assert event.History(history.events).refusals.closing_blocked


def test_unknown_events_are_skipped_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    """SWF may add event types, and the decider goes on."""
    history = History({"a": 1})
    history.add("TeaServed", sugar=True)
    with caplog.at_level(logging.DEBUG, "garcon"):
        assert event.History(history.events).context == {"a": 1}
    assert "TeaServed" in caplog.text


def test_results_that_are_not_json_are_refused() -> None:
    """The error names the activity whose result is plain text."""
    history = History()
    history.scheduled("x")
    history.completed("x-1", "plain")
    with pytest.raises(NotReadable, match="The result of x-1"):
        event.activity_states_from_events(history.events)


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["scheduled", "completed", "failed", "timed_out", "canceled", "refused"]),
        st.sampled_from("xyz"),
        st.integers(0, 3),
    ),
    max_size=30,
)


def build(actions: list[tuple[str, str, int]]) -> History:
    """A history in which only open activities end, and only others are scheduled."""
    history, open_names = History({"start": 1}), set()
    for action, name, value in actions:
        if action == "refused":
            history.refused(name, "OPEN_ACTIVITIES_LIMIT_EXCEEDED")
        elif (action == "scheduled") == (name in open_names):
            continue
        elif action == "scheduled":
            history.scheduled(name)
            open_names.add(name)
        else:
            more: Any = ({"n": value},) if action == "completed" else ()
            getattr(history, action)(f"{name}-1", *more)
            open_names.discard(name)
    return history


@settings(max_examples=60)
@given(ACTIONS, st.integers(0, 100))
def test_the_fold_can_stop_and_go_on(actions: list[tuple[str, str, int]], cut: int) -> None:
    """Folding a history in two parts gives the same states as folding it at once."""
    events = build(actions).events
    at_once, in_parts = event.History(events), event.History(events[:cut])
    for each in events[cut:]:
        in_parts.add(each)
    assert in_parts.context == at_once.context
    assert in_parts.open_activities == at_once.open_activities
    assert {
        (name, id_): vars(state)
        for name, of_name in in_parts.activities.items()
        for id_, state in of_name.items()
    } == {
        (name, id_): vars(state)
        for name, of_name in at_once.activities.items()
        for id_, state in of_name.items()
    }


@settings(max_examples=60)
@given(ACTIONS)
def test_open_activities_are_those_scheduled_and_not_ended(
    actions: list[tuple[str, str, int]],
) -> None:
    """The number of open activities is the number of starts less the number of ends."""
    events = build(actions).events
    starts = sum(each["eventType"] == "ActivityTaskScheduled" for each in events)
    ends = sum(each["eventType"] == "ActivityTaskStarted" for each in events)  # each end has one
    assert event.History(events).open_activities == starts - ends


@pytest.mark.parametrize("read", [event.activity_states_from_events, event.get_current_context])
def test_a_history_without_its_beginning_is_refused(read: Any) -> None:
    """A history that begins late looks complete; its first event's number shows that it is not."""
    history = History({"a": 1})
    history.scheduled("cook")
    history.completed("cook-1", {"meal": "soup"})
    assert read(iter(history.events)).keys() == read(history.events).keys()
    with pytest.raises(event.TruncatedHistory, match="begins with event 2"):
        read(history.events[1:])
    assert read([]) == {}

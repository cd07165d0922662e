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
from garcon.eventtypes import EVENT_TYPES
from garcon.payload import NotReadable
from garcon.whole import NotWhole
from tests.garcon.fakes import model
from tests.garcon.histories import History

OPEN, DONE, FAILED = ACTIVITY_SCHEDULED, ACTIVITY_COMPLETED, ACTIVITY_FAILED


def state_of(history: History, name: str = "x") -> ActivityState:
    """The state of one activity."""
    return event.activity_states_from_events(history.events)[name][f"{name}-1"]


def test_all_event_types_of_the_model_are_known() -> None:
    """A type that SWF has is known by name."""
    assert set(model().shape_for("EventType").enum) == EVENT_TYPES  # type: ignore[attr-defined]


def test_scheduled_completed_failed() -> None:
    """The documented states, in their order, with the result."""
    history = History()
    history.scheduled("x")
    history.failed("x-1", "burnt")
    history.scheduled("x")
    history.completed("x-1", {"a": 1})
    state = state_of(history)
    assert state.states == [OPEN, FAILED, OPEN, DONE]
    assert (state.result, state.failures) == ({"a": 1}, ["burnt"])


def test_states_are_by_name_and_id() -> None:
    """Only activities that were ever to be scheduled are there."""
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
def test_every_timeout_is_a_failure_that_says_which(kind: str) -> None:
    """A lost worker is noticed: whichever clock ran out."""
    history = History()
    history.scheduled("x")
    history.timed_out("x-1", kind)
    state = state_of(history)
    assert state.states == [OPEN, FAILED]
    assert state.failures == [f"timed out ({kind})"]


def test_cancelled_is_noted() -> None:
    """A cancelled activity is not open any more, and not merely failed."""
    history = History()
    history.scheduled("x")
    history.canceled("x-1")
    assert state_of(history).canceled


def test_an_id_that_is_used_again_is_not_ready() -> None:
    """An earlier result does not count while the activity runs anew."""
    history = History()
    history.scheduled("x")
    history.completed("x-1", {"n": 1})
    history.scheduled("x")
    with pytest.raises(ActivityInstanceNotReadyException):
        _ = state_of(history).result


def test_a_second_completion_of_an_id_is_taken() -> None:
    """An id that was used again has its later result, and the history goes on."""
    history = History()
    for result in ({"n": 1}, {"n": 2}):
        history.scheduled("x")
        history.completed("x-1", result)
    assert state_of(history).result == {"n": 2}
    assert event.get_current_context(history.events) == {"n": 2}


@pytest.mark.parametrize("cause", model().shape_for("ScheduleActivityTaskFailedCause").enum)  # type: ignore[attr-defined]
def test_every_refusal_is_noted(cause: str) -> None:
    """No cause is lost, and an activity that SWF refused is not taken for scheduled."""
    history = History()
    history.refused("x", cause)
    state = state_of(history)
    assert state.refusal is not None
    assert (state.refusal.cause, state.states) == (cause, [])


def test_an_id_in_use_is_the_one_that_runs() -> None:
    """A refusal because the activity runs already changes nothing."""
    history = History()
    history.scheduled("x")
    history.refused("x", "ACTIVITY_ID_ALREADY_IN_USE")
    assert state_of(history).refusal is None


def test_the_timer_lifts_passing_refusals() -> None:
    """Held back until the wait timer fired; how often, is remembered until it is scheduled."""
    history = History()
    history.refused("x", "ACTIVITY_CREATION_RATE_EXCEEDED")
    history.timer_started()
    assert event.History(history.events).held_back
    history.timer_fired()
    after = event.History(history.events)
    assert (after.held_back, after.activities["x"]["x-1"].refusals) == ([], 1)
    history.scheduled("x")
    assert state_of(history).refusals == 0


def test_other_timers_lift_nothing() -> None:
    """A timer of somebody else's is none of ours."""
    history = History()
    history.refused("x", "ACTIVITY_CREATION_RATE_EXCEEDED")
    history.timer_started("other")
    history.timer_fired("other")
    assert event.History(history.events).held_back


def test_without_a_timer_the_end_of_an_activity_lifts() -> None:
    """If SWF refuses the timer too, the next activity to end is the occasion."""
    history = History()
    history.scheduled("y")
    history.refused("x", "OPEN_ACTIVITIES_LIMIT_EXCEEDED")
    history.timer_refused("OPEN_TIMERS_LIMIT_EXCEEDED")
    assert event.History(history.events).timer_refused == "OPEN_TIMERS_LIMIT_EXCEEDED"
    history.completed("y-1")
    after = event.History(history.events)
    assert (after.held_back, after.timer_refused) == ([], None)


def test_a_refused_timer_matters_only_while_none_runs() -> None:
    """If the wait timer runs, or could be started later, nothing else has to be waited for."""
    history = History()
    history.timer_started()
    history.timer_refused("TIMER_ID_ALREADY_IN_USE")
    assert event.History(history.events).timer_refused is None
    later = History()
    later.timer_refused("TIMER_CREATION_RATE_EXCEEDED")
    later.timer_started()
    assert event.History(later.events).timer_refused is None


def test_closing_that_is_not_permitted_is_noted() -> None:
    """An unhandled decision is decided again at once; a missing permission is not."""
    history = History()
    history.not_closed("UNHANDLED_DECISION")
    assert not event.History(history.events).closing_blocked
    history.not_closed("OPERATION_NOT_PERMITTED", "FailWorkflowExecutionFailed")
    assert event.History(history.events).closing_blocked


def test_unknown_events_are_skipped_with_a_word(caplog: pytest.LogCaptureFixture) -> None:
    """SWF may learn new events; the decider goes on."""
    history = History({"a": 1})
    history.add("TeaServed", sugar=True)
    with caplog.at_level(logging.DEBUG, "garcon"):
        assert event.History(history.events).context == {"a": 1}
    assert "TeaServed" in caplog.text


def test_results_that_are_no_json_are_refused() -> None:
    """An external program's plain text is named by its activity."""
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
    """A history in which only what is open ends, and only what is not is scheduled."""
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
    """Folding a history in two parts gives what folding it at once gives."""
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
def test_what_is_open_is_what_was_scheduled_and_has_not_ended(
    actions: list[tuple[str, str, int]],
) -> None:
    """The number of open activities is the number of starts less the number of ends."""
    events = build(actions).events
    starts = sum(each["eventType"] == "ActivityTaskScheduled" for each in events)
    ends = sum(each["eventType"] == "ActivityTaskStarted" for each in events)  # each end has one
    assert event.History(events).open_activities == starts - ends


@pytest.mark.parametrize("read", [event.activity_states_from_events, event.get_current_context])
def test_a_history_without_its_beginning_is_refused(read: Any) -> None:
    """Half a history is not told from a whole one by its looks; the sentence names the event."""
    history = History({"a": 1})
    history.scheduled("cook")
    history.completed("cook-1", {"meal": "soup"})
    assert read(iter(history.events)).keys() == read(history.events).keys()
    with pytest.raises(NotWhole, match="begins with event 2"):
        read(history.events[1:])
    assert read([]) == {}

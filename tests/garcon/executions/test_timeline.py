"""The timeline of a history."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garcon.executions import Status
from garcon.executions import timeline as timelines
from garcon.executions.parsing import CLOSINGS
from garcon.executions.timeline import Bar, BarKind, BarState, Timeline, TimelineBuilder, timeline
from garcon.history.event_types import EVENT_TYPES
from tests.garcon.executions.scenarios import Scenario, everything, retried
from tests.garcon.executions.served_flow import START, coffee, history_of


def bars(drawn: Timeline, kind: BarKind, label: str = "") -> list[Bar]:
    """The bars of one row."""
    return [bar for row in drawn.rows if (row.kind, row.label) == (kind, label) for bar in row.bars]


def test_the_attempts_of_an_activity_are_one_row() -> None:
    """Each attempt has its times, its state, its reason and its worker."""
    (row,) = timeline(retried().events).rows
    first, second = row.bars
    assert (first.scheduled, first.started, first.ended) == (START + 1, START + 3, START + 6)
    assert (first.state, first.reason, first.identity) == (BarState.FAILED, "No beans.", "host:1")
    assert (second.scheduled, second.started, second.ended) == (START + 6, START + 6, START + 10)
    assert (second.state, second.reason, second.identity) == (BarState.COMPLETED, "", "host:2")


def test_a_timeline_describes_the_execution() -> None:
    """It has the workflow type, status, reason, length and number of events."""
    drawn = timeline(everything().events)
    assert (drawn.name, drawn.version, drawn.status) == ("flow", "1.0", Status.FAILED)
    assert drawn.reason == "too much"
    assert drawn.events == len(everything().events)
    assert drawn.seconds == everything().now - START


def test_every_kind_has_a_row() -> None:
    """A closed execution can have bars of every kind and of every state that is not open."""
    drawn = timeline(everything().events)
    assert {row.kind for row in drawn.rows} == set(BarKind)
    states = {bar.state for row in drawn.rows for bar in row.bars}
    assert states == set(BarState) - {BarState.WAITING, BarState.RUNNING}


@pytest.mark.parametrize(
    ("kind", "label", "state", "reason"),
    [
        (BarKind.TIMER, "tea", BarState.COMPLETED, ""),
        (BarKind.TIMER, "egg", BarState.CANCELED, ""),
        (BarKind.TIMER, "garcon-wait", BarState.REFUSED, "TIMER_CREATION_RATE_EXCEEDED"),
        (BarKind.CHILD, "child-Terminated", BarState.TERMINATED, ""),
        (BarKind.CHILD, "x", BarState.REFUSED, "NO_TYPE"),
        (BarKind.SIGNAL, "hello", BarState.COMPLETED, ""),
        (BarKind.CANCEL, "other", BarState.REFUSED, "UNKNOWN"),
        (BarKind.LAMBDA, "m", BarState.REFUSED, "ASSUME_ROLE_FAILED"),
        (BarKind.ACTIVITY, "flow_a-1", BarState.REFUSED, "ACTIVITY_TYPE_DOES_NOT_EXIST"),
        (BarKind.CLOSING, "", BarState.REFUSED, "UNHANDLED_DECISION"),
        (BarKind.ACTIVITY, "flow_started-1", BarState.UNFINISHED, ""),
        (BarKind.ACTIVITY, "flow_never_started-1", BarState.UNFINISHED, ""),
    ],
)
def test_each_end_has_its_state_and_cause(
    kind: BarKind, label: str, state: BarState, reason: str
) -> None:
    """A bar ends with a state and SWF's cause, also one that never started or never finished."""
    (bar,) = bars(timeline(everything().events), kind, label)
    assert (bar.state, bar.reason) == (state, reason)
    assert bar.ended is not None


def test_a_timer_runs_from_its_start() -> None:
    """A timer waits for no worker: it starts when it is scheduled."""
    (bar,) = bars(timeline(everything().events), BarKind.TIMER, "tea")
    assert (bar.started, bar.ended) == (bar.scheduled, bar.scheduled + 1)


def test_an_open_execution_lasts_until_now() -> None:
    """It lasts until the given moment, but never ends before its last event."""
    scenario = Scenario()
    number = scenario.scheduled("flow_a")
    scenario.after(5).started(number)
    assert timeline(scenario.events).seconds == 5
    assert timeline(scenario.events, START).seconds == 5
    drawn = timeline(scenario.events, START + 60)
    assert (drawn.status, drawn.seconds) == (Status.OPEN, 60)
    (bar,) = bars(drawn, BarKind.ACTIVITY, "flow_a-1")
    assert (bar.state, bar.ended) == (BarState.RUNNING, None)


def test_a_closed_execution_ends_with_its_last_event() -> None:
    """The present moment does not make a closed execution longer."""
    assert timeline(retried().events, START + 1e6).seconds == 10


def test_a_history_of_the_local_swf_has_a_row_for_each_activity() -> None:
    """The histories of a flow that was driven to its end are read like SWF's."""
    drawn = timeline(history_of(coffee(), {"beans": "b"}))
    assert drawn.status is Status.COMPLETED
    assert [row.label for row in drawn.rows if row.kind is BarKind.ACTIVITY] == [
        "coffee_grind-1",
        "coffee_brew-1",
    ]
    assert all(not bar.state.open for row in drawn.rows for bar in row.bars)


def test_each_event_returns_the_bar_that_it_changed() -> None:
    """Progress can be reported event by event."""
    builder = TimelineBuilder()
    changes = [builder.add(event) for event in retried().events]
    states = [bar.state if bar else None for bar in changes]
    waiting, running = BarState.WAITING, BarState.RUNNING
    first, second = [waiting, running, BarState.FAILED], [waiting, running, BarState.COMPLETED]
    assert states == [None, *first, *second, None]


def test_a_timeline_begins_with_an_event() -> None:
    """A history without events has no timeline."""
    with pytest.raises(ValueError, match="begins with an event"):
        timeline([])


def test_all_event_types_are_those_of_the_model() -> None:
    """No name in the tables is misspelt, and the two types without a bar are known."""
    tables = (timelines._OPENINGS, timelines._STARTS, timelines._ENDS, timelines._INSTANTS)
    known = {event_type for table in tables for event_type in table}
    assert known <= EVENT_TYPES
    without_bar = EVENT_TYPES - known - CLOSINGS.keys()
    assert without_bar == {"WorkflowExecutionStarted", "ActivityTaskCancelRequested"}


@st.composite
def incomplete_histories(draw: st.DrawFn) -> list[dict[str, object]]:
    """A history from which events after the first are missing."""
    events = everything().events
    kept = draw(st.sets(st.integers(1, len(events) - 1)))
    return [event for number, event in enumerate(events) if number == 0 or number in kept]


@given(incomplete_histories())
def test_the_times_of_a_bar_are_in_order_whatever_is_missing(
    events: list[dict[str, object]],
) -> None:
    """A bar is scheduled, started and ended in this order, within the execution."""
    drawn = timeline(events)
    for row in drawn.rows:
        for bar in row.bars:
            moments = [drawn.started, bar.scheduled, bar.started or bar.scheduled]
            moments += [bar.ended or drawn.ended, drawn.ended]
            assert all(a <= b for a, b in pairwise(moments))

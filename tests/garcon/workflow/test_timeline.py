"""From a history to rows of bars."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garcon.eventtypes import EVENT_TYPES
from garcon.workflow import Status
from garcon.workflow import timeline as timelines
from garcon.workflow.closing import CLOSINGS
from garcon.workflow.timeline import Bar, Fold, Kind, State, Timeline, timeline
from tests.garcon.workflow.desk import START, coffee, history_of
from tests.garcon.workflow.stories import Story, everything, retried


def bars(seen: Timeline, kind: Kind, label: str = "") -> list[Bar]:
    """The bars of one row."""
    return [bar for row in seen.rows if (row.kind, row.label) == (kind, label) for bar in row.bars]


def test_the_tries_of_an_activity_are_one_row() -> None:
    """Each with when it was asked for, begun and ended, why, and by whom."""
    seen = timeline(retried().events)
    (row,) = seen.rows
    first, second = row.bars
    assert (first.asked, first.begun, first.ended) == (START + 1, START + 3, START + 6)
    assert (first.state, first.note, first.by) == (State.FAILED, "No beans.", "host:1")
    assert (second.asked, second.begun, second.ended) == (START + 6, START + 6, START + 10)
    assert (second.state, second.note, second.by) == (State.COMPLETED, "", "host:2")


def test_a_timeline_says_what_the_whole_came_to() -> None:
    """Type, status, reason, times and number of events."""
    seen = timeline(everything().events)
    assert (seen.name, seen.version, seen.status) == ("flow", "1.0", Status.FAILED)
    assert seen.reason == "too much"
    assert seen.events == len(everything().events)
    assert seen.seconds == everything().now - START


def test_every_kind_of_row_is_told() -> None:
    """Decisions, timers, children, lambda functions, signals, markers and what was refused."""
    seen = timeline(everything().events)
    assert {row.kind for row in seen.rows} == set(Kind)
    states = {bar.state for row in seen.rows for bar in row.bars}
    assert states == set(State) - {State.WAITING, State.RUNNING}


@pytest.mark.parametrize(
    ("kind", "label", "state", "note"),
    [
        (Kind.TIMER, "tea", State.COMPLETED, ""),
        (Kind.TIMER, "egg", State.CANCELED, ""),
        (Kind.TIMER, "garcon-wait", State.REFUSED, "TIMER_CREATION_RATE_EXCEEDED"),
        (Kind.CHILD, "child-Terminated", State.TERMINATED, ""),
        (Kind.CHILD, "x", State.REFUSED, "NO_TYPE"),
        (Kind.SIGNAL, "hello", State.COMPLETED, ""),
        (Kind.CANCEL, "other", State.REFUSED, "UNKNOWN"),
        (Kind.LAMBDA, "m", State.REFUSED, "ASSUME_ROLE_FAILED"),
        (Kind.ACTIVITY, "flow_a-1", State.REFUSED, "ACTIVITY_TYPE_DOES_NOT_EXIST"),
        (Kind.CLOSING, "", State.REFUSED, "UNHANDLED_DECISION"),
        (Kind.ACTIVITY, "flow_left-1", State.LEFT, ""),
        (Kind.ACTIVITY, "flow_never-1", State.LEFT, ""),
    ],
)
def test_each_end_is_told_with_its_cause(kind: Kind, label: str, state: State, note: str) -> None:
    """Also of what never began, and of what the execution left behind."""
    (bar,) = bars(timeline(everything().events), kind, label)
    assert (bar.state, bar.note) == (state, note)
    assert bar.ended is not None


def test_a_timer_runs_from_its_start() -> None:
    """Nobody has to begin it."""
    (bar,) = bars(timeline(everything().events), Kind.TIMER, "tea")
    assert (bar.begun, bar.ended) == (bar.asked, bar.asked + 1)


def test_an_open_execution_lasts_until_now() -> None:
    """What runs is running; a moment before the last event counts as none."""
    story = Story()
    number = story.scheduled("flow_a")
    story.after(5).begun(number)
    assert timeline(story.events).seconds == 5
    assert timeline(story.events, START).seconds == 5
    seen = timeline(story.events, START + 60)
    assert (seen.status, seen.seconds) == (Status.OPEN, 60)
    (bar,) = bars(seen, Kind.ACTIVITY, "flow_a-1")
    assert (bar.state, bar.ended) == (State.RUNNING, None)


def test_a_closed_execution_ends_with_its_last_event() -> None:
    """However long ago that was."""
    assert timeline(retried().events, START + 1e6).seconds == 10


def test_a_history_driven_to_its_end_has_a_row_for_each_activity() -> None:
    """The local SWF's histories are read as SWF's are."""
    seen = timeline(history_of(coffee(), {"beans": "b"}))
    assert seen.status is Status.COMPLETED
    assert [row.label for row in seen.rows if row.kind is Kind.ACTIVITY] == [
        "coffee_grind-1",
        "coffee_brew-1",
    ]
    assert all(not bar.state.open for row in seen.rows for bar in row.bars)


def test_each_event_tells_which_bar_it_changed() -> None:
    """Who waits learns of each change as it comes."""
    fold = Fold()
    changes = [fold.add(event) for event in retried().events]
    states = [bar.state if bar else None for bar in changes]
    waiting, running = State.WAITING, State.RUNNING
    first, second = [waiting, running, State.FAILED], [waiting, running, State.COMPLETED]
    assert states == [None, *first, *second, None]


def test_a_timeline_begins_with_an_event() -> None:
    """Of nothing there is none."""
    with pytest.raises(ValueError, match="begins with an event"):
        timeline([])


def test_all_event_types_are_those_of_the_model() -> None:
    """No name in the tables is misspelt, and those left out are known."""
    told = {*timelines._OPENINGS, *timelines._BEGINNINGS, *timelines._ENDS, *timelines._AT_ONCE}
    assert told <= EVENT_TYPES
    silent = EVENT_TYPES - told - CLOSINGS.keys()
    assert silent == {"WorkflowExecutionStarted", "ActivityTaskCancelRequested"}


@st.composite
def cut_stories(draw: st.DrawFn) -> list[dict[str, object]]:
    """The beginning of a story from which events are missing."""
    events = everything().events
    kept = draw(st.sets(st.integers(1, len(events) - 1)))
    return [event for number, event in enumerate(events) if number == 0 or number in kept]


@given(cut_stories())
def test_bars_keep_their_order_whatever_is_missing(events: list[dict[str, object]]) -> None:
    """A bar is asked for, begun and ended in this order, within the execution."""
    seen = timeline(events)
    for row in seen.rows:
        for bar in row.bars:
            moments = [seen.began, bar.asked, bar.begun or bar.asked]
            moments += [bar.ended or seen.ended, seen.ended]
            assert all(a <= b for a, b in pairwise(moments))

"""Histories of others: whatever a file holds, replaying it ends in an answer or a sentence."""

from __future__ import annotations

import copy
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from garcon.errors import GarconError
from garcon.local import replay
from garcon.workflow import NotAHistory
from garcon.workflow.checking import checked
from tests.garcon.workflow.desk import coffee, history_of

JUNK: tuple[Any, ...] = (None, 7, -1, "", "x", [], {}, "2024-01-01", 10**30)


def whole() -> list[dict[str, Any]]:
    """A history of three decisions."""
    return history_of(coffee(), {"beans": "b"})


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to each member, however deep."""
    if not isinstance(value, dict | list):
        return []
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    return [each for key in keys for each in [(*path, key), *places(value[key], (*path, key))]]


WHOLE = whole()
PLACES = [each for each in places(WHOLE) if len(each) > 1]


def spoilt(place: tuple[Any, ...], junk: Any, *, drop: bool) -> list[dict[str, Any]]:
    """The history with one member dropped or replaced."""
    events = copy.deepcopy(WHOLE)
    *way, last = place
    holder: Any = events
    for key in way:
        holder = holder[key]
    if drop:
        del holder[last]
    else:
        holder[last] = junk
    return events


def test_a_whole_history_is_let_through() -> None:
    """And members that the model does not have are, too: SWF may learn new ones."""
    assert checked(WHOLE, "file") == WHOLE
    events = whole()
    events[0]["workflowExecutionStartedEventAttributes"]["mood"] = "good"
    checked(events, "file")


def test_an_event_of_a_type_that_is_not_known_is_let_through() -> None:
    """It says whatever it likes."""
    strange = {"eventId": 99, "eventType": "X", "eventTimestamp": 0.0}
    assert checked([*whole(), strange], "file")[-1] == strange


def test_times_in_words_become_seconds() -> None:
    """The AWS command line prints them so."""
    events = whole()
    for event in events:
        event["eventTimestamp"] = datetime.fromtimestamp(event["eventTimestamp"], UTC).isoformat()
    assert checked(events, "file") == WHOLE


def test_what_is_missing_is_named() -> None:
    """By event and member."""
    place = (0, "workflowExecutionStartedEventAttributes", "workflowType", "name")
    with pytest.raises(NotAHistory, match=r"file .* event 1 \(WorkflowExecutionStarted\).*name"):
        checked(spoilt(place, None, drop=True), "file")


@pytest.mark.parametrize("named", [2, 3, 0, -1, 10**30])
def test_an_answer_names_the_start_of_its_task(named: int) -> None:
    """Another event, one to come and none at all are no start of the second decision task."""
    place = (9, "decisionTaskCompletedEventAttributes", "startedEventId")
    said = rf"event 10 \(DecisionTaskCompleted\): startedEventId is {named}, .* was 9"
    with pytest.raises(NotAHistory, match=said):
        checked(spoilt(place, named, drop=False), "file")


@settings(max_examples=100)
@given(st.sampled_from(PLACES), st.sampled_from(JUNK), st.booleans())
def test_a_spoilt_history_ends_in_a_sentence(
    place: tuple[Any, ...],
    junk: Any,
    drop: bool,  # noqa: FBT001 - drawn
) -> None:
    """Whichever member is missing or something else: an error naming the event, or a replay."""
    if place[-1] in {"eventId", "eventType"}:
        return  # ``history.parse`` has looked at these
    events = spoilt(place, junk, drop=drop)
    try:
        found = replay.replay(coffee(), checked(events, "file"))
    except GarconError as error:
        said = str(error)
    else:
        assert all(each.recorded or each.decided for each in found)
        return
    assert re.search(rf"\bevent {place[0] + 1}\b", said, re.IGNORECASE)

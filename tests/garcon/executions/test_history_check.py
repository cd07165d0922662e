"""Histories from files: whatever one holds, its replay ends in an answer or in a sentence."""

from __future__ import annotations

import copy
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from garcon.errors import GarconError
from garcon.executions import NotAHistory
from garcon.executions.history_check import check
from garcon.local import replay
from tests.garcon.executions.served_flow import coffee, history_of

pytestmark = pytest.mark.slow

JUNK: tuple[Any, ...] = (None, 7, -1, "", "x", [], {}, "2024-01-01", 10**30)


def complete_history() -> list[dict[str, Any]]:
    """A history of three decisions."""
    return history_of(coffee(), {"beans": "b"})


def paths_in(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path to each member, however deep."""
    if not isinstance(value, dict | list):
        return []
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    return [each for key in keys for each in [(*path, key), *paths_in(value[key], (*path, key))]]


COMPLETE = complete_history()
PATHS = [path for path in paths_in(COMPLETE) if len(path) > 1]


def spoilt(path: tuple[Any, ...], junk: Any, *, drop: bool) -> list[dict[str, Any]]:
    """The history with one member dropped or replaced."""
    events = copy.deepcopy(COMPLETE)
    *way, last = path
    holder: Any = events
    for key in way:
        holder = holder[key]
    if drop:
        del holder[last]
    else:
        holder[last] = junk
    return events


def test_a_complete_history_is_accepted() -> None:
    """A complete history passes, also with a member that the model does not know."""
    assert check(COMPLETE, "file") == COMPLETE
    events = complete_history()
    events[0]["workflowExecutionStartedEventAttributes"]["mood"] = "good"
    check(events, "file")


def test_an_event_of_an_unknown_type_is_accepted() -> None:
    """SWF may add types of events: one that the model lacks passes."""
    strange = {"eventId": 99, "eventType": "X", "eventTimestamp": 0.0}
    assert check([*complete_history(), strange], "file")[-1] == strange


def test_text_times_become_seconds() -> None:
    """Times as the AWS command line prints them become seconds since the epoch."""
    events = complete_history()
    for event in events:
        event["eventTimestamp"] = datetime.fromtimestamp(event["eventTimestamp"], UTC).isoformat()
    assert check(events, "file") == COMPLETE


def test_a_missing_member_is_named() -> None:
    """The error names the file, the event and the member."""
    path = (0, "workflowExecutionStartedEventAttributes", "workflowType", "name")
    with pytest.raises(NotAHistory, match=r"file .* event 1 \(WorkflowExecutionStarted\).*name"):
        check(spoilt(path, None, drop=True), "file")


@pytest.mark.parametrize("named", [2, 3, 0, -1, 10**30])
def test_an_answer_names_the_start_of_its_task(named: int) -> None:
    """A DecisionTaskCompleted that names an event other than the last start is refused."""
    path = (9, "decisionTaskCompletedEventAttributes", "startedEventId")
    sentence = rf"event 10 \(DecisionTaskCompleted\): startedEventId is {named}, .* was 9"
    with pytest.raises(NotAHistory, match=sentence):
        check(spoilt(path, named, drop=False), "file")


@settings(max_examples=100)
@given(st.sampled_from(PATHS), st.sampled_from(JUNK), st.booleans())
def test_a_spoilt_history_ends_in_a_sentence(
    path: tuple[Any, ...],
    junk: Any,
    drop: bool,  # noqa: FBT001 - drawn
) -> None:
    """A missing or wrong member ends in an error that names the event, or in a replay."""
    if path[-1] in {"eventId", "eventType"}:
        return  # ``recorded_history.parse`` checks these
    events = spoilt(path, junk, drop=drop)
    try:
        differences = replay.replay(coffee(), check(events, "file"))
    except GarconError as error:
        message = str(error)
    else:
        assert all(each.recorded or each.decided for each in differences)
        return
    assert re.search(rf"\bevent {path[0] + 1}\b", message, re.IGNORECASE)

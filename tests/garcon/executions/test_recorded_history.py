"""Histories in files, written by garcon and by others."""

from __future__ import annotations

import json
import math
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garcon.executions import Execution, NotAHistory
from garcon.executions.recorded_history import dumps, execution, load, moment, parse
from garcon.local import recording
from tests.garcon.executions.served_flow import coffee, history_of
from tests.garcon.histories import History

if TYPE_CHECKING:
    from pathlib import Path


def as_file(**members: Any) -> str:
    """The text of a file."""
    return json.dumps(members)


def test_a_written_history_is_read_again(tmp_path: Path) -> None:
    """``load`` and ``garcon.local.recording`` read the events that ``dumps`` wrote."""
    events = history_of(coffee(), {"beans": "b"})
    path = tmp_path / "order-17.json"
    path.write_text(dumps(events))
    assert load(path) == events
    assert recording.read(path) == events


def test_events_are_put_in_order() -> None:
    """The AWS command line prints the newest first with ``--reverse-order``."""
    events = history_of(coffee(), {"beans": "b"})
    assert parse(dumps(events[::-1]), "file") == events


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "file is not JSON"),
        ("[" * 100_000, "file is not JSON"),
        ("[]", "file is not a history"),
        ("7", "file is not a history"),
        ("{}", "file is not a history"),
        (as_file(events=[]), "file lacks events"),
        (as_file(events=["x"]), "file is not a history"),
        (as_file(events=[{"eventId": "1", "eventType": "x"}]), "file is not a history"),
        (
            as_file(events=[{"eventId": 1, "eventType": "X", "xEventAttributes": 1}]),
            "not a history",
        ),
        (as_file(events=[{"eventId": 2, "eventType": "X"}]), "file lacks events"),
        (as_file(events=[{"eventId": 1, "eventType": "X"}] * 2), "file lacks events"),
        (as_file(events=[{"eventId": 1, "eventType": "X"}]), "does not begin with Workflow"),
    ],
)
def test_an_incomplete_history_is_refused(text: str, sentence: str) -> None:
    """The sentence names the file and what is wrong."""
    with pytest.raises(NotAHistory, match=sentence):
        parse(text, "file")


@given(st.text(max_size=50))
def test_no_text_raises_another_error(text: str) -> None:
    """A file may hold anything: it is refused with a sentence."""
    with pytest.raises(NotAHistory):
        parse(text, "file")


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """A missing file, a folder and a file of bytes each have a sentence."""
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    for name, sentence in (("none", "No such file"), (".", "directory"), ("bytes", "UTF-8")):
        with pytest.raises(NotAHistory, match=sentence):
            load(tmp_path / name)


@pytest.mark.parametrize(
    "timestamp",
    [
        1_700_000_000.5,
        "1700000000.5",
        "2023-11-14T22:13:20.500000Z",
        "2023-11-14T23:13:20.500000+01:00",
        "2023-11-14T22:13:20.500000",
        datetime(2023, 11, 14, 22, 13, 20, 500_000, tzinfo=UTC),
    ],
)
def test_times_are_read_in_every_form(timestamp: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds and the texts of both versions of the AWS command line; UTC without a zone."""
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        found = moment({"eventId": 1, "eventTimestamp": timestamp})
    time.tzset()
    assert found == 1_700_000_000.5


def test_text_times_become_seconds() -> None:
    """The AWS command line prints texts; users of a history compute with seconds."""
    events = history_of(coffee(), {"beans": "b"})
    with_texts = [
        {**each, "eventTimestamp": datetime.fromtimestamp(each["eventTimestamp"], UTC).isoformat()}
        for each in events
    ]
    assert parse(dumps(with_texts), "file") == events


@pytest.mark.parametrize(
    "timestamp",
    [None, "yesterday", [1], math.nan, math.inf, -1, 1e300, 10**400, "9999-12-31T23:59:59-12:00"],
)
def test_an_event_without_a_time_is_named(timestamp: object) -> None:
    """Whatever is not a time between 1970 and 9999 is refused with the event's number."""
    with pytest.raises(NotAHistory, match="Event 7 has no time"):
        moment({"eventId": 7, "eventTimestamp": timestamp})


def test_the_inputs_of_activities_name_the_execution() -> None:
    """A history does not name its execution, but the inputs of garcon's activities do."""
    found = execution(history_of(coffee(), {"beans": "b"}))
    assert found is not None
    assert found.workflow_id == "order-17"
    assert execution(History({}).events) is None


def test_inputs_of_other_programs_name_no_execution() -> None:
    """Texts, lists and objects without the two ids are passed over."""
    for input_ in ("text", "[1]", '{"execution.workflow_id": 1, "execution.run_id": 2}'):
        history = History({})
        history.scheduled("a")
        history.events[-1]["activityTaskScheduledEventAttributes"]["input"] = input_
        assert execution(history.events) is None
    assert Execution("w", "r") != execution(history.events)

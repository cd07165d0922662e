"""Histories as files, written by us and by others."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garcon.local import recording
from garcon.workflow import Execution, NotAHistory
from garcon.workflow.history import dumps, execution, load, moment, parse
from tests.garcon.histories import History
from tests.garcon.workflow.desk import coffee, history_of

if TYPE_CHECKING:
    from pathlib import Path


def written(**told: Any) -> str:
    """The text of a file."""
    return json.dumps(told)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    """Here, and by whoever reads recorded histories."""
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
        ("[]", "file holds no history"),
        ("7", "file holds no history"),
        ("{}", "file holds no history"),
        (written(events=[]), "file lacks events"),
        (written(events=["x"]), "file holds no history"),
        (written(events=[{"eventId": "1", "eventType": "x"}]), "file holds no history"),
        (written(events=[{"eventId": 1, "eventType": "X", "xEventAttributes": 1}]), "no history"),
        (written(events=[{"eventId": 2, "eventType": "X"}]), "file lacks events"),
        (written(events=[{"eventId": 1, "eventType": "X"}] * 2), "file lacks events"),
        (written(events=[{"eventId": 1, "eventType": "X"}]), "does not begin with Workflow"),
    ],
)
def test_a_text_that_is_no_whole_history_is_refused(text: str, sentence: str) -> None:
    """The sentence names the file and what is wrong."""
    with pytest.raises(NotAHistory, match=sentence):
        parse(text, "file")


@given(st.text(max_size=50))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing else is raised, whatever a file holds."""
    with pytest.raises(NotAHistory):
        parse(text, "file")


def test_a_file_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    """Missing, a folder, or not text."""
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    for name, sentence in (("none", "No such file"), (".", "directory"), ("bytes", "UTF-8")):
        with pytest.raises(NotAHistory, match=sentence):
            load(tmp_path / name)


@pytest.mark.parametrize(
    "told",
    [
        1_700_000_000.5,
        "1700000000.5",
        "2023-11-14T22:13:20.500000Z",
        "2023-11-14T23:13:20.500000+01:00",
        "2023-11-14T22:13:20.500000",
        datetime(2023, 11, 14, 22, 13, 20, 500_000, tzinfo=UTC),
    ],
)
def test_times_are_read_in_every_form(told: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds, and what either version of the AWS command line prints; UTC if nothing is said."""
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        found = moment({"eventId": 1, "eventTimestamp": told})
    time.tzset()
    assert found == 1_700_000_000.5


def test_times_in_words_become_seconds() -> None:
    """The AWS command line prints them so, and whoever reads a history counts with them."""
    events = history_of(coffee(), {"beans": "b"})
    said = [
        {**each, "eventTimestamp": datetime.fromtimestamp(each["eventTimestamp"], UTC).isoformat()}
        for each in events
    ]
    assert parse(dumps(said), "file") == events


@pytest.mark.parametrize("told", [None, "yesterday", [1]])
def test_an_event_without_a_time_is_named(told: object) -> None:
    """By its number."""
    with pytest.raises(NotAHistory, match="Event 7 has no time"):
        moment({"eventId": 7, "eventTimestamp": told})


def test_a_history_tells_its_execution_through_its_activities() -> None:
    """A history itself does not say whose it is, but garcon's activities are told."""
    events = history_of(coffee(), {"beans": "b"})
    found = execution(events)
    assert found is not None
    assert found.workflow_id == "order-17"
    assert execution(History({}).events) is None


def test_inputs_that_are_not_garcon_s_tell_nothing() -> None:
    """Text, lists and objects without the ids are passed over."""
    for given_ in ("text", "[1]", '{"execution.workflow_id": 1, "execution.run_id": 2}'):
        told = History({})
        told.scheduled("a")
        told.events[-1]["activityTaskScheduledEventAttributes"]["input"] = given_
        assert execution(told.events) is None
    assert Execution("w", "r") != execution(told.events)

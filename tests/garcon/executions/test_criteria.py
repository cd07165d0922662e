"""Criteria of executions: their texts, and what is left to SWF."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garcon.executions import InputNotSendable, Status, criteria
from garcon.executions.criteria import CLOSED, Criteria
from tests.garcon.executions.served_flow import START
from tests.garcon.executions.test_listing import cafe, ids

if TYPE_CHECKING:
    from tests.garcon.executions.served_flow import ServedFlow

__all__ = ["cafe"]

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)

some_texts = st.frozensets(st.sampled_from(["vip", "a=b", "ÄÖ", "with space"]), max_size=2)
some_times = st.none() | st.datetimes(
    *(datetime.fromisoformat(day) for day in ("2020-01-01", "2030-01-01")), timezones=st.just(UTC)
)
some_criteria = st.builds(
    Criteria,
    names=some_texts,
    statuses=st.frozensets(st.sampled_from(Status)),
    tags=some_texts,
    ids=some_texts,
    reasons=some_texts,
    since=some_times,
    until=some_times,
)


@given(some_criteria)
def test_texts_give_the_criteria_back(of: Criteria) -> None:
    """A command can note its criteria and read them again."""
    assert criteria.parse(criteria.texts(of), NOW) == of


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90s", NOW - timedelta(seconds=90)),
        ("1.5h", NOW - timedelta(hours=1.5)),
        ("2d", NOW - timedelta(days=2)),
        ("2026-01-30", datetime(2026, 1, 30, tzinfo=UTC)),
        ("2026-01-30T10:00:00+02:00", datetime(2026, 1, 30, 8, tzinfo=UTC)),
    ],
)
def test_a_time_is_iso_8601_or_a_span_before_now(text: str, moment: datetime) -> None:
    """A time without a zone is UTC."""
    assert criteria.parse([f"since={text}"], NOW).since == moment


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("failed", "'failed' is not a criterion: use KEY=VALUE with one of status, type, tag"),
        ("tag=", "'tag=' is not a criterion"),
        ("colour=red", "'colour=red' is not a criterion"),
        ("status=done", "status 'done' is unknown: use one of OPEN, COMPLETED, FAILED, CANCELED"),
        ("since=yesterday", "'yesterday' is not a time: use ISO 8601"),
        ("since=99999999d", "is not a time"),
        ("until=1969-01-01", "is not a time"),
    ],
)
def test_an_invalid_criterion_is_refused_with_what_would_do(text: str, sentence: str) -> None:
    """No text is taken for another, and none is ignored."""
    with pytest.raises(InputNotSendable, match=sentence):
        criteria.parse([text], NOW)
    with pytest.raises(InputNotSendable, match="given twice"):
        criteria.parse(["since=1h", "since=2h"], NOW)


def test_every_pair_of_criteria_selects_what_meets_both(cafe: ServedFlow) -> None:
    """Whichever of them SWF applies, the list, its count and the whole list sifted agree."""
    single = [
        "status=open",
        "status=failed",
        "status=closed",
        "tag=odd",
        "type=coffee",
        "type=tea",
        "id=a",
        "reason=STONES",
        f"since={datetime.fromtimestamp(START + 100, UTC).isoformat()}",
        f"until={datetime.fromtimestamp(START + 100, UTC).isoformat()}",
    ]
    of_one = {each: set(ids(tuple(cafe.client.select([each])))) for each in single}
    assert of_one["status=closed"] == set("abc")
    assert of_one["id=a"] == set("a")
    assert of_one["reason=STONES"] == set("b")
    assert of_one["type=tea"] == set()
    for pair in product(single, single):
        keys = [each.partition("=")[0] for each in pair]
        if keys[0] == keys[1]:
            continue
        found = tuple(cafe.client.select(pair))
        assert set(ids(found)) == of_one[pair[0]] & of_one[pair[1]], pair
        assert cafe.client.count(pair).number == len(found), pair


def test_values_of_one_key_are_alternatives(cafe: ServedFlow) -> None:
    """Two statuses, two beginnings of ids; no criteria, everything."""
    assert ids(cafe.client.list(where=["status=failed", "status=terminated"])) == "cb"
    assert ids(cafe.client.list(where=["id=a", "id=e"], tag="odd")) == "ea"
    assert cafe.client.count().number == 5
    assert ids(cafe.client.list(where=Criteria(statuses=CLOSED), limit=None)) == "cba"


def test_swf_counts_what_one_filter_selects() -> None:
    """Anything else is listed and counted here."""
    for texts in (["status=open", "type=a"], ["status=failed"], ["tag=a"], ["status=closed"], []):
        assert criteria.parse(texts, NOW).are_sendable, texts
    for texts in (["status=failed", "type=a"], ["tag=a", "tag=b"], ["id=a"], ["reason=b"]):
        assert not criteria.parse(texts, NOW).are_sendable, texts
    assert not criteria.parse(["status=failed", "status=canceled"], NOW).are_sendable

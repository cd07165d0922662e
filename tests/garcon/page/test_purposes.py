"""Purposes of generated activities, from histories that have only their SHA-1."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from garcon import utils
from garcon.page import purposes
from garcon.tracing import family_trace

VALUES = st.one_of(st.integers(), st.text(max_size=8), st.booleans())


def scheduled(values: dict[str, Any], rest: dict[str, Any], name: str = "resize") -> dict[str, Any]:
    """The event of a generated activity with these values of its own."""
    return {
        "eventType": "ActivityTaskScheduled",
        "activityTaskScheduledEventAttributes": {
            "activityId": f"{name}-{utils.create_dictionary_key(values)}",
            "activityType": {"name": name, "version": "1.0"},
            "input": json.dumps({**rest, **values}),
        },
    }


def id_of(event: dict[str, Any]) -> str:
    """The id of its activity."""
    return str(event["activityTaskScheduledEventAttributes"]["activityId"])


def test_the_value_of_an_instance_is_found_among_all_that_it_needs() -> None:
    """The rest of the input, such as the execution's ids, is not its purpose."""
    rest = {"size": 3, "execution.run_id": "r"}
    events = [scheduled({"photo": name}, rest) for name in ("cat.png", "dog.png")]
    assert list(purposes.of(events).values()) == ["photo=cat.png", "photo=dog.png"]


def test_the_id_of_a_trace_is_no_purpose() -> None:
    """Not all deciders of an execution need to trace, so it may differ between instances."""
    events = [scheduled({"a": n, "b": n, "c": n}, {"d": 1}) for n in range(2)]
    members = events[0]["activityTaskScheduledEventAttributes"]
    members["input"] = family_trace.extended(members["input"], "5" * 32, 32_768)
    assert purposes.of(events)[id_of(events[0])] == "a=0, b=0, c=0"


@given(st.dictionaries(st.text(max_size=6), VALUES, min_size=1, max_size=2), st.integers())
def test_one_or_two_values_are_found_without_another_instance(
    values: dict[str, Any], size: int
) -> None:
    """A lone instance is known by the digest alone."""
    event = scheduled(values, {"a rest": size})
    assert id_of(event) in purposes.of([event])


def test_many_values_are_found_by_another_instance() -> None:
    """Those that differ are the values of the generators."""
    events = [scheduled({"a": n, "b": n, "c": n}, {"d": 1}) for n in range(3)]
    assert purposes.of(events)[id_of(events[1])] == "a=1, b=1, c=1"


def test_other_activities_and_odd_inputs_have_no_purpose() -> None:
    """An id without a digest, an input that is not an object, and one that does not fit."""
    plain = scheduled({"a": 1}, {})
    plain["activityTaskScheduledEventAttributes"]["activityId"] = "resize-1"
    odd = scheduled({"a": 1}, {})
    odd["activityTaskScheduledEventAttributes"]["input"] = "[1]"
    lost = scheduled({"a": 1}, {})
    lost["activityTaskScheduledEventAttributes"]["input"] = None
    assert purposes.of([plain, odd, lost, {"eventType": "TimerFired"}]) == {}


def test_a_long_purpose_is_cut() -> None:
    """A label has room for some words."""
    (purpose,) = purposes.of([scheduled({"photo": "x" * 500}, {})]).values()
    assert purpose.endswith("…")
    assert len(purpose) == purposes.LONGEST

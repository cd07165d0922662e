"""Limits, and JSON on its way to SWF and back."""

from __future__ import annotations

import math
import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garcon import limits, payload
from garcon.identity import identity_of

NESTED: list[Any] = []
NESTED.append(NESTED)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.text(), st.integers(min_value=10, max_value=50))
def test_cut_fits_and_marks(text: str, limit: int) -> None:
    """A cut text fits and says that it was cut; one that fits is left alone."""
    cut = limits.cut(text, limit)
    assert len(cut) <= limit
    assert cut == text or (cut.endswith(limits.MARK) and len(text) > limit)


def test_reason_is_the_first_255_characters_or_the_name() -> None:
    """The documented 255; an error that says nothing is called by its name."""
    assert limits.reason(ValueError("x" * 300)) == "x" * 255
    assert limits.reason(KeyError()) == "KeyError"


def test_what_utf8_cannot_carry_is_spelled_out() -> None:
    """The name of a file that could not be decoded is still to be recognised, and no longer."""
    name = os.fsdecode(b"caf\xe9.txt")
    assert limits.reason(ValueError(name)) == r"caf\udce9.txt"
    assert limits.cut(name, 100) == r"caf\udce9.txt"
    assert len(limits.reason(name * 255)) == len(limits.cut(name * 255, 255)) == 255


@given(st.text(min_size=257), st.text(min_size=257))
def test_long_activity_ids_stay_apart(one: str, other: str) -> None:
    """An id that SWF would refuse is shortened to 256; different ids stay different."""
    short = limits.activity_id(one), limits.activity_id(other)
    assert all(len(each) == 256 for each in short)
    assert (short[0] == short[1]) == (one == other)


def test_ids_that_fit_never_change() -> None:
    """Running executions carry their ids."""
    assert limits.activity_id("x" * 256) == "x" * 256


def test_seconds_are_whole_and_at_most_a_year() -> None:
    """Decisions carry whole seconds, rounded up, and SWF knows nothing beyond a year."""
    assert [limits.seconds(each) for each in (0.2, 600, 1e12)] == ["1", "600", "31536000"]


@given(JSON)
def test_payload_comes_back(value: object) -> None:
    """What is sent is what is read."""
    assert payload.decode(payload.encode(value, "It"), "It") == value


def test_too_large_names_size_and_largest_key() -> None:
    """The person who must act learns how large it is and which key to blame."""
    with pytest.raises(payload.TooLarge, match=r"The input is 40,\d{3} .*'big' with 40,002"):
        payload.encode({"small": 1, "big": "x" * 40_000}, "The input")


def test_exactly_the_limit_is_sent() -> None:
    """SWF takes 32,768 characters, not one fewer."""
    assert len(payload.encode("x" * (32_768 - 2), "It")) == 32_768
    with pytest.raises(payload.TooLarge):
        payload.encode("x" * (32_768 - 1), "It")


def test_what_json_cannot_say_is_named() -> None:
    """A value that JSON has no form for is an error that names its key."""
    with pytest.raises(TypeError, match="'bad'"):
        payload.encode({"good": 1, "bad": {1, 2}}, "It")


@pytest.mark.parametrize("text", ["{", "not json", "[" * 30_000, "x" * 40_000])
def test_unreadable_text_is_refused(text: str) -> None:
    """Text that others wrote is refused with a sentence, not with a crash."""
    with pytest.raises(payload.NotReadable, match="The result"):
        payload.decode(text, "The result")


@pytest.mark.parametrize("text", ["[1]", "3", '"text"'])
def test_an_input_that_is_no_object_is_refused(text: str) -> None:
    """An input has names, or it is refused."""
    with pytest.raises(payload.NotReadable, match="must be a JSON object"):
        payload.decode_object(text, "The input")


@pytest.mark.parametrize("text", [None, "", "null", "{}"])
def test_nothing_is_an_empty_object(text: str | None) -> None:
    """No input is an empty one."""
    assert payload.decode_object(text, "The input") == {}


def test_identity_is_the_given_one_or_tells_host_and_process() -> None:
    """SWF's history shows who polled, in at most 256 characters."""
    assert identity_of("me") == "me"
    assert identity_of().count(":") >= 2
    assert len(identity_of("x" * 300)) == 256


@pytest.mark.parametrize("value", [math.nan, math.inf, {1, 2}, NESTED])
def test_what_json_has_no_form_for_is_refused_with_its_key(value: Any) -> None:
    """NaN is no JSON, though Python writes it; a list that contains itself has no end."""
    with pytest.raises(payload.NotSendable, match=r"The result cannot .* \(key 'bad'\)"):
        payload.encode({"good": 1, "bad": value}, "The result")


def test_keys_that_are_no_texts_come_back_as_texts() -> None:
    """As documented: JSON has no others."""
    assert payload.decode(payload.encode({1: "a"}, "x"), "x") == {"1": "a"}

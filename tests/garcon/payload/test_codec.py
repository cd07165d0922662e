"""Limits, and JSON on its way to SWF and back."""

from __future__ import annotations

import json
import math
import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garcon.aws import limits
from garcon.aws.poller import identity_of
from garcon.payload import codec

NESTED: list[Any] = []
NESTED.append(NESTED)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(
    st.builds(lambda text, times: text * times, st.text(max_size=8), st.integers(1, 20)),
    st.integers(min_value=10, max_value=50),
)
def test_cut_fits_and_marks(text: str, limit: int) -> None:
    """A cut text fits and ends in the mark; one that fits is left alone."""
    cut = limits.cut(text, limit)
    assert len(cut) <= limit
    assert cut == text or (cut.endswith(limits.MARK) and len(text) > limit)


def test_reason_is_the_first_255_characters_or_the_name() -> None:
    """The documented 255; an error without a text is called by its type."""
    assert limits.reason(ValueError("x" * 300)) == "x" * 255
    assert limits.reason(KeyError()) == "KeyError"


def test_characters_that_utf8_cannot_encode_are_escaped() -> None:
    """An undecodable file name stays recognisable, and no text exceeds its limit."""
    name = os.fsdecode(b"caf\xe9.txt")
    assert limits.reason(ValueError(name)) == r"caf\udce9.txt"
    assert limits.cut(name, 100) == r"caf\udce9.txt"
    assert len(limits.reason(name * 255)) == len(limits.cut(name * 255, 255)) == 255


@pytest.mark.slow
@given(st.text(min_size=257), st.text(min_size=257))
def test_long_activity_ids_stay_apart(one: str, other: str) -> None:
    """An id that SWF would refuse is shortened to 256; different ids stay different."""
    short = limits.activity_id(one), limits.activity_id(other)
    assert all(len(each) == 256 for each in short)
    assert (short[0] == short[1]) == (one == other)


def test_ids_that_fit_never_change() -> None:
    """Running executions have these ids."""
    assert limits.activity_id("x" * 256) == "x" * 256


def test_seconds_are_whole_and_at_most_a_year() -> None:
    """Decisions have whole seconds, rounded up; SWF refuses more than a year."""
    assert [limits.seconds(each) for each in (0.2, 600, 1e12)] == ["1", "600", "31536000"]


@pytest.mark.slow
@given(JSON)
def test_payload_comes_back(value: object) -> None:
    """Decoding gives the value that was encoded."""
    assert codec.decode(codec.encode(value, "It"), "It") == value


def test_too_large_names_size_and_largest_key() -> None:
    """The error has the size, and the key to look at."""
    with pytest.raises(codec.TooLarge, match=r"The input is 40,\d{3} .*'big' with 40,002"):
        codec.encode({"small": 1, "big": "x" * 40_000}, "The input")


def test_exactly_the_limit_is_sent() -> None:
    """SWF takes 32,768 characters, not one fewer."""
    assert len(codec.encode("x" * (32_768 - 2), "It")) == 32_768
    with pytest.raises(codec.TooLarge):
        codec.encode("x" * (32_768 - 1), "It")


def test_a_value_without_a_json_form_is_named() -> None:
    """The error names its key."""
    with pytest.raises(TypeError, match="'bad'"):
        codec.encode({"good": 1, "bad": {1, 2}}, "It")


@pytest.mark.parametrize("text", ["{", "not json", "[" * 30_000, "x" * 40_000])
def test_unreadable_text_is_refused(text: str) -> None:
    """A text that others wrote is refused with a sentence, not by a crash."""
    with pytest.raises(codec.NotReadable, match="The result"):
        codec.decode(text, "The result")


@pytest.mark.parametrize("text", ["[1]", "3", '"text"'])
def test_an_input_that_is_not_an_object_is_refused(text: str) -> None:
    """An input without keys is refused."""
    with pytest.raises(codec.NotReadable, match="must be a JSON object"):
        codec.decode_object(text, "The input")


@pytest.mark.parametrize("text", [None, "", "null", "{}"])
def test_a_missing_input_is_an_empty_object(text: str | None) -> None:
    """No input, an empty one and null are the same."""
    assert codec.decode_object(text, "The input") == {}


def test_identity_is_the_given_one_or_host_and_process() -> None:
    """SWF's history shows the poller, in at most 256 characters."""
    assert identity_of("me") == "me"
    assert identity_of().count(":") >= 2
    assert len(identity_of("x" * 300)) == 256


@pytest.mark.parametrize("value", [math.nan, math.inf, {1, 2}, NESTED, "\ud800"])
def test_values_without_a_json_form_are_refused_with_their_key(value: Any) -> None:
    """NaN is not JSON, though Python writes it; a list that contains itself has no end.

    Half of a surrogate pair could not be written in UTF-8 by those who read it.
    """
    with pytest.raises(codec.NotSendable, match=r"The result cannot .* \(key 'bad'\)"):
        codec.encode({"good": 1, "bad": value}, "The result")


class _Raising(dict[Any, Any]):
    """A dictionary whose class has code of its own."""

    def items(self) -> Any:
        """Fail."""
        raise LookupError("no items")


@pytest.mark.parametrize("values", [{"bad": _Raising(a=1)}, _Raising(a=1)])
def test_a_value_whose_class_raises_cannot_be_sent(values: Any) -> None:
    """Whatever it raises: the next attempt would do the work for nothing, too."""
    with pytest.raises(codec.NotSendable, match=r"The result cannot .* LookupError: no items"):
        codec.encode(values, "The result")


def test_keys_that_are_not_texts_come_back_as_texts() -> None:
    """JSON has no other keys, as documented."""
    assert codec.decode(codec.encode({1: "a"}, "x"), "x") == {"1": "a"}


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
def test_numbers_that_json_does_not_have_are_refused_where_they_enter(number: str) -> None:
    """Python would read them, and the next activity could not be sent."""
    with pytest.raises(codec.NotReadable, match=r"^The result of a-1 is not JSON: .*"):
        codec.decode('{"a": [' + number + "]}", "The result of a-1")


@pytest.mark.parametrize(
    "text", ['{"ok": 1, "a": "\\ud800"}', '{"a": "\\uDC00!"}', '{"a": "\ud800"}']
)
def test_half_of_a_surrogate_pair_is_refused_where_it_enters(text: str) -> None:
    """The sentence names the text and the key; generators would fail on it, naming nothing."""
    with pytest.raises(
        codec.NotReadable, match=r"The input .*\(key 'a'\): it holds half of a surr"
    ):
        codec.decode(text, "The input")


@pytest.mark.parametrize(
    "text", ['{"a": "\\ud83d\\ude00"}', '{"a": "\U0001f600 é"}', "[1.5, 1e9, -2E-3]"]
)
def test_whole_characters_and_finite_numbers_are_read(text: str) -> None:
    """Whole pairs are characters, and exponents are numbers."""
    assert codec.decode(text, "The input") == json.loads(text)


@pytest.mark.parametrize("wrong", [b"{}", 5, {"a": 1}])
def test_what_is_not_a_text_is_named(wrong: Any) -> None:
    """A mock client's answer, for one."""
    with pytest.raises(codec.NotReadable, match=r"The input of a-1 has to be a text, not \w+"):
        codec.decode(wrong, "The input of a-1")

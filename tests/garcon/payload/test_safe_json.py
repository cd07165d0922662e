"""JSON that others wrote cannot harm its reader."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from garcon import claims
from garcon.activity.task_execution import ActivityExecution
from garcon.decider.scheduling.control_notes import control_of
from garcon.history import states
from garcon.payload import codec, safe_json

if TYPE_CHECKING:
    from pathlib import Path

values = st.recursive(
    st.none() | st.integers() | st.text(alphabet='ab"\\[]{}:,\n'),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(alphabet='a"\\[{'), inner),
    max_leaves=20,
)


def depth(value: Any) -> int:
    """Levels of lists and objects in a value."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return isinstance(value, dict | list) + max(map(depth, inner), default=0)


def nested(levels: int) -> str:
    """Nested lists of this depth, as JSON."""
    return "[" * levels + "]" * levels


@pytest.mark.slow
@settings(max_examples=100)
@given(values, st.integers(0, 5))
def test_depth_is_that_of_the_value(value: Any, limit: int) -> None:
    """Brackets in strings and keys do not count, however they are quoted."""
    text = json.dumps(value)
    wrapped = "[" * (safe_json.DEPTH - limit) + text + "]" * (safe_json.DEPTH - limit)
    assert safe_json.is_too_deep(wrapped) == (depth(value) > limit)


def test_a_hundred_levels_are_read_and_one_more_is_not() -> None:
    """The limit itself is allowed."""
    safe_json.loads(nested(100))
    with pytest.raises(safe_json.TooDeep, match="100 levels"):
        safe_json.loads(nested(101))


HUNDRED_THOUSAND = "[" * 100_000
"""More than Python can parse; a claim store takes texts of this length."""


@pytest.mark.parametrize(
    "text",
    [
        HUNDRED_THOUSAND,
        HUNDRED_THOUSAND + "]" * 100_000,
        '{"a":' * 100_000,
        '"[' * 50_000,
        "]" * 100_000,
        "[" * 30_000 + "]" * 30_000 + '"',
    ],
)
def test_no_text_is_more_than_an_error(text: str) -> None:
    """Any number of brackets, open or closed, is an error with a sentence, no RecursionError."""
    with pytest.raises(ValueError):  # noqa: PT011 - any sentence will do
        safe_json.loads(text)


@pytest.mark.parametrize("text", [nested(900), nested(16_000)])
def test_an_activitys_input_is_refused_with_a_sentence(text: str) -> None:
    """So is one that Python could parse: a task could not copy or log it."""
    execution = ActivityExecution(None, "a-1", "token", f'{{"deep": {text}}}')
    with pytest.raises(codec.NotReadable, match="The input of a-1 cannot be read: it is nested"):
        _ = execution.context


def test_a_deep_text_in_a_claim_store_is_refused_too(tmp_path: Path) -> None:
    """A store takes texts that SWF does not, such as a hundred thousand brackets."""
    store = claims.DirectoryStore(tmp_path)
    claims.configure(f"file:{tmp_path}")
    try:
        claim = json.dumps(claims.put(HUNDRED_THOUSAND + "]" * 100_000, store))
        with pytest.raises(codec.NotReadable, match="nested more than 100 levels"):
            codec.decode(claim, "The input")
    finally:
        claims.configure(None)


def test_a_decider_takes_unreadable_json_for_a_text_or_nothing() -> None:
    """Others write a signal's input, a marker and a control."""
    assert states.value_of(nested(16_000)) == nested(16_000)
    assert control_of(nested(16_000)) == {}


def test_a_value_that_could_not_be_read_again_is_not_sent() -> None:
    """The error comes where the value is made, and names its key."""
    deep: list[Any] = []
    for _ in range(safe_json.DEPTH):
        deep = [deep]
    with pytest.raises(codec.NotSendable, match=r"\(key 'deep'\): it is nested"):
        codec.encode({"plain": 1, "deep": deep}, "The result")


def test_errors_do_not_repeat_unreadable_texts() -> None:
    """The text may be a secret, and errors are logged and sent to SWF."""
    with pytest.raises(codec.NotReadable) as caught:
        codec.decode('{"password": "geheim"', "The input")
    assert "geheim" not in str(caught.value)

"""JSON that others wrote cannot harm its reader."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from garcon import claims, payload, states, untrusted
from garcon.activity.execution import ActivityExecution
from garcon.decider.scheduling import control_of

if TYPE_CHECKING:
    from pathlib import Path

values = st.recursive(
    st.none() | st.integers() | st.text(alphabet='ab"\\[]{}:,\n'),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(alphabet='a"\\[{'), inner),
    max_leaves=20,
)


def depth(value: Any) -> int:
    """Levels of lists and objects."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return isinstance(value, dict | list) + max(map(depth, inner), default=0)


def nested(levels: int) -> str:
    """Lists in each other."""
    return "[" * levels + "]" * levels


@settings(max_examples=100)
@given(values, st.integers(0, 5))
def test_depth_is_that_of_the_value(value: Any, limit: int) -> None:
    """Brackets in strings and keys do not count, however they are quoted."""
    text = json.dumps(value)
    wrapped = "[" * (untrusted.DEPTH - limit) + text + "]" * (untrusted.DEPTH - limit)
    assert untrusted.is_too_deep(wrapped) == (depth(value) > limit)


def test_a_hundred_levels_are_read_and_one_more_is_not() -> None:
    """The bound itself is allowed."""
    untrusted.loads(nested(100))
    with pytest.raises(untrusted.TooDeep, match="100 levels"):
        untrusted.loads(nested(101))


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
    """Brackets, open or closed, in whatever number: a sentence, never a RecursionError."""
    with pytest.raises(ValueError):  # noqa: PT011 - any sentence will do
        untrusted.loads(text)


@pytest.mark.parametrize("text", [nested(900), nested(16_000)])
def test_an_activitys_input_is_refused_with_a_sentence(text: str) -> None:
    """What Python could just parse, too: it could not be copied or logged from within a task."""
    execution = ActivityExecution(None, "a-1", "token", f'{{"deep": {text}}}')
    with pytest.raises(payload.NotReadable, match="The input of a-1 cannot be read: it is nested"):
        _ = execution.context


def test_a_deep_text_in_a_claim_store_is_refused_too(tmp_path: Path) -> None:
    """A store takes what SWF does not: all hundred thousand brackets."""
    store = claims.Directory(tmp_path)
    claims.configure(f"file:{tmp_path}")
    try:
        claim = json.dumps(claims.put(HUNDRED_THOUSAND + "]" * 100_000, store))
        with pytest.raises(payload.NotReadable, match="nested more than 100 levels"):
            payload.decode(claim, "The input")
    finally:
        claims.configure(None)


def test_a_decider_takes_what_it_cannot_read_for_a_text_or_nothing() -> None:
    """A signal's input, a marker, a control that others wrote."""
    assert states.value_of(nested(16_000)) == nested(16_000)
    assert control_of(nested(16_000)) == {}


def test_what_could_not_be_read_again_is_not_sent() -> None:
    """The person who nests so deep learns it where it happens, with the key."""
    deep: list[Any] = []
    for _ in range(untrusted.DEPTH):
        deep = [deep]
    with pytest.raises(payload.NotSendable, match=r"\(key 'deep'\): it is nested"):
        payload.encode({"plain": 1, "deep": deep}, "The result")


def test_errors_do_not_repeat_what_could_not_be_read() -> None:
    """The text may be a secret, and errors are logged and told to SWF."""
    with pytest.raises(payload.NotReadable) as caught:
        payload.decode('{"password": "geheim"', "The input")
    assert "geheim" not in str(caught.value)

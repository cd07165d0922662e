"""The id of a family's trace in the texts of histories."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garcon import claims
from garcon.tracing import family_trace
from garcon.tracing.seam import Run

TRACE = family_trace.id_of(Run("w", "r"))

OBJECTS = st.dictionaries(
    st.text(max_size=5),
    st.recursive(st.integers() | st.text(max_size=5), st.lists, max_leaves=5),
    max_size=4,
)


def answer(context: str | None) -> dict[str, Any]:
    """The event of an answer with this context."""
    members = {} if context is None else {"executionContext": context}
    return {"eventType": "DecisionTaskCompleted", "decisionTaskCompletedEventAttributes": members}


@given(OBJECTS)
def test_an_input_gets_the_id_and_loses_it_again(values: dict[str, Any]) -> None:
    """Its other members stay; the id is read from the text, and left out of the value."""
    text = family_trace.extended(json.dumps(values), TRACE, 32_768)
    assert family_trace.of_input(text) == TRACE
    assert family_trace.without(json.loads(text)) == values


@pytest.mark.parametrize("text", ["[1]", "7", "null", "no JSON", "", "{", "[" * 9_999])
def test_what_is_no_object_stays_as_it_is(text: str) -> None:
    """A decider of one's own may send any text."""
    assert family_trace.extended(text, TRACE, 32_768) == text


def test_an_input_that_would_be_too_long_stays_as_it_is() -> None:
    """SWF would refuse the decision: a trace may not cost one."""
    text = json.dumps({"a": "x" * 100})
    extended = family_trace.extended(text, TRACE, 32_768)
    assert family_trace.extended(text, TRACE, len(extended)) == extended
    assert family_trace.extended(text, TRACE, len(extended) - 1) == text


def test_a_claim_with_the_id_is_a_claim() -> None:
    """A reader fetches the text that it stands for."""
    claim = json.dumps({claims.CLAIM: "0" * 64, "characters": 40_000})
    extended = family_trace.extended(claim, TRACE, 32_768)
    assert claims.is_claim(json.loads(extended))
    assert claims.holds_claim([extended])


def test_a_note_stands_beside_the_others() -> None:
    """The first note counts; an answer without one is passed over."""
    context = family_trace.noted('{"build": "b"}', TRACE)
    assert json.loads(context) == {"build": "b", "trace": TRACE}
    assert json.loads(family_trace.noted(None, TRACE)) == {"trace": TRACE}
    events = [{"eventType": "DecisionTaskStarted"}, answer(None), answer(context)]
    assert family_trace.first_note([*events, answer(family_trace.noted("", "1" * 32))]) == TRACE


@pytest.mark.parametrize("found", [1, None, "", "0" * 32, "A" * 32, "1" * 31, "1" * 33, ["1" * 32]])
def test_what_others_wrote_is_no_id(found: Any) -> None:
    """Only 32 hexadecimal digits that are not all zero are an id."""
    assert family_trace.of_input(json.dumps({family_trace.KEY: found})) == ""
    assert family_trace.first_note([answer(json.dumps({"trace": found}))]) == ""
    assert family_trace.first_note([answer(f'["trace", {json.dumps(found)}]')]) == ""

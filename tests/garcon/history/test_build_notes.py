"""Notes of builds in answers to decision tasks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garcon.aws import limits
from garcon.event import History
from garcon.history import build_notes
from garcon.history.build_notes import BuildNote

IDS = st.text(max_size=64)


@given(
    st.builds(
        BuildNote,
        IDS,
        st.booleans(),
        st.integers(0, 1_000_000),
        st.lists(IDS, max_size=8).map(tuple),
        st.text(st.characters(codec="utf-8"), max_size=limits.REASON),
    )
)
def test_a_note_reads_as_it_was_written(note: BuildNote) -> None:
    """Every member comes back."""
    assert build_notes.read(str(note)) == note


@pytest.mark.parametrize(
    "text", [None, "", "{", "[]", "7", '{"build": 1}', '{"deaths": 1, "why": ""}', "half way"]
)
def test_other_texts_are_no_notes(text: str | None) -> None:
    """Others write to histories, too."""
    assert build_notes.read(text) is None


def test_wrong_members_count_as_left_out() -> None:
    """A note holds only what this library can have written."""
    text = '{"build": "a", "returned": 1, "waits": -3, "misfits": "b", "why": 5}'
    assert build_notes.read(text) == BuildNote("a", why="5")


def answer(number: int, context: str | None) -> dict[str, object]:
    """The event of an answer with this context."""
    members = {} if context is None else {"executionContext": context}
    return {
        "eventId": number,
        "eventType": "DecisionTaskCompleted",
        "decisionTaskCompletedEventAttributes": members,
    }


def test_the_latest_answer_with_a_note_counts() -> None:
    """A task that was returned for a dead decider changes nothing."""
    events = [answer(4, str(BuildNote("a"))), answer(8, None), answer(12, '{"deaths": 1}')]
    assert build_notes.latest(reversed(events)) == BuildNote("a")
    assert History(events).build_note == BuildNote("a")
    assert History(events[1:]).build_note is None

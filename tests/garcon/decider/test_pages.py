"""Events by number, whatever pages they come in."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garcon.decider.pages import HistoryGap, between, pages


def events(*numbers: int) -> list[dict[str, Any]]:
    """Events with these numbers."""
    return [{"eventId": number} for number in numbers]


def in_pages(numbers: list[int], size: int) -> list[dict[str, Any]]:
    """Pages of this size, each but the last with a token for the next."""
    parts = [numbers[start : start + size] for start in range(0, len(numbers), size)] or [[]]
    found: list[dict[str, Any]] = [{"events": events(*part)} for part in parts]
    for place, page in enumerate(found[:-1], 1):
        page["nextPageToken"] = str(place)
    return found


@given(started=st.integers(1, 30), known=st.integers(0, 30), size=st.integers(1, 9), data=st.data())
def test_new_events_are_found_in_any_order(started: int, known: int, size: int, data: Any) -> None:
    """Reversed or not, with old events or without, each comes once and in order."""
    known = min(known, started - 1)
    shown = list(range(data.draw(st.integers(1, known + 1)), started + 3))
    if data.draw(st.booleans()):
        shown.reverse()
    shown_pages = in_pages(shown, size)
    got = between(known, started, pages(shown_pages[0], lambda token: shown_pages[int(token)]))
    assert got == events(*range(known + 1, started + 1))


def test_pages_are_fetched_only_when_needed() -> None:
    """No page after the one with the last missing event is fetched."""
    shown_pages = in_pages(list(range(100, 0, -1)), 10)
    tokens: list[str] = []

    def fetch(token: str) -> Any:
        tokens.append(token)
        return shown_pages[int(token)]

    assert len(between(85, 100, pages(shown_pages[0], fetch))) == 15
    assert tokens == ["1"]
    assert len(between(95, 100, pages(shown_pages[0], fetch))) == 5
    assert tokens == ["1"]


def test_a_missing_event_is_an_error() -> None:
    """The error has the numbers of the events."""
    with pytest.raises(HistoryGap, match="1 of the 3 events 3 to 5"):
        between(2, 5, [{"events": events(3)}])

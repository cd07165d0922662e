"""A timeline as lines of a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garcon.executions import presentation, terminal
from garcon.executions.presentation import Tone
from garcon.executions.terminal import ASCII, TextStyle, draw, plain
from garcon.executions.timeline import timeline
from tests.garcon.executions.scenarios import ALL, Scenario, everything, retried
from tests.garcon.executions.served_flow import START

if TYPE_CHECKING:
    from collections.abc import Callable


def text(scenario: Scenario, width: int = 80, **options: object) -> str:
    """The drawing without styles."""
    return plain(draw(timeline(scenario.events), "order-17", width, **options))  # type: ignore[arg-type]  # tests give what fits


def test_a_drawing_shows_waiting_work_and_failure_to_scale() -> None:
    """Ten seconds on fifty columns: a second takes five of them."""
    drawn = text(retried(), 50 + len("grind-1") + terminal.OUTCOMES + 4, glyphs=ASCII)
    assert drawn.splitlines() == [
        "order-17 completed after 10.0 s",
        "flow 1.0, 2023-11-14 22:13:20 UTC, 8 events",
        "         0         2 s       4 s       6 s       8 s      10 s",
        "grind-1 |     ..........===============x===================| 4.00 s, attempt 2",
        "grind-1, attempt 1: failed, No beans.",
    ]


def test_waiting_work_and_failures_differ_in_unicode_too() -> None:
    """They differ by their characters, not by their colours alone."""
    drawn = text(retried())
    assert all(each in drawn for each in "░█✗│")


@pytest.mark.parametrize("scenario", ALL)
@pytest.mark.parametrize("width", [60, 80, 81, 140])
def test_no_line_is_wider_than_asked_for(scenario: Callable[[], Scenario], width: int) -> None:
    """The width holds whatever happened."""
    assert max(map(presentation.cells, text(scenario(), width).splitlines())) <= width


NASTY = st.text(max_size=300) | st.sampled_from(
    ["\x1b[31mred", "日本語" * 30, "e\u0301" * 90, "\u202e"]
)


@given(NASTY, NASTY, NASTY)
def test_names_and_reasons_may_hold_anything(name: str, reason: str, workflow_id: str) -> None:
    """No line gets too wide, and no control character reaches the terminal."""
    scenario = Scenario()
    number = scenario.add("ActivityTaskScheduled", activityId=name, activityType={"name": "a"})
    scenario.after(1).ended("Failed", number, reason=reason)
    drawn = plain(draw(timeline(scenario.events), workflow_id, 80))
    for line in drawn.split("\n"):
        assert presentation.cells(line) <= 80
        assert line.isprintable()


def test_a_long_drawing_counts_the_rows_that_it_omits() -> None:
    """Rows beyond the number asked for are counted in one line."""
    drawn = text(everything(), rows=2)
    rows = len(timeline(everything().events).rows)
    assert f"... and {rows - 2} more rows" in drawn
    assert "marker here" not in drawn


def test_failures_beyond_ten_are_counted() -> None:
    """Ten reasons are listed, the others counted."""
    scenario = Scenario()
    for number in range(12):
        scenario.refused(f"flow_a{number}", "X")
    assert "... and 2 more; --json lists all." in text(scenario)


def test_failed_and_completed_bars_have_different_styles() -> None:
    """A terminal with colours can show which bar failed."""
    lines = draw(timeline(retried().events), "order-17")
    styles = {piece.style for line in lines for piece in line if piece.text.strip()}
    assert {TextStyle.HEAD, TextStyle.FAINT, Tone.COMPLETED, Tone.FAILED} <= styles


def test_an_execution_without_length_is_drawn() -> None:
    """All in one moment leaves no scale, but a bar."""
    scenario = Scenario()
    scenario.started(scenario.scheduled("flow_a"))
    drawn = text(scenario)
    assert "order-17 has been open for 0.00 s" in drawn
    assert "█" in drawn


def test_a_bar_without_length_is_visible() -> None:
    """An activity that was scheduled this moment takes one column."""
    scenario = Scenario()
    scenario.after(10).scheduled("flow_a")
    assert ".| waiting" in text(scenario, glyphs=ASCII)


def test_decisions_are_counted_and_attempts_are_numbered() -> None:
    """Decisions recur by design, a second attempt at an activity is news."""
    drawn = text(everything())
    assert "│ 2 times" in drawn.split("decisions", 1)[1].split("\n", 1)[0]
    assert "4.00 s, attempt 2" in text(retried())


def test_an_open_execution_shows_what_runs_until_now() -> None:
    """The bar of a running activity reaches the right edge."""
    scenario = Scenario()
    scenario.started(scenario.scheduled("flow_a"))
    drawn = plain(draw(timeline(scenario.events, START + 60), "order-17", glyphs=ASCII))
    assert "=| 1 min, running" in drawn

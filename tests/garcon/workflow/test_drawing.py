"""A timeline as lines of a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garcon.workflow import drawing, words
from garcon.workflow.drawing import ASCII, Style, draw, plain
from garcon.workflow.timeline import timeline
from tests.garcon.workflow.desk import START
from tests.garcon.workflow.stories import ALL, Story, everything, retried

if TYPE_CHECKING:
    from collections.abc import Callable


def text(story: Story, width: int = 80, **options: object) -> str:
    """The drawing without styles."""
    return plain(draw(timeline(story.events), "order-17", width, **options))  # type: ignore[arg-type]  # tests give what fits


def test_a_drawing_shows_waiting_work_and_failure_to_scale() -> None:
    """Ten seconds on fifty columns: a second is five of them."""
    drawn = text(retried(), 50 + len("grind-1") + drawing.OUTCOMES + 4, glyphs=ASCII)
    assert drawn.splitlines() == [
        "order-17 completed after 10.0 s",
        "flow 1.0, 2023-11-14 22:13:20 UTC, 8 events",
        "        0" + "10.0 s".rjust(51),
        "grind-1 |     ..........===============x===================| 4.00 s, try 2",
        "grind-1, try 1: failed, No beans.",
    ]


def test_waiting_work_and_marks_differ_in_unicode_too() -> None:
    """By the characters, not by their colours alone."""
    drawn = text(retried())
    assert all(each in drawn for each in "░█✗│")


@pytest.mark.parametrize("story", ALL)
@pytest.mark.parametrize("width", [60, 80, 81, 140])
def test_no_line_is_wider_than_asked_for(story: Callable[[], Story], width: int) -> None:
    """Whatever happened."""
    assert max(map(words.cells, text(story(), width).splitlines())) <= width


NASTY = st.text(max_size=300) | st.sampled_from(
    ["\x1b[31mred", "日本語" * 30, "e\u0301" * 90, "\u202e"]
)


@given(NASTY, NASTY, NASTY)
def test_names_and_reasons_may_hold_anything(name: str, reason: str, workflow_id: str) -> None:
    """No line gets too wide, and nothing reaches the terminal that it would obey."""
    story = Story()
    number = story.add("ActivityTaskScheduled", activityId=name, activityType={"name": "a"})
    story.after(1).ended("Failed", number, reason=reason)
    drawn = plain(draw(timeline(story.events), workflow_id, 80))
    for line in drawn.split("\n"):
        assert words.cells(line) <= 80
        assert line.isprintable()


def test_a_long_drawing_says_what_it_leaves_out() -> None:
    """Rows beyond the number asked for are counted."""
    drawn = text(everything(), rows=2)
    rows = len(timeline(everything().events).rows)
    assert f"... and {rows - 2} rows more" in drawn
    assert "marker here" not in drawn


def test_many_complaints_are_counted() -> None:
    """Ten are told."""
    story = Story()
    for number in range(12):
        story.refused(f"flow_a{number}", "X")
    assert "... and 2 more" in text(story)


def test_styles_mean_what_became_of_a_bar() -> None:
    """What failed and what completed can be told apart by colour."""
    lines = draw(timeline(retried().events), "order-17")
    styles = {piece.style for line in lines for piece in line if piece.text.strip()}
    assert {Style.HEAD, Style.FAINT, Style.DONE, Style.BAD} <= styles


def test_an_execution_without_length_is_drawn() -> None:
    """All in one moment, which is no scale."""
    story = Story()
    story.begun(story.scheduled("flow_a"))
    drawn = text(story)
    assert "order-17 is open since 0.00 s" in drawn
    assert "█" in drawn


def test_what_was_just_asked_for_is_seen() -> None:
    """Its bar has no length yet, and a column all the same."""
    story = Story()
    story.after(10).scheduled("flow_a")
    assert ".| waiting" in text(story, glyphs=ASCII)


def test_repetitions_are_counted_and_tries_are_numbered() -> None:
    """Decisions come many times, an activity is tried."""
    drawn = text(everything())
    assert "│ 2 times" in drawn.split("decisions", 1)[1].split("\n", 1)[0]
    assert "4.00 s, try 2" in text(retried())


def test_an_open_execution_shows_what_runs_until_now() -> None:
    """The bar goes on to the right edge."""
    story = Story()
    story.begun(story.scheduled("flow_a"))
    drawn = plain(draw(timeline(story.events, START + 60), "order-17", glyphs=ASCII))
    assert "=| 1 min, running" in drawn

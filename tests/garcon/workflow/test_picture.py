"""A timeline as an SVG picture."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garcon.workflow import picture
from garcon.workflow.picture import TICKS, svg, ticks
from garcon.workflow.timeline import timeline
from tests.garcon.workflow.stories import ALL, Story, everything, retried

if TYPE_CHECKING:
    from collections.abc import Callable

SPACE = "{http://www.w3.org/2000/svg}"


def drawn(story: Story, workflow_id: str = "order-17") -> ET.Element:
    """The picture's elements."""
    return ET.fromstring(svg(timeline(story.events), workflow_id))  # noqa: S314 - our own


def boxes(root: ET.Element, kind: str) -> list[tuple[float, float]]:
    """Begin and length of the bars of a class."""
    found = [each for each in root.iter(f"{SPACE}rect") if each.get("class") == kind]
    return [(float(each.get("x", 0)), float(each.get("width", 0))) for each in found]


def test_bars_are_to_scale() -> None:
    """Ten seconds on the chart: the tries begin and last as they did."""
    second = picture._CHART / 10
    root = drawn(retried())
    assert boxes(root, "bad") == [pytest.approx((picture._LEFT + 3 * second, 3 * second), abs=0.1)]
    assert boxes(root, "done") == [pytest.approx((picture._LEFT + 6 * second, 4 * second), abs=0.1)]
    assert boxes(root, "wait")[0] == pytest.approx((picture._LEFT + second, 2 * second), abs=0.1)


def test_a_failure_has_a_mark_where_it_ended() -> None:
    """So that it is not told by colour alone."""
    marks = [
        each for each in drawn(retried()).iter(f"{SPACE}circle") if "edge" in each.get("class", "")
    ]
    assert [float(each.get("cx", 0)) for each in marks] == [
        pytest.approx(picture._LEFT + 0.6 * picture._CHART, abs=0.1)
    ]


def test_the_shortest_bar_is_seen() -> None:
    """A millisecond in an hour has a width."""
    story = Story()
    number = story.scheduled("flow_a")
    story.begun(number)
    story.after(0.001).ended("Completed", number)
    story.after(3600).add("WorkflowExecutionCompleted")
    assert boxes(drawn(story), "done") == [(picture._LEFT, picture.SLIGHTEST)]


def test_tooltips_tell_what_does_not_fit() -> None:
    """Reason, waiting, work, and who did it."""
    said = [each.text for each in drawn(retried()).iter(f"{SPACE}title")]
    assert (
        "event 2: failed, No beans.; asked for at 1.00 s; waited 2.00 s; took 3.00 s; by host:1"
        in said
    )


def test_the_picture_needs_nothing_else() -> None:
    """No script, no address but SVG's own name, and a look for dark readers."""
    made = svg(timeline(everything().events), "order-17")
    assert re.findall(r"https?://[^\"]*", made) == ["http://www.w3.org/2000/svg"]
    assert "<script" not in made
    assert "prefers-color-scheme: dark" in made


@pytest.mark.parametrize("story", ALL)
def test_everything_lies_within_the_picture(story: Callable[[], Story]) -> None:
    """No bar, letter or mark is outside."""
    root = drawn(story())
    width, height = float(root.get("width", 0)), float(root.get("height", 0))
    for each in root.iter():
        for name, limit in (("x", width), ("cx", width), ("y", height), ("cy", height)):
            assert 0 <= float(each.get(name, 0)) <= limit
    for begin, length in (box for kind in ("wait", "done", "bad") for box in boxes(root, kind)):
        assert begin + length <= width


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_text_makes_a_well_formed_file(name: str, reason: str) -> None:
    """Names and reasons are written by others."""
    story = Story()
    number = story.add("ActivityTaskScheduled", activityId=name, activityType={"name": "a"})
    story.begun(number, by=reason)
    story.after(1).ended("Failed", number, reason=reason)
    assert drawn(story, name).tag.endswith("svg")


@given(st.floats(0, 3e8))
def test_a_scale_has_few_round_marks(seconds: float) -> None:
    """Zero and at most eight more, within the scale, evenly."""
    found = ticks(seconds)
    assert found[0] == 0
    assert len(found) <= TICKS + 1
    assert found[-1] <= max(seconds, 0.001) * (1 + 1e-9)
    assert len(found) > 2 or seconds < 0.003  # a thousandth is the smallest step


@pytest.mark.parametrize(
    ("seconds", "step"), [(0.05, 0.01), (24.5, 5.0), (70, 10.0), (4000, 600.0), (1e6, 172_800.0)]
)
def test_marks_are_where_clocks_have_them(seconds: float, step: float) -> None:
    """Seconds, minutes, hours, days."""
    assert ticks(seconds)[1] == pytest.approx(step)

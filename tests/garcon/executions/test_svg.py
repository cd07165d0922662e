"""A timeline as an SVG picture."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garcon.executions import svg
from garcon.executions.presentation import LEGEND, Tone
from garcon.executions.svg import LEFT, RIGHT, as_svg
from garcon.executions.timeline import timeline
from tests.garcon.executions.scenarios import ALL, Scenario, everything, retried

if TYPE_CHECKING:
    from collections.abc import Callable

SPACE = "{http://www.w3.org/2000/svg}"
TELEPHONE = 390  # pixels


def drawn(scenario: Scenario, workflow_id: str = "order-17") -> ET.Element:
    """The elements of the picture."""
    return ET.fromstring(as_svg(timeline(scenario.events), workflow_id))  # noqa: S314 - our own


def percent(element: ET.Element, name: str) -> float:
    """A length or place that is given in percent."""
    value = element.get(name, "0%")
    assert value.endswith("%")
    return float(value[:-1])


def boxes(root: ET.Element, tone: Tone) -> list[tuple[float, float]]:
    """Begin and width of the bars of a tone, in percent; the legend's boxes left out."""
    return [
        (percent(each, "x"), percent(each, "width"))
        for each in root.iter(f"{SPACE}rect")
        if each.get("class") == tone and each.get("width") != "12"
    ]


def crosses(root: ET.Element) -> list[float]:
    """The places of the crosses, in percent."""
    return [percent(each, "x") for each in root.findall(f".//{SPACE}svg")]


def test_bars_are_to_scale() -> None:
    """Ten seconds on the chart: the attempts begin and last as they did."""
    second = (RIGHT - LEFT) / 10
    root = drawn(retried())
    assert boxes(root, Tone.FAILED) == [pytest.approx((LEFT + 3 * second, 3 * second), abs=0.01)]
    assert boxes(root, Tone.COMPLETED) == [pytest.approx((LEFT + 6 * second, 4 * second), abs=0.01)]
    assert boxes(root, Tone.WAITING)[0] == pytest.approx((LEFT + second, 2 * second), abs=0.01)


def test_a_failure_has_a_cross_where_it_ended() -> None:
    """Readers who do not see the colour see the cross."""
    assert crosses(drawn(retried())) == [pytest.approx(LEFT + 0.6 * (RIGHT - LEFT), abs=0.01)]


def test_the_shortest_bar_is_visible() -> None:
    """A millisecond in an hour has a width."""
    scenario = Scenario()
    number = scenario.scheduled("flow_a")
    scenario.started(number)
    scenario.after(0.001).ended("Completed", number)
    scenario.after(3600).add("WorkflowExecutionCompleted")
    assert boxes(drawn(scenario), Tone.COMPLETED) == [(LEFT, svg.SHORTEST_BAR)]


def test_a_legend_names_every_tone() -> None:
    """Each tone has a box of its colour and its word."""
    root = drawn(Scenario())
    swatches = [
        each.get("class") for each in root.iter(f"{SPACE}rect") if each.get("width") == "12"
    ]
    assert swatches == list(LEGEND)
    texts = {each.text for each in root.iter(f"{SPACE}text")}
    assert set(LEGEND.values()) <= texts


def test_tooltips_have_what_does_not_fit() -> None:
    """A tooltip has the reason, how long the attempt waited and took, and its worker."""
    titles = [each.text for each in drawn(retried()).iter(f"{SPACE}title")]
    assert (
        "event 2: failed, No beans.; scheduled at 1.00 s; waited 2.00 s; took 3.00 s; by host:1"
        in titles
    )


def test_the_picture_needs_nothing_else() -> None:
    """It has no script, no address but SVG's own name, and colours for dark readers."""
    picture = as_svg(timeline(everything().events), "order-17")
    assert re.findall(r"https?://[^\"]*", picture) == ["http://www.w3.org/2000/svg"]
    assert "<script" not in picture
    assert "prefers-color-scheme: dark" in picture


@pytest.mark.parametrize("scenario", ALL)
def test_everything_lies_within_the_picture(scenario: Callable[[], Scenario]) -> None:
    """No bar, cross or line of text is outside."""
    root = drawn(scenario())
    height = float(root.get("height", 0))
    for each in root.iter():
        for name in ("x", "x1", "cx"):
            assert 0 <= percent(each, name) <= 100
        for name in ("y", "y1", "y2", "cy"):
            assert 0 <= float(each.get(name, 0)) <= height
    for begin, width in (box for tone in Tone for box in boxes(root, tone)):
        assert begin + width <= 100


@pytest.mark.parametrize("scenario", ALL)
def test_no_line_of_text_is_wider_than_a_telephone(scenario: Callable[[], Scenario]) -> None:
    """Texts that share a line fit side by side on a screen of 390 pixels."""
    widest = {"head": 9.0, "faint": 6.5, "name": 7.0}  # pixels of a letter, on average
    lines: dict[str, float] = {}
    for each in drawn(scenario(), "an-order-of-many-words-" * 4).iter(f"{SPACE}text"):
        style, *_ = each.get("class", "").split()
        text = each.text or ""
        lines[each.get("y", "")] = lines.get(each.get("y", ""), 0) + len(text) * widest[style]
    assert max(lines.values()) <= TELEPHONE * (RIGHT - LEFT) / 100


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_text_makes_a_well_formed_file(name: str, reason: str) -> None:
    """Names and reasons come from anyone."""
    scenario = Scenario()
    number = scenario.add("ActivityTaskScheduled", activityId=name, activityType={"name": "a"})
    scenario.started(number, identity=reason)
    scenario.after(1).ended("Failed", number, reason=reason)
    assert drawn(scenario, name).tag.endswith("svg")

"""The page of the local SWF shows a timeline in the words, colours, labels and scale of SVG."""

from __future__ import annotations

import json
import random
import re
from html import unescape
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest

from garcon.executions.presentation import (
    COLOURS,
    LEGEND,
    STATUS_VERBS,
    Tone,
    duration,
    short_label,
    tick_label,
    ticks,
    tone,
)
from garcon.executions.timeline import BarKind, BarState
from tests import browser

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

PAGE = files("garcon.page").joinpath("browser")
STYLE = PAGE.joinpath("page.css").read_text(encoding="utf-8")
SEED = 17

CLASSES = {
    BarState.WAITING: "waiting",
    BarState.RUNNING: "running",
    BarState.COMPLETED: "completed",
    BarState.FAILED: "failed",
    BarState.TIMED_OUT: "timedout",
    BarState.CANCELED: "canceled",
}
"""Classes of the page's bars; the page draws the other states with these, too."""


def colours(block: str) -> dict[str, str]:
    """The colours that a block of the style sheet defines, by name."""
    return dict(re.findall(r"--(\w+): (#[0-9a-f]+);", block))


def tone_of_class(name: str) -> str:
    """The name of the colour that a class of the style sheet has."""
    rules = re.findall(r"([^{}]+)\{ --tone: var\(--(\w+)\); \}", STYLE)
    (found,) = {
        colour for selectors, colour in rules if f".{name}" in re.split(r"[\s,]+", selectors)
    }
    return str(found)


def test_the_page_has_the_same_colours() -> None:
    """Each colour is the same for light and for dark readers."""
    light, dark = STYLE.split("@media (prefers-color-scheme: dark)", 1)
    for reader, block in (("light", light), ("dark", dark.split("* {", 1)[0])):
        defined = colours(block)
        assert {name: defined[name] for name in COLOURS} == {
            name: getattr(colour, reader) for name, colour in COLOURS.items()
        }


def test_the_page_has_the_same_tones() -> None:
    """Each state has the tone that it has in SVG, and completed decisions have their own."""
    for state, name in CLASSES.items():
        assert tone_of_class(name) == tone(BarKind.ACTIVITY, state)
    assert f".bar.decision.completed {{ --tone: var(--{Tone.DECISION}); }}" in STYLE


LABELS = [
    ("coffee_grind-1", "coffee"),
    ("coffee_grind-" + "0123456789abcdef0123456789abcdef01234567", "coffee"),
    ("tea_grind-1", "coffee"),
    ("coffee", "coffee"),
    ("", ""),
]


def moments() -> list[float]:
    """Lengths of time from a millisecond to some years."""
    drawn = random.Random(SEED)
    edges = [0, 0.004, 9.994, 9.996, 59.94, 59.96, 60, 3599.4, 3600, 86_399, 86_400, 3e8]
    return [*edges, *(10 ** drawn.uniform(-3, 8) for _ in range(300))]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The answers of the page's own functions, in a browser."""
    if browser.PROGRAM is None:
        pytest.skip("no browser is installed: the page is tested in chromium")
    folder = tmp_path_factory.mktemp("page")
    return evaluated(
        folder,
        f"""({{
            legend: LEGEND,
            kinds: KINDS,
            status: STATUS_WORDS,
            labels: {json.dumps(LABELS)}.map(([label, flow]) => shortLabel(label, flow)),
            durations: {json.dumps(moments())}.map(duration),
            ticks: {json.dumps(moments())}.map((each) => ticks(each, 5)),
            tickLabels: {json.dumps(moments())}.map((each) => ticks(each, 5).map(tickLabel)),
        }})""",
    )


def evaluated(folder: Path, expression: str) -> dict[str, Any]:
    """The object that an expression over the names of the page's module gives."""
    module = PAGE.joinpath("presentation.js").read_text(encoding="utf-8")
    script = f"{module}\ndocument.body.textContent = JSON.stringify({expression});"
    document = folder / "test.html"
    document.write_text(f'<meta charset="utf-8"><body><script type="module">{script}</script>')
    dom = browser.dom_of(document.as_uri(), folder, 1000)
    found: dict[str, Any] = json.loads(unescape(re.sub(r"<[^>]*>", "", dom)))
    return found


def test_the_page_has_the_same_words(page: dict[str, Any]) -> None:
    """Kinds, legend and status use the words of the SVG's rows, legend and headline."""
    assert set(page["kinds"].values()) == {BarKind.TIMER, BarKind.CHILD, BarKind.LAMBDA}
    names = {tone(BarKind.ACTIVITY, state): name for state, name in CLASSES.items()}
    names[Tone.DECISION] = "decision"
    assert page["legend"] == {names[each]: word for each, word in LEGEND.items()}
    assert page["status"] == {
        status: re.sub(r"^(was|has been) ", "", verb) for status, verb in STATUS_VERBS.items()
    }


def test_the_page_has_the_same_labels(page: dict[str, Any]) -> None:
    """The flow's name and long keys are cut by the same rule."""
    assert page["labels"] == [short_label(label, flow) for label, flow in LABELS]


def test_the_page_has_the_same_scale(page: dict[str, Any]) -> None:
    """Durations, marks and their texts are the same for any length of time."""
    assert page["durations"] == [duration(each) for each in moments()]
    for length, found, labels in zip(moments(), page["ticks"], page["tickLabels"], strict=True):
        expected = ticks(length, 5)
        assert found == pytest.approx(expected)
        assert labels == [tick_label(each) for each in expected]

"""The pictures of the pages: one is what the present code draws, one is drawn of a real run."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from tests.docs import pictures, pool_picture
from tests.docs.pool_picture import TICK, Look


@pytest.mark.slow
def test_the_timeline_of_the_tutorial_is_drawn_by_its_own_flow() -> None:
    """``docs/podcast.svg`` is what ``python -m tests.docs.pictures`` writes."""
    remedy = "draw it again: python -m tests.docs.pictures"
    assert pictures.draw() == pictures.PICTURE.read_text(encoding="utf-8"), remedy


def test_looks_at_a_pool_become_spans_and_a_picture() -> None:
    """Looks that follow each other in one state are one bar, each task is a bar of its own."""
    looks = [Look(0.0, "resize/0", 1, "idle"), Look(0.2, "resize/0", 1, "idle")]
    looks += [Look(0.4, "resize/0", 1, "working", "a"), Look(0.6, "resize/0", 1, "working", "b")]
    looks += [Look(0.6, "resize/0", 2, "starting")]
    found = list(pool_picture.spans(looks))
    assert [(each.begin, each.end) for each in found] == [
        (0.0, 0.2 + TICK),
        (0.4, 0.4 + TICK),
        (0.6, 0.6 + TICK),
        (0.6, 0.6 + TICK),
    ]
    picture = ET.fromstring(pool_picture.draw(found, 0.1, 0.5))  # noqa: S314 - our own
    assert len(picture.findall(".//{*}rect")) == len(found)

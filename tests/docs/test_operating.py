"""The page on operating executions: its commands give the outputs that it shows."""

from __future__ import annotations

import re
import shlex
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from garcon.decider.decisions import return_task
from garcon.executions import Client, commands
from garcon.executions.commands import target
from garcon.history.decision_deaths import DecisionDeaths
from tests.docs import album, order
from tests.docs.pages import DOCS, blocks_of
from tests.garcon.executions.served_flow import ServedFlow, served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from tests.docs.pages import Block

PAGE = DOCS / "operating.md"
BLOCKS = [each for each in blocks_of(PAGE) if each.title]

CHANGING = (
    (re.compile(r"\s+"), " "),
    (re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d"), "TIME"),
    (re.compile(r"\b[\d.]+ (s|min|h|d)( \d+ (s|min|h))?\b"), "SPAN"),
    (re.compile(r"[A-Za-z0-9+/]{20,}=*"), "RUN"),
)
"""Parts that differ from run to run: times, spans, run ids, and the lines and columns by them."""


@contextmanager
def three_albums() -> Iterator[ServedFlow]:
    """Two albums that failed, one that completed, and workers that are mended."""
    album.broken.update({"17.jpg", "19.jpg"})
    with served(album) as photos:
        run_to_its_end(photos, "album-17", "17.jpg", "vip")
        run_to_its_end(photos, "album-18", "18.jpg", "vip")
        run_to_its_end(photos, "album-19", "19.jpg")
        album.broken.clear()
        yield photos


def run_to_its_end(photos: ServedFlow, workflow_id: str, url: str, *tags: str) -> None:
    """Start an execution, and let the workers bring it to its end."""
    photos.client.start({"photo.url": url}, workflow_id, tags)
    for _ in photos.client.follow(workflow_id):
        pass


@contextmanager
def an_order() -> Iterator[ServedFlow]:
    """An order of which one item of two is picked; no decider and no worker runs."""
    with served(order) as shop:
        shop.client.start({"items": ["lamp", "chair"]}, "order-5")
        shop.run_decider()
        shop.workers["order_pick"]()
        shop.run_decider()
        shop.idle = True
        yield shop


@contextmanager
def an_item_at_a_supplier() -> Iterator[ServedFlow]:
    """The same order; the supplier of the second item has its task, and the token is in a file."""
    with an_order() as shop:
        polled = shop.raw.poll_for_activity_task(domain="shop", taskList={"name": "order_pick"})
        Path("token").write_text(polled["taskToken"])
        yield shop


@contextmanager
def a_parked_album() -> Iterator[ServedFlow]:
    """An album whose decisions end their deciders."""
    with served(album) as photos:
        photos.client.start({"photo.url": "17.jpg"}, "album-17")
        photos.idle = True
        polled = photos.raw.poll_for_decision_task(domain="photos", taskList={"name": "album"})
        why = "WorkerDied: killed by SIGKILL, out of memory"
        note = str(DecisionDeaths(4, why, parked=900))
        photos.raw.respond_decision_task_completed(
            taskToken=polled["taskToken"],
            decisions=return_task(900, note),
            executionContext=note,
        )
        yield photos


SCENES: dict[str, tuple[str, Callable[[], AbstractContextManager[ServedFlow]]]] = {
    "three albums": (album.__name__, three_albums),
    "an order": (order.__name__, an_order),
    "an item at a supplier": (order.__name__, an_item_at_a_supplier),
    "a parked album": (album.__name__, a_parked_album),
}
"""The scene that a block's title names: the flow's module, and what brings the scene about."""


def plain(text: str) -> str:
    """A text without what differs from run to run."""
    for pattern, word in CHANGING:
        text = pattern.sub(word, text)
    return text.strip()


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.where)
def test_commands_give_the_outputs_of_the_page(
    block: Block,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each command of a block is run, one after the other, in the scene that its title names."""
    flow, scene = SCENES[block.title]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GARCON_FLOW", flow)
    with scene() as made:
        monkeypatch.setattr(target, "Client", partial(Client, clock=made.client.clock))
        capsys.readouterr()
        for part in block.text.split("$ python -m garcon ")[1:]:
            words, _, shown = part.partition("\n")
            commands.main(shlex.split(words))
            captured = capsys.readouterr()
            assert plain(captured.err + captured.out) == plain(shown), words


def test_the_page_has_such_blocks() -> None:
    """The test above looks at something."""
    assert BLOCKS

"""Lists of executions, open and closed as one."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from garcon import decider
from garcon.workflow import Client, Status, Summary
from tests.garcon.workflow.desk import DOMAIN, START, Desk, desk

if TYPE_CHECKING:
    from collections.abc import Iterator

BEANS = {"beans": "arabica"}


@pytest.fixture
def cafe() -> Iterator[Desk]:
    """Five executions, a minute apart: a completed, b failed, c was ended, d and e are open."""
    with desk() as made:
        for name, beans in (("a", "arabica"), ("b", "stones"), ("c", ""), ("d", ""), ("e", "")):
            made.swf.advance(START + 60 * "abcde".index(name) - made.swf.now)
            started = made.client.start(
                {"beans": beans}, name, ["odd" if name in "ace" else "even"]
            )
            if beans:
                list_or_raise(made, started.workflow_id)
        made.client.terminate("c")
        yield made


def list_or_raise(cafe: Desk, workflow_id: str) -> None:
    """Let the workers bring it to its end, whichever."""
    for _ in cafe.client.follow(workflow_id):
        pass


def ids(found: tuple[Summary, ...]) -> str:
    """The workflow ids in one word."""
    return "".join(each.execution.workflow_id for each in found)


def test_open_and_closed_are_one_list_latest_first(cafe: Desk) -> None:
    """By start."""
    found = cafe.client.list()
    assert ids(found) == "edcba"
    assert [each.status for each in found] == [
        Status.OPEN,
        Status.OPEN,
        Status.TERMINATED,
        Status.FAILED,
        Status.COMPLETED,
    ]


def test_each_filter_leaves_what_it_says(cafe: Desk) -> None:
    """Alone and together, whichever of them SWF is asked for."""
    assert ids(cafe.client.list(Status.OPEN)) == "ed"
    assert ids(cafe.client.list(Status.FAILED)) == "b"
    assert ids(cafe.client.list(tag="odd")) == "eca"
    assert ids(cafe.client.list(Status.OPEN, tag="odd")) == "e"
    assert ids(cafe.client.list(Status.TERMINATED, tag="even")) == ""
    since = datetime.fromtimestamp(START + 100, UTC)
    assert ids(cafe.client.list(since=since)) == "edc"


def test_a_limit_keeps_the_latest(cafe: Desk) -> None:
    """And no more are asked for than are needed."""
    assert ids(cafe.client.list(limit=3)) == "edc"
    assert cafe.client.list(limit=0) == ()


def test_a_flow_lists_its_own_executions_only(cafe: Desk) -> None:
    """Another flow of the domain has its own list, whichever filter is sent."""
    tea = SimpleNamespace(domain=DOMAIN, name="tea")
    decider.DeciderWorker(tea)
    Client(tea).start(id="t", tags=["odd"])
    assert ids(Client(tea).list()) == "t"
    assert ids(Client(tea).list(tag="odd")) == "t"
    assert ids(cafe.client.list(tag="odd")) == "eca"
    assert ids(Client(SimpleNamespace(domain=DOMAIN)).list()) == "tedcba"


def test_a_summary_says_what_lists_show(cafe: Desk) -> None:
    """Times are aware, tags and the end are there."""
    (found,) = cafe.client.list(Status.COMPLETED)
    assert found.started == datetime.fromtimestamp(START, UTC)
    assert found.closed is not None
    assert found.closed > found.started
    assert (found.tags, found.cancel_requested, found.parent) == (("odd",), False, None)

"""Lists of executions, open and closed ones as one."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from garcon import decider
from garcon.executions import Client, InputNotSendable, Status, Summary
from tests.garcon.executions.served_flow import DOMAIN, START, ServedFlow, served

if TYPE_CHECKING:
    from collections.abc import Iterator

BEANS = {"a": "arabica", "b": "stones", "c": "", "d": "", "e": ""}


@pytest.fixture
def cafe() -> Iterator[ServedFlow]:
    """Five executions, a minute apart: one completed, one failed, one terminated, two open."""
    with served() as made:
        for minute, (name, beans) in enumerate(BEANS.items()):
            made.swf.advance(START + 60 * minute - made.swf.now)
            made.client.start({"beans": beans}, name, ["odd" if name in "ace" else "even"])
            if beans:
                work_until_closed(made, name)
        made.client.terminate("c")
        yield made


def work_until_closed(cafe: ServedFlow, workflow_id: str) -> None:
    """Let the workers bring an execution to its end, whichever that is."""
    for _ in cafe.client.follow(workflow_id):
        pass


def ids(found: tuple[Summary, ...]) -> str:
    """The workflow ids in one word."""
    return "".join(each.execution.workflow_id for each in found)


def test_open_and_closed_are_one_list_latest_first(cafe: ServedFlow) -> None:
    """The order is that of the starts, whether open or closed."""
    found = cafe.client.list()
    assert ids(found) == "edcba"
    assert [each.status for each in found] == [
        Status.OPEN,
        Status.OPEN,
        Status.TERMINATED,
        Status.FAILED,
        Status.COMPLETED,
    ]


def test_filters_hold_alone_and_together(cafe: ServedFlow) -> None:
    """SWF takes one filter of several; the result fits all of them."""
    assert ids(cafe.client.list(Status.OPEN)) == "ed"
    assert ids(cafe.client.list(Status.FAILED)) == "b"
    assert ids(cafe.client.list(tag="odd")) == "eca"
    assert ids(cafe.client.list(Status.OPEN, tag="odd")) == "e"
    assert ids(cafe.client.list(Status.TERMINATED, tag="even")) == ""
    since = datetime.fromtimestamp(START + 100, UTC)
    assert ids(cafe.client.list(since=since)) == "edc"


def test_a_limit_keeps_the_latest(cafe: ServedFlow) -> None:
    """The list ends after the limit, and may be empty."""
    assert ids(cafe.client.list(limit=3)) == "edc"
    assert cafe.client.list(limit=0) == ()
    with pytest.raises(InputNotSendable, match="from 0 on, not -1"):
        cafe.client.list(limit=-1)


def test_a_flow_lists_its_own_executions_only(cafe: ServedFlow) -> None:
    """Another flow of the domain has a list of its own, whichever filter is sent to SWF."""
    tea = SimpleNamespace(domain=DOMAIN, name="tea")
    decider.DeciderWorker(tea)
    Client(tea).start(id="t", tags=["odd"])
    assert ids(Client(tea).list()) == "t"
    assert ids(Client(tea).list(tag="odd")) == "t"
    assert ids(cafe.client.list(tag="odd")) == "eca"
    assert ids(Client(SimpleNamespace(domain=DOMAIN)).list()) == "tedcba"


def test_a_summary_has_times_and_tags(cafe: ServedFlow) -> None:
    """Times are aware, and the time of the end and the tags are there."""
    (found,) = cafe.client.list(Status.COMPLETED)
    assert found.started == datetime.fromtimestamp(START, UTC)
    assert found.closed is not None
    assert found.closed > found.started
    assert (found.tags, found.cancel_requested, found.parent) == (("odd",), False, None)

"""The gate that replays a sample of open executions, against a local SWF."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest

from garcon.executions import listing
from garcon.local import LocalSWF
from supervisor.child.flow_loader import Flow
from supervisor.child.jobs import replayer
from supervisor.child.shutdown import Shutdown
from supervisor.config.setting_types import HistorySource
from supervisor.ipc import channel
from supervisor.ipc.messages import NonDeterministic, Replayed
from tests.garcon.decider.build_fleet import Fleet, parent, parents
from tests.garcon.decider.test_builds import custom
from tests.garcon.fakes import THROTTLED, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supervisor.ipc.messages import ChannelMessage


@pytest.fixture
def swf() -> Iterator[LocalSWF]:
    """A local SWF in virtual time."""
    with LocalSWF() as made:
        yield made


def gate(fleet: Fleet, flow: Any, build: str, *, has_lists: bool = True) -> ChannelMessage | None:
    """The verdict of the gate on this code, before a decider of it runs."""
    flow.client = fleet.client
    lists: dict[str, Any] = {"flow_step": flow.step}
    loaded = Flow(flow, fleet.domain, fleet.name, "1.0", lists if has_lists else {}, build=build)
    ours, theirs = channel.pair()
    with Shutdown(theirs) as shutdown:
        assert replayer.replay(loaded, 7, shutdown, HistorySource("open:20")) == 0
    message = ours.receive()
    ours.close()
    theirs.close()
    return message


def begun(swf: LocalSWF) -> Fleet:
    """A fleet of build a, one step into an execution."""
    fleet = Fleet(swf, {"a": custom("x"), "b": custom("y"), "c": custom("x")})
    fleet.deploy("a")
    fleet.start()
    return fleet.work()


def test_a_throttle_is_waited_out(swf: LocalSWF, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hosts of a fleet that start at once read many histories: the gate waits its turn."""
    fleet, refusals = begun(swf), [refusal(THROTTLED)] * 3
    read: Any = fleet.client.get_paginator

    def throttled(operation: str) -> Any:
        if refusals:
            raise refusals.pop()
        return read(operation)

    monkeypatch.setattr(fleet.client, "get_paginator", throttled)
    monkeypatch.setattr(Shutdown, "wait", lambda _self, _seconds: True)
    assert gate(fleet, custom("x"), "c") == Replayed(7, 1, 2)
    assert not refusals


def test_code_that_fits_passes(swf: LocalSWF) -> None:
    """The verdict counts executions and decisions."""
    assert gate(begun(swf), custom("x"), "c") == Replayed(7, 1, 2)


def test_an_execution_without_activities_fits_code_that_repeats_it(swf: LocalSWF) -> None:
    """The ids of its children begin with its own, which its history does not hold."""
    fleet = parents(swf).decide()
    assert gate(fleet, parent(), "b") == Replayed(7, 1, 2)


def test_without_open_executions_all_code_passes(swf: LocalSWF) -> None:
    """There is nothing to harm."""
    fleet = Fleet(swf, {"a": custom("x")})
    assert gate(fleet, custom("y"), "b") == Replayed(7, 0, 0)


def test_code_that_fits_none_is_stopped(swf: LocalSWF) -> None:
    """The report has the first difference, the execution, and whose it is."""
    verdict = gate(begun(swf), custom("y"), "b")
    assert isinstance(verdict, NonDeterministic)
    assert (verdict.workflow_id, verdict.event_id) == ("workflow", 4)
    assert (
        "1 of the open executions do not fit (workflow): they stay with build a" in verdict.report
    )
    assert verdict.builds == ("a",)


def test_a_build_that_decides_already_is_let_in(swf: LocalSWF) -> None:
    """Its hosts can be replaced while executions of another build are open."""
    fleet = begun(swf)
    fleet.deploy("b", "a")
    fleet.turn = 1
    fleet.work()
    verdict = gate(fleet, custom("y"), "b")
    assert isinstance(verdict, Replayed)
    assert "stay with build a" in verdict.report


def test_executions_that_are_stuck_stop_no_deploy(swf: LocalSWF) -> None:
    """They wait for other code than this in any case."""
    fleet = begun(swf)
    fleet.deploy("b")
    fleet.work().after(120)
    verdict = gate(fleet, custom("z"), "d")
    assert verdict == Replayed(7, 0, 2, "1 were stuck before (workflow).")


def test_without_the_permission_nothing_is_replayed(
    swf: LocalSWF, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gate is on by default, and policies are older than it."""
    monkeypatch.setattr(listing, "open_sample", Mock(side_effect=refusal("AccessDeniedException")))
    verdict = gate(begun(swf), custom("y"), "b")
    assert isinstance(verdict, Replayed)
    assert "Reading open executions of flow failed" in verdict.report


def test_the_sample_is_of_the_newest_and_the_oldest(swf: LocalSWF) -> None:
    """Changes behind an execution show in the oldest, and most are young."""
    fleet = Fleet(swf, {"a": custom("x")})
    for number in range(9):
        fleet.client.start_workflow_execution(
            domain=fleet.domain,
            workflowId=f"w{number}",
            workflowType={"name": fleet.name, "version": "1.0"},
        )
        swf.advance(1)

    def sample(number: int) -> list[str]:
        found = listing.open_sample(fleet.client, fleet.domain, fleet.name, number)
        return [each.execution.workflow_id for each in found]

    assert sample(4) == ["w8", "w7", "w0", "w1"]
    assert sample(1) == ["w8"]
    assert len(sample(9)) == len(sample(20)) == 9


def test_lists_that_the_code_does_not_have_are_named(swf: LocalSWF) -> None:
    """Their tasks wait for a worker that this host has not; the code may fit all the same."""
    verdict = gate(begun(swf), custom("x"), "c", has_lists=False)
    assert isinstance(verdict, Replayed)
    assert verdict.report == "Tasks wait on lists that this code does not have: flow_step."


def test_executions_of_releases_without_builds_stop_no_deploy(swf: LocalSWF) -> None:
    """An earlier release may have decided a little otherwise, and its executions must go on."""
    fleet = Fleet(swf, {"a": custom("x")})
    fleet.deciders["a"]._builds = None  # as a decider without a build
    fleet.deploy("a")
    fleet.start()
    verdict = gate(fleet.work(), custom("y"), "b")
    assert isinstance(verdict, Replayed)
    assert verdict.report == "1 differ that were decided without a build (workflow): they go on."

"""The search for an open execution of retired code's build, against a local SWF."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest

from garcon.executions import listing, recorded_history
from garcon.local import LocalSWF
from supervisor.child.flow_loader import Flow
from supervisor.child.jobs import open_search
from supervisor.child.shutdown import Shutdown
from supervisor.ipc.messages import OpenSearched
from tests.garcon.decider.build_fleet import ID, Fleet
from tests.garcon.decider.test_builds import custom
from tests.garcon.fakes import THROTTLED, refusal
from tests.garcon.flows import flow, make

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    """An execution that build a has begun."""
    with LocalSWF() as swf:
        made = Fleet(swf, {"a": custom("x"), "b": custom("y"), "c": custom("x")})
        made.deploy("a")
        made.start()
        yield made.work()


def searched(
    fleet: Fleet, build: str, *, leaves: bool = False, name: str = "flow"
) -> tuple[bool, bool]:
    """Whether the search of this build finds an execution, and whether it is complete."""
    target = flow(fleet.client, step=make("step"))
    served = Flow(target, fleet.domain, name, "1.0", {}, build=build)
    shutdown = Mock(spec=Shutdown)
    shutdown.wait.return_value = not leaves
    assert open_search.search(served, 7, shutdown) == 0
    ((message,),) = (each.args for each in shutdown.send.call_args_list)
    assert isinstance(message, OpenSearched)
    assert message.worker == 7
    return message.found, message.complete


def test_the_build_that_decided_last_is_found(fleet: Fleet) -> None:
    """And no other, whatever build has begun the execution."""
    assert searched(fleet, "a") == (True, True)
    assert searched(fleet, "c") == (False, True)
    fleet.deploy("c")
    fleet.work()
    assert (searched(fleet, "a"), searched(fleet, "c")) == ((False, True), (True, True))


def test_an_execution_that_waits_for_a_build_is_its_own(fleet: Fleet) -> None:
    """It was returned to that build, and is stuck."""
    fleet.deploy("b")
    fleet.work().after(7_200)
    assert fleet.note.is_stuck
    assert (searched(fleet, "a"), searched(fleet, "b")) == ((True, True), (False, True))


def test_closed_executions_and_those_of_other_flows_do_not_count(fleet: Fleet) -> None:
    """Nothing is open then."""
    assert searched(fleet, "a", name="other") == (False, True)
    fleet.client.terminate_workflow_execution(domain=fleet.domain, workflowId=ID)
    assert searched(fleet, "a") == (False, True)


def test_an_execution_without_a_decision_fits_every_build(fleet: Fleet) -> None:
    """Its whole history was read."""
    fleet.client.terminate_workflow_execution(domain=fleet.domain, workflowId=ID)
    fleet.start()
    assert searched(fleet, "a") == (False, True)


def test_a_note_before_the_newest_events_is_not_known(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be the one that is searched for."""
    for _ in range(3):
        fleet.client.signal_workflow_execution(
            domain=fleet.domain, workflowId=ID, signalName="news"
        )
    assert searched(fleet, "c") == (False, True)
    monkeypatch.setattr(open_search, "NEWEST", 3)
    assert searched(fleet, "c") == (False, False)


def test_more_executions_than_are_read_leave_it_open(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest ones are read, and one that is found counts."""
    monkeypatch.setattr(open_search, "MOST", 1)
    fleet.swf.advance(5)
    for number in range(2):
        fleet.client.start_workflow_execution(
            domain=fleet.domain,
            workflowId=f"younger{number}",
            workflowType={"name": fleet.name, "version": "1.0"},
        )
    assert (searched(fleet, "c"), searched(fleet, "a")) == ((False, False), (True, False))


@pytest.mark.parametrize("function", [(listing, "oldest_open"), (recorded_history, "newest")])
def test_a_refused_call_leaves_it_open(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, function: tuple[Any, str]
) -> None:
    """It is not repeated: the account's budget belongs to the workers."""
    for error in (refusal(THROTTLED), refusal("AccessDeniedException"), ValueError("no events")):
        refused = Mock(side_effect=error)
        monkeypatch.setattr(*function, refused)
        assert searched(fleet, "a") == (False, False)
        assert refused.call_count == 1


def test_an_execution_that_is_gone_by_then_is_left_out(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has closed, and its domain keeps no history."""
    gone = Mock(side_effect=refusal("UnknownResourceFault"))
    monkeypatch.setattr(recorded_history, "newest", gone)
    assert searched(fleet, "a") == (False, True)


@pytest.mark.parametrize("limit", [False, True], ids=["leaves", "takes too long"])
def test_a_search_that_is_cut_short_leaves_it_open(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, *, limit: bool
) -> None:
    """The supervisor leaves, or ten minutes are over."""
    if limit:
        monkeypatch.setattr(open_search, "LONGEST", -1.0)
    assert searched(fleet, "a", leaves=not limit) == (False, False)

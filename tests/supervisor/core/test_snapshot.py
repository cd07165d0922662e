"""The status that commands show: lists whose tasks wait."""

from __future__ import annotations

from random import Random

import pytest

from supervisor.config.settings import Settings
from supervisor.core import snapshot
from supervisor.core.state import State
from supervisor.ipc import messages
from supervisor.ipc.messages import Result
from supervisor.ipc.messages.status import Unpolled, UnpolledList
from tests.supervisor.simulation.scenarios import CRASHES_BOOTING, Scenario, Version, WorkerPlan
from tests.supervisor.simulation.world import RESIZE, World, simulate


def unpolled(world: World) -> tuple[UnpolledList, ...]:
    """The lists that the status names as not polled."""
    return world.core.status(world.now).unpolled_lists


def test_a_pool_at_work_has_no_list_that_is_not_polled() -> None:
    """Nor has one that starts, whose lists are all not polled yet, or one that leaves."""
    drain = (20.0, messages.DrainRequested(why="SIGTERM"))
    world = simulate(Scenario(timeline=(drain,)))
    assert unpolled(world) == ()
    assert unpolled(world.run(10)) == ()
    assert unpolled(world.run(30)) == ()


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (messages.QuietRequested("people", RESIZE.name), Unpolled.QUIET),
        (messages.ScaleRequested("people", RESIZE.name, size=0), Unpolled.NO_SLOTS),
    ],
)
def test_a_list_that_people_have_stopped_is_named(request_: messages.Event, why: Unpolled) -> None:
    """With what to do about it."""
    world = simulate(Scenario(timeline=((10.0, request_),))).run(100)
    assert unpolled(world) == (UnpolledList(RESIZE.name, why),)


def test_a_list_whose_workers_die_is_named() -> None:
    """While they back off."""
    world = simulate(Scenario(workers=(WorkerPlan(), *[CRASHES_BOOTING] * 40))).run(60)
    assert unpolled(world) == (UnpolledList(RESIZE.name, Unpolled.NO_WORKER),)


def test_lists_of_external_activities_are_named() -> None:
    """Those of the active generation."""
    world = simulate(Scenario(versions=(Version(external_lists=("flow_bill",)),))).run(10)
    assert unpolled(world) == (UnpolledList("flow_bill", Unpolled.EXTERNAL),)


def test_stuck_executions_are_counted_until_they_go_on() -> None:
    """One that was not seen for longer than its longest wait no longer counts."""
    state = State(Settings(flow="f"), Random(0))
    assert state.note_decision("one", Result.STUCK, 0.0)
    assert not state.note_decision("one", Result.STUCK, 10.0)
    assert state.note_decision("two", Result.STUCK, 10.0)
    assert snapshot.status(state, 20.0).stuck == 2
    assert not state.note_decision("two", Result.COMPLETED, 30.0)
    assert snapshot.status(state, 40.0).stuck == 1
    assert snapshot.status(state, 11.0 + snapshot.STUCK_FOR).stuck == 0

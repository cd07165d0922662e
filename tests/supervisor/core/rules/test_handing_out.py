"""Scenarios of tasks that were handed out: who sends their heartbeats."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.core.rules import handing_out
from supervisor.ipc import messages
from tests.supervisor.simulation.property_tests import many, run_until_healed
from tests.supervisor.simulation.scenarios import (
    End,
    KillWorker,
    Scenario,
    SidecarPlan,
    TaskPlan,
    WorkerPlan,
    quarters,
    scenarios,
    spooled,
)
from tests.supervisor.simulation.world import World, simulate

HANDS_OUT = TaskPlan(hands_out=True)
GIVEN_UP = TaskPlan(poll_end=messages.PollEnd.EMPTY)


def kept(world: World) -> set[str]:
    """The tokens whose heartbeats a living sidecar sends."""
    sidecar = world.sidecars.get("heartbeats")
    return sidecar.kept if sidecar else set()


def started(world: World) -> list[str]:
    """The sidecars that were started."""
    return [each.name for each in world.logged(messages.StartSidecar)]


def test_a_pool_without_such_tasks_has_no_such_sidecar() -> None:
    """It costs a process only where it is needed."""
    world = simulate(Scenario(tasks=(TaskPlan(),) * 3)).finish(60)
    assert "heartbeats" not in started(world)


def test_the_worker_of_a_task_that_was_handed_out_is_free() -> None:
    """It polls again at once, the sidecar keeps the task, and status shows it without a token."""
    world = simulate(Scenario(tasks=(HANDS_OUT,) * 2), workers=1, deciders=0).finish(30)
    assert kept(world) == world.handed_out == {"t1", "t2"}
    assert started(world) == ["heartbeats"]
    status = world.core.status(world.now)
    assert status.handed_out == 2
    assert [each.activity_id for each in status.handed_out_tasks] == ["a1", "a2"]
    assert not any(each.task for each in status.workers)


def test_the_death_of_its_worker_does_not_fail_it() -> None:
    """It is not reported; the sidecar keeps it, and the note of the death says so."""
    worker = WorkerPlan(end=End.ANSWERING, status=-9)
    world = simulate(Scenario(workers=(worker,), tasks=(HANDS_OUT,)), workers=1, deciders=0)
    world.finish(60)
    assert (world.reports(), kept(world)) == ([], {"t1"})
    assert "was handed out, and stays with the program that has its token" in world.deaths()[0]


def test_a_sidecar_that_is_started_again_gets_all_tasks() -> None:
    """Also those that the lost one had."""
    plans = (SidecarPlan(lost_after=20.0), SidecarPlan())
    scenario = Scenario(tasks=(HANDS_OUT,) * 3, sidecars=plans)
    world = simulate(scenario, workers=1, deciders=0).finish(90)
    assert started(world) == ["heartbeats", "heartbeats"]
    assert kept(world) == {"t1", "t2", "t3"}


def test_tasks_are_sent_in_batches() -> None:
    """The next one when the last was taken: the sidecar's channel never fills."""
    reports = tuple(spooled(n, messages.HandOut()) for n in range(2 * handing_out.BATCH + 1))
    world = simulate(Scenario(spool=reports)).finish(30)
    sizes = [len(each.tasks) for each in world.logged(messages.HandOver)]
    assert sizes == [handing_out.BATCH, handing_out.BATCH, 1]
    assert kept(world) == {each.task.token for each in reports}
    assert world.reports() == []


def test_a_task_that_has_ended_is_forgotten() -> None:
    """Status no longer shows it, and no later sidecar gets it."""
    scenario = Scenario(
        tasks=(HANDS_OUT,) * 2,
        timeline=((15.0, messages.TasksEnded((1,))),),
        sidecars=(SidecarPlan(lost_after=30.0), SidecarPlan()),
    )
    world = simulate(scenario, workers=1, deciders=0).finish(90)
    assert world.core.status(world.now).handed_out == 1
    assert kept(world) == {"t2"}


@pytest.mark.parametrize(
    ("settings", "then"),
    [
        ({}, "each times out unless its program answers or sends heartbeats"),
        ({"spool": "/spool"}, "the next supervisor finds them in the spool"),
    ],
)
def test_a_drain_does_not_wait_for_them(settings: dict[str, str], then: str) -> None:
    """It ends as without them, and its report says how many there are and what follows."""
    scenario = Scenario(
        tasks=(HANDS_OUT, GIVEN_UP), timeline=((20.0, messages.DrainRequested("SIGTERM")),)
    )
    world = simulate(scenario, workers=1, deciders=0, **settings).finish(200)
    assert world.exit
    assert world.exit.code == 0
    (report,) = world.notes("drain_report")
    assert f"handed out): 1; their heartbeats end here: {then}" in report.text
    assert report.facts["left_handed_out"] == 1


def test_one_that_is_handed_out_in_a_drain_is_in_its_report() -> None:
    """With an outcome of its own."""
    scenario = Scenario(
        tasks=(TaskPlan(waits=1.0, lasts=20.0, hands_out=True),),
        timeline=((15.0, messages.DrainRequested("SIGTERM")),),
    )
    world = simulate(scenario, workers=1, deciders=0).finish(200)
    (report,) = world.notes("drain_report")
    assert "Tasks in progress: 1 handed out." in report.text


@pytest.mark.slow
@many
@given(scenarios(), st.lists(quarters(0, 60), max_size=3), st.integers(1, 4))
def test_no_task_that_was_handed_out_is_lost(
    scenario: Scenario, losses: list[float], workers: int
) -> None:
    """Whatever dies, and however often the sidecar does: in the end it keeps each of them."""
    plans = tuple(SidecarPlan(lost_after=each) for each in losses)
    world = run_until_healed(
        Scenario(
            workers=scenario.workers,
            tasks=(*scenario.tasks, HANDS_OUT),
            timeline=(*scenario.timeline, (5.0, KillWorker(0))),
            sidecars=(*plans, SidecarPlan(lost_after=inf)),
            spool=scenario.spool,
        ),
        workers,
        1,
    )
    assert kept(world) == world.handed_out
    assert world.core.status(world.now).handed_out == len(world.handed_out)

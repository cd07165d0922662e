"""The view of the pool that a service manager gets."""

from __future__ import annotations

from supervisor.ipc import messages
from tests.supervisor.simulation.scenarios import (
    CRASHES_BOOTING,
    KillWorker,
    Scenario,
    SidecarPlan,
    TaskPlan,
    Version,
    WorkerPlan,
    spooled,
)
from tests.supervisor.simulation.world import RESIZE, simulate


def test_before_the_first_generation_there_is_nothing_to_count() -> None:
    """No generation, no desired worker, and not full."""
    seen = simulate().core.service(0.0)
    assert (seen.generation, seen.desired, seen.ready, seen.full) == (0, 0, 0, False)


def test_a_pool_at_full_strength() -> None:
    """Every slot has a ready worker, and none is working."""
    seen = simulate().run(30).core.service(30.0)
    assert (seen.generation, seen.full, seen.changing) == (1, True, False)
    assert (seen.desired, seen.ready, seen.working, seen.left) == (3, 3, 0, 3)
    assert (seen.pending_reports, seen.in_time, seen.degraded, seen.leaving) == (0, False, (), None)


def test_a_slot_whose_worker_boots_is_not_ready() -> None:
    """The worker is there, but has not polled."""
    world = simulate(Scenario(workers=(WorkerPlan(boot=20.0),))).run(10)
    seen = world.core.service(world.now)
    assert (seen.desired, seen.ready, seen.left, seen.full) == (3, 2, 3, False)


def test_a_degraded_list_is_named_and_not_waited_for() -> None:
    """The other list is served, so the service is full."""
    world = simulate(Scenario(workers=(WorkerPlan(), *[CRASHES_BOOTING] * 20))).run(60)
    seen = world.core.service(world.now)
    assert (seen.full, seen.degraded) == (True, (RESIZE.name,))
    assert seen.ready < seen.desired


def test_beside_an_older_generation_only_ready_workers_count() -> None:
    """After a restart the previous one is kept for a while; a slot whose worker boots is
    not ready.
    """
    workers = (*[WorkerPlan()] * 3, WorkerPlan(boot=20.0))
    timeline = ((10.0, messages.RestartRequested("HUP")), (150.0, KillWorker(0)))
    scenario = Scenario(versions=(Version(), Version(workers=workers)), timeline=timeline)
    world = simulate(scenario, probation=300.0).run(155)
    seen = world.core.service(world.now)
    assert len(world.core.status(world.now).generations) == 2
    assert (seen.generation, seen.desired, seen.ready, seen.left) == (2, 3, 2, 3)


def test_a_quiet_list_has_no_desired_worker() -> None:
    """It is named, and the rest is full."""
    timeline = ((10.0, messages.QuietRequested("people", RESIZE.name)),)
    world = simulate(Scenario(timeline=timeline)).run(100)
    seen = world.core.service(world.now)
    assert (seen.quiet, seen.desired, seen.ready, seen.full) == ((RESIZE.name,), 1, 1, True)


def test_tasks_in_progress_are_counted_and_compared_with_their_timeouts() -> None:
    """A task with a timeout is in time until it has passed; one without never counts as in time."""
    for timeout, in_time in ((60.0, True), (None, False)):
        task_plans = (TaskPlan(waits=1.0, lasts=30.0, timeout=timeout),)
        world = simulate(Scenario(tasks=task_plans), deciders=0, workers=1).run(10)
        seen = world.core.service(world.now)
        assert (seen.working, seen.in_time) == (1, in_time)
        late = world.core.service(world.now + 1000.0)
        assert not late.in_time


def test_owed_reports_are_counted() -> None:
    """Also before a generation can fork a reporter."""
    world = simulate(Scenario(spool=(spooled(1, messages.Complete("1")),))).run(0.5)
    assert world.core.service(world.now).pending_reports == 1


def test_retired_code_counts_as_one_process_that_is_left() -> None:
    """So its end is progress of a drain, and a drain that waits for it alone says so."""
    version = Version(release="new", older=("old",))
    slow = ((f"{messages.RETIRED}old", SidecarPlan(drains=300.0)),)
    timeline = ((20.0, messages.DrainRequested("SIGTERM")),)
    world = simulate(Scenario(versions=(version,), retired=slow, timeline=timeline)).run(10)
    assert world.core.service(world.now).left == 4
    assert world.run(200).core.service(world.now).left == 1

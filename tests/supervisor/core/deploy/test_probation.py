"""Scenarios of new code that fails in its probation, and of the rollback."""

from __future__ import annotations

from typing import Any

import pytest

from supervisor.config.settings import Settings
from supervisor.core.generation import Generation, Leave, Worker
from supervisor.ipc import messages
from supervisor.ipc.messages import Role, Serve, Slot, TaskList
from tests.supervisor.simulation.scenarios import (
    End,
    KillWorker,
    KillZygote,
    OutsideEvent,
    Scenario,
    TaskPlan,
    Version,
    WorkerPlan,
)
from tests.supervisor.simulation.world import ALL_POLL, LISTS, World, simulate

RESTART = messages.RestartRequested("SIGHUP")

DIES_LATER = Version(
    workers=(WorkerPlan(), WorkerPlan(), *[WorkerPlan(end=End.IN_POLL, after=1.0)] * 200)
)
"""Its canaries last; all the others die soon."""


def deploy(version: Version, *timeline: tuple[float, OutsideEvent], **chosen: Any) -> World:
    """A pool of four workers, restarted with this code at second 20."""
    scenario = Scenario(versions=(Version(), version), timeline=((20.0, RESTART), *timeline))
    return simulate(scenario, **{"workers": 4, "crash_loop_deaths": 2, **ALL_POLL, **chosen})


def retired_at(world: World, number: int) -> float:
    """The moment when this generation's zygote was ended."""
    return world.when(messages.RetireGeneration(number))


def test_the_previous_generation_is_kept_for_a_while() -> None:
    """Its zygote outlives its workers until the probation is over."""
    world = deploy(Version(), probation=200.0).run(100)
    statuses = [each.status for each in world.core.status(100.0).generations]
    assert statuses == ["previous", "active"]
    world.finish(600)
    promoted = world.when(world.notes("generation_active")[1])
    assert retired_at(world, 1) == promoted + 200.0
    assert world.strength() == world.desired


def test_without_a_probation_nothing_is_kept() -> None:
    """The zygote ends with the last of its workers, and there is no rollback."""
    world = deploy(DIES_LATER, probation=0.0).finish(200)
    assert world.notes("generation_rolled_back") == []
    assert world.notes("list_degraded")


def test_a_crash_loop_in_probation_leads_to_a_rollback() -> None:
    """If workers crash again and again after new code became active, the old code serves again."""
    world = deploy(DIES_LATER).finish(600)
    (note,) = world.notes("generation_rolled_back")
    assert (note.facts["generation"], note.facts["active"]) == (2, 1)
    assert "its workers of flow_resize are in a crash loop" in note.text
    assert "SIGSEGV" in note.text
    assert set(world.served_by().values()) == {1}
    assert world.strength() == world.desired
    assert world.notes("full_strength")[-1].facts["generation"] == 1
    assert len(world.logged(messages.StartGeneration)) == 2


def test_a_rollback_asks_no_worker_to_leave_before_its_replacement_is_ready() -> None:
    """The failed generation's last good worker stays until the old code's is ready."""
    world = deploy(DIES_LATER).finish(600)
    returned = world.when(world.notes("generation_rolled_back")[0])
    decider = next(
        each.worker
        for each in world.logged(messages.Fork)
        if each.generation == 2
        and isinstance(each.job, Serve)
        and each.job.slot.task_list == LISTS[0]
    )
    assert world.when(messages.Terminate(decider)) > returned
    assert world.lowest[LISTS[0]] == 1


def test_a_zygote_lost_in_probation_is_a_failure() -> None:
    """The previous generation is at hand, so nothing has to be imported."""
    world = deploy(Version(lost_after=12.0)).finish(600)
    assert len(world.notes("generation_rolled_back")) == 1
    assert "rolling back to generation 1" in world.notes("zygote_lost")[0].text
    assert set(world.served_by().values()) == {1}
    assert world.lowest == world.desired
    assert len(world.logged(messages.StartGeneration)) == 2


def test_after_the_probation_a_lost_zygote_is_replaced_by_the_code_on_disk() -> None:
    """There is no rollback then: a new generation proves itself."""
    world = deploy(Version(lost_after=100.0)).finish(600)
    assert world.notes("generation_rolled_back") == []
    assert set(world.served_by().values()) == {3}
    assert world.lowest == world.desired


def test_without_the_old_zygote_there_is_no_rollback() -> None:
    """If both zygotes are lost, the new code goes on, degraded as it is."""
    world = deploy(DIES_LATER, (27.0, KillZygote(0))).finish(200)
    assert world.notes("generation_rolled_back") == []
    assert world.notes("list_degraded")


def test_there_is_no_rollback_to_a_degraded_generation() -> None:
    """Code that could not keep its own workers does not get the slots of others."""
    bad = Version(workers=(WorkerPlan(), *[WorkerPlan(end=End.IN_POLL, after=4.0)] * 200))
    scenario = Scenario(versions=(bad, DIES_LATER), timeline=((40.0, RESTART),))
    world = simulate(scenario, workers=4, crash_loop_deaths=2).finish(300)
    assert len(world.notes("generation_active")) == 2
    assert world.notes("generation_rolled_back") == []


def test_after_a_restart_in_probation_the_active_generation_is_the_previous_one() -> None:
    """Of three generations the second is active again when the third fails."""
    scenario = Scenario(
        versions=(Version(), Version(), DIES_LATER), timeline=((20.0, RESTART), (40.0, RESTART))
    )
    world = simulate(scenario, workers=4, crash_loop_deaths=2, **ALL_POLL).finish(600)
    (note,) = world.notes("generation_rolled_back")
    assert (note.facts["generation"], note.facts["active"]) == (3, 2)
    assert set(world.served_by().values()) == {2}
    assert messages.RetireGeneration(1) in world.logged(messages.RetireGeneration)


def test_a_candidate_goes_on_when_the_active_generation_fails() -> None:
    """The repaired code was on its way: it replaces the code that was rolled back to."""
    scenario = Scenario(
        versions=(Version(), DIES_LATER, Version(imports=60.0)),
        timeline=((20.0, RESTART), (27.0, RESTART)),
    )
    world = simulate(scenario, workers=4, crash_loop_deaths=2, **ALL_POLL).finish(600)
    assert len(world.notes("generation_rolled_back")) == 1
    assert set(world.served_by().values()) == {3}


def test_leaving_workers_do_not_hold_up_the_rollback() -> None:
    """Workers that finish a long task no longer occupy their slots, so these are filled at once."""
    tasks = (TaskPlan(waits=1, lasts=900, timeout=2000),) * 5
    versions, timeline = (Version(), Version(lost_after=20.0)), ((20.0, RESTART),)
    scenario = Scenario(tasks=tasks, versions=versions, timeline=timeline)
    world = simulate(scenario, workers=5, deciders=0).run(60)
    assert set(world.served_by().values()) == {1}
    assert world.strength() == world.desired
    assert world.notes("worker_died") == []
    world.finish(1500)
    assert len(world.logged(messages.Done)) == 5


def test_there_is_no_rollback_in_a_drain() -> None:
    """A drain ends all workers, whichever generation fails meanwhile."""
    drain = (29.0, messages.DrainRequested("SIGTERM"))
    world = deploy(Version(lost_after=12.0), drain, (30.0, KillZygote(1))).finish(300)
    assert world.notes("generation_rolled_back") == []
    assert world.exit == messages.Exit(0, "SIGTERM")


def test_the_outcome_of_the_last_deploy_is_kept() -> None:
    """The record says which generation it was, how it ended, and why."""
    world = deploy(DIES_LATER).finish(600)
    record = world.core._state.deploy
    assert record is not None
    assert (record.generation, record.outcome.value) == (2, "rolled back")
    assert record.report == world.notes("generation_rolled_back")[0].text


@pytest.mark.parametrize("seconds", [5.0, 300.0])
def test_lists_that_came_with_the_failed_code_are_drained_again(seconds: float) -> None:
    """The previous generation has no slots for them, so their workers leave at once."""
    more = TaskList("flow_more", Role.ACTIVITY, "more")
    version = Version(lists=(*LISTS, more), lost_after=8.0 + seconds)
    world = deploy(version, (21.0 + seconds, KillWorker(0)), probation=600.0).finish(900)
    assert len(world.notes("generation_rolled_back")) == 1
    assert world.strength() == world.desired


# --- whose slots they are -------------------------------------------------------------------------


def test_leaving_workers_release_their_slots() -> None:
    """The slots are empty or their replacements', and no leaving worker wants replacement."""
    generation = Generation(1, Settings(), 0.0)
    slots = [Slot(LISTS[1], n) for n in range(3)]
    leaves, wants_replacement, is_staying = (
        Worker(n, generation, Serve(slots[n])) for n in range(3)
    )
    replacement = Worker(3, generation, Serve(slots[1]))
    for worker in (leaves, wants_replacement, is_staying, replacement):
        assert worker.slot
        generation.occupy(worker, worker.slot)
    for worker in (wants_replacement, is_staying):
        generation.request_replacement(worker)
    leaves.leave = wants_replacement.leave = Leave.ASKED
    generation.release_slots_of_leavers()
    assert generation.occupied == {slots[1]: replacement, slots[2]: is_staying}
    assert generation.wants_replacement == {slots[2]: is_staying}
    assert generation.replaced == {leaves, wants_replacement}
    assert generation.replacements == {}


def test_workers_of_rolled_back_code_start_no_further_task() -> None:
    """Tasks of their last polls are returned to SWF; the workers of the old code do them."""
    world = deploy(DIES_LATER).finish(600)
    rolled_back = world.when(world.notes("generation_rolled_back")[0])
    returning = {each.worker for each in world.logged(messages.ReturnUnstarted)}
    asked = {
        each.worker for each in world.logged(messages.Terminate) if world.when(each) >= rolled_back
    }
    of_failed = {
        each.worker
        for each in world.logged(messages.Fork)
        if each.generation == 2 and isinstance(each.job, Serve)
    }
    assert asked & of_failed
    assert asked & of_failed <= returning <= of_failed


def test_a_stop_starts_no_further_task() -> None:
    """Workers that are asked to leave by it, or were before, return what their last polls bring."""
    timeline = ((20.0, messages.DrainRequested("SIGTERM")), (22.0, messages.StopRequested("stop")))
    world = simulate(Scenario(timeline=timeline), workers=2, **ALL_POLL).finish(100)
    asked = {each.worker for each in world.logged(messages.Terminate)}
    assert {each.worker for each in world.logged(messages.ReturnUnstarted)} == asked
    assert len(asked) == 3

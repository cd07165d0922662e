"""Scenarios of rolling restarts, failing candidates and lost zygotes."""

from __future__ import annotations

from math import inf

import pytest

from supervisor.ipc import messages
from supervisor.ipc.messages import Role, TaskList
from tests.supervisor.simulation.scenarios import (
    CRASHES_BOOTING,
    End,
    KillWorker,
    KillZygote,
    Scenario,
    TaskPlan,
    Timeline,
    Version,
    WorkerPlan,
)
from tests.supervisor.simulation.world import DECIDER, LISTS, World, simulate

RESTART = (20.0, messages.RestartRequested("SIGHUP"))

CRASHES_SOON = WorkerPlan(end=End.IN_POLL, after=4.0)  # ready, but it does not last

BAD_VERSIONS = {
    "cannot be imported": Version(failure=("SyntaxError", 3)),
    "import hangs": Version(imports=inf),
    "refused": Version(refusal=("no such domain", 2)),
    "unknown pools": Version(lists=()),
    "workers crash": Version(workers=(CRASHES_BOOTING,), repeats=True),
    "workers hang": Version(workers=(WorkerPlan(boot=inf),), repeats=True),
    "one list boots": Version(crashing_lists=(DECIDER,)),
    "workers do not last": Version(workers=(CRASHES_SOON,), repeats=True),
    # Five deaths in all, of both canaries; neither list has five in a row.
    "fails now and then": Version(
        workers=(*[CRASHES_BOOTING] * 2, *[CRASHES_SOON] * 2, CRASHES_BOOTING, WorkerPlan()),
        repeats=True,
    ),
    "no process": Version(workers=(WorkerPlan(forks=False),), repeats=True),
    "zygote dies": Version(lost_after=1.0),
}


def serving_generations(world: World) -> set[int]:
    """The generations of all ready workers."""
    return set(world.served_by().values())


# --- a rolling restart ----------------------------------------------------------------------------


def test_a_restart_replaces_every_worker_without_a_gap() -> None:
    """New workers take all slots, strength never dips, and the old zygote ends last."""
    world = simulate(Scenario(tasks=(TaskPlan(),) * 9, timeline=(RESTART,)), workers=4).finish(200)
    assert serving_generations(world) == {2}
    assert world.lowest == world.desired
    assert world.logged(messages.RetireGeneration) == [messages.RetireGeneration(1)]
    assert len(world.logged(messages.Terminate)) == 5
    assert world.notes("worker_died") == []


def test_canaries_go_first() -> None:
    """Until one new worker a list has proved itself, no other is forked and none is asked
    to leave.
    """
    world = simulate(Scenario(timeline=(RESTART,)), workers=4).run(20 + 1 + 0.625 + 4.9)
    assert world.count_serving_forks(2) == 2
    assert world.logged(messages.Terminate) == []
    world.run(20 + 1 + 0.625 + 5.5)
    assert world.count_serving_forks(2) == 5


def test_retiring_workers_leave_side_by_side() -> None:
    """All are asked to leave within a second of their replacements being ready, not in turn."""
    world = simulate(Scenario(timeline=(RESTART,)), workers=8).run(60)
    asked_at = [world.when(each) for each in world.logged(messages.Terminate)]
    assert len(asked_at) == 9
    assert max(asked_at) - min(asked_at) < 1


def test_a_retiring_worker_finishes_its_task() -> None:
    """A restart costs no task: a worker with one answers it, however long it takes."""
    task_plan = TaskPlan(waits=1, lasts=1000, timeout=2000)
    world = simulate(Scenario(tasks=(task_plan,), timeline=(RESTART,)), workers=1, deciders=0).run(
        500
    )
    assert world.logged(messages.RetireGeneration) == []
    world.finish(1200)
    assert len(world.logged(messages.Done)) == 1
    assert world.logged(messages.Kill) == []
    assert world.logged(messages.RetireGeneration) == [messages.RetireGeneration(1)]


def test_workers_of_a_list_that_is_gone_are_asked_to_leave() -> None:
    """A new flow lacks one of the lists, so its workers have no replacements to wait for."""
    world = simulate(Scenario(versions=(Version(), Version(lists=(DECIDER,))), timeline=(RESTART,)))
    world.finish(200)
    assert world.strength() == {DECIDER: 1}
    assert world.notes("worker_died") == []


def test_a_new_list_gets_its_workers() -> None:
    """A list that is new with the code is served after the restart."""
    more = TaskList("flow_more", Role.ACTIVITY, "more")
    world = simulate(
        Scenario(versions=(Version(), Version(lists=(*LISTS, more))), timeline=(RESTART,))
    )
    assert world.finish(200).strength() == {DECIDER: 1, LISTS[1]: 2, more: 2}


def test_of_restarts_during_a_restart_one_is_remembered() -> None:
    """Three more requests during a restart make one more restart after it."""
    timeline = tuple((20.0 + n, messages.RestartRequested("SIGHUP")) for n in range(4))
    world = simulate(Scenario(timeline=timeline)).finish(300)
    assert len(world.logged(messages.StartGeneration)) == 3
    assert serving_generations(world) == {3}


def test_a_restart_is_remembered_during_the_start() -> None:
    """A restart that is requested before the first generation is active runs after it."""
    world = simulate(Scenario(timeline=((0.5, messages.RestartRequested("SIGHUP")),))).finish(300)
    assert serving_generations(world) == {2}


def test_a_restart_mends_a_degraded_list() -> None:
    """While a candidate is on its way the program does not give up, and the candidate heals the
    list.
    """
    bad = Version(workers=(CRASHES_SOON,), repeats=True)
    timeline = ((8.0, messages.RestartRequested("SIGHUP")),)
    scenario = Scenario(versions=(bad, Version(imports=60.0)), timeline=timeline)
    world = simulate(scenario, crash_loop_deaths=3).finish(300)
    assert world.notes("list_degraded")
    assert serving_generations(world) == {2}
    assert world.strength() == world.desired


# --- bad candidates -------------------------------------------------------------------------------


@pytest.mark.parametrize("version", BAD_VERSIONS.values(), ids=BAD_VERSIONS.keys())
def test_a_bad_version_is_given_up_and_costs_nothing(version: Version) -> None:
    """Whatever is wrong with it: bounded forks, one note, and the active generation goes on."""
    settings = {"pools": {"resize": 2}} if version.lists == () else {}
    world = simulate(
        Scenario(versions=(Version(), version), timeline=(RESTART,)), **settings
    ).finish(400)
    (note,) = world.notes("generation_failed")
    assert note.facts["generation"] == 2
    assert world.count_serving_forks(2) <= 6
    assert world.lowest == world.desired
    assert serving_generations(world) == {1}
    assert messages.RetireGeneration(2) in world.logged(messages.RetireGeneration) or (
        world.logged(messages.GenerationLost)
    )


@pytest.mark.parametrize(
    "timeline",
    [(RESTART,), ((20.0, KillZygote(0)), (20.5, KillWorker(1)))],
    ids=["beside a good one", "on an empty slot"],
)
def test_canaries_of_a_given_up_version_leave_at_once(timeline: Timeline) -> None:
    """The good canary is asked to leave, too, even if no other worker serves its slot."""
    scenario = Scenario(versions=(Version(), Version(crashing_lists=(DECIDER,))), timeline=timeline)
    world = simulate(scenario).run(20 + 20)
    failed_at = world.when(world.notes("generation_failed")[0])
    asked_at = [world.when(each) for each in world.logged(messages.Terminate)]
    assert asked_at[0] == failed_at


def test_a_candidates_crashes_do_not_delay_the_active_generation() -> None:
    """Backoff belongs to generation and slot: a good worker killed meanwhile is replaced at
    once.
    """
    version = Version(workers=(CRASHES_BOOTING,), repeats=True)
    scenario = Scenario(versions=(Version(), version), timeline=(RESTART, (22.0, KillWorker(0))))
    world = simulate(scenario).finish(400)
    assert any(
        at == 22.0 and each.generation == 1
        for at, each in world.log
        if isinstance(each, messages.Fork)
    )


def test_a_good_version_follows_a_bad_one() -> None:
    """After a failed deploy the next restart works."""
    timeline = (RESTART, (100.0, messages.RestartRequested("SIGHUP")))
    scenario = Scenario(versions=(Version(), BAD_VERSIONS["workers crash"]), timeline=timeline)
    assert serving_generations(simulate(scenario).finish(300)) == {3}


# --- lost zygotes ---------------------------------------------------------------------------------


def test_a_lost_zygote_costs_no_worker() -> None:
    """Its workers go on until a new generation has proved itself and is active."""
    world = simulate(Scenario(timeline=((20.0, KillZygote(0)),))).finish(200)
    assert len(world.notes("zygote_lost")) == 1
    assert world.lowest == world.desired
    assert serving_generations(world) == {2}
    assert world.notes("worker_died") == []


def test_candidates_that_fail_do_not_end_a_pool_with_workers() -> None:
    """Without a zygote, and with bad code on disk, the workers go on and attempts become rare."""
    bad = Version(failure=("SyntaxError", 3))
    scenario = Scenario(versions=(Version(), *[bad] * 500), timeline=((20.0, KillZygote(0)),))
    world = simulate(scenario).finish(2000)
    assert world.exit is None
    assert world.lowest == world.desired
    starts = [world.when(each) for each in world.logged(messages.StartGeneration)]
    assert starts[1] == 20.0
    assert 2000 / 31 < len(starts) < 2000 / 15


@pytest.mark.parametrize(("own", "code"), [(3, 3), (2, 2), (4, 4), (70, 4)])
def test_a_pool_without_workers_and_zygote_is_given_up(own: int, code: int) -> None:
    """No worker is left and ``crash_loop_deaths`` candidates failed in a row: exit with
    their code.
    """
    bad = Version(failure=("it is broken", own))
    kills = tuple((21.0 + n, KillWorker(0)) for n in range(2))
    scenario = Scenario(versions=(Version(), *[bad] * 99), timeline=((20.0, KillZygote(0)), *kills))
    world = simulate(scenario, workers=1).finish(600)
    assert world.exit == messages.Exit(code, "it is broken")
    assert len(world.logged(messages.StartGeneration)) == 1 + 5


def test_empty_slots_wait_for_a_generation_that_can_fork() -> None:
    """A worker that dies while there is no zygote is replaced by the next generation."""
    scenario = Scenario(timeline=((20.0, KillZygote(0)), (20.5, KillWorker(0))))
    world = simulate(scenario).finish(200)
    assert world.strength() == world.desired
    assert len(world.logged(messages.StartGeneration)) == 2


def test_any_generation_reports() -> None:
    """If the active generation has no zygote, the candidate's reports a dead worker's task."""
    scenario = Scenario(
        workers=(WorkerPlan(), WorkerPlan(end=End.IN_TASK, after=1.0)),
        tasks=(TaskPlan(waits=59), TaskPlan(waits=19, lasts=9, timeout=None)),
        timeline=((20.0, KillZygote(0)),),
    )
    world = simulate(scenario, workers=1).finish(200)
    assert len(world.notes("reported")) == 1

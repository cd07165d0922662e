"""Scenarios of workers that want replacement."""

from __future__ import annotations

from supervisor.ipc import messages
from supervisor.ipc.messages import Serve
from tests.supervisor.simulation.scenarios import (
    CRASHES_BOOTING,
    KillWorker,
    KillZygote,
    Scenario,
    TaskPlan,
    Version,
    WorkerPlan,
)
from tests.supervisor.simulation.world import ALL_POLL, LISTS, World, simulate

RESTART = messages.RestartRequested("SIGHUP")
DRAIN = messages.DrainRequested("SIGTERM")

TIRES = WorkerPlan(retires_after=1)
QUICK = TaskPlan(waits=1.0, lasts=1.0)
"""Its worker, forked at 1.3125 after an import and a registering, is done with it at 3.625."""


def replacements(world: World) -> list[messages.Fork]:
    """The forks for slots whose worker was not dead."""
    forks = [each for each in world.logged(messages.Fork) if isinstance(each.job, Serve)]
    return forks[sum(world.desired.values()) :]


def test_a_worker_leaves_when_its_replacement_is_ready() -> None:
    """The replacement is forked at once; the worker is asked to leave no sooner than it is
    ready.
    """
    world = simulate(Scenario(workers=(TIRES,), tasks=(QUICK,)), workers=1, deciders=0).finish(200)
    (replacement,) = replacements(world)
    assert world.when(replacement) == world.when(
        messages.WantsReplacement(2, "task limit reached, 1 done")
    )
    assert world.when(messages.Terminate(2)) == world.when(messages.Parked(replacement.worker))
    assert world.lowest == world.desired
    (note,) = world.notes("worker_recycled")
    assert note.text == "Worker 3 replaces worker 2 at flow_resize/0: task limit reached, 1 done."


def test_recycling_is_not_a_death() -> None:
    """It leaves no note of a death, no wait, and no count."""
    world = simulate(Scenario(workers=(TIRES,), tasks=(QUICK,)), workers=1, deciders=0).finish(200)
    assert world.notes("worker_died") == []
    assert world.core.status(world.now).deaths == {}


def test_workers_are_recycled_in_turn() -> None:
    """Of four that want replacement together, each waits for the one before to be gone."""
    scenario = Scenario(workers=(TIRES,) * 4, tasks=(QUICK,) * 4)
    world = simulate(scenario, workers=4, deciders=0, **ALL_POLL).finish(400)
    exits = [(at, each.worker) for at, each in world.log if isinstance(each, messages.Exited)]
    gone = [at for at, worker in exits if 2 <= worker <= 5]
    forked = [world.when(each) for each in replacements(world)]
    assert len(forked) == 4
    assert forked[1:] == gone[:-1]
    assert world.lowest == world.desired


def test_a_big_list_recycles_a_tenth_at_a_time() -> None:
    """Two of twenty slots; the checker sees to it that there are no more."""
    scenario = Scenario(workers=(TIRES,) * 20, tasks=(QUICK,) * 20)
    world = simulate(scenario, workers=20, deciders=0, **ALL_POLL).run(6)
    assert len(replacements(world)) == 2
    world.finish(1000)
    assert len(replacements(world)) == 20
    assert world.lowest == world.desired


def test_lists_recycle_side_by_side() -> None:
    """One list does not wait for another."""
    scenario = Scenario(workers=(TIRES, TIRES), tasks=(QUICK, QUICK))
    world = simulate(scenario, workers=1, deciders=1).run(5)
    assert {
        each.job.slot.task_list for each in replacements(world) if isinstance(each.job, Serve)
    } == set(LISTS)


def test_a_replacement_that_dies_early_is_tried_again() -> None:
    """The old worker goes on meanwhile; the note says so."""
    worker_plans = (TIRES, CRASHES_BOOTING, CRASHES_BOOTING)
    world = simulate(Scenario(workers=worker_plans, tasks=(QUICK,)), workers=1, deciders=0).finish(
        200
    )
    assert len(replacements(world)) == 3
    assert world.lowest == world.desired
    remedies = [str(each.facts["remedy"]) for each in world.notes("worker_died")]
    assert all("goes on, and gets another replacement" in each for each in remedies)
    assert len(world.notes("worker_recycled")) == 1


def test_the_replacement_of_a_dead_worker_takes_its_slot() -> None:
    """A worker that dies while its replacement starts is not replaced twice."""
    timeline = ((3.75, KillWorker(0)),)
    scenario = Scenario(workers=(TIRES, WorkerPlan(boot=5.0)), tasks=(QUICK,), timeline=timeline)
    world = simulate(scenario, workers=1, deciders=0).finish(200)
    assert len(replacements(world)) == 1
    assert (
        world.notes("worker_died")[0].facts["remedy"]
        == "Its replacement, worker 3, takes the slot."
    )
    assert world.strength() == world.desired


def test_a_killed_worker_is_not_asked_to_leave() -> None:
    """Its replacement takes the slot before the kernel has reaped it."""
    too_big_at = TaskPlan(waits=0.25, lasts=50.0, too_big_at=0.25)
    scenario = Scenario(
        workers=(WorkerPlan(retires_after=1, unreaped_for=9.0), WorkerPlan(boot=5.0)),
        tasks=(QUICK, too_big_at),
    )
    world = simulate(scenario, workers=1, deciders=0).finish(200)
    assert len(world.logged(messages.Kill)) == 1
    assert len(world.notes("worker_recycled")) == 1
    assert world.logged(messages.Terminate) == []
    assert world.strength() == world.desired


def test_a_replaced_worker_gets_no_second_replacement() -> None:
    """Only the worker that occupies the slot is replaced, however often others ask."""
    task_plans = (QUICK, TaskPlan(waits=0.5, lasts=90.0, timeout=900.0))
    world = simulate(Scenario(workers=(TIRES,), tasks=task_plans), workers=1, deciders=0).run(10)
    for number in (3, 2):
        world.send(messages.WantsReplacement(number, "again"))
    world.later(0, lambda: None)
    world.finish(300)
    assert [each.facts["replaced"] for each in world.notes("worker_recycled")] == [2, 3]


def test_a_worker_without_a_zygote_is_not_recycled_until_there_is_one() -> None:
    """A worker that cannot be replaced goes on."""
    versions = (Version(lost_after=1.5), Version(imports=50.0))
    scenario = Scenario(workers=(TIRES,), versions=versions, tasks=(QUICK,))
    world = simulate(scenario, workers=1, deciders=0).run(50)
    assert replacements(world) == []
    assert world.strength() == world.desired
    assert world.finish(200).lowest == world.desired


def test_no_worker_is_recycled_in_a_drain() -> None:
    """A drain needs no replacements."""
    scenario = Scenario(workers=(TIRES,), tasks=(QUICK,), timeline=((3.0, DRAIN),))
    world = simulate(scenario, workers=1, deciders=0).finish(200)
    assert replacements(world) == []
    assert world.exit == messages.Exit(0, "SIGTERM")


def test_a_restart_in_the_middle_of_recycling_costs_nothing() -> None:
    """Worker and replacement both make room for the new generation, and strength never dips."""
    timeline = ((2.0, RESTART), (3.75, KillZygote(9)))
    scenario = Scenario(
        workers=(TIRES, WorkerPlan(boot=20.0)), tasks=(QUICK,), timeline=timeline[:1]
    )
    world = simulate(scenario, workers=1, deciders=0).finish(300)
    assert world.lowest == world.desired
    assert set(world.served_by().values()) == {2}
    assert world.logged(messages.RetireGeneration) == [messages.RetireGeneration(1)]


def test_a_replaced_worker_may_do_another_task() -> None:
    """A task that its open poll brings is done, however long it takes, beside the replacement."""
    task_plans = (QUICK, TaskPlan(waits=0.1, lasts=500.0, timeout=900.0))
    world = simulate(Scenario(workers=(TIRES,), tasks=task_plans), workers=1, deciders=0).finish(
        1000
    )
    assert len(world.logged(messages.Done)) == 2
    assert world.logged(messages.Kill) == []
    assert world.notes("worker_died") == []


def test_a_canary_is_recycled_once_its_generation_is_active() -> None:
    """Until then it has no replacement."""
    wants_replacement = Version(workers=(TIRES,))
    scenario = Scenario(
        versions=(Version(), wants_replacement),
        tasks=(TaskPlan(waits=40), TaskPlan(waits=0.5, lasts=0.5)),
        timeline=((20.0, RESTART),),
    )
    world = simulate(scenario, workers=1, deciders=0).finish(300)
    (recycled,) = world.notes("worker_recycled")
    assert world.when(recycled) > world.when(world.notes("generation_active")[1])


def test_a_worker_is_recycled_on_request_as_on_its_own() -> None:
    """Its replacement comes first; then a second request finds it leaving and is refused."""
    asked = messages.WantsReplacement(2, "requested by uid 1000")
    world = simulate(Scenario(timeline=((10.0, asked),)), workers=1, deciders=0).run(9)
    assert world.core.refusal(asked) == ""
    world.run(30)
    (note,) = world.notes("worker_recycled")
    assert note.text.endswith(": requested by uid 1000.")
    assert world.lowest == world.desired
    assert "only a worker of the active generation" in world.core.refusal(asked)


def test_no_worker_is_recycled_on_request_in_a_drain() -> None:
    """The refusal says why."""
    task = TaskPlan(waits=1.0, lasts=90.0, timeout=900.0)
    scenario = Scenario(tasks=(task,), timeline=((5.0, DRAIN),))
    world = simulate(scenario, workers=1, deciders=0).run(10)
    refusal = world.core.refusal(messages.WantsReplacement(2, "requested by uid 1000"))
    assert refusal == "The supervisor is draining (SIGTERM): no worker is replaced."

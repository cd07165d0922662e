"""Scenarios of sizes: scale, quiet and resume, alone and across restarts."""

from __future__ import annotations

import pytest

from supervisor.ipc import messages
from supervisor.ipc.messages import Terminate
from tests.supervisor.simulation.scenarios import (
    KillWorker,
    Scenario,
    TaskPlan,
    Version,
    WorkerPlan,
)
from tests.supervisor.simulation.world import ALL_POLL, DECIDER, RESIZE, World, simulate

RESTART = messages.RestartRequested("SIGHUP")
QUIET, RESUME = messages.QuietRequested("people"), messages.ResumeRequested("people")
LONG = TaskPlan(waits=0, lasts=100, timeout=None)


def scaled(task_list: str | None = None, size: int | None = None, by: int = 0) -> messages.Event:
    """A request of people for a size."""
    return messages.ScaleRequested("people", task_list, size, by)


def indexes(world: World) -> list[int]:
    """The slots of the activity list with a ready worker."""
    return sorted(each.index for each in world.served_by() if each.task_list == RESIZE)


def busy(world: World) -> set[int]:
    """The slots of workers with a task in progress."""
    workers = world.core.status(world.now).workers
    return {each.slot.index for each in workers if each.slot and each.task}


# --- scale ----------------------------------------------------------------------------------------


def test_a_pool_grows_at_once() -> None:
    """A larger pool has its workers after a boot, and a note says when all are ready."""
    world = simulate(Scenario(timeline=((10.0, scaled("resize", 5)),))).run(11)
    assert world.strength() == {RESIZE: 5, DECIDER: 1}
    assert len(world.notes("full_strength")) == 2
    assert world.notes("scaled")[0].facts["before"] == 2


def test_one_more_and_one_fewer_for_each_activity_list() -> None:
    """TTIN and TTOU change the activity lists, and not the decider's."""
    more = messages.ScaleRequested("SIGTTIN", by=1)
    fewer = messages.ScaleRequested("SIGTTOU", by=-1)
    assert simulate(Scenario(timeline=((10.0, more),))).run(20).strength() == {
        RESIZE: 3,
        DECIDER: 1,
    }
    world = simulate(Scenario(timeline=((10.0, fewer),))).run(100)
    assert world.strength() == {RESIZE: 1, DECIDER: 1}
    assert not world.logged(messages.Kill)


def test_a_pool_shrinks_to_zero_and_no_further() -> None:
    """Zero is a size like others; below it nothing happens."""
    world = simulate(Scenario(timeline=((10.0, scaled(by=-5)), (20.0, scaled(by=-1))))).run(100)
    assert world.strength() == {DECIDER: 1}
    assert len(world.notes("scaled")) == 1
    assert world.exit is None


@pytest.mark.parametrize("asked", [{"size": 1001}, {"by": 1000}, {"by": -3}])
def test_a_size_out_of_bounds_is_refused_however_it_is_asked_for(asked: dict[str, int]) -> None:
    """Nothing is clamped and carried out in the place of what was asked for."""
    request = messages.ScaleRequested("a person", "resize", **asked)
    world = simulate(Scenario(timeline=((10.0, request),)), workers=2).run(100)
    assert "can have 0 to 1000 workers, not" in world.notes("request_refused")[0].text
    assert world.strength() == {RESIZE: 2, DECIDER: 1}


def test_idle_workers_go_first() -> None:
    """Of four, the two busy ones keep their slots; the others end their polls and leave."""
    scenario = Scenario(
        tasks=(TaskPlan(waits=50), LONG, LONG), timeline=((10.0, scaled("resize", 2)),)
    )
    world = simulate(scenario, workers=4).run(9)
    working = busy(world)
    assert len(working) == 2
    world.run(99)
    assert set(indexes(world)) == working
    assert len(world.logged(Terminate)) == 2


def test_busy_workers_finish_their_task() -> None:
    """A worker that has to leave during a task leaves after it."""
    scenario = Scenario(tasks=(LONG,) * 5, timeline=((10.0, scaled("resize", 1)),))
    world = simulate(scenario, workers=3).run(99)
    assert indexes(world) == [0]
    assert not world.logged(messages.Done)
    world.run(200)
    ended = [each.worker for each in world.logged(messages.Exited) if each.status == 0]
    assert len(world.logged(messages.Done)) >= 4
    assert len(set(ended)) >= 2
    assert not world.logged(messages.Kill)


def test_a_slot_that_is_desired_again_is_filled_at_once() -> None:
    """A pool that shrinks and grows again is full after a boot, not after a poll."""
    timeline = ((10.0, scaled("resize", 0)), (11.0, scaled("resize", 2)))
    world = simulate(Scenario(timeline=timeline), **ALL_POLL).run(12)
    assert indexes(world) == [0, 1]
    assert world.core.pool()[1].leaving == 2


def test_gaps_are_filled_first() -> None:
    """Indexes stay small, however often a pool shrinks and grows."""
    scenario = Scenario(tasks=(TaskPlan(waits=0, lasts=500, timeout=None),) * 4)
    world = simulate(scenario, workers=4, deciders=0).run(10)
    world.ask(scaled("resize", 5))
    world.run(20)
    world.ask(scaled("resize", 2))
    world.run(30)
    world.ask(scaled("resize", 4))
    world.run(40)
    assert indexes(world) == [0, 1, 2, 3]


def test_slots_with_ready_workers_are_kept() -> None:
    """A slot without a ready worker is given up before one that has one."""
    scenario = Scenario(workers=(WorkerPlan(),) * 2 + (WorkerPlan(boot=9.0),) * 2)
    world = simulate(scenario, workers=3, deciders=0).run(2)
    assert indexes(world) == [0, 1]
    world.ask(scaled("resize", 2))
    world.run(30)
    assert indexes(world) == [0, 1]
    assert [each.worker for each in world.logged(Terminate)] == [4]


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (scaled("strange", 1), "no such task list; it has: flow, resize."),
        (scaled("resize", 2000), "flow_resize can have 0 to 1000 workers, not 2000."),
        (scaled("resize", -1), "flow_resize can have 0 to 1000 workers, not -1."),
        (RESUME, "No task list is quiet."),
        (messages.ResumeRequested("people", "resize"), "flow_resize is not quiet."),
        (messages.QuietRequested("people", "strange"), "no such task list"),
    ],
)
def test_an_impossible_request_is_refused(event: messages.Event, why: str) -> None:
    """In a sentence beforehand, and in a note if the request arrives all the same."""
    world = simulate().run(10)
    assert why in world.core.refusal(event)
    world.ask(event)
    world.run(11)
    assert why in world.notes("request_refused")[0].text
    assert world.strength() == {RESIZE: 2, DECIDER: 1}


def test_pools_can_be_changed_from_the_first_generation_to_the_drain() -> None:
    """Before that there is no pool yet, and in a drain none is changed."""
    world = simulate()
    assert "No generation is active yet" in world.core.refusal(QUIET)
    world.run(10)
    assert not world.core.refusal(messages.DrainRequested("people"))
    world.ask(messages.DrainRequested("SIGTERM"))
    world.run(11)
    assert "the supervisor is draining (sigterm)" in world.core.refusal(QUIET).lower()
    assert "Restart refused" in world.core.refusal(RESTART)
    assert "use 'stop'" in world.core.refusal(messages.DrainRequested("people"))
    assert not world.core.refusal(messages.StopRequested("people"))


# --- across generations ---------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 4])
def test_a_requested_size_survives_a_restart(size: int) -> None:
    """The new generation takes it over, and the pool is never smaller meanwhile."""
    world = simulate(Scenario(timeline=((10.0, scaled("resize", size)), (100.0, RESTART)))).run(99)
    weakest = world.strength()[RESIZE]
    while world.now < 200:
        world.run(world.now + 0.25)
        weakest = min(weakest, world.strength()[RESIZE])
    assert weakest == size
    assert set(world.served_by().values()) == {2}


def test_a_restart_after_a_shrink_does_not_dip() -> None:
    """Retiring workers at slots whose indexes have gaps wait for replacements at the same slots."""
    scenario = Scenario(
        tasks=(TaskPlan(waits=50),) * 3 + (LONG, LONG),
        timeline=((10.0, scaled("resize", 2)), (20.0, RESTART)),
    )
    world = simulate(scenario, workers=4, **ALL_POLL).run(19)
    kept = indexes(world)
    assert kept == [2, 3]
    while world.now < 200:
        world.run(world.now + 0.25)
        assert world.strength()[RESIZE] >= 2
    assert indexes(world) == kept
    assert set(world.served_by().values()) == {2}


def test_a_pool_may_be_resized_while_a_candidate_proves_itself() -> None:
    """Both generations follow, even if the canary's slot is given up."""
    for size in (0, 1, 3):
        timeline = ((10.0, RESTART), (12.0, scaled("resize", size)))
        world = simulate(Scenario(timeline=timeline)).run(100)
        assert world.strength()[RESIZE] == size
        assert set(world.served_by().values()) == {2}


def test_a_canary_whose_slot_is_given_up_is_replaced() -> None:
    """The candidate still has to show that it can serve the list."""
    scenario = Scenario(
        versions=(Version(), Version(workers=(WorkerPlan(), WorkerPlan(boot=5.0)))),
        tasks=(TaskPlan(waits=0, lasts=90, timeout=None),) * 3,
        timeline=((10.0, scaled("resize", 1)), (20.0, RESTART), (23.0, scaled("resize", 2))),
    )
    world = simulate(scenario, workers=2).run(200)
    assert world.strength()[RESIZE] == 2
    assert set(world.served_by().values()) == {2}


# --- quiet and resume -----------------------------------------------------------------------------


def test_a_quiet_pool_ends_polls_and_tasks_and_stays_up() -> None:
    """Polling ends, no task is lost, and a note says when a list's last worker has left."""
    world = simulate(Scenario(tasks=(LONG,), timeline=((10.0, QUIET),))).run(90)
    assert world.strength() == {}
    assert [each.facts["task_list"] for each in world.notes("list_empty")] == ["flow_resize"]
    world.run(200)
    assert len(world.notes("list_empty")) == 2
    assert len(world.logged(messages.Done)) == 1
    assert not world.logged(messages.Kill)
    assert not world.logged(messages.RetireGeneration)
    assert world.exit is None


def test_resume_fills_at_once() -> None:
    """A boot later all slots are served, beside the workers that still end their polls."""
    world = simulate(Scenario(timeline=((10.0, QUIET), (11.0, RESUME))), **ALL_POLL).run(12)
    assert world.strength() == {RESIZE: 2, DECIDER: 1}
    assert [each.leaving for each in world.core.pool()] == [1, 2]
    world.run(100)
    assert [each.leaving for each in world.core.pool()] == [0, 0]
    assert not world.notes("list_empty")


def test_one_list_can_be_quiet() -> None:
    """The other lists go on, and the snapshot says which list is quiet."""
    world = simulate(Scenario(timeline=((10.0, messages.QuietRequested("people", "resize")),))).run(
        100
    )
    assert world.strength() == {DECIDER: 1}
    assert [(each.quiet, each.desired) for each in world.core.pool()] == [(False, 1), (True, 0)]
    assert "flow_resize is already quiet." in world.core.refusal(
        messages.QuietRequested("people", "flow_resize")
    )


def test_a_restart_while_quiet_stays_quiet() -> None:
    """The new generation proves itself on the other lists, and fills the list when it is
    resumed.
    """
    for task_list in (None, "resize"):
        quiet = messages.QuietRequested("people", task_list)
        world = simulate(Scenario(timeline=((10.0, quiet), (100.0, RESTART)))).run(150)
        assert world.strength()[RESIZE] == 0
        assert [each.facts["generation"] for each in world.notes("generation_active")] == [1, 2]
        world.ask(messages.ResumeRequested("people", task_list))
        world.run(160)
        assert world.strength() == {RESIZE: 2, DECIDER: 1}
        assert set(world.served_by().values()) == {2}


def test_a_quiet_list_can_be_resized() -> None:
    """It stays quiet, and has the new size when it is resumed."""
    timeline = ((10.0, QUIET), (20.0, scaled("resize", 4)), (100.0, RESUME))
    world = simulate(Scenario(timeline=timeline)).run(99)
    assert world.strength() == {}
    assert world.run(110).strength() == {RESIZE: 4, DECIDER: 1}


def test_a_worker_that_dies_while_its_list_is_quiet_is_not_replaced() -> None:
    """It had been asked to leave, and its slot does not back off when the list is resumed."""
    scenario = Scenario(
        timeline=((10.0, QUIET), (11.0, KillWorker(1)), (12.0, KillWorker(1)), (13.0, RESUME))
    )
    world = simulate(scenario).run(14)
    assert world.strength() == {RESIZE: 2, DECIDER: 1}
    assert all("it was asked to leave" in each for each in world.deaths())


def test_a_worker_killed_before_its_list_was_quiet_is_not_replaced() -> None:
    """The kernel may hold it for a while; the slot is filled beside it, without a wait."""
    scenario = Scenario(
        workers=(WorkerPlan(boot=float("inf"), unreaped_for=9.0),),
        timeline=((10.0, QUIET), (11.0, RESUME)),
    )
    world = simulate(scenario, deciders=0, workers=1, boot_timeout=5.0).run(9)
    assert world.logged(messages.Kill)
    assert world.run(12).strength() == {RESIZE: 1}
    (death,) = world.run(30).deaths()
    assert death.endswith("It is not replaced: it was asked to leave.")


def test_resume_ends_the_streaks_of_a_list() -> None:
    """An operator says that it is healthy: its slots do not wait, and it is no longer degraded."""
    version = Version(crashing_lists=(RESIZE,))
    world = simulate(Scenario(versions=(version,))).run(200)
    assert world.core.status(world.now).generations[0].degraded == (RESIZE.name,)
    for event in (messages.QuietRequested("people", "resize"), messages.ResumeRequested("people")):
        world.ask(event)
        world.run(world.now + 0.01)
    forks = [at for at, each in world.log if isinstance(each, messages.Fork) and at >= 200]
    assert len(forks) == 2
    assert world.core.status(world.now).generations[0].degraded == ()


def test_a_quiet_list_keeps_the_program_alive() -> None:
    """The program does not give up while a list is quiet, since it is to be resumed."""
    version = Version(crashing_lists=(RESIZE,))
    quiet = (20.0, messages.QuietRequested("people", "flow"))
    assert simulate(Scenario(versions=(version,), timeline=(quiet,))).run(400).exit is None


def test_a_canary_leaves_when_its_list_becomes_quiet() -> None:
    """The candidate becomes active without it."""
    timeline = ((10.0, RESTART), (12.0, messages.QuietRequested("people", "resize")))
    world = simulate(Scenario(timeline=timeline)).run(12.5)
    slots = {each.slot for each in world.core.status(12.5).workers if not each.leaving}
    assert {each.task_list for each in slots if each} == {DECIDER}
    assert set(world.run(80).served_by().values()) == {2}


def test_a_lower_slot_that_is_added_gets_a_canary() -> None:
    """Pools fill their gaps first, so the first slot may change while a candidate proves itself."""
    tasks = (TaskPlan(waits=50),) * 3 + (TaskPlan(waits=0, lasts=100, timeout=None),) * 2
    timeline = ((10.0, scaled("resize", 2)), (20.0, RESTART), (23.0, scaled("resize", 3)))
    world = simulate(Scenario(tasks=tasks, timeline=timeline), workers=4, **ALL_POLL).run(400)
    assert indexes(world) == [0, 2, 3]
    assert set(world.served_by().values()) == {2}

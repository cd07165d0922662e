"""The comparison of failure rates: when new code counts as worse, and what follows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from supervisor.config.settings import Settings
from supervisor.core.deploy.failure_rate import is_worse
from supervisor.core.failures import Tally
from supervisor.ipc import messages
from supervisor.ipc.messages import Result
from tests.supervisor.simulation.scenarios import End, Scenario, TaskPlan, Version, WorkerPlan
from tests.supervisor.simulation.world import RESIZE, World, simulate

SETTINGS = Settings(flow="flow")
RESTART = (20.0, messages.RestartRequested("SIGHUP"))
QUICK = TaskPlan(waits=0.25, lasts=0.25)
FAILS = Version(workers=(WorkerPlan(fails=True),), repeats=True)

tallies = st.integers(0, 500).flatmap(
    lambda done: st.builds(Tally, st.just(done), st.integers(0, done))
)


def worse(done: int, failed: int, than_done: int, than_failed: int) -> bool:
    """Whether new code with these numbers counts as worse."""
    return is_worse(Tally(done, failed), Tally(than_done, than_failed), SETTINGS)


def busy(version: Version, second: float = 20.0, **chosen: object) -> World:
    """A worker with many tasks, restarted with this code."""
    timeline = ((second, messages.RestartRequested("SIGHUP")),)
    scenario = Scenario(versions=(Version(), version), tasks=(QUICK,) * 400, timeline=timeline)
    return simulate(scenario, **{"workers": 1, "deciders": 0, **chosen})


# --- the verdict ----------------------------------------------------------------------------------


def test_two_failures_are_not_compared() -> None:
    """One is an accident, and two may be."""
    assert not worse(2, 2, 1000, 0)
    assert worse(3, 3, 1000, 0)


def test_one_failure_in_three_beside_good_code_is_worse() -> None:
    """A worker that dies in every third task is found at its third death, beside many good
    tasks.
    """
    assert worse(9, 3, 200, 0)
    assert not worse(9, 3, 15, 0)


def test_a_list_whose_tasks_often_fail_stops_no_code() -> None:
    """Half of the tasks failed before, and half do now."""
    assert not worse(10, 5, 100, 50)
    assert not worse(200, 110, 1000, 500)
    assert worse(200, 170, 1000, 500)


def test_rare_failures_among_many_tasks_stop_no_code() -> None:
    """One task in fifty failed before, and one does now."""
    assert not worse(150, 3, 1000, 20)


def test_code_that_fails_all_is_worse_than_untried_code() -> None:
    """Four failures of four are worse even than code that has done nothing."""
    assert worse(4, 4, 0, 0)
    assert not worse(20, 4, 0, 0)
    assert not worse(10, 10, 3, 3)


def test_nine_good_tasks_still_allow_one_failure_in_ten() -> None:
    """Nine tasks say no more than that one in ten may fail."""
    assert not worse(3, 3, 9, 0)
    assert worse(4, 4, 9, 0)
    assert worse(3, 3, 10, 0)


@given(tallies, tallies)
def test_code_that_fails_no_more_often_is_never_worse(tally: Tally, than: Tally) -> None:
    """Whatever the numbers, the rate has to be above the other's."""
    if tally.failed * than.done <= than.failed * tally.done and than.done:
        assert not is_worse(tally, than, SETTINGS)


@given(tallies, tallies, st.integers(1, 50))
def test_more_failures_never_make_code_better(tally: Tally, than: Tally, more: int) -> None:
    """With as many tasks and more failures, code that was worse stays worse."""
    if is_worse(tally, than, SETTINGS):
        failed = min(tally.done, tally.failed + more)
        assert is_worse(Tally(tally.done, failed), than, SETTINGS)


# --- canaries -------------------------------------------------------------------------------------


def test_a_canary_that_fails_its_tasks_stops_the_deploy() -> None:
    """The deploy fails at the third failed task, with the numbers in the report; the old code goes
    on.
    """
    world = busy(FAILS).finish(200)
    (note,) = world.notes("generation_failed")
    assert note.facts["gate"] == "canary"
    assert (note.facts["task_list"], note.facts["failed"]) == (RESIZE.name, 3)
    assert f"it failed 3 of 3 tasks of {RESIZE.name}" in note.text
    assert set(world.served_by().values()) == {1}
    assert world.lowest == world.desired


def test_a_canary_that_dies_at_its_tasks_stops_the_deploy() -> None:
    """A worker's death in a task is a failure of the task."""
    dies = WorkerPlan(end=End.IN_TASK)
    world = busy(Version(workers=(dies,), repeats=True), crash_loop_deaths=999, min_uptime=60.0)
    world.finish(400)
    (note,) = world.notes("generation_failed")
    assert note.facts["failed"] == 3
    assert set(world.served_by().values()) == {1}


def test_good_tasks_of_the_old_code_stop_no_code() -> None:
    """The rates are compared when a task of the new code fails, not when the old code does well."""
    scenario = Scenario(versions=(Version(), Version()), timeline=(RESTART,))
    world = simulate(scenario, workers=1, deciders=0, min_uptime=600.0).run(30)
    old, new = (each.worker for each in serving(world))
    do(world, old, 15, Result.COMPLETED)
    do(world, new, 6, Result.COMPLETED)
    do(world, new, 3, Result.FAILED)
    do(world, old, 200, Result.COMPLETED)
    world._handle(messages.Tick())
    assert world.notes("generation_failed") == []
    do(world, new, 1, Result.FAILED)
    assert len(world.notes("generation_failed")) == 1


def serving(world: World) -> list[messages.Fork]:
    """The forks of workers that serve."""
    return [each for each in world.logged(messages.Fork) if isinstance(each.job, messages.Serve)]


def do(world: World, worker: int, times: int, result: Result) -> None:
    """Let a worker do so many tasks."""
    for _ in range(times):
        task = world.task(RESIZE.role, 60.0)
        for event in (messages.Working(worker, task), messages.Done(worker, result)):
            world._handle(event)


def test_code_that_fails_as_many_tasks_as_before_becomes_active() -> None:
    """The tasks are bad, not the code."""
    scenario = Scenario(versions=(FAILS, FAILS), tasks=(QUICK,) * 400, timeline=(RESTART,))
    world = simulate(scenario, workers=1, deciders=0).finish(200)
    assert world.notes("generation_failed") == []
    assert set(world.served_by().values()) == {2}


def test_failures_in_the_probation_lead_to_a_rollback() -> None:
    """If tasks fail only after the canaries have proved themselves, the old code is active
    again.
    """
    version = Version(workers=(WorkerPlan(), *[WorkerPlan(fails=True)] * 9))
    world = busy(version, workers=4).finish(300)
    (note,) = world.notes("generation_rolled_back")
    assert note.facts["gate"] == "probation"
    assert "the code before it failed 0 of" in note.text
    assert set(world.served_by().values()) == {1}


def test_failures_after_the_probation_change_nothing() -> None:
    """There is no generation to roll back to, and tasks may fail."""
    late = TaskPlan(waits=59.0, lasts=0.25)
    scenario = Scenario(
        versions=(Version(), FAILS),
        tasks=(late,) * 100,
        timeline=((1.0, messages.RestartRequested("")),),
    )
    world = simulate(scenario, workers=1, deciders=0, probation=30.0).finish(900)
    assert world.notes("generation_rolled_back") == []
    assert set(world.served_by().values()) == {2}

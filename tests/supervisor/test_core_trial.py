"""Whether new code fails more tasks than the code before it: the verdict, and what follows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from supervisor import messages
from supervisor.core.generation import Tally
from supervisor.core.trial import is_worse
from supervisor.messages import Result
from supervisor.settings import Settings
from tests.fates import End, Fate, Plan, Script, Version
from tests.world import RESIZE, World, tell

SETTINGS = Settings(flow="flow")
RESTART = (20.0, messages.RestartAsked("SIGHUP"))
QUICK = Plan(waits=0.25, lasts=0.25)
FAILS = Version(workers=(Fate(fails=True),), forever=True)

tallies = st.integers(0, 500).flatmap(
    lambda done: st.builds(Tally, st.just(done), st.integers(0, done))
)


def worse(done: int, failed: int, than_done: int, than_failed: int) -> bool:
    """The verdict."""
    return is_worse(Tally(done, failed), Tally(than_done, than_failed), SETTINGS)


def busy(version: Version, second: float = 20.0, **chosen: object) -> World:
    """A worker with much to do, restarted with this code."""
    orders = ((second, messages.RestartAsked("SIGHUP")),)
    script = Script(versions=(Version(), version), plans=(QUICK,) * 400, orders=orders)
    return tell(script, **{"workers": 1, "deciders": 0, **chosen})


# --- the verdict ----------------------------------------------------------------------------------


def test_two_failures_are_no_verdict() -> None:
    """One is an accident, and two may be."""
    assert not worse(2, 2, 1000, 0)
    assert worse(3, 3, 1000, 0)


def test_a_third_of_failures_beside_good_code_is_a_verdict() -> None:
    """A worker that dies at every third task is found at its third death beside much good work."""
    assert worse(9, 3, 200, 0)
    assert not worse(9, 3, 15, 0)


def test_what_fails_anyway_convicts_nobody() -> None:
    """Half of the tasks failed before, and half do now."""
    assert not worse(10, 5, 100, 50)
    assert not worse(200, 110, 1000, 500)
    assert worse(200, 170, 1000, 500)


def test_rare_failures_of_much_work_convict_nobody() -> None:
    """One in fifty, before and now."""
    assert not worse(150, 3, 1000, 20)


def test_nothing_known_of_the_code_before_is_no_reason_to_forgive_all() -> None:
    """Four failures of four are a verdict even beside a generation that has done nothing."""
    assert worse(4, 4, 0, 0)
    assert not worse(20, 4, 0, 0)
    assert not worse(10, 10, 3, 3)


def test_a_few_good_tasks_are_little_known() -> None:
    """Nine say no more than that one in ten may fail."""
    assert not worse(3, 3, 9, 0)
    assert worse(4, 4, 9, 0)
    assert worse(3, 3, 10, 0)


@given(tallies, tallies)
def test_who_fails_no_more_often_is_never_convicted(tally: Tally, than: Tally) -> None:
    """Whatever the numbers: the rate has to be above the other's."""
    if tally.failed * than.done <= than.failed * tally.done and than.done:
        assert not is_worse(tally, than, SETTINGS)


@given(tallies, tallies, st.integers(1, 50))
def test_more_failures_never_acquit(tally: Tally, than: Tally, more: int) -> None:
    """With the same tasks and more failures the verdict stays."""
    if is_worse(tally, than, SETTINGS):
        failed = min(tally.done, tally.failed + more)
        assert is_worse(Tally(tally.done, failed), than, SETTINGS)


# --- canaries -------------------------------------------------------------------------------------


def test_a_canary_that_fails_its_tasks_stops_the_deploy() -> None:
    """At the third failure, with the numbers in the report; the old code never felt it."""
    world = busy(FAILS).finish(200)
    (note,) = world.notes("generation_abandoned")
    assert note.facts["gate"] == "canary"
    assert (note.facts["task_list"], note.facts["failed"]) == (RESIZE.name, 3)
    assert f"3 tasks of {RESIZE.name} 3 failed" in note.text
    assert set(world.served_by().values()) == {1}
    assert world.lowest == world.wanted


def test_a_canary_that_dies_at_its_tasks_stops_the_deploy() -> None:
    """Deaths in a task are failures of it."""
    dies = Fate(end=End.IN_TASK)
    world = busy(Version(workers=(dies,), forever=True), proving_deaths=999, lasting=60.0)
    world.finish(400)
    (note,) = world.notes("generation_abandoned")
    assert note.facts["failed"] == 3
    assert set(world.served_by().values()) == {1}


def test_what_others_do_well_convicts_nobody() -> None:
    """The verdict is looked for when a task has failed, not when the rate beside it gets better."""
    script = Script(versions=(Version(), Version()), orders=(RESTART,))
    world = tell(script, workers=1, deciders=0, lasting=600.0).run(30)
    old, new = (each.worker for each in serving(world))
    do(world, old, 15, Result.COMPLETED)
    do(world, new, 6, Result.COMPLETED)
    do(world, new, 3, Result.FAILED)
    do(world, old, 200, Result.COMPLETED)
    world._handle(messages.Tick())
    assert world.notes("generation_abandoned") == []
    do(world, new, 1, Result.FAILED)
    assert len(world.notes("generation_abandoned")) == 1


def serving(world: World) -> list[messages.Fork]:
    """Those that were forked to serve."""
    return [each for each in world.said(messages.Fork) if isinstance(each.job, messages.Serve)]


def do(world: World, worker: int, times: int, result: Result) -> None:
    """Let a worker do so many tasks."""
    for _ in range(times):
        task = world.task(RESIZE.role, 60.0)
        for event in (messages.Working(worker, task), messages.Done(worker, result)):
            world._handle(event)


def test_code_that_fails_tasks_as_the_code_before_did_takes_over() -> None:
    """The tasks are bad, not the code."""
    script = Script(versions=(FAILS, FAILS), plans=(QUICK,) * 400, orders=(RESTART,))
    world = tell(script, workers=1, deciders=0).finish(200)
    assert world.notes("generation_abandoned") == []
    assert set(world.served_by().values()) == {2}


def test_failures_in_the_probation_lead_back() -> None:
    """Tasks that fail only when the canaries had lasted: the old code takes its seats back."""
    version = Version(workers=(Fate(), *[Fate(fails=True)] * 9))
    world = busy(version, workers=4).finish(300)
    (note,) = world.notes("generation_returned")
    assert note.facts["gate"] == "probation"
    assert "failed, where the code before it failed 0 of" in note.text
    assert set(world.served_by().values()) == {1}


def test_failures_after_the_probation_lead_nowhere() -> None:
    """There is nothing to return to, and tasks may fail."""
    late = Plan(waits=59.0, lasts=0.25)
    script = Script(
        versions=(Version(), FAILS), plans=(late,) * 100, orders=((1.0, messages.RestartAsked("")),)
    )
    world = tell(script, workers=1, deciders=0, probation=30.0).finish(900)
    assert world.notes("generation_returned") == []
    assert set(world.served_by().values()) == {2}

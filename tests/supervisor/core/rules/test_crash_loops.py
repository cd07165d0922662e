"""Crash loops: when waits grow, when a list is degraded, and when the program gives up."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.config.settings import Settings
from supervisor.core.failures import Streak
from supervisor.core.rules.crash_loops import back_off, is_crash_loop
from supervisor.core.state import State
from supervisor.core.turn import Turn
from supervisor.ipc import messages
from tests.supervisor.simulation.scenarios import (
    CRASHES_BOOTING,
    End,
    KillWorker,
    KillZygote,
    Scenario,
    TaskPlan,
    Version,
    WorkerPlan,
)
from tests.supervisor.simulation.world import DECIDER, LISTS, RESIZE, World, simulate

BAD_FOR_EVER = Version(workers=(CRASHES_BOOTING,), repeats=True)


# --- the waits ------------------------------------------------------------------------------------


def waits(early_deaths: int, seed: int = 0, **chosen: Any) -> list[float]:
    """The waits after so many early deaths in a row."""
    turn = Turn(State(Settings(**chosen), Random(seed)), 100.0)
    streak = Streak()
    return [back_off(turn, streak) for _ in range(early_deaths)]


@given(st.integers(0, 1000))
def test_waits_grow_until_the_crash_loop(seed: int) -> None:
    """At once, then doubling from ``backoff_initial``; in a crash loop the longest wait only."""
    first, *growing = waits(4, seed)
    assert first == 0.0
    for n, wait in enumerate(growing):
        assert 0.25 * 2**n <= wait <= 0.5 * 2**n
    assert all(15.0 <= each <= 30.0 for each in waits(9, seed)[4:])


@given(st.integers(1, 10), st.integers(0, 20))
def test_a_crash_loop_is_a_number_of_early_deaths_in_a_row(limit: int, deaths: int) -> None:
    """It depends on that number, and on nothing else."""
    assert is_crash_loop(deaths, Settings(crash_loop_deaths=limit)) == (deaths >= limit)


def test_one_poison_task_is_not_a_crash_loop() -> None:
    """It fails for good after ``poison_deaths`` deaths, which may all be at one slot."""
    assert not is_crash_loop(Settings().poison_deaths, Settings())


# --- decisions that end their deciders ------------------------------------------------------------

DIES_DECIDING = WorkerPlan(end=End.IN_TASK)


def deciding(runs: list[str], **chosen: Any) -> World:
    """A pool of one decider that dies in each of these executions' decisions."""
    tasks = tuple(TaskPlan(run=each) for each in runs)
    scenario = Scenario(workers=(DIES_DECIDING,) * len(runs), tasks=tasks)
    return simulate(scenario, workers=0, deciders=1, **chosen).run(60)


def test_one_execution_never_degrades_a_list() -> None:
    """Only its first death is an early one: the slot is filled again at once after each."""
    world = deciding(["r"] * 20)
    assert world.notes("list_degraded") == []
    remedies = [str(each.facts["remedy"]) for each in world.notes("worker_died")]
    assert len(remedies) == 20
    assert all(each.endswith("The slot is filled again at once.") for each in remedies)


def test_deciders_that_die_of_every_execution_degrade_their_list() -> None:
    """Then the code is at fault, and not one history."""
    assert len(deciding([f"r{n}" for n in range(20)]).notes("list_degraded")) == 1


def test_one_execution_never_fails_new_code() -> None:
    """Its deaths count once in the comparison with the code before, and once as early deaths."""
    dying = Version(workers=(DIES_DECIDING,) * 20)
    plans = (TaskPlan(waits=30.0), *(TaskPlan(run="r"),) * 21)
    timeline = ((10.0, messages.RestartRequested("SIGHUP")),)
    scenario = Scenario(versions=(Version(), dying), tasks=plans, timeline=timeline)
    world = simulate(scenario, workers=0, deciders=1).run(200)
    assert len(world.notes("worker_died")) > 10
    assert world.notes("generation_rolled_back") == []
    assert world.notes("generation_failed") == []


# --- degraded lists -------------------------------------------------------------------------------


def test_one_bad_list_is_degraded_and_the_others_go_on() -> None:
    """Workers of one list that keep dying cost the other list nothing."""
    worker_plans = (WorkerPlan(), *[CRASHES_BOOTING] * 20)
    world = simulate(Scenario(workers=worker_plans)).run(60)
    (note,) = world.notes("list_degraded")
    assert note.facts["task_list"] == RESIZE.name
    assert world.strength() == {DECIDER: 1}
    assert [each.degraded for each in world.core.status(world.now).generations] == [(RESIZE.name,)]
    world.finish(300)
    assert world.strength() == world.desired
    assert len(world.notes("list_recovered")) == 1
    assert world.core.status(world.now).generations[0].degraded == ()


def test_a_slot_in_a_crash_loop_is_retried_after_the_longest_wait() -> None:
    """After the note no wait of the slot is shorter than half the cap."""
    world = simulate(Scenario(workers=(WorkerPlan(), *[CRASHES_BOOTING] * 99))).finish(300)
    degraded = world.when(world.notes("list_degraded")[0])
    later = [each for at, each in world.log if at > degraded and isinstance(each, messages.Note)]
    remedies = [str(each.facts["remedy"]) for each in later if each.event == "worker_died"]
    assert remedies
    assert all(15 <= float(each.split()[-2]) <= 30 for each in remedies)
    assert len(world.notes("list_degraded")) == 1


def test_when_no_list_can_keep_a_worker_the_program_gives_up() -> None:
    """Exit code 4, with the last death's cause."""
    world = simulate(Scenario(versions=(BAD_FOR_EVER,))).finish(600)
    assert world.exit is not None
    assert world.exit.code == 4
    assert "SIGSEGV" in world.exit.why


def test_a_list_that_is_not_degraded_keeps_the_program_alive() -> None:
    """Its only worker has just died, but it had served for long, and the next one is on its way."""
    scenario = Scenario(
        versions=(Version(crashing_lists=(RESIZE,)),), timeline=((60.0, KillWorker(0)),)
    )
    world = simulate(scenario, workers=1).finish(200)
    assert len(world.notes("list_degraded")) == 1
    assert world.exit is None
    assert world.strength() == {DECIDER: 1}


def test_a_ready_worker_keeps_the_program_alive() -> None:
    """While one worker of a degraded list is ready, the program does not give up."""
    world = simulate(
        Scenario(workers=(WorkerPlan(), *[CRASHES_BOOTING] * 99)), deciders=0, crash_loop_deaths=2
    )
    world.finish(600)
    assert len(world.notes("list_degraded")) == 1
    assert world.exit is None
    assert world.strength() == {LISTS[1]: 1}


def test_the_recovery_of_a_list_is_noted_once() -> None:
    """Two of its workers have served long enough by the same turn."""
    scenario = Scenario(workers=(WorkerPlan(), *[CRASHES_BOOTING] * 4), lag=2.0)
    quick: dict[str, Any] = {"crash_loop_deaths": 2, "backoff_initial": 0.25, "backoff_cap": 0.25}
    world = simulate(scenario, workers=2, **quick).finish(120)
    assert len(world.notes("list_degraded")) == len(world.notes("list_recovered")) == 1


def test_one_slot_in_a_crash_loop_degrades_its_list() -> None:
    """At its fifth early death in a row; the note names the slot, and its neighbours serve."""
    scenario = Scenario(workers=(WorkerPlan(), WorkerPlan(), *[CRASHES_BOOTING] * 5))
    world = simulate(scenario, workers=2).run(20)
    deaths = world.notes("worker_died")
    (note,) = world.notes("list_degraded")
    assert world.when(note) == world.when(deaths[4])
    assert (note.facts["task_list"], note.facts["slot"], note.facts["deaths"]) == (
        RESIZE.name,
        1,
        5,
    )
    assert world.strength() == {DECIDER: 1, RESIZE: 1}


def test_a_worker_that_lasts_in_between_ends_the_row() -> None:
    """Eight early deaths, but never five in a row: the list is not degraded."""
    lasts = WorkerPlan(end=End.IN_POLL, after=6.0)
    scenario = Scenario(workers=(*[CRASHES_BOOTING] * 4, lasts, *[CRASHES_BOOTING] * 4))
    world = simulate(scenario, workers=1, deciders=0).finish(200)
    assert len(world.notes("worker_died")) == 9
    assert world.notes("list_degraded") == []
    assert world.strength() == world.desired


def test_early_deaths_at_several_slots_are_not_in_a_row() -> None:
    """Each slot has its own row: a list of eight is not degraded sooner than a list of one."""
    world = simulate(Scenario(workers=(CRASHES_BOOTING,) * 32), workers=8, deciders=0).finish(200)
    assert len(world.notes("worker_died")) == 32
    assert world.notes("list_degraded") == []


def test_a_slot_that_is_not_desired_degrades_nothing() -> None:
    """A pool that is scaled down to its good slots is not degraded."""
    scenario = Scenario(versions=(Version(crashing_lists=(RESIZE,)),))
    world = simulate(scenario, workers=1).run(60)
    assert world.core.service(world.now).degraded == (RESIZE.name,)
    world.ask(messages.ScaleRequested("people", "resize", 0))
    world.run(61)
    assert world.core.service(world.now).degraded == ()


def test_replacements_that_die_are_a_crash_loop_at_a_served_slot() -> None:
    """The worker that they were to replace goes on; the list is degraded all the same."""
    scenario = Scenario(
        workers=(WorkerPlan(retires_after=1), *[CRASHES_BOOTING] * 9),
        tasks=(TaskPlan(waits=0.25, lasts=0.25),),
    )
    world = simulate(scenario, workers=1, deciders=0).run(60)
    assert len(world.notes("list_degraded")) == 1
    assert world.notes("list_recovered") == []
    assert world.strength() == world.desired


# --- giving up ------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 8])
def test_the_program_gives_up_when_every_slot_is_in_a_crash_loop(workers: int) -> None:
    """Neither sooner nor later than at the fifth early death of the last slot."""
    world = simulate(Scenario(versions=(BAD_FOR_EVER,)), workers=workers).finish(600)
    forked = [each.job.slot for each in serving(world)]
    assert min(forked.count(each) for each in set(forked)) == 5
    assert world.exit is not None
    assert world.exit.code == 4
    (stopping,) = world.notes("stopping")
    assert "no slot can keep a worker; the last death: worker" in stopping.text


def test_a_slot_that_is_still_tried_keeps_the_program_alive() -> None:
    """The other slots are in crash loops, but this one's next worker serves."""
    slow = WorkerPlan(boot=9.0)
    scenario = Scenario(versions=(Version(crashing_lists=(DECIDER,)),), workers=(slow,))
    world = simulate(scenario, workers=1).finish(200)
    assert world.exit is None
    assert world.strength() == {RESIZE: 1}


def test_workers_that_hang_at_their_start_are_a_crash_loop() -> None:
    """However long it takes to kill each of them, the program gives up and says why."""
    version = Version(workers=(WorkerPlan(boot=float("inf")),), repeats=True)
    world = simulate(Scenario(versions=(version,))).finish(900)
    assert world.exit is not None
    assert world.exit.code == 4
    assert "booting for 30 s" in world.exit.why


def test_zygotes_that_are_lost_are_given_up_when_no_worker_is_left() -> None:
    """While workers serve, starts go on after the longest wait; the last worker's death ends it."""
    bad = Version(failure=("SyntaxError", 3))
    timeline = ((20.0, KillZygote(0)), (300.0, KillWorker(0)), (301.0, KillWorker(0)))
    scenario = Scenario(versions=(Version(), *[bad] * 99), timeline=timeline)
    world = simulate(scenario, workers=1).finish(600)
    assert world.exit == messages.Exit(3, "SyntaxError")
    assert world.now < 305
    assert len(world.logged(messages.StartGeneration)) > 1 + 5


def serving(world: World) -> list[Any]:
    """The forks of workers that serve."""
    return [each for each in world.logged(messages.Fork) if isinstance(each.job, messages.Serve)]

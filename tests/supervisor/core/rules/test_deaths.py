"""Scenarios of deaths: the backoff of the slot, and the deadlines that lead to kills."""

from __future__ import annotations

import itertools
from math import inf

import pytest

from supervisor.ipc import messages
from tests.supervisor.simulation.scenarios import (
    CRASHES_BOOTING,
    End,
    KillWorker,
    Scenario,
    TaskPlan,
    Version,
    WorkerPlan,
)
from tests.supervisor.simulation.world import simulate

BAD_FOR_EVER = Version(workers=(CRASHES_BOOTING,), repeats=True)


# --- slots ----------------------------------------------------------------------------------------


def test_the_slot_of_a_worker_that_served_is_filled_at_once() -> None:
    """Kill -9 of a good worker costs its slot no wait."""
    world = simulate(Scenario(timeline=((30.0, KillWorker(1)),))).finish(60)
    assert world.logged(messages.Fork)[-1].worker == 5
    assert world.when(world.logged(messages.Fork)[-1]) == 30.0
    assert "The slot is filled again at once." in world.deaths()[0]


def test_a_slot_that_backs_off_does_not_hold_up_another() -> None:
    """Backoff belongs to the slot: its neighbour of the same list is filled at once."""
    worker_plans = (CRASHES_BOOTING, WorkerPlan(), *[CRASHES_BOOTING] * 5)
    scenario = Scenario(workers=worker_plans, timeline=((9.0, KillWorker(0)),))
    world = simulate(scenario, workers=2, deciders=0).run(12)
    forks = [each for each in world.logged(messages.Fork) if isinstance(each.job, messages.Serve)]
    assert [world.when(each) for each in forks if each.job == forks[1].job][1] == 9.0


def test_early_deaths_make_waits_grow() -> None:
    """The first crash while booting costs no wait; each one after it a longer wait, up to
    the cap.
    """
    world = simulate(
        Scenario(versions=(BAD_FOR_EVER,)), workers=1, deciders=0, crash_loop_deaths=99
    )
    world.finish(300)
    at = [world.when(each) for each in world.logged(messages.Fork)[1:]]
    waits = [after - before - 0.3125 for before, after in itertools.pairwise(at)]
    assert waits[0] == 0.0
    for n, rest in enumerate(waits[1:]):
        most = min(0.5 * 2**n, 30.0)
        assert most / 2 <= rest <= most


def test_a_worker_that_served_ends_its_slots_streak() -> None:
    """After it the count of early deaths begins anew."""
    worker_plans = (
        CRASHES_BOOTING,
        CRASHES_BOOTING,
        WorkerPlan(end=End.IN_POLL, after=20.0),
        CRASHES_BOOTING,
    )
    world = simulate(Scenario(workers=worker_plans), workers=1, deciders=0).finish(60)
    remedies = [str(each.facts["remedy"]) for each in world.notes("worker_died")]
    assert remedies[2] == "The slot is filled again at once."
    assert 0.2 <= float(remedies[1].split()[-2]) <= 0.5
    assert remedies[3] == "The slot is filled again at once."


def test_an_exit_that_was_not_requested_is_a_death() -> None:
    """Exit code 0 does not change that: the worker had not been asked to leave."""
    world = simulate(Scenario(workers=(WorkerPlan(end=End.IN_POLL, status=0),))).finish(60)
    assert len(world.deaths()) == 1
    assert "exited 0" in world.deaths()[0]
    assert world.strength() == world.desired


def test_a_fork_that_fails_is_tried_again() -> None:
    """It is treated like a death: noted, attempted again at once, then after a wait."""
    world = simulate(
        Scenario(workers=(WorkerPlan(forks=False), WorkerPlan(), WorkerPlan(forks=False)))
    ).finish(60)
    assert "could not be forked: no process. The slot is filled again at once." in world.deaths()[0]
    assert world.strength() == world.desired


# --- deadlines ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("worker_plan", "task_plan", "stage_timeout", "why"),
    [
        (WorkerPlan(boot=inf), TaskPlan(), 30.0, "booting for 30 s"),
        (WorkerPlan(poll_hangs=True), TaskPlan(), 90.0, "its poll hung for 90 s"),
        (WorkerPlan(hangs=True), TaskPlan(timeout=20.0), 50.0, "past its own timeout"),
    ],
)
def test_a_hung_worker_is_killed(
    worker_plan: WorkerPlan, task_plan: TaskPlan, stage_timeout: float, why: str
) -> None:
    """Every stage has a deadline; past it the worker is killed and its slot filled.

    Before the kill it is asked for its stacks, and has half a second to write them.
    """
    world = simulate(
        Scenario(workers=(worker_plan,), tasks=(task_plan,)), workers=1, deciders=0
    ).finish(200)
    since = [at for at, each in world.log if getattr(each, "worker", None) == 2]
    asked = world.when(messages.DumpStacks(2))
    assert asked - stage_timeout in since
    assert world.when(messages.Kill(2, why)) == asked + 0.5
    assert len(world.logged(messages.Kill)) == 1
    assert world.strength() == world.desired


def test_an_activity_without_timeout_may_run_without_limit() -> None:
    """SWF has no limit for it, so the supervisor has none."""
    scenario = Scenario(workers=(WorkerPlan(hangs=True),), tasks=(TaskPlan(timeout=None),))
    world = simulate(scenario, workers=1, deciders=0).finish(100_000)
    assert not world.logged(messages.Kill)


def test_a_hung_decision_is_killed() -> None:
    """After ``decision_timeout`` it is killed and returned, since SWF waits for it."""
    scenario = Scenario(workers=(WorkerPlan(hangs=True),), tasks=(TaskPlan(),))
    world = simulate(scenario, workers=0).finish(1000)
    assert world.logged(messages.Kill) == [messages.Kill(2, "past its own timeout")]
    assert [each.why for each in world.reports()] == [
        "WorkerDied: killed after 300 s, past its own timeout"
    ]


def test_a_killed_worker_that_is_not_reaped_counts_as_dead() -> None:
    """It is noted, not killed again, and its slot is filled."""
    world = simulate(Scenario(workers=(WorkerPlan(boot=inf, unreaped_for=1000.0),))).finish(500)
    assert len(world.logged(messages.Kill)) == 1
    assert "the kernel holds it" in world.deaths()[0]
    assert world.strength() == world.desired


def private_lists(*plans: WorkerPlan) -> list[int | str]:
    """The private lists that the deciders at one slot take over, in the order of their forks."""
    tasks = (TaskPlan(),) * 10
    world = simulate(Scenario(workers=plans, tasks=tasks), workers=0, deciders=1).run(60)
    jobs = [each.job for each in world.logged(messages.Fork)]
    return [each.private_list for each in jobs if isinstance(each, messages.Serve)]


def test_the_next_decider_takes_over_a_dead_one_s_private_list() -> None:
    """However many die there one after the other, the list stays that of the first."""
    dies = WorkerPlan(end=End.IN_TASK)
    assert private_lists(dies, dies, WorkerPlan()) == [0, 2, 2]


def test_two_living_deciders_never_share_a_private_list() -> None:
    """The replacement of a living one has its own; the other gives its executions back."""
    assert set(private_lists(*[WorkerPlan(retires_after=1)] * 3)) == {0}


def test_deciders_take_over_the_lists_of_a_killed_supervisor() -> None:
    """Each one of them, as long as there are any; workers of activities take none."""
    world = simulate(Scenario(), workers=2, deciders=3)
    world.send(messages.OrphanedLists(("4711-2@host", "4711-3@host")))
    world.run(60)
    jobs = [each.job for each in world.logged(messages.Fork)]
    serving = [each for each in jobs if isinstance(each, messages.Serve)]
    deciders = [
        each.private_list for each in serving if each.slot.task_list.role is messages.Role.DECIDER
    ]
    assert deciders == ["4711-2@host", "4711-3@host", 0]
    assert {each.private_list for each in serving} == {0, *deciders}

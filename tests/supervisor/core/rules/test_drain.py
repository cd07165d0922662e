"""Scenarios of drains, second signals, and the exit."""

from __future__ import annotations

from math import inf

import pytest

from supervisor.ipc import messages
from tests.supervisor.simulation.scenarios import (
    CRASHES_BOOTING,
    End,
    KillWorker,
    KillZygote,
    OutsideEvent,
    Scenario,
    TaskPlan,
    WorkerPlan,
)
from tests.supervisor.simulation.world import ALL_POLL, LANDS, World, simulate

DRAIN = messages.DrainRequested("SIGTERM")
STOP = messages.StopRequested("SIGQUIT")
LONG = TaskPlan(waits=1.0, lasts=500.0, timeout=600.0)


def ending(*timeline: tuple[float, OutsideEvent], **scenario: object) -> Scenario:
    """A scenario with these outside events."""
    return Scenario(timeline=timeline, **scenario)  # type: ignore[arg-type]


def exit_of(world: World) -> tuple[int, float]:
    """Exit code and moment of the exit."""
    assert world.exit is not None
    return world.exit.code, world.now


def reasons(world: World) -> list[str]:
    """The reasons of all failures that SWF got."""
    return [each.why for each in world.reports()]


# --- a drain --------------------------------------------------------------------------------------


def test_a_drain_waits_for_open_polls() -> None:
    """All workers are asked once, side by side; the exit follows the end of the last poll."""
    world = simulate(ending((20.0, DRAIN))).finish(200)
    assert len(world.logged(messages.Terminate)) == 3
    assert exit_of(world) == (0, 1.625 + LANDS + 60 + 0.25)
    assert world.notes("worker_died") == []


def test_a_drain_waits_for_the_task_in_progress() -> None:
    """The task is finished, and so is one that an open poll still brings."""
    late = TaskPlan(waits=50.0, lasts=30.0)
    world = simulate(ending((20.0, DRAIN), tasks=(LONG, late)), deciders=0).finish(2000)
    code, at = exit_of(world)
    assert code == 0
    assert at > 500
    assert len(world.logged(messages.Done)) == 2
    assert world.logged(messages.Kill) == []


def test_a_drain_during_the_start_ends_at_once() -> None:
    """There is nothing to wait for."""
    assert exit_of(simulate(ending((0.5, DRAIN))).finish(200)) == (0, 0.5)


def test_a_drain_ends_the_registering_worker() -> None:
    """It is asked to leave, too, and no worker is forked after it."""
    world = simulate(ending((1.1, DRAIN), jobs=(WorkerPlan(boot=5.0),))).finish(200)
    assert world.logged(messages.Terminate) == [messages.Terminate(1)]
    assert len(world.logged(messages.Fork)) == 1
    assert exit_of(world)[0] == 0


def test_deaths_in_a_drain_are_reported_and_not_replaced() -> None:
    """The task of a worker that crashes on its way out is reported; its slot stays empty."""
    worker_plans = (WorkerPlan(), WorkerPlan(end=End.IN_TASK, after=30.0))
    world = simulate(
        ending((20.0, DRAIN), workers=worker_plans, tasks=(TaskPlan(lasts=90),) * 3)
    ).finish(300)
    assert reasons(world) == ["WorkerDied: SIGSEGV"]
    assert "It is not replaced: the supervisor is draining." in world.notes("worker_died")[0].text
    assert exit_of(world)[0] == 0


def test_a_restart_is_refused_while_draining() -> None:
    """A note says that the supervisor is draining."""
    world = simulate(ending((20.0, DRAIN), (21.0, messages.RestartRequested("SIGHUP")))).finish(200)
    assert len(world.logged(messages.StartGeneration)) == 1
    assert len(world.notes("restart_refused")) == 1


def test_a_drain_ends_a_restart() -> None:
    """A candidate that is on its way is not waited for."""
    world = simulate(ending((20.0, messages.RestartRequested("SIGHUP")), (20.5, DRAIN))).finish(200)
    assert exit_of(world)[0] == 0
    assert world.count_serving_forks(2) == 0


# --- workers that do not leave --------------------------------------------------------------------


def test_a_worker_that_does_not_leave_is_killed() -> None:
    """An idle worker that ignores the request has ``poll_timeout`` from then on; still exit 0."""
    world = simulate(ending((20.0, DRAIN), workers=(WorkerPlan(obeys=False),))).finish(500)
    (kill,) = world.logged(messages.Kill)
    assert kill == messages.Kill(2, "it did not leave when asked to")
    assert world.when(kill) == 20.0 + 90.5
    assert exit_of(world)[0] == 0


def test_a_request_to_leave_prolongs_no_deadline() -> None:
    """A hung worker that is asked to leave is killed at its own deadline, not a second later."""
    hung = TaskPlan(waits=0, lasts=inf, timeout=20.0)
    quiet = simulate(Scenario(tasks=(hung,)), workers=1, deciders=0).run(100)
    drained = simulate(ending((45.0, DRAIN), tasks=(hung,)), workers=1, deciders=0).run(100)
    assert quiet.when(quiet.logged(messages.Kill)[0]) == drained.when(
        drained.logged(messages.Kill)[0]
    )


def test_a_request_to_leave_does_not_prolong_a_hung_poll() -> None:
    """The earlier of the two deadlines holds."""
    world = simulate(
        ending((45.0, DRAIN), workers=(WorkerPlan(poll_hangs=True),)), workers=1, deciders=0
    )
    (kill,) = world.finish(200).logged(messages.Kill)
    assert kill.why == "its poll hung for 90 s"


def test_a_worker_asked_to_leave_may_do_one_more_task() -> None:
    """An open poll may bring one; after its answer only ``exit_timeout`` is left."""
    task_plans = (
        TaskPlan(waits=30.0, lasts=200.0, timeout=300.0),
        TaskPlan(waits=1.0, lasts=500, timeout=600),
    )
    scenario = ending((20.0, DRAIN), workers=(WorkerPlan(obeys=False),), tasks=task_plans)
    world = simulate(scenario, workers=1, deciders=0).finish(500)
    (kill,) = world.logged(messages.Kill)
    assert world.when(kill) == world.when(world.logged(messages.Done)[0]) + 10.5


# --- two polls in one process ---------------------------------------------------------------------


def deciding(*task_plans: TaskPlan, obeys: bool = True, **settings: object) -> World:
    """A decider alone, asked to leave at 20 s, in its second poll."""
    scenario = ending((20.0, DRAIN), tasks=task_plans, workers=(WorkerPlan(obeys=obeys),))
    return simulate(scenario, workers=0, deciders=1, **settings).finish(2000)


def answered_at(world: World) -> list[float]:
    """The moments at which tasks were answered."""
    return [at for at, each in world.log if isinstance(each, messages.Done)]


def test_a_sticky_decider_may_do_a_task_of_each_poll() -> None:
    """Both of its open polls may end by themselves, a minute each, however long the first
    task is.
    """
    world = deciding(
        TaskPlan(lasts=1.0), TaskPlan(waits=40.0, lasts=50.0), TaskPlan(waits=0.0, lasts=50.0)
    )
    assert len(world.logged(messages.Done)) == 3
    assert world.logged(messages.Kill) == []
    assert exit_of(world)[0] == 0


@pytest.mark.parametrize("first", [1.0, 30.0], ids=["asked in a poll", "asked in a task"])
def test_a_sticky_decider_that_goes_on_is_killed_when_its_polls_have_ended(first: float) -> None:
    """It may have polled its own list again, so tasks are done for as long as a poll may take; then
    only ``exit_timeout`` is left.
    """
    task_plans = [TaskPlan(lasts=first), *[TaskPlan(waits=25.0, lasts=1.0)] * 9]
    world = deciding(*task_plans, obeys=False)
    (kill,) = world.logged(messages.Kill)
    late = [at for at in answered_at(world) if at > 20.0 + 90.0 - 10.0]
    assert world.when(kill) == late[0] + 10.5


def test_after_a_long_task_a_sticky_decider_may_do_two_more() -> None:
    """Tasks that both polls brought meanwhile wait in it."""
    task_plans = [TaskPlan(lasts=200.0), *[TaskPlan(waits=25.0, lasts=1.0)] * 9]
    world = deciding(*task_plans, obeys=False)
    (kill,) = world.logged(messages.Kill)
    assert world.when(kill) == answered_at(world)[2] + 10.5


def test_a_decider_that_is_not_sticky_has_one_poll() -> None:
    """With ``--no-sticky`` it leaves like any other worker."""
    task_plans = [TaskPlan(lasts=1.0), *[TaskPlan(waits=25.0, lasts=1.0)] * 9]
    world = deciding(*task_plans, obeys=False, sticky=False)
    (kill,) = world.logged(messages.Kill)
    assert world.when(kill) == answered_at(world)[1] + 10.5


def test_a_done_that_crosses_the_request_does_not_cost_the_next_poll() -> None:
    """A worker asked to leave during a task may be in its next poll when it gets the request: that
    poll may end by itself, too.
    """
    task_plans = (TaskPlan(lasts=30.0), TaskPlan(waits=25.0, lasts=1.0))
    scenario = ending((20.0, DRAIN), tasks=task_plans, workers=(WorkerPlan(obeys=False),))
    world = simulate(scenario, workers=1, deciders=0).finish(2000)
    (kill,) = world.logged(messages.Kill)
    assert world.when(kill) == answered_at(world)[1] + 10.5


# --- limits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "drain", "end"),
    [
        ({"drain_timeout": 30.0}, DRAIN, 50.0),
        ({}, messages.DrainRequested("a notice", within=25.0), 45.0),
        ({"drain_timeout": 30.0}, messages.DrainRequested("a notice", within=25.0), 45.0),
        ({"drain_timeout": 20.0}, messages.DrainRequested("a notice", within=25.0), 40.0),
    ],
)
def test_a_drain_that_takes_too_long_abandons_the_rest(
    settings: dict[str, object], drain: messages.DrainRequested, end: float
) -> None:
    """At the earlier limit all workers are killed, their tasks are named and reported, exit
    code 1.
    """
    world = simulate(ending((20.0, drain), tasks=(LONG,) * 2), **settings).finish(200)
    assert {world.when(each) for each in world.logged(messages.Kill)} == {end}
    assert len(world.notes("task_abandoned")) == 2
    assert [each.split(":")[0] for each in reasons(world)] == ["Interrupted"] * 2
    code, at = exit_of(world)
    assert code == 1
    assert at < end + 2


def test_a_drain_does_not_wait_for_a_startup_job() -> None:
    """It has no task: one that hangs in a call to SWF is killed after ``exit_timeout``, not after
    the time that an open poll may take.
    """
    hangs = WorkerPlan(boot=inf, obeys=False)
    world = simulate(ending((20.0, DRAIN), jobs=(hangs,))).finish(200)
    code, at = exit_of(world)
    assert code == 0
    assert 30.0 <= at < 32.0


def test_a_drain_cut_short_is_not_a_clean_one() -> None:
    """Even if only idle polls were cut, since SWF may just have handed them a task."""
    assert exit_of(simulate(ending((20.0, DRAIN)), drain_timeout=5.0).finish(200))[0] == 1


@pytest.mark.parametrize("second", [DRAIN, STOP])
def test_a_second_signal_stops_now(second: messages.Event) -> None:
    """Workers left after ``stop_timeout`` are killed, the task in progress is reported, exit 1."""
    world = simulate(ending((20.0, DRAIN), (30.0, second), tasks=(LONG,))).finish(200)
    assert {world.when(each) for each in world.logged(messages.Kill)} == {31.0}
    assert reasons(world) == [f"Interrupted: {world.notes('stopping')[0].text[10:-1]}"]
    code, at = exit_of(world)
    assert code == 1
    assert at < 33


def test_a_stop_is_reported_under_the_signal_that_asked_for_it() -> None:
    """The log names the INT that cut the tasks short, not the TERM that did not."""
    interrupt = messages.DrainRequested("SIGINT")
    timeline = ((20.0, DRAIN), (20.5, interrupt), (30.0, interrupt))
    world = simulate(ending(*timeline, tasks=(LONG,))).finish(200)
    assert world.notes("signal_repeated")[0].text.startswith("SIGINT within 1 s of the first")
    assert [each.text for each in world.notes("stopping")] == ["Stopping: SIGINT."]
    assert world.exit is not None
    assert (world.exit.code, world.exit.why) == (1, "SIGINT")
    assert reasons(world) == ["Interrupted: SIGINT"]


def test_signals_within_a_second_are_one_request() -> None:
    """A group's signal and a direct one do not stop the program; one a second later does."""
    at = (20.0, 20.0, 20.875, 21.0)
    world = simulate(ending(*((each, DRAIN) for each in at), tasks=(LONG,))).finish(200)
    assert len(world.notes("signal_repeated")) == 2
    assert [world.when(each) for each in world.notes("stopping")] == [21.0]


def test_a_stop_without_a_task_in_progress_is_clean() -> None:
    """Idle workers have nothing to abandon: exit 0, although they were killed."""
    world = simulate(ending((20.0, STOP)), **ALL_POLL).finish(200)
    assert exit_of(world)[0] == 0
    assert len(world.logged(messages.Kill)) == 3


def test_a_second_notice_is_not_a_second_signal() -> None:
    """Another limit only moves the end nearer."""
    notices = [messages.DrainRequested("a notice", within=each) for each in (120.0, 30.0, 500.0)]
    timeline = zip((20.0, 21.0, 22.0), notices, strict=True)
    world = simulate(ending(*timeline, tasks=(LONG,))).finish(300)
    assert world.notes("stopping") == []
    assert world.when(world.logged(messages.Kill)[0]) == 51.0


def test_a_signal_after_a_notice_is_the_first_signal() -> None:
    """After the host's notice init sends SIGTERM: the drain goes on."""
    notice = messages.DrainRequested("a notice", within=120.0)
    world = simulate(ending((20.0, notice), (30.0, DRAIN))).finish(300)
    assert world.notes("stopping") == []
    assert exit_of(world)[0] == 0


# --- reports at the end ---------------------------------------------------------------------------


def test_the_exit_waits_for_reports() -> None:
    """A reporter that dies is replaced even at the very end."""
    jobs = (WorkerPlan(), CRASHES_BOOTING, WorkerPlan())
    world = simulate(ending((20.0, STOP), tasks=(LONG,), jobs=jobs)).finish(200)
    assert len(reasons(world)) == 2
    assert len(world.notes("reported")) == 1


def test_without_a_zygote_the_end_does_not_wait_for_reports() -> None:
    """If no generation can fork, the task is noted as lost and the program exits."""
    timeline = ((20.0, DRAIN), (20.5, KillZygote(0)), (21.0, KillWorker(1)))
    world = simulate(ending(*timeline, tasks=(LONG,) * 2), deciders=0).finish(2000)
    assert len(world.notes("report_lost")) == 1
    assert exit_of(world)[0] == 0


def test_without_the_local_swf_nothing_is_reported() -> None:
    """No reporter is forked for an endpoint that is gone."""
    world = simulate(Scenario(tasks=(LONG,)), local=True).run(20)
    world.sidecars["local_endpoint"].die(-9)
    world.finish(200)
    assert reasons(world) == []
    assert len(world.notes("report_lost")) == 1
    assert exit_of(world)[0] == 4


def test_a_task_of_a_worker_that_is_not_reaped_is_abandoned() -> None:
    """A stop that the kernel holds up ends all the same, and names the task."""
    world = simulate(
        ending(
            (20.0, STOP), workers=(WorkerPlan(), WorkerPlan(unreaped_for=999.0)), tasks=(LONG,) * 3
        )
    )
    world.finish(200)
    code, at = exit_of(world)
    assert code == 1
    assert at < 21 + 10 + 2
    assert len(world.notes("task_abandoned")) == 3


def test_there_is_no_action_after_the_exit() -> None:
    """Whatever still happens, the core does not act and has no deadline."""
    world = simulate(ending((20.0, STOP))).finish(200)
    assert world.core.handle(messages.RestartRequested("SIGHUP"), 300.0) == []
    assert world.core.next_deadline() == inf

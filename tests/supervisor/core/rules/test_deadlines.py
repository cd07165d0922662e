"""Scenarios of stale tasks, of late workers and their stacks, and of too much memory."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest

from supervisor.ipc import messages
from supervisor.ipc.messages import Cancel, Fail, Result, Staleness
from tests.supervisor.simulation.scenarios import End, Scenario, TaskPlan, WorkerPlan
from tests.supervisor.simulation.world import RESIZE, World, simulate

GONE, CANCEL = Staleness.CLOSED, Staleness.CANCEL
IGNORES_STALE = WorkerPlan(ignores_stale=True)


def one(worker_plan: WorkerPlan, task_plan: TaskPlan, **settings: Any) -> World:
    """A pool of one worker with this plan, which gets this task; run to the end."""
    scenario = Scenario(workers=(worker_plan,), tasks=(task_plan,))
    return simulate(scenario, **{"workers": 1, "deciders": 0, **settings}).finish(400)


# --- stale tasks ----------------------------------------------------------------------------------


@pytest.mark.parametrize("why", Staleness)
def test_a_stale_task_that_ends_by_itself_is_left_alone(why: Staleness) -> None:
    """A worker that answers within the grace is not killed, and nothing is reported."""
    world = one(WorkerPlan(), TaskPlan(lasts=100.0, timeout=None, stale=(5.0, why)))
    assert len(world.logged(messages.Stale)) == 1
    assert world.logged(messages.DumpStacks) == []
    assert world.logged(messages.Kill) == []
    assert world.reports() == []


@pytest.mark.parametrize("why", Staleness)
def test_a_task_that_ends_within_the_grace_is_left_alone(why: Staleness) -> None:
    """Even if it ignored the cancel request, its worker answers and lives."""
    world = one(IGNORES_STALE, TaskPlan(lasts=34.0, timeout=None, stale=(5.0, why)))
    assert world.logged(messages.Kill) == []
    assert world.reports() == []


@pytest.mark.parametrize("why", Staleness)
def test_a_stale_task_that_goes_on_is_killed_after_the_grace(why: Staleness) -> None:
    """``cancel_grace`` seconds, then its stacks, then KILL; the slot is filled at once."""
    world = one(
        IGNORES_STALE, TaskPlan(lasts=300.0, timeout=None, stale=(5.0, why)), cancel_grace=20.0
    )
    asked, kill = world.logged(messages.DumpStacks)[0], world.logged(messages.Kill)[0]
    assert world.when(asked) == world.when(messages.Stale(2, why)) + 20.0
    assert world.when(kill) == world.when(asked) + 0.5
    assert world.strength() == world.desired
    assert world.core.status(world.now).deaths == {"stale": 1}


def test_a_canceled_task_is_reported_as_canceled() -> None:
    """The report has the facts of its killed worker's end."""
    world = one(IGNORES_STALE, TaskPlan(lasts=300.0, timeout=None, stale=(5.0, CANCEL)))
    (report,) = world.reports()
    assert isinstance(report.answer, Cancel)
    assert "is reported to SWF as canceled" in world.notes("worker_died")[0].text


def test_a_closed_task_is_not_reported() -> None:
    """SWF has said that it no longer knows the task."""
    world = one(IGNORES_STALE, TaskPlan(lasts=300.0, timeout=None, stale=(5.0, GONE)))
    assert world.reports() == []
    assert "was already closed in SWF" in world.notes("worker_died")[0].text


def test_a_task_that_is_called_stale_twice_gets_one_grace() -> None:
    """The second message may change the report, but not the moment of the kill."""
    world = simulate(
        Scenario(workers=(IGNORES_STALE,), tasks=(TaskPlan(lasts=inf, timeout=None),)), deciders=0
    )
    for at, why in ((10.0, CANCEL), (30.0, GONE)):
        world.run(at)
        world.send(messages.Stale(2, why))
        world.later(0, lambda: None)
    world.finish(200)
    stale = world.when(messages.Stale(2, CANCEL))
    assert world.when(world.logged(messages.Kill)[0]) == stale + 30.5
    assert world.reports() == []


def test_the_next_task_is_not_stale() -> None:
    """Staleness ends with its task."""
    task_plans = (
        TaskPlan(lasts=9.0, timeout=None, stale=(5.0, CANCEL)),
        TaskPlan(lasts=300.0, timeout=None),
    )
    world = simulate(
        Scenario(workers=(IGNORES_STALE,), tasks=task_plans), workers=1, deciders=0
    ).finish(400)
    assert world.logged(messages.Kill) == []


def test_a_message_about_no_task_changes_nothing() -> None:
    """An idle or unknown worker has no task that could be stale or too big."""
    world = simulate().run(10)
    for worker in (2, 99):
        assert world.core.handle(messages.Stale(worker, GONE), 10.0) == []
        assert world.core.handle(messages.MemoryExceeded(worker, 1 << 40), 10.0) == []
    assert world.core.handle(messages.WantsReplacement(99, "it is old"), 10.0) == []
    assert world.finish(400).logged(messages.Kill) == []


def test_a_drain_does_not_abandon_a_stale_task() -> None:
    """A stop that kills the worker of a stale task abandons nothing: exit 0."""
    task_plan = TaskPlan(lasts=300.0, timeout=None, stale=(5.0, GONE))
    scenario = Scenario(
        workers=(IGNORES_STALE,),
        tasks=(task_plan,),
        timeline=((10.0, messages.StopRequested("QUIT")),),
    )
    world = simulate(scenario, workers=1, deciders=0).finish(200)
    assert world.exit == messages.Exit(0, "QUIT")
    assert world.notes("task_abandoned") == []


def test_a_stale_task_past_its_timeout_is_killed_for_its_timeout() -> None:
    """The earlier deadline holds, and the note names it."""
    task_plan = TaskPlan(lasts=300.0, timeout=10.0, stale=(5.0, CANCEL))
    world = one(IGNORES_STALE, task_plan, cancel_grace=200.0)
    assert [each.why for each in world.logged(messages.Kill)] == ["past its own timeout"]


def test_a_worker_whose_channel_is_lost_is_killed_and_its_task_reported() -> None:
    """A task that has become another program would keep its slot until its own timeout."""
    world = simulate(Scenario(tasks=(TaskPlan(lasts=inf, timeout=None),)), deciders=0).run(10)
    (working,) = world.logged(messages.Working)
    world.send(messages.ChannelLost(working.worker))
    world.later(0, lambda: None)
    world.finish(100)
    kill, (report,) = world.logged(messages.Kill)[0], world.reports()
    assert "closed its channel" in kill.why
    assert world.when(kill) <= 11.5
    assert isinstance(report.answer, Fail)


# --- stacks ---------------------------------------------------------------------------------------


def test_a_worker_that_goes_on_after_its_stacks_lives() -> None:
    """A task that ends in the half second before the KILL is answered like any other."""
    world = one(WorkerPlan(), TaskPlan(lasts=50.25, timeout=20.0))
    assert len(world.logged(messages.DumpStacks)) == 1
    assert world.logged(messages.Kill) == []


def test_a_worker_past_its_time_to_leave_does_not_escape_by_going_on() -> None:
    """Quick tasks do not save a worker that has to leave."""
    task_plans = (TaskPlan(waits=30.0, lasts=1.0), *[TaskPlan(waits=0.0, lasts=0.25)] * 100)
    scenario = Scenario(
        workers=(WorkerPlan(obeys=False),),
        tasks=task_plans,
        timeline=((20.0, messages.DrainRequested("SIGTERM")),),
    )
    world = simulate(scenario, workers=1, deciders=0).finish(200)
    (kill,) = world.logged(messages.Kill)
    assert world.when(kill) == world.when(world.logged(messages.DumpStacks)[0]) + 0.5


def test_a_task_of_an_open_poll_prolongs_the_time_to_leave() -> None:
    """The task has its own deadline."""
    scenario = Scenario(
        workers=(WorkerPlan(obeys=False),), timeline=((20.0, messages.DrainRequested("SIGTERM")),)
    )
    world = simulate(scenario, workers=1, deciders=0).run(110.25)
    assert len(world.logged(messages.DumpStacks)) == 1
    world.later(0, lambda: world.send(messages.Working(2, world.task(RESIZE.role, 60.0))))
    assert world.run(120).logged(messages.Kill) == []


def test_a_worker_killed_by_a_stop_is_not_asked_for_its_stacks() -> None:
    """The reason is known, so the kill does not wait half a second."""
    timeline = ((20.0, messages.StopRequested("SIGQUIT")),)
    world = simulate(Scenario(tasks=(TaskPlan(lasts=500, timeout=600),), timeline=timeline)).finish(
        100
    )
    assert world.logged(messages.DumpStacks) == []
    assert {world.when(each) for each in world.logged(messages.Kill)} == {21.0}


# --- memory ---------------------------------------------------------------------------------------


def test_a_worker_over_the_hard_memory_limit_is_killed_at_once() -> None:
    """Without grace or stacks; the reason names the limit, and the slot is filled."""
    task_plan = TaskPlan(lasts=100.0, timeout=None, too_big_at=8.0)
    world = one(WorkerPlan(), task_plan, max_memory_hard=512 << 20)
    assert world.when(world.logged(messages.Kill)[0]) == world.when(
        messages.MemoryExceeded(2, 1 << 30)
    )
    assert world.logged(messages.DumpStacks) == []
    (report,) = world.reports()
    assert isinstance(report.answer, Fail)
    assert report.answer.reason.startswith("WorkerDied: over the memory limit of")
    assert world.core.status(world.now).deaths == {"too big": 1}
    assert world.strength() == world.desired


def test_a_result_that_was_ready_survives_every_kill() -> None:
    """Killed as too big, late or stale before SWF accepted the answer: the answer is delivered."""
    for task_plan in (
        TaskPlan(lasts=5.0, answering=inf, too_big_at=8.0, timeout=None),
        TaskPlan(lasts=5.0, answering=inf, stale=(6.0, CANCEL), timeout=None),
        TaskPlan(lasts=5.0, answering=inf, stale=(6.0, GONE), timeout=None),
    ):
        (report,) = one(IGNORES_STALE, task_plan).reports()
        assert report.answer == messages.Complete("of t1")


@pytest.mark.parametrize(
    "ending", [messages.StopRequested("QUIT"), messages.DrainRequested("TERM", 5.0)]
)
def test_a_result_that_was_ready_survives_the_end(ending: messages.Event) -> None:
    """A drain or stop that kills its worker delivers it, and abandons nothing."""
    task_plan = TaskPlan(lasts=5.0, answering=inf, timeout=None)
    world = simulate(
        Scenario(tasks=(task_plan,), timeline=((20.0, ending),)), workers=1, deciders=0
    )
    world.finish(200)
    assert [each.answer for each in world.reports()] == [messages.Complete("of t1")]
    assert world.notes("task_abandoned") == []
    assert len(world.notes("reported")) == 1


# --- the notes of deaths --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("worker_plan", "kind"),
    [
        (WorkerPlan(end=End.IN_TASK), "crashed"),
        (WorkerPlan(end=End.IN_TASK, status=-9), "killed"),
        (WorkerPlan(end=End.IN_TASK, out_of_memory=True), "out of memory"),
        (WorkerPlan(end=End.IN_TASK, status=3), "exited"),
        (WorkerPlan(forks=False), "not forked"),
        (WorkerPlan(hangs=True), "late"),
    ],
)
def test_every_death_is_noted_once_and_counted(worker_plan: WorkerPlan, kind: str) -> None:
    """The note has cause, task and remedy, and the status counts one more of its kind."""
    world = one(worker_plan, TaskPlan(timeout=20.0))
    (note,) = world.notes("worker_died")
    assert note.facts["kind"] == kind
    assert note.facts["cause"]
    assert world.core.status(world.now).deaths == {kind: 1}
    assert ("workflow_id" in note.facts) == (kind != "not forked")
    assert str(note.facts["remedy"]) in note.text


def test_a_task_that_was_not_started_is_reported_so() -> None:
    """Its worker died before it called any of the task's code."""
    world = one(WorkerPlan(end=End.IN_TASK, starts=False), TaskPlan())
    (report,) = world.reports()
    assert isinstance(report.answer, Fail)
    assert report.answer.reason == "NotStarted: SIGSEGV"


def test_a_decision_is_returned() -> None:
    """A decider's death is answered, too, so that the next decision comes at once."""
    scenario = Scenario(workers=(WorkerPlan(end=End.IN_TASK),), tasks=(TaskPlan(),))
    world = simulate(scenario, workers=0).finish(60)
    assert [each.answer for each in world.reports()] == [messages.ReturnTask("WorkerDied: SIGSEGV")]
    assert messages.Done(3, Result.FAILED) in world.logged(messages.Done)

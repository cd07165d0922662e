"""The report of a drain: the outcome of every task."""

from __future__ import annotations

from supervisor.ipc import messages
from supervisor.ipc.messages import Level, Staleness
from tests.supervisor.simulation.scenarios import (
    End,
    KillWorker,
    Scenario,
    TaskPlan,
    WorkerPlan,
    spooled,
)
from tests.supervisor.simulation.world import ALL_POLL, World, simulate

DRAIN = (10.0, messages.DrainRequested("SIGTERM"))
LONG = TaskPlan(waits=5, lasts=20, timeout=None)
ENDLESS = TaskPlan(waits=5, lasts=float("inf"), timeout=None)


def drained(scenario: Scenario, **chosen: object) -> World:
    """The world after the scenario, with two activity workers alone."""
    return simulate(scenario, **{"deciders": 0, **chosen}).finish(1000)


def facts(world: World) -> dict[str, object]:
    """The report's facts, without its times."""
    (report,) = world.notes("drain_report")
    return {name: each for name, each in report.facts.items() if name != "seconds"}


def test_tasks_in_progress_and_late_tasks_are_finished() -> None:
    """One task is in progress when the drain begins, the last poll of the other worker
    brings one.
    """
    world = drained(Scenario(tasks=(LONG, TaskPlan(waits=30, lasts=10)), timeline=(DRAIN,)))
    assert facts(world) == {"tasks": 2, "finished": 2, "polls_cut": 0, "code": 0}
    (report,) = world.notes("drain_report")
    lines = report.text.splitlines()
    assert lines[0].startswith("Drained in ")
    assert lines[0].endswith("(SIGTERM). Tasks in progress: 2 finished.")
    assert lines[1].startswith("  finished        activity a1 of workflow w1, after ")
    assert report.level is Level.INFO


def test_a_drain_without_tasks_is_reported_too() -> None:
    """The log shows that nothing was lost."""
    world = drained(Scenario(timeline=(DRAIN,)))
    assert facts(world) == {"tasks": 0, "polls_cut": 0, "code": 0}
    assert "Tasks in progress: none." in world.notes("drain_report")[0].text


def test_a_task_cut_short_at_the_limit_is_abandoned() -> None:
    """SWF gets ``Interrupted``. A poll that was cut may have cost a task, and is counted."""
    world = drained(Scenario(tasks=(ENDLESS,), timeline=(DRAIN,)), drain_timeout=20.0)
    assert facts(world) == {"tasks": 1, "abandoned": 1, "polls_cut": 1, "code": 1}
    (report,) = world.notes("drain_report")
    assert "open polls cut: 1;" in report.text
    assert report.level is Level.WARNING
    (told_swf,) = world.reports()
    assert isinstance(told_swf.answer, messages.Fail)
    assert told_swf.answer.reason == "Interrupted: SIGTERM"


def test_a_second_signal_still_reports_the_tasks_in_progress() -> None:
    """SWF need not wait for a timeout because of a stop."""
    world = drained(Scenario(tasks=(ENDLESS,) * 2, timeline=(DRAIN, (11.0, DRAIN[1]))), **ALL_POLL)
    assert facts(world) == {"tasks": 2, "abandoned": 2, "polls_cut": 0, "code": 1}
    assert len(world.reports()) == 2
    assert world.now < 20


def test_a_task_that_was_not_started_is_returned() -> None:
    """None of its code has run, so the next worker's attempt is free."""
    worker_plans = (WorkerPlan(end=End.IN_TASK, after=9.0, starts=False),)
    world = drained(Scenario(workers=worker_plans, tasks=(LONG,), timeline=(DRAIN,)))
    assert facts(world)["returned"] == 1


def test_a_task_that_its_worker_returns_is_counted_so() -> None:
    """A late task that is not to be run here (``--on-late-task return``)."""
    world = simulate(Scenario(tasks=(LONG,), timeline=(DRAIN,)), deciders=0).run(9)
    (worker,) = [each for each in world.core.status(9.0).workers if each.task]
    world.run(10)
    world.send(messages.Done(worker.worker, messages.Result.RETURNED))
    world.finish(1000)
    assert facts(world)["returned"] == 1


def test_a_decision_is_returned() -> None:
    """A decider that is cut short costs nothing but the decision."""
    task_plans = (TaskPlan(waits=5, lasts=100),)
    world = simulate(
        Scenario(tasks=task_plans, timeline=(DRAIN,)), workers=0, drain_timeout=5.0
    ).finish(900)
    assert facts(world)["returned"] == 1


def test_a_death_during_a_drain_has_its_own_outcome() -> None:
    """The drain did not cut the task short."""
    world = drained(
        Scenario(tasks=(LONG,), timeline=(DRAIN, (12.0, KillWorker(1)), (12.0, KillWorker(0))))
    )
    assert facts(world) == {"tasks": 1, "died": 1, "polls_cut": 0, "code": 0}


def test_a_result_that_a_dead_worker_left_is_finished() -> None:
    """Its reporter delivers it as it is."""
    worker_plans = (WorkerPlan(end=End.ANSWERING),)
    world = drained(Scenario(workers=worker_plans, tasks=(LONG,), timeline=(DRAIN,)))
    assert facts(world)["finished"] == 1


def test_a_task_that_swf_closed_is_already_closed() -> None:
    """SWF needs no answer for it."""
    gone = TaskPlan(waits=5, lasts=50, timeout=None, stale=(10.0, Staleness.CLOSED))
    assert facts(drained(Scenario(tasks=(gone,), timeline=(DRAIN,))))["already_closed"] == 1


def test_a_closed_task_whose_worker_went_on_is_already_closed() -> None:
    """However its worker ends, SWF needs no answer."""
    gone = TaskPlan(waits=5, lasts=50, timeout=None, stale=(10.0, Staleness.CLOSED))
    worker_plans = (WorkerPlan(ignores_stale=True, hangs=True),)
    world = drained(
        Scenario(workers=worker_plans, tasks=(gone,), timeline=(DRAIN,)), cancel_grace=5.0
    )
    assert facts(world) == {"tasks": 1, "already_closed": 1, "polls_cut": 0, "code": 0}


def test_a_task_that_cannot_be_reported_is_lost() -> None:
    """If its reporters die, the task ends by its own timeout."""
    dying = (WorkerPlan(), *(WorkerPlan(end=End.IN_BOOT),) * 50)
    scenario = Scenario(jobs=dying, tasks=(ENDLESS,), timeline=(DRAIN,))
    world = drained(scenario, drain_timeout=5.0)
    assert facts(world)["lost"] == 1
    assert world.notes("drain_report")[0].level is Level.WARNING


def test_reports_owed_since_before_the_drain_are_counted() -> None:
    """Tasks of an ended supervisor, and of workers that died before the drain, are in it, too."""
    slow = (WorkerPlan(), WorkerPlan(boot=20.0))
    scenario = Scenario(jobs=slow, spool=(spooled(1, messages.Complete("1")),), timeline=(DRAIN,))
    assert facts(drained(scenario))["finished"] == 1


def test_only_the_first_hundred_are_named() -> None:
    """The worst outcomes first; the facts count all tasks."""
    scenario = Scenario(tasks=(ENDLESS,) * 120, timeline=(DRAIN, (11.0, DRAIN[1])))
    world = drained(scenario, workers=120, **ALL_POLL)
    lines = world.notes("drain_report")[0].text.splitlines()
    assert len(lines) == 102
    assert lines[-1] == "  and 20 more"


def test_an_error_is_not_followed_by_an_empty_report() -> None:
    """A flow that cannot be loaded has its own sentence."""
    world = simulate(Scenario(jobs=(WorkerPlan(end=End.IN_BOOT),) * 9)).finish(900)
    assert world.exit
    assert not world.notes("drain_report")

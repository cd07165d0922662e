"""Scenarios of reports to SWF about the tasks of dead workers."""

from __future__ import annotations

from math import inf

import pytest

from supervisor.core.rules.reports import ATTEMPTS
from supervisor.ipc import messages
from supervisor.ipc.messages import Complete, Fail, Level, Report, Result, ReturnTask
from tests.supervisor.simulation.scenarios import (
    CRASHES_BOOTING,
    End,
    Scenario,
    TaskPlan,
    Version,
    WorkerPlan,
    spooled,
)
from tests.supervisor.simulation.world import ALL_POLL, DECIDER, RESIZE, simulate

STOP = messages.StopRequested("SIGQUIT")
DIES = WorkerPlan(end=End.IN_TASK)
CRASHES = (WorkerPlan(), *[CRASHES_BOOTING] * 500)
"""Errands: registering works, and no reporter ever does."""


# --- reporters ------------------------------------------------------------------------------------


def test_a_task_whose_worker_died_is_reported_at_once() -> None:
    """In the same turn, by a fork of the active generation, with the cause."""
    scenario = Scenario(
        workers=(WorkerPlan(), WorkerPlan(end=End.IN_TASK, status=-9)), tasks=(TaskPlan(),) * 3
    )
    world = simulate(scenario).finish(60)
    (report,) = world.reports()
    fork = next(each for each in world.logged(messages.Fork) if each.job == report)
    assert world.when(fork) == world.when(world.notes("worker_died")[0])
    assert (report.why, report.role) == ("WorkerDied: killed by SIGKILL", RESIZE.role)
    assert report.task in [each.task for each in world.logged(messages.Working)]
    assert (
        f"of workflow {report.task.workflow_id}, is reported to SWF as failed." in world.deaths()[0]
    )


@pytest.mark.parametrize("end", [End.IN_TASK, End.AFTER_TASK])
def test_a_decision_that_waited_in_a_dead_worker_is_returned(end: End) -> None:
    """A sticky decider may receive a second task during the first: neither is lost."""
    scenario = Scenario(workers=(WorkerPlan(end=end, queues=True),), tasks=(TaskPlan(),))
    world = simulate(scenario, workers=0, deciders=1).finish(60)
    reports = world.reports()
    waited = next(each.task for each in reports if each.task.workflow_id == "w2")
    assert all(isinstance(each.answer, ReturnTask) for each in reports)
    assert next(each.answer for each in reports if each.task == waited) == ReturnTask()
    assert len(reports) == (2 if end is End.IN_TASK else 1)
    assert (
        f"of workflow {waited.workflow_id} waited in it and is returned to SWF."
        in world.deaths()[0]
    )


def test_a_waiting_decision_that_was_begun_is_reported_once() -> None:
    """Its worker may die before it has removed the task from those that wait."""
    world = simulate(workers=0, deciders=1).run(10)
    task = world.task(DECIDER.role, None)
    post = messages.PostMortem(waiting=(task,))
    for event in (messages.Working(2, task), messages.Exited(2, -9, post)):
        world.checker.observe(event)
        world.core.handle(event, 10.0)
    (owed,) = world.core._state.owed_reports
    assert (owed.task, owed.answer) == (task, ReturnTask("WorkerDied: killed by SIGKILL"))


def test_an_answered_task_is_not_reported() -> None:
    """A worker that dies between its answer and its next poll has no task."""
    scenario = Scenario(workers=(WorkerPlan(end=End.AFTER_TASK),), tasks=(TaskPlan(),))
    world = simulate(scenario).finish(60)
    assert len(world.deaths()) == 1
    assert world.reports() == []


def test_a_task_is_in_progress_until_done() -> None:
    """A poll alone does not end a task: only the answer does."""
    world = simulate(**ALL_POLL).run(10)
    task = world.task(RESIZE.role, 60.0)
    for event in (messages.Working(3, task), messages.Polling(3)):
        world.checker.observe(event)
        world.core.handle(event, 10.0)
    world.processes[3].die(-9)
    world.finish(60)
    assert [each.task for each in world.reports()] == [task]


def test_a_report_is_not_needed_after_the_timeout() -> None:
    """SWF has ended the task by its own timeout: nothing is forked, and a note says so."""
    scenario = Scenario(workers=(WorkerPlan(hangs=True),), tasks=(TaskPlan(timeout=20.0),))
    world = simulate(scenario, workers=1, deciders=0).finish(200)
    assert world.reports() == []
    assert len(world.notes("report_unneeded")) == 1


def test_a_reporter_that_dies_is_replaced() -> None:
    """Whatever it dies of, another one is forked until one has delivered the report."""
    jobs = (
        WorkerPlan(),
        CRASHES_BOOTING,
        WorkerPlan(forks=False),
        WorkerPlan(boot=inf),
        WorkerPlan(),
    )
    scenario = Scenario(
        workers=(WorkerPlan(end=End.IN_TASK),), tasks=(TaskPlan(timeout=None),), jobs=jobs
    )
    world = simulate(scenario, workers=1, deciders=0).finish(300)
    assert len(world.reports()) == 4
    assert len(world.notes("reported")) == 1


def test_a_report_is_lost_after_bounded_attempts() -> None:
    """After ``ATTEMPTS`` reporters an ERROR names the task, which ends by its timeout."""
    scenario = Scenario(
        workers=(WorkerPlan(end=End.IN_TASK),),
        tasks=(TaskPlan(timeout=None),),
        jobs=(WorkerPlan(), *[CRASHES_BOOTING] * ATTEMPTS),
    )
    world = simulate(scenario, workers=1, deciders=0).finish(900)
    (note,) = world.notes("report_lost")
    assert note.level == messages.Level.ERROR
    assert note.facts["workflow_id"] == "w1"
    assert len(world.reports()) == ATTEMPTS


def test_a_report_that_backs_off_is_dropped_at_the_timeout() -> None:
    """In that very moment, not when its wait is over."""
    worker_plans, jobs = (WorkerPlan(end=End.IN_TASK),), (WorkerPlan(), *[CRASHES_BOOTING] * 9)
    scenario = Scenario(workers=worker_plans, tasks=(TaskPlan(timeout=5.0),), jobs=jobs)
    world = simulate(scenario, workers=1, deciders=0).finish(60)
    (note,) = world.notes("report_unneeded")
    assert world.when(note) == world.when(world.logged(messages.Working)[0]) + 5.0


def test_a_worker_that_has_done_its_job_has_to_exit() -> None:
    """Registering and reporting workers that linger are killed after ``exit_timeout``."""
    worker_plans, lingering = (WorkerPlan(end=End.IN_TASK),), WorkerPlan(lingers=True)
    scenario = Scenario(workers=worker_plans, tasks=(TaskPlan(),), jobs=(lingering, lingering))
    world = simulate(scenario, workers=1, deciders=0).finish(60)
    ends = [world.when(each) for each in world.logged(messages.Kill)]
    assert ends[0] == world.when(messages.Registered(1)) + 10.5
    assert len(ends) == len(world.deaths()) - 1 == 2
    assert len(world.reports()) == 1
    assert world.strength() == world.desired


def test_a_reporter_may_die_after_its_report() -> None:
    """After its ``Done`` the report is delivered, whatever the exit code."""
    scenario = Scenario(workers=(WorkerPlan(end=End.IN_TASK),), tasks=(TaskPlan(),))
    world = simulate(scenario, workers=1, deciders=0)
    world.run(3)
    reporter = next(each for each in world.logged(messages.Fork) if isinstance(each.job, Report))
    world.send(messages.Done(reporter.worker, Result.ALREADY_CLOSED))
    world.later(0, lambda: world.processes[reporter.worker].die(3))
    world.finish(60)
    assert len(world.reports()) == 1
    assert "SWF already had its report." in world.deaths()[1]


def test_a_reporter_gets_the_time_and_the_poison_limit() -> None:
    """The longest time that SWF waits for the task, and the number of deaths that make it
    poison.
    """
    scenario = Scenario(
        workers=(WorkerPlan(end=End.IN_TASK, after=2.0),), tasks=(TaskPlan(lasts=9),)
    )
    world = simulate(scenario, workers=1, deciders=0, poison_deaths=7).finish(60)
    (report,) = world.reports()
    assert report.within == 60.0 - 2.0
    assert report.poison_deaths == 7


def test_a_report_is_tried_until_the_task_times_out() -> None:
    """However many reporters die: as long as SWF waits for the task, another one is forked."""
    scenario = Scenario(workers=(DIES,), tasks=(TaskPlan(timeout=900.0),), jobs=CRASHES)
    world = simulate(scenario, workers=1, deciders=0).finish(1200)
    (note,) = world.notes("report_unneeded")
    assert world.when(note) == world.when(world.logged(messages.Working)[0]) + 900.0
    assert len(world.reports()) > 30
    assert world.notes("report_lost") == []


def test_a_reporter_that_exits_without_done_is_replaced() -> None:
    """Exit code 0 is not a report: only ``Done`` is."""
    silent = WorkerPlan(end=End.IN_BOOT, status=0)
    scenario = Scenario(workers=(DIES,), tasks=(TaskPlan(),), jobs=(WorkerPlan(), silent))
    world = simulate(scenario, workers=1, deciders=0).finish(60)
    assert len(world.reports()) == 2
    assert len(world.notes("reported")) == 1


def test_the_waits_between_reporters_grow() -> None:
    """From half a second to half a minute, so that an outage of SWF is not made worse."""
    scenario = Scenario(workers=(DIES,), tasks=(TaskPlan(timeout=900.0),), jobs=CRASHES)
    world = simulate(scenario, workers=1, deciders=0).finish(1200)
    notes = world.notes("worker_died")[1:]
    waits = [float(str(each.facts["remedy"]).split()[-2]) for each in notes]
    assert 0.2 <= waits[0] <= 0.5
    assert all(15 <= each <= 30 for each in waits[8:])


@pytest.mark.parametrize(
    ("result", "level", "text"),
    [
        (Result.FAILED, Level.INFO, "was reported to SWF as failed"),
        (Result.ALREADY_CLOSED, Level.INFO, "SWF had already closed it"),
        (Result.ABANDONED, Level.WARNING, "could not be reported"),
    ],
)
def test_the_outcome_of_a_report_is_noted(result: Result, level: Level, text: str) -> None:
    """A report that SWF does not accept is a warning."""
    scenario = Scenario(
        workers=(DIES,), tasks=(TaskPlan(),), jobs=(WorkerPlan(), WorkerPlan(boot=inf))
    )
    world = simulate(scenario, workers=1, deciders=0).run(10)
    reporter = next(each for each in world.logged(messages.Fork) if isinstance(each.job, Report))
    world.send(messages.Done(reporter.worker, result))
    world.later(0, lambda: None)
    world.finish(100)
    (note,) = world.notes("reported")
    assert note.level == level
    assert text in note.text
    assert note.facts["result"] == result.value


def test_a_result_that_came_too_late_is_a_warning() -> None:
    """Work was done in vain."""
    worker_plans, task_plan = (WorkerPlan(end=End.ANSWERING),), TaskPlan(lasts=4.0, timeout=5.0)
    scenario = Scenario(workers=worker_plans, tasks=(task_plan,), jobs=CRASHES)
    world = simulate(scenario, workers=1, deciders=0).finish(100)
    (note,) = world.notes("report_unneeded")
    assert note.level == Level.WARNING


# --- the spool ------------------------------------------------------------------------------------


def test_spooled_reports_are_delivered_once() -> None:
    """Each task of the spool gets its answer as soon as a generation can fork."""
    left = (spooled(0, Complete("1")), spooled(1, Fail("WorkerDied: x")), spooled(2, ReturnTask()))
    world = simulate(Scenario(spool=left)).finish(300)
    assert [(each.task, each.answer) for each in world.reports()] == [
        (each.task, each.answer) for each in left
    ]
    assert len(world.notes("reported")) == 3
    assert len(world.notes("spool_found")) == 1
    first = next(each for each in world.logged(messages.Fork) if isinstance(each.job, Report))
    assert world.when(first) == world.when(messages.GenerationReady(1, world.lists))


def test_the_same_task_found_twice_is_delivered_once() -> None:
    """A token is answered once, however many files have it."""
    world = simulate(Scenario(spool=(spooled(0, Complete("1")), spooled(0, Complete("1"))))).finish(
        60
    )
    assert len(world.reports()) == 1


def test_reporters_of_the_spool_do_not_hold_up_the_start() -> None:
    """Registering does not wait for them, not even if it has to be attempted again."""
    jobs = (CRASHES_BOOTING, WorkerPlan(boot=50.0), WorkerPlan())
    world = simulate(Scenario(spool=(spooled(0, Complete("1")),), jobs=jobs)).run(10)
    assert world.strength() == world.desired
    world.finish(100)


@pytest.mark.parametrize(("within", "seconds"), [(40.0, 40.0), (None, 60.0)])
def test_a_spooled_task_is_tried_until_it_times_out(within: float | None, seconds: float) -> None:
    """For the rest of its timeout if that is known, else for the whole of it."""
    left = spooled(0, Complete("1"), within)
    task = messages.Task("s0", "ws0", "rs0", "as0", 60.0)
    left = Report(task, left.role, left.answer, left.why, within)
    world = simulate(Scenario(spool=(left,), jobs=CRASHES[1:]), crash_loop_deaths=999).finish(300)
    assert world.when(world.notes("report_unneeded")[0]) == seconds


def test_a_first_generation_that_fails_leaves_the_spool_for_the_next_start() -> None:
    """No generation can fork: the note says where the task still is, and the program ends."""
    scenario = Scenario(spool=(spooled(0, Complete("1")),), versions=(Version(failure=("no", 3)),))
    world = simulate(scenario, spool="/var/spool/flow").finish(60)
    assert "finds it in the spool" in world.notes("report_lost")[0].text
    assert world.exit == messages.Exit(3, "no")


# --- the end --------------------------------------------------------------------------------------


def test_a_drain_does_not_wait_for_reports_for_ever() -> None:
    """A minute after the end of its time the program gives up what is not reported."""
    jobs = (WorkerPlan(), *[WorkerPlan(boot=inf)] * 9)
    task_plan = TaskPlan(lasts=500, timeout=None)
    scenario = Scenario(tasks=(task_plan,), jobs=jobs, timeline=((20.0, STOP),))
    world = simulate(scenario, workers=1, deciders=0).finish(900)
    assert world.exit is not None
    assert world.exit.code == 1
    (note,) = world.notes("report_lost")
    assert "The time of the drain is over. SWF learns it by timeout only." in note.text
    assert world.now <= 21 + 60 + 60 + 2


def test_a_report_that_backs_off_is_given_up_when_the_time_is_over() -> None:
    """In that very moment: a wait does not prolong the drain."""
    task_plan = TaskPlan(lasts=500, timeout=None)
    scenario = Scenario(tasks=(task_plan,), jobs=CRASHES, timeline=((20.0, STOP),))
    world = simulate(scenario, workers=1, deciders=0).finish(900)
    assert world.now == 21.0 + 60.0


def test_a_drain_without_a_limit_waits_for_reports() -> None:
    """As long as a task could take: a result is not given up for the sake of an exit."""
    timeline = ((2.6, messages.DrainRequested("SIGTERM")),)
    jobs = (WorkerPlan(), *[WorkerPlan(boot=inf)] * 4, WorkerPlan())
    task_plan = TaskPlan(lasts=2.0, answering=inf, timeout=900.0)
    scenario = Scenario(
        workers=(WorkerPlan(end=End.ANSWERING),), tasks=(task_plan,), jobs=jobs, timeline=timeline
    )
    world = simulate(scenario, workers=1, deciders=0).finish(900)
    assert len(world.reports()) == 5
    assert len(world.notes("reported")) == 1
    assert world.exit == messages.Exit(0, "SIGTERM")

"""The core's stories: how SWF is told of the tasks of the dead."""

from __future__ import annotations

from math import inf

import pytest

from supervisor import messages
from supervisor.messages import Complete, Fail, HandBack, Level, Report, Result
from tests.fates import CRASHES_BOOTING, End, Fate, Plan, Script, Version, spooled
from tests.world import DECIDER, RESIZE, tell

STOP = messages.StopAsked("SIGQUIT")
DIES = Fate(end=End.IN_TASK)
CRASHES = (Fate(), *[CRASHES_BOOTING] * 500)
"""Errands: registering works, and no reporter ever does."""


# --- reporters ------------------------------------------------------------------------------------


def test_a_task_that_dies_with_its_worker_is_reported_at_once() -> None:
    """SWF is told in the same turn, by a fork of the current generation, with the cause."""
    script = Script(fates=(Fate(), Fate(end=End.IN_TASK, status=-9)), plans=(Plan(),) * 3)
    world = tell(script).finish(60)
    (report,) = world.reports()
    fork = next(each for each in world.said(messages.Fork) if each.job == report)
    assert world.when(fork) == world.when(world.notes("worker_died")[0])
    assert (report.why, report.role) == ("WorkerDied: killed by SIGKILL", RESIZE.role)
    assert report.task in [each.task for each in world.said(messages.Working)]
    assert f"of workflow {report.task.workflow_id} was in its hands" in world.deaths()[0]


@pytest.mark.parametrize("end", [End.IN_TASK, End.AFTER_TASK])
def test_a_decision_that_waited_in_the_dead_is_handed_back(end: End) -> None:
    """A sticky decider may be handed a second one while it is at the first: none is lost."""
    script = Script(fates=(Fate(end=end, queues=True),), plans=(Plan(),))
    world = tell(script, workers=0, deciders=1).finish(60)
    told = world.reports()
    waited = next(each.task for each in told if each.task.workflow_id == "w2")
    assert [each.answer for each in told] == [HandBack()] * len(told)
    assert len(told) == (2 if end is End.IN_TASK else 1)
    assert f"of workflow {waited.workflow_id} waited in it: it is handed back." in world.deaths()[0]


def test_a_decision_taken_up_from_waiting_is_reported_once() -> None:
    """Its holder may die before it has struck it out of what waits."""
    world = tell(workers=0, deciders=1).run(10)
    task = world.task(DECIDER.role, None)
    post = messages.PostMortem(waiting=(task,))
    for event in (messages.Working(2, task), messages.Exited(2, -9, post)):
        world.judge.heard(event)
        world.core.handle(event, 10.0)
    (debt,) = world.core._state.debts
    assert (debt.task, debt.answer) == (task, HandBack())


def test_an_answered_task_is_not_reported() -> None:
    """Who dies between its answer and its next poll holds nothing."""
    script = Script(fates=(Fate(end=End.AFTER_TASK),), plans=(Plan(),))
    world = tell(script).finish(60)
    assert len(world.deaths()) == 1
    assert world.reports() == []


def test_a_task_is_held_until_done_is_said() -> None:
    """A poll alone does not free a task: only the answer does."""
    world = tell().run(10)
    task = world.task(RESIZE.role, 60.0)
    for event in (messages.Working(3, task), messages.Polling(3)):
        world.judge.heard(event)
        world.core.handle(event, 10.0)
    world.processes[3].die(-9)
    world.finish(60)
    assert [each.task for each in world.reports()] == [task]


def test_a_report_is_pointless_when_the_timeout_is_over() -> None:
    """SWF has seen the end by the task's own timeout: nothing is forked, a line says so."""
    script = Script(fates=(Fate(hangs=True),), plans=(Plan(timeout=20.0),))
    world = tell(script, workers=1, deciders=0).finish(200)
    assert world.reports() == []
    assert len(world.notes("report_needless")) == 1


def test_a_reporter_that_dies_is_replaced() -> None:
    """Whatever keeps a reporter from speaking: another one speaks, and only until one was heard."""
    errands = (Fate(), CRASHES_BOOTING, Fate(forks=False), Fate(boot=inf), Fate())
    script = Script(fates=(Fate(end=End.IN_TASK),), plans=(Plan(timeout=None),), errands=errands)
    world = tell(script, workers=1, deciders=0).finish(300)
    assert len(world.reports()) == 4
    assert len(world.notes("reported")) == 1


def test_a_report_is_lost_after_bounded_tries() -> None:
    """After ``report_tries`` reporters an ERROR names the task; its own timeout will tell SWF."""
    script = Script(
        fates=(Fate(end=End.IN_TASK),),
        plans=(Plan(timeout=None),),
        errands=(Fate(), *[CRASHES_BOOTING] * 20),
    )
    world = tell(script, workers=1, deciders=0, report_tries=3).finish(300)
    (note,) = world.notes("report_lost")
    assert note.level == messages.Level.ERROR
    assert note.facts["workflow_id"] == "w1"
    assert len(world.reports()) == 3


def test_a_report_that_rests_is_dropped_when_the_timeout_is_over() -> None:
    """It is dropped in that very moment, not when the rest is over."""
    fates, errands = (Fate(end=End.IN_TASK),), (Fate(), *[CRASHES_BOOTING] * 9)
    script = Script(fates=fates, plans=(Plan(timeout=5.0),), errands=errands)
    world = tell(script, workers=1, deciders=0).finish(60)
    (note,) = world.notes("report_needless")
    assert world.when(note) == world.when(world.said(messages.Working)[0]) + 5.0


def test_who_has_done_its_errand_has_to_exit() -> None:
    """A registrar and a reporter that linger are killed after ``leave_patience``; all is done."""
    fates, lingering = (Fate(end=End.IN_TASK),), Fate(lingers=True)
    script = Script(fates=fates, plans=(Plan(),), errands=(lingering, lingering))
    world = tell(script, workers=1, deciders=0).finish(60)
    ends = [world.when(each) for each in world.said(messages.Kill)]
    assert ends[0] == world.when(messages.Registered(1)) + 10.5
    assert len(ends) == len(world.deaths()) - 1 == 2
    assert len(world.reports()) == 1
    assert world.strength() == world.wanted


def test_a_heard_reporter_may_die_as_it_likes() -> None:
    """After its ``Done`` the report is made, whatever the exit code."""
    script = Script(fates=(Fate(end=End.IN_TASK),), plans=(Plan(),))
    world = tell(script, workers=1, deciders=0)
    world.run(3)
    reporter = next(each for each in world.said(messages.Fork) if isinstance(each.job, Report))
    world.say(messages.Done(reporter.worker, Result.GONE))
    world.later(0, lambda: world.processes[reporter.worker].die(3))
    world.finish(60)
    assert len(world.reports()) == 1
    assert "Its report had been made." in world.deaths()[1]


def test_a_reporter_is_told_what_it_needs() -> None:
    """How long SWF waits for the task at most, and how many deaths make poison."""
    script = Script(fates=(Fate(end=End.IN_TASK, after=2.0),), plans=(Plan(lasts=9),))
    world = tell(script, workers=1, deciders=0, poison_deaths=7).finish(60)
    (report,) = world.reports()
    assert report.within == 60.0 - 2.0
    assert report.poison_deaths == 7


def test_a_report_is_tried_until_the_task_times_out() -> None:
    """However many reporters die: as long as SWF waits for the task, another one tries."""
    script = Script(fates=(DIES,), plans=(Plan(timeout=900.0),), errands=CRASHES)
    world = tell(script, workers=1, deciders=0, report_tries=3).finish(1200)
    (note,) = world.notes("report_needless")
    assert world.when(note) == world.when(world.said(messages.Working)[0]) + 900.0
    assert len(world.reports()) > 30
    assert world.notes("report_lost") == []


def test_a_reporter_that_ends_without_a_word_is_tried_again() -> None:
    """Exit code 0 is no report: only ``Done`` is."""
    silent = Fate(end=End.IN_BOOT, status=0)
    script = Script(fates=(DIES,), plans=(Plan(),), errands=(Fate(), silent))
    world = tell(script, workers=1, deciders=0).finish(60)
    assert len(world.reports()) == 2
    assert len(world.notes("reported")) == 1


def test_the_rests_of_reporters_grow() -> None:
    """The half of a second first, and half a minute at last: an outage is not hammered."""
    script = Script(fates=(DIES,), plans=(Plan(timeout=900.0),), errands=CRASHES)
    world = tell(script, workers=1, deciders=0).finish(1200)
    notes = world.notes("worker_died")[1:]
    rests = [float(str(each.facts["remedy"]).split()[3]) for each in notes]
    assert 0.2 <= rests[0] <= 0.5
    assert all(15 <= each <= 30 for each in rests[8:])


@pytest.mark.parametrize(
    ("result", "level", "text"),
    [
        (Result.FAILED, Level.INFO, "is reported as failed"),
        (Result.GONE, Level.INFO, "SWF knows it no more"),
        (Result.ABANDONED, Level.WARNING, "could not be reported"),
    ],
)
def test_what_became_of_a_report_is_told(result: Result, level: Level, text: str) -> None:
    """One line; a report that SWF does not take is a warning."""
    script = Script(fates=(DIES,), plans=(Plan(),), errands=(Fate(), Fate(boot=inf)))
    world = tell(script, workers=1, deciders=0).run(10)
    reporter = next(each for each in world.said(messages.Fork) if isinstance(each.job, Report))
    world.say(messages.Done(reporter.worker, result))
    world.later(0, lambda: None)
    world.finish(100)
    (note,) = world.notes("reported")
    assert note.level == level
    assert text in note.text
    assert note.facts["result"] == result.value


def test_a_result_that_came_too_late_is_a_warning() -> None:
    """Work was done for nothing: people want to know."""
    fates, plan = (Fate(end=End.ANSWERING),), Plan(lasts=4.0, timeout=5.0)
    script = Script(fates=fates, plans=(plan,), errands=CRASHES)
    world = tell(script, workers=1, deciders=0).finish(100)
    (note,) = world.notes("report_needless")
    assert note.level == Level.WARNING


# --- the spool ------------------------------------------------------------------------------------


def test_what_a_dead_supervisor_left_is_delivered_once() -> None:
    """Each task of the spool gets its answer as soon as a generation can fork."""
    left = (spooled(0, Complete("1")), spooled(1, Fail("WorkerDied: x")), spooled(2, HandBack()))
    world = tell(Script(spool=left)).finish(300)
    assert [(each.task, each.answer) for each in world.reports()] == [
        (each.task, each.answer) for each in left
    ]
    assert len(world.notes("reported")) == 3
    assert len(world.notes("spool_found")) == 1
    first = next(each for each in world.said(messages.Fork) if isinstance(each.job, Report))
    assert world.when(first) == world.when(messages.GenerationReady(1, world.lists))


def test_the_same_task_found_twice_is_delivered_once() -> None:
    """A token is answered once, however many files tell of it."""
    world = tell(Script(spool=(spooled(0, Complete("1")), spooled(0, Complete("1"))))).finish(60)
    assert len(world.reports()) == 1


def test_reporters_of_the_spool_do_not_hold_up_the_start() -> None:
    """Registering does not wait for them, not even if it has to be tried again."""
    errands = (CRASHES_BOOTING, Fate(boot=50.0), Fate())
    world = tell(Script(spool=(spooled(0, Complete("1")),), errands=errands)).run(10)
    assert world.strength() == world.wanted
    world.finish(100)


@pytest.mark.parametrize(("within", "seconds"), [(40.0, 40.0), (None, 60.0)])
def test_a_spooled_task_is_tried_until_it_times_out(within: float | None, seconds: float) -> None:
    """For what is left of its timeout, as far as that is known; else for the whole of it."""
    left = spooled(0, Complete("1"), within)
    task = messages.Task("s0", "ws0", "rs0", "as0", 60.0)
    left = Report(task, left.role, left.answer, left.why, within)
    world = tell(Script(spool=(left,), errands=CRASHES[1:]), proving_deaths=999).finish(300)
    assert world.when(world.notes("report_needless")[0]) == seconds


def test_a_first_generation_that_fails_leaves_the_spool_for_the_next_start() -> None:
    """Nothing can fork: the line says where the task still is, and the program ends."""
    script = Script(spool=(spooled(0, Complete("1")),), versions=(Version(failure=("no", 3)),))
    world = tell(script, spool="/var/spool/flow").finish(60)
    assert "finds it in the spool" in world.notes("report_lost")[0].text
    assert world.exit == messages.Exit(3, "no")


# --- the end --------------------------------------------------------------------------------------


def test_leaving_does_not_wait_for_reports_for_ever() -> None:
    """A minute after the end of its time the program gives up what SWF could not be told."""
    errands = (Fate(), *[Fate(boot=inf)] * 9)
    plan = Plan(lasts=500, timeout=None)
    script = Script(plans=(plan,), errands=errands, orders=((20.0, STOP),))
    world = tell(script, workers=1, deciders=0).finish(900)
    assert world.exit is not None
    assert world.exit.code == 1
    (note,) = world.notes("report_lost")
    assert "time to leave is over. Only its own timeout tells SWF." in note.text
    assert world.now <= 21 + 60 + 60 + 2


def test_a_report_that_rests_is_given_up_when_the_time_is_over() -> None:
    """In that very moment: a rest does not make the end later."""
    plan = Plan(lasts=500, timeout=None)
    script = Script(plans=(plan,), errands=CRASHES, orders=((20.0, STOP),))
    world = tell(script, workers=1, deciders=0).finish(900)
    assert world.now == 21.0 + 60.0


def test_a_drain_without_a_limit_waits_for_reports() -> None:
    """As long as a task in hand could take: a result is not given up for the sake of an exit."""
    orders = ((2.6, messages.DrainAsked("SIGTERM")),)
    errands = (Fate(), *[Fate(boot=inf)] * 4, Fate())
    plan = Plan(lasts=2.0, answering=inf, timeout=900.0)
    script = Script(fates=(Fate(end=End.ANSWERING),), plans=(plan,), errands=errands, orders=orders)
    world = tell(script, workers=1, deciders=0).finish(900)
    assert len(world.reports()) == 5
    assert len(world.notes("reported")) == 1
    assert world.exit == messages.Exit(0, "SIGTERM")

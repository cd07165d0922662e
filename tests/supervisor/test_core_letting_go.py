"""The core's stories: tasks that SWF no longer wants, stacks of the late, and too much memory."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest

from supervisor import messages
from supervisor.messages import Cancel, Fail, Result, Staleness
from tests.fates import End, Fate, Plan, Script
from tests.world import RESIZE, World, tell

GONE, CANCEL = Staleness.GONE, Staleness.CANCEL
HEEDLESS = Fate(heedless=True)


def one(fate: Fate, plan: Plan, **settings: Any) -> World:
    """A pool of one worker with this fate, which gets this task; told to the end."""
    script = Script(fates=(fate,), plans=(plan,))
    return tell(script, **{"workers": 1, "deciders": 0, **settings}).finish(400)


# --- stale tasks ----------------------------------------------------------------------------------


@pytest.mark.parametrize("why", Staleness)
def test_a_task_that_lets_go_by_itself_is_left_alone(why: Staleness) -> None:
    """Who answers within the grace is not killed, and nothing is reported."""
    world = one(Fate(), Plan(lasts=100.0, timeout=None, stale=(5.0, why)))
    assert len(world.said(messages.Stale)) == 1
    assert world.said(messages.DumpStacks) == []
    assert world.said(messages.Kill) == []
    assert world.reports() == []


@pytest.mark.parametrize("why", Staleness)
def test_a_task_that_ends_within_the_grace_is_left_alone(why: Staleness) -> None:
    """Even if it never listened: its worker answers, and lives."""
    world = one(HEEDLESS, Plan(lasts=34.0, timeout=None, stale=(5.0, why)))
    assert world.said(messages.Kill) == []
    assert world.reports() == []


@pytest.mark.parametrize("why", Staleness)
def test_a_task_that_goes_on_is_ended_after_the_grace(why: Staleness) -> None:
    """``cancel_grace`` seconds, then its stacks, then KILL; the seat is filled at once."""
    world = one(HEEDLESS, Plan(lasts=300.0, timeout=None, stale=(5.0, why)), cancel_grace=20.0)
    asked, kill = world.said(messages.DumpStacks)[0], world.said(messages.Kill)[0]
    assert world.when(asked) == world.when(messages.Stale(2, why)) + 20.0
    assert world.when(kill) == world.when(asked) + 0.5
    assert world.strength() == world.wanted
    assert world.core.status(world.now).deaths == {"stale": 1}


def test_what_was_canceled_is_answered_so() -> None:
    """The killed worker's task is reported as canceled, with the facts of its end."""
    world = one(HEEDLESS, Plan(lasts=300.0, timeout=None, stale=(5.0, CANCEL)))
    (report,) = world.reports()
    assert isinstance(report.answer, Cancel)
    assert "is told that it is canceled" in world.notes("worker_died")[0].text


def test_what_is_gone_is_not_reported() -> None:
    """SWF said itself that it knows the task no more."""
    world = one(HEEDLESS, Plan(lasts=300.0, timeout=None, stale=(5.0, GONE)))
    assert world.reports() == []
    assert "SWF no longer wanted it" in world.notes("worker_died")[0].text


def test_a_task_that_is_called_stale_twice_gets_one_grace() -> None:
    """The second word may change what is reported, and never when the task is ended."""
    world = tell(Script(fates=(HEEDLESS,), plans=(Plan(lasts=inf, timeout=None),)), deciders=0)
    for at, why in ((10.0, CANCEL), (30.0, GONE)):
        world.run(at)
        world.say(messages.Stale(2, why))
        world.later(0, lambda: None)
    world.finish(200)
    stale = world.when(messages.Stale(2, CANCEL))
    assert world.when(world.said(messages.Kill)[0]) == stale + 30.5
    assert world.reports() == []


def test_the_next_task_is_not_stale() -> None:
    """Staleness ends with the task that it was said of."""
    plans = (Plan(lasts=9.0, timeout=None, stale=(5.0, CANCEL)), Plan(lasts=300.0, timeout=None))
    world = tell(Script(fates=(HEEDLESS,), plans=plans), workers=1, deciders=0).finish(400)
    assert world.said(messages.Kill) == []


def test_a_word_about_no_task_changes_nothing() -> None:
    """An idle worker, or a stranger, has nothing that could be stale or too big."""
    world = tell().run(10)
    for worker in (2, 99):
        assert world.core.handle(messages.Stale(worker, GONE), 10.0) == []
        assert world.core.handle(messages.TooBig(worker, 1 << 40), 10.0) == []
    assert world.core.handle(messages.Tired(99, "it is old"), 10.0) == []
    assert world.finish(400).said(messages.Kill) == []


def test_a_drain_does_not_abandon_what_swf_no_longer_wants() -> None:
    """A stop that kills the worker of a stale task leaves no work behind: exit 0."""
    plan = Plan(lasts=300.0, timeout=None, stale=(5.0, GONE))
    script = Script(fates=(HEEDLESS,), plans=(plan,), orders=((10.0, messages.StopAsked("QUIT")),))
    world = tell(script, workers=1, deciders=0).finish(200)
    assert world.exit == messages.Exit(0, "QUIT")
    assert world.notes("task_abandoned") == []


def test_a_stale_task_that_is_past_its_timeout_is_ended_for_that() -> None:
    """The earlier deadline holds, and it is the one that the line names."""
    plan = Plan(lasts=300.0, timeout=10.0, stale=(5.0, CANCEL))
    world = one(HEEDLESS, plan, cancel_grace=200.0)
    assert [each.why for each in world.said(messages.Kill)] == ["past its own timeout"]


# --- stacks ---------------------------------------------------------------------------------------


def test_who_goes_on_after_being_asked_for_its_stacks_lives() -> None:
    """A task that ends in the half second before the KILL is answered like any other."""
    world = one(Fate(), Plan(lasts=50.25, timeout=20.0))
    assert len(world.said(messages.DumpStacks)) == 1
    assert world.said(messages.Kill) == []


def test_who_was_told_to_leave_is_not_saved_by_going_on() -> None:
    """Quick tasks do not keep a worker that has to leave: the deadline stays past."""
    plans = (Plan(waits=30.0, lasts=1.0), *[Plan(waits=0.0, lasts=0.25)] * 100)
    script = Script(
        fates=(Fate(heeds=False),), plans=plans, orders=((20.0, messages.DrainAsked("SIGTERM")),)
    )
    world = tell(script, workers=1, deciders=0).finish(200)
    (kill,) = world.said(messages.Kill)
    assert world.when(kill) == world.when(world.said(messages.DumpStacks)[0]) + 0.5


def test_a_task_that_an_open_poll_brings_saves_who_was_told_to_leave() -> None:
    """Though its time to leave is over: the task has its own."""
    script = Script(fates=(Fate(heeds=False),), orders=((20.0, messages.DrainAsked("SIGTERM")),))
    world = tell(script, workers=1, deciders=0).run(110.25)
    assert len(world.said(messages.DumpStacks)) == 1
    world.later(0, lambda: world.say(messages.Working(2, world.task(RESIZE.role, 60.0))))
    assert world.run(120).said(messages.Kill) == []


def test_whoever_is_cut_short_is_not_asked() -> None:
    """A stop is no riddle: no stacks, and no half second more."""
    orders = ((20.0, messages.StopAsked("SIGQUIT")),)
    world = tell(Script(plans=(Plan(lasts=500, timeout=600),), orders=orders)).finish(100)
    assert world.said(messages.DumpStacks) == []
    assert {world.when(each) for each in world.said(messages.Kill)} == {21.0}


# --- memory ---------------------------------------------------------------------------------------


def test_who_grows_too_big_in_a_task_is_killed_at_once() -> None:
    """No grace, no stacks; the reason names the limit, and the seat is filled."""
    plan = Plan(lasts=100.0, timeout=None, swells=8.0)
    world = one(Fate(), plan, max_memory_hard=512 << 20)
    assert world.when(world.said(messages.Kill)[0]) == world.when(messages.TooBig(2, 1 << 30))
    assert world.said(messages.DumpStacks) == []
    (report,) = world.reports()
    assert isinstance(report.answer, Fail)
    assert report.answer.reason.startswith("WorkerDied: over the memory limit of")
    assert world.core.status(world.now).deaths == {"too big": 1}
    assert world.strength() == world.wanted


def test_a_result_that_was_ready_survives_every_kill() -> None:
    """Too big, late, or stale while SWF had not accepted the answer: the answer is delivered."""
    for plan in (
        Plan(lasts=5.0, answering=inf, swells=8.0, timeout=None),
        Plan(lasts=5.0, answering=inf, stale=(6.0, CANCEL), timeout=None),
        Plan(lasts=5.0, answering=inf, stale=(6.0, GONE), timeout=None),
    ):
        (report,) = one(HEEDLESS, plan).reports()
        assert report.answer == messages.Complete("of t1")


@pytest.mark.parametrize("farewell", [messages.StopAsked("QUIT"), messages.DrainAsked("TERM", 5.0)])
def test_a_result_that_was_ready_survives_the_end(farewell: messages.Event) -> None:
    """A drain or stop that kills its worker delivers it; nothing was abandoned."""
    plan = Plan(lasts=5.0, answering=inf, timeout=None)
    world = tell(Script(plans=(plan,), orders=((20.0, farewell),)), workers=1, deciders=0)
    world.finish(200)
    assert [each.answer for each in world.reports()] == [messages.Complete("of t1")]
    assert world.notes("task_abandoned") == []
    assert len(world.notes("reported")) == 1


# --- how deaths are told --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fate", "kind"),
    [
        (Fate(end=End.IN_TASK), "crashed"),
        (Fate(end=End.IN_TASK, status=-9), "killed"),
        (Fate(end=End.IN_TASK, starved=True), "out of memory"),
        (Fate(end=End.IN_TASK, status=3), "exited"),
        (Fate(forks=False), "not forked"),
        (Fate(hangs=True), "late"),
    ],
)
def test_every_death_is_told_once_and_counted(fate: Fate, kind: str) -> None:
    """One line with cause, task and what is done about it; one more of its kind in the count."""
    world = one(fate, Plan(timeout=20.0))
    (note,) = world.notes("worker_died")
    assert note.facts["kind"] == kind
    assert note.facts["cause"]
    assert world.core.status(world.now).deaths == {kind: 1}
    assert ("workflow_id" in note.facts) == (kind != "not forked")
    assert str(note.facts["remedy"]) in note.text


def test_a_task_that_was_not_begun_is_told_so() -> None:
    """Its worker died before it called any of the task's code."""
    world = one(Fate(end=End.IN_TASK, begins=False), Plan())
    (report,) = world.reports()
    assert isinstance(report.answer, Fail)
    assert report.answer.reason == "Unbegun: SIGSEGV"


def test_a_decision_is_handed_back() -> None:
    """A decider's death is answered, too: the next decision comes at once."""
    script = Script(fates=(Fate(end=End.IN_TASK),), plans=(Plan(),))
    world = tell(script, workers=0).finish(60)
    assert [each.answer for each in world.reports()] == [messages.HandBack()]
    assert messages.Done(3, Result.FAILED) in world.said(messages.Done)

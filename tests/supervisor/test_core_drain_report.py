"""What the program says of its tasks at its end."""

from __future__ import annotations

from supervisor import messages
from supervisor.messages import Level, Staleness
from tests.fates import End, Fate, Murder, Plan, Script, spooled
from tests.world import World, tell

DRAIN = (10.0, messages.DrainAsked("SIGTERM"))
LONG = Plan(waits=5, lasts=20, timeout=None)
ENDLESS = Plan(waits=5, lasts=float("inf"), timeout=None)


def told(script: Script, **chosen: object) -> World:
    """The story to its end, with two activity workers alone."""
    return tell(script, **{"deciders": 0, **chosen}).finish(1000)


def facts(world: World) -> dict[str, object]:
    """The report's, without its times."""
    (report,) = world.notes("drain_report")
    return {name: each for name, each in report.facts.items() if name != "seconds"}


def test_what_was_in_hand_and_what_came_late_is_finished() -> None:
    """One task is in hand when the drain begins, the last poll of the other brings one more."""
    world = told(Script(plans=(LONG, Plan(waits=30, lasts=10)), orders=(DRAIN,)))
    assert facts(world) == {"tasks": 2, "finished": 2, "polls_cut": 0, "code": 0}
    (report,) = world.notes("drain_report")
    lines = report.text.splitlines()
    assert lines[0].startswith("Drained in ")
    assert lines[0].endswith("(SIGTERM): of 2 tasks in hand 2 finished.")
    assert lines[1].startswith("  finished     Activity a1 of workflow w1, after ")
    assert report.level is Level.INFO


def test_nothing_in_hand_is_a_report_too() -> None:
    """Whoever reads the log sees that nothing was lost."""
    world = told(Script(orders=(DRAIN,)))
    assert facts(world) == {"tasks": 0, "polls_cut": 0, "code": 0}
    assert "no task was in hand" in world.notes("drain_report")[0].text


def test_what_is_cut_at_the_timeout_is_abandoned() -> None:
    """SWF is told: interrupted. A poll that was cut may have cost a task, and is counted."""
    world = told(Script(plans=(ENDLESS,), orders=(DRAIN,)), drain_timeout=20.0)
    assert facts(world) == {"tasks": 1, "abandoned": 1, "polls_cut": 1, "code": 1}
    (report,) = world.notes("drain_report")
    assert "open polls cut: 1;" in report.text
    assert report.level is Level.WARNING
    (told_swf,) = world.reports()
    assert isinstance(told_swf.answer, messages.Fail)
    assert told_swf.answer.reason == "Interrupted: SIGTERM"


def test_a_second_signal_still_reports_what_is_in_hand() -> None:
    """Stopping now is no reason to let SWF wait for a timeout."""
    world = told(Script(plans=(ENDLESS,) * 2, orders=(DRAIN, (11.0, DRAIN[1]))))
    assert facts(world) == {"tasks": 2, "abandoned": 2, "polls_cut": 0, "code": 1}
    assert len(world.reports()) == 2
    assert world.now < 20


def test_a_task_not_begun_is_handed_back() -> None:
    """None of its code has run, so the next worker's try is free."""
    fates = (Fate(end=End.IN_TASK, after=9.0, begins=False),)
    world = told(Script(fates=fates, plans=(LONG,), orders=(DRAIN,)))
    assert facts(world)["handed_back"] == 1


def test_what_a_worker_hands_back_itself_is_counted_so() -> None:
    """A late task that is not to be run here (``--late-tasks hand-back``)."""
    world = tell(Script(plans=(LONG,), orders=(DRAIN,)), deciders=0).run(9)
    (worker,) = [each for each in world.core.status(9.0).workers if each.task]
    world.run(10)
    world.say(messages.Done(worker.worker, messages.Result.HANDED_BACK))
    world.finish(1000)
    assert facts(world)["handed_back"] == 1


def test_a_decision_is_handed_back() -> None:
    """A decider that is cut short in a decision costs nothing but the decision."""
    plans = (Plan(waits=5, lasts=100),)
    world = tell(Script(plans=plans, orders=(DRAIN,)), workers=0, drain_timeout=5.0).finish(900)
    assert facts(world)["handed_back"] == 1


def test_who_dies_in_a_drain_has_its_own_word() -> None:
    """What its worker died of by itself is not our cutting short."""
    world = told(Script(plans=(LONG,), orders=(DRAIN, (12.0, Murder(1)), (12.0, Murder(0)))))
    assert facts(world) == {"tasks": 1, "died": 1, "polls_cut": 0, "code": 0}


def test_a_result_that_a_dead_worker_left_is_finished() -> None:
    """Its reporter delivers it as it is."""
    fates = (Fate(end=End.ANSWERING),)
    world = told(Script(fates=fates, plans=(LONG,), orders=(DRAIN,)))
    assert facts(world)["finished"] == 1


def test_what_swf_has_closed_is_unwanted() -> None:
    """Nobody waits for its answer."""
    gone = Plan(waits=5, lasts=50, timeout=None, stale=(10.0, Staleness.GONE))
    assert facts(told(Script(plans=(gone,), orders=(DRAIN,))))["unwanted"] == 1


def test_what_its_worker_did_not_let_go_is_unwanted_too() -> None:
    """Nobody answers for a task that SWF has closed, however its worker ends."""
    gone = Plan(waits=5, lasts=50, timeout=None, stale=(10.0, Staleness.GONE))
    fates = (Fate(heedless=True, hangs=True),)
    world = told(Script(fates=fates, plans=(gone,), orders=(DRAIN,)), cancel_grace=5.0)
    assert facts(world) == {"tasks": 1, "unwanted": 1, "polls_cut": 0, "code": 0}


def test_what_swf_cannot_be_told_is_lost() -> None:
    """Reporters that die leave it to the task's own timeout."""
    dying = (Fate(), *(Fate(end=End.IN_BOOT),) * 50)
    script = Script(errands=dying, plans=(ENDLESS,), orders=(DRAIN,))
    world = told(script, drain_timeout=5.0)
    assert facts(world)["lost"] == 1
    assert world.notes("drain_report")[0].level is Level.WARNING


def test_reports_owed_since_before_the_drain_are_counted() -> None:
    """A dead supervisor's tasks, and those of workers that died before, are in our hands, too."""
    slow = (Fate(), Fate(boot=20.0))
    script = Script(errands=slow, spool=(spooled(1, messages.Complete("1")),), orders=(DRAIN,))
    assert facts(told(script))["finished"] == 1


def test_only_the_first_hundred_are_named() -> None:
    """The worst first; the facts count them all."""
    script = Script(plans=(ENDLESS,) * 120, orders=(DRAIN, (11.0, DRAIN[1])))
    world = told(script, workers=120)
    lines = world.notes("drain_report")[0].text.splitlines()
    assert len(lines) == 102
    assert lines[-1] == "  and 20 more"


def test_an_error_is_not_followed_by_an_empty_report() -> None:
    """A flow that cannot be loaded has its own sentence."""
    world = tell(Script(errands=(Fate(end=End.IN_BOOT),) * 9)).finish(900)
    assert world.exit
    assert not world.notes("drain_report")

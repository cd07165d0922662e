"""The core's stories: drains, second signals, and the end."""

from __future__ import annotations

from math import inf

import pytest

from supervisor import messages
from tests.fates import CRASHES_BOOTING, End, Fate, Murder, Order, Plan, Script, ZygoteMurder
from tests.world import World, tell

DRAIN = messages.DrainAsked("SIGTERM")
STOP = messages.StopAsked("SIGQUIT")
LONG = Plan(waits=1.0, lasts=500.0, timeout=600.0)


def ending(*orders: tuple[float, Order], **script: object) -> Script:
    """A story with this end."""
    return Script(orders=orders, **script)  # type: ignore[arg-type]


def exit_of(world: World) -> tuple[int, float]:
    """Exit code and moment."""
    assert world.exit is not None
    return world.exit.code, world.now


def reasons(world: World) -> list[str]:
    """What SWF was told."""
    return [each.why for each in world.reports()]


# --- a drain --------------------------------------------------------------------------------------


def test_a_drain_waits_for_open_polls() -> None:
    """Everyone is told once, side by side; the exit comes when the last poll has ended."""
    world = tell(ending((20.0, DRAIN))).finish(200)
    assert len(world.said(messages.Terminate)) == 3
    assert exit_of(world) == (0, 1.625 + 60 + 0.25)
    assert world.notes("worker_died") == []


def test_a_drain_waits_for_the_task_in_hand() -> None:
    """A task is finished, and what a poll under way brings is finished too."""
    late = Plan(waits=50.0, lasts=30.0)
    world = tell(ending((20.0, DRAIN), plans=(LONG, late)), deciders=0).finish(2000)
    code, at = exit_of(world)
    assert code == 0
    assert at > 500
    assert len(world.said(messages.Done)) == 2
    assert world.said(messages.Kill) == []


def test_a_drain_during_the_start_ends_at_once() -> None:
    """Nothing is there to wait for."""
    assert exit_of(tell(ending((0.5, DRAIN))).finish(200)) == (0, 0.5)


def test_a_drain_ends_what_registers() -> None:
    """The registering worker is told to leave, too, and nobody is forked after it."""
    world = tell(ending((1.1, DRAIN), errands=(Fate(boot=5.0),))).finish(200)
    assert world.said(messages.Terminate) == [messages.Terminate(1)]
    assert len(world.said(messages.Fork)) == 1
    assert exit_of(world)[0] == 0


def test_deaths_in_a_drain_are_reported_and_not_replaced() -> None:
    """A crash while leaving still has its task told; its seat stays empty."""
    fates = (Fate(), Fate(end=End.IN_TASK, after=30.0))
    world = tell(ending((20.0, DRAIN), fates=fates, plans=(Plan(lasts=90),) * 3)).finish(300)
    assert reasons(world) == ["WorkerDied: SIGSEGV"]
    assert "It is not replaced: the program leaves." in world.notes("worker_died")[0].text
    assert exit_of(world)[0] == 0


def test_a_restart_is_refused_while_draining() -> None:
    """Who leaves starts nothing new, and says so."""
    world = tell(ending((20.0, DRAIN), (21.0, messages.RestartAsked("SIGHUP")))).finish(200)
    assert len(world.said(messages.StartGeneration)) == 1
    assert len(world.notes("restart_refused")) == 1


def test_a_drain_ends_a_restart() -> None:
    """A candidate that is on its way is not waited for."""
    world = tell(ending((20.0, messages.RestartAsked("SIGHUP")), (20.5, DRAIN))).finish(200)
    assert exit_of(world)[0] == 0
    assert world.serves(2) == 0


# --- who does not leave ---------------------------------------------------------------------------


def test_who_does_not_leave_is_killed() -> None:
    """An idle worker that ignores being told has ``poll_patience`` from then on; still exit 0."""
    world = tell(ending((20.0, DRAIN), fates=(Fate(heeds=False),))).finish(500)
    (kill,) = world.said(messages.Kill)
    assert kill == messages.Kill(2, "it did not leave when told to")
    assert world.when(kill) == 20.0 + 90.5
    assert exit_of(world)[0] == 0


def test_being_told_to_leave_lengthens_no_patience() -> None:
    """A hung task told to leave is killed at its own deadline, not a second later."""
    hung = Plan(waits=0, lasts=inf, timeout=20.0)
    quiet = tell(Script(plans=(hung,)), workers=1, deciders=0).run(100)
    told = tell(ending((45.0, DRAIN), plans=(hung,)), workers=1, deciders=0).run(100)
    assert quiet.when(quiet.said(messages.Kill)[0]) == told.when(told.said(messages.Kill)[0])


def test_a_hung_poll_is_not_given_longer_by_being_told() -> None:
    """The earlier of the two deadlines holds."""
    world = tell(ending((45.0, DRAIN), fates=(Fate(deaf=True),)), workers=1, deciders=0)
    (kill,) = world.finish(200).said(messages.Kill)
    assert kill.why == "its poll hung for 90 s"


def test_who_was_told_may_do_one_task_more_and_no_second() -> None:
    """An open poll may bring one task; after its answer only ``leave_patience`` is left."""
    plans = (Plan(waits=30.0, lasts=200.0, timeout=300.0), Plan(waits=1.0, lasts=500, timeout=600))
    script = ending((20.0, DRAIN), fates=(Fate(heeds=False),), plans=plans)
    world = tell(script, workers=1, deciders=0).finish(500)
    (kill,) = world.said(messages.Kill)
    assert world.when(kill) == world.when(world.said(messages.Done)[0]) + 10.5


# --- two polls in one process ---------------------------------------------------------------------


def deciding(*plans: Plan, heeds: bool = True, **settings: object) -> World:
    """A decider alone, told to leave at 20 s, in its second poll."""
    script = ending((20.0, DRAIN), plans=plans, fates=(Fate(heeds=heeds),))
    return tell(script, workers=0, deciders=1, **settings).finish(2000)


def answered(world: World) -> list[float]:
    """When each task was answered."""
    return [at for at, each in world.log if isinstance(each, messages.Done)]


def test_a_sticky_decider_may_do_a_task_of_each_poll() -> None:
    """Both polls that it has open are waited for, a minute each, however long the first task is."""
    world = deciding(Plan(lasts=1.0), Plan(waits=40.0, lasts=50.0), Plan(waits=0.0, lasts=50.0))
    assert len(world.said(messages.Done)) == 3
    assert world.said(messages.Kill) == []
    assert exit_of(world)[0] == 0


@pytest.mark.parametrize("first", [1.0, 30.0], ids=["told in a poll", "told in mid-task"])
def test_a_sticky_decider_that_goes_on_is_ended_when_polls_have_ended(first: float) -> None:
    """Its own list may have been polled again: tasks are done for as long as a poll may take, then
    only ``leave_patience`` is left.
    """
    plans = [Plan(lasts=first), *[Plan(waits=25.0, lasts=1.0)] * 9]
    world = deciding(*plans, heeds=False)
    (kill,) = world.said(messages.Kill)
    late = [at for at in answered(world) if at > 20.0 + 90.0 - 10.0]
    assert world.when(kill) == late[0] + 10.5


def test_after_a_long_task_a_sticky_decider_may_do_two_more() -> None:
    """However late: what both polls brought meanwhile waits in it."""
    plans = [Plan(lasts=200.0), *[Plan(waits=25.0, lasts=1.0)] * 9]
    world = deciding(*plans, heeds=False)
    (kill,) = world.said(messages.Kill)
    assert world.when(kill) == answered(world)[2] + 10.5


def test_a_decider_that_is_not_sticky_has_one_poll() -> None:
    """With ``--no-sticky`` it leaves like anybody else."""
    plans = [Plan(lasts=1.0), *[Plan(waits=25.0, lasts=1.0)] * 9]
    world = deciding(*plans, heeds=False, no_sticky=True)
    (kill,) = world.said(messages.Kill)
    assert world.when(kill) == answered(world)[1] + 10.5


def test_a_done_that_crosses_the_word_does_not_cost_the_next_poll() -> None:
    """Told in mid-task, a worker may be in its next poll when it hears of it: that one is waited
    for, too.
    """
    plans = (Plan(lasts=30.0), Plan(waits=25.0, lasts=1.0))
    script = ending((20.0, DRAIN), plans=plans, fates=(Fate(heeds=False),))
    world = tell(script, workers=1, deciders=0).finish(2000)
    (kill,) = world.said(messages.Kill)
    assert world.when(kill) == answered(world)[1] + 10.5


# --- limits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "drain", "end"),
    [
        ({"drain_timeout": 30.0}, DRAIN, 50.0),
        ({}, messages.DrainAsked("a notice", within=25.0), 45.0),
        ({"drain_timeout": 30.0}, messages.DrainAsked("a notice", within=25.0), 45.0),
        ({"drain_timeout": 20.0}, messages.DrainAsked("a notice", within=25.0), 40.0),
    ],
)
def test_a_drain_that_takes_too_long_abandons_what_is_left(
    settings: dict[str, object], drain: messages.DrainAsked, end: float
) -> None:
    """At the earlier limit all left are killed, tasks are named and reported, exit code 1."""
    world = tell(ending((20.0, drain), plans=(LONG,) * 2), **settings).finish(200)
    assert {world.when(each) for each in world.said(messages.Kill)} == {end}
    assert len(world.notes("task_abandoned")) == 2
    assert [each.split(":")[0] for each in reasons(world)] == ["Interrupted"] * 2
    code, at = exit_of(world)
    assert code == 1
    assert at < end + 2


def test_a_drain_cut_short_is_not_a_clean_one() -> None:
    """Even if only idle polls were cut: SWF may just have handed them something."""
    assert exit_of(tell(ending((20.0, DRAIN)), drain_timeout=5.0).finish(200))[0] == 1


@pytest.mark.parametrize("second", [DRAIN, STOP])
def test_a_second_signal_stops_now(second: messages.Event) -> None:
    """Who is left after ``stop_patience`` is killed; the task in hand is reported, exit 1."""
    world = tell(ending((20.0, DRAIN), (30.0, second), plans=(LONG,))).finish(200)
    assert {world.when(each) for each in world.said(messages.Kill)} == {31.0}
    assert reasons(world) == [f"Interrupted: {world.notes('stopping')[0].text[10:-1]}"]
    code, at = exit_of(world)
    assert code == 1
    assert at < 33


def test_a_stop_with_nothing_in_hand_is_clean() -> None:
    """Idle workers have nothing to abandon: exit 0, though they were killed."""
    world = tell(ending((20.0, STOP))).finish(200)
    assert exit_of(world)[0] == 0
    assert len(world.said(messages.Kill)) == 3


def test_a_second_notice_is_no_second_signal() -> None:
    """Another limit only moves the end nearer, and never farther."""
    notices = [messages.DrainAsked("a notice", within=each) for each in (120.0, 30.0, 500.0)]
    orders = zip((20.0, 21.0, 22.0), notices, strict=True)
    world = tell(ending(*orders, plans=(LONG,))).finish(300)
    assert world.notes("stopping") == []
    assert world.when(world.said(messages.Kill)[0]) == 51.0


def test_a_signal_after_a_notice_is_the_first_signal() -> None:
    """The machine's notice and then init's SIGTERM: the drain goes on."""
    notice = messages.DrainAsked("a notice", within=120.0)
    world = tell(ending((20.0, notice), (30.0, DRAIN))).finish(300)
    assert world.notes("stopping") == []
    assert exit_of(world)[0] == 0


# --- reports at the end ---------------------------------------------------------------------------


def test_the_exit_waits_for_reports() -> None:
    """A reporter that dies is tried again even at the very end."""
    errands = (Fate(), CRASHES_BOOTING, Fate())
    world = tell(ending((20.0, STOP), plans=(LONG,), errands=errands)).finish(200)
    assert len(reasons(world)) == 2
    assert len(world.notes("reported")) == 1


def test_without_a_zygote_the_end_does_not_wait_for_reports() -> None:
    """Where nothing can fork any more the task is named as lost, and the program leaves."""
    orders = ((20.0, DRAIN), (20.5, ZygoteMurder(0)), (21.0, Murder(1)))
    world = tell(ending(*orders, plans=(LONG,) * 2), deciders=0).finish(2000)
    assert len(world.notes("report_lost")) == 1
    assert exit_of(world)[0] == 0


def test_the_local_swf_gone_there_is_nobody_to_tell() -> None:
    """Reports to an endpoint that is gone are not even tried."""
    world = tell(Script(plans=(LONG,)), local=True).run(20)
    world.helpers["endpoint"].die(-9)
    world.finish(200)
    assert reasons(world) == []
    assert len(world.notes("report_lost")) == 1
    assert exit_of(world)[0] == 4


def test_a_task_of_one_who_is_not_given_back_is_abandoned_too() -> None:
    """A stop that the kernel holds up ends all the same, and names the task."""
    world = tell(ending((20.0, STOP), fates=(Fate(), Fate(stuck=999.0)), plans=(LONG,) * 3))
    world.finish(200)
    code, at = exit_of(world)
    assert code == 1
    assert at < 21 + 10 + 2
    assert len(world.notes("task_abandoned")) == 3


def test_nothing_is_wished_after_the_exit() -> None:
    """Whatever still happens: the core has had its last word, and nothing is due."""
    world = tell(ending((20.0, STOP))).finish(200)
    assert world.core.handle(messages.RestartAsked("SIGHUP"), 300.0) == []
    assert world.core.next_deadline() == inf

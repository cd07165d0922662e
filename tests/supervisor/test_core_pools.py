"""The core's stories of sizes: scale, quiet and resume, alone and across restarts."""

from __future__ import annotations

import pytest

from supervisor import messages
from supervisor.messages import Terminate
from tests.fates import Fate, Murder, Plan, Script, Version
from tests.world import DECIDER, RESIZE, World, tell

RESTART = messages.RestartAsked("SIGHUP")
QUIET, RESUME = messages.QuietAsked("people"), messages.ResumeAsked("people")
LONG = Plan(waits=0, lasts=100, timeout=None)


def scaled(task_list: str | None = None, size: int | None = None, by: int = 0) -> messages.Event:
    """What somebody asks for."""
    return messages.ScaleAsked("people", task_list, size, by)


def indexes(world: World) -> list[int]:
    """The seats of the activity list that are served."""
    return sorted(each.index for each in world.served_by() if each.task_list == RESIZE)


def busy(world: World) -> set[int]:
    """The seats of those who have a task in hand."""
    workers = world.core.status(world.now).workers
    return {each.seat.index for each in workers if each.seat and each.task}


# --- scale ----------------------------------------------------------------------------------------


def test_a_pool_grows_at_once() -> None:
    """Whoever asks for more workers of a list has them after a boot, told when all are ready."""
    world = tell(Script(orders=((10.0, scaled("resize", 5)),))).run(11)
    assert world.strength() == {RESIZE: 5, DECIDER: 1}
    assert len(world.notes("full_strength")) == 2
    assert world.notes("scaled")[0].facts["before"] == 2


def test_one_more_and_one_fewer_for_each_activity_list() -> None:
    """TTIN and TTOU change the activity lists, and leave the decider alone."""
    more = messages.ScaleAsked("SIGTTIN", by=1)
    fewer = messages.ScaleAsked("SIGTTOU", by=-1)
    assert tell(Script(orders=((10.0, more),))).run(20).strength() == {RESIZE: 3, DECIDER: 1}
    world = tell(Script(orders=((10.0, fewer),))).run(100)
    assert world.strength() == {RESIZE: 1, DECIDER: 1}
    assert not world.said(messages.Kill)


def test_a_pool_shrinks_to_nothing_and_no_further() -> None:
    """Zero is a size like others; below it nothing happens."""
    world = tell(Script(orders=((10.0, scaled(by=-5)), (20.0, scaled(by=-1))))).run(100)
    assert world.strength() == {DECIDER: 1}
    assert len(world.notes("scaled")) == 1
    assert world.exit is None


def test_idle_workers_go_first() -> None:
    """Of four, the two that work keep their seats; the others end their poll and leave."""
    script = Script(plans=(Plan(waits=50), LONG, LONG), orders=((10.0, scaled("resize", 2)),))
    world = tell(script, workers=4).run(9)
    working = busy(world)
    assert len(working) == 2
    world.run(99)
    assert set(indexes(world)) == working
    assert len(world.said(Terminate)) == 2


def test_busy_workers_finish_their_task() -> None:
    """Who has to go in mid-task goes after it."""
    script = Script(plans=(LONG,) * 5, orders=((10.0, scaled("resize", 1)),))
    world = tell(script, workers=3).run(99)
    assert indexes(world) == [0]
    assert not world.said(messages.Done)
    world.run(200)
    ended = [each.worker for each in world.said(messages.Exited) if each.status == 0]
    assert len(world.said(messages.Done)) >= 4
    assert len(set(ended)) >= 2
    assert not world.said(messages.Kill)


def test_a_seat_that_is_wanted_again_is_not_waited_for() -> None:
    """A pool that shrinks and grows again is as strong as before after a boot, not after a poll."""
    orders = ((10.0, scaled("resize", 0)), (11.0, scaled("resize", 2)))
    world = tell(Script(orders=orders)).run(12)
    assert indexes(world) == [0, 1]
    assert world.core.pool()[1].leaving == 2


def test_gaps_are_filled_first() -> None:
    """Indexes stay small, however often a pool breathes."""
    script = Script(plans=(Plan(waits=0, lasts=500, timeout=None),) * 4)
    world = tell(script, workers=4, deciders=0).run(10)
    world.ask(scaled("resize", 5))
    world.run(20)
    world.ask(scaled("resize", 2))
    world.run(30)
    world.ask(scaled("resize", 4))
    world.run(40)
    assert indexes(world) == [0, 1, 2, 3]


def test_the_seats_of_the_ready_are_kept() -> None:
    """Where one is dead, its seat is given up before that of a living one."""
    script = Script(fates=(Fate(),) * 2 + (Fate(boot=9.0),) * 2)
    world = tell(script, workers=3, deciders=0).run(2)
    assert indexes(world) == [0, 1]
    world.ask(scaled("resize", 2))
    world.run(30)
    assert indexes(world) == [0, 1]
    assert [each.worker for each in world.said(Terminate)] == [4]


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (scaled("strange", 1), "no such task list; it has: flow, resize."),
        (scaled("resize", 2000), "flow_resize can have 0 to 1000 workers, not 2000."),
        (scaled("resize", -1), "flow_resize can have 0 to 1000 workers, not -1."),
        (RESUME, "No task list is quiet."),
        (messages.ResumeAsked("people", "resize"), "flow_resize is not quiet."),
        (messages.QuietAsked("people", "strange"), "no such task list"),
    ],
)
def test_what_cannot_be_done_is_refused(event: messages.Event, why: str) -> None:
    """In a sentence beforehand, and as a note if it comes all the same."""
    world = tell().run(10)
    assert why in world.core.refusal(event)
    world.ask(event)
    world.run(11)
    assert why in world.notes("refused")[0].text
    assert world.strength() == {RESIZE: 2, DECIDER: 1}


def test_nothing_can_be_changed_before_a_generation_serves_or_after_the_end_began() -> None:
    """Then there is no pool yet, or none any more."""
    world = tell()
    assert "No generation serves yet" in world.core.refusal(QUIET)
    world.run(10)
    assert not world.core.refusal(messages.DrainAsked("people"))
    world.ask(messages.DrainAsked("SIGTERM"))
    world.run(11)
    assert "the program leaves (sigterm)" in world.core.refusal(QUIET).lower()
    assert "No restart" in world.core.refusal(RESTART)
    assert "'stop' ends it now" in world.core.refusal(messages.DrainAsked("people"))
    assert not world.core.refusal(messages.StopAsked("people"))


# --- across generations ---------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 4])
def test_a_size_that_was_asked_for_survives_a_restart(size: int) -> None:
    """The new generation takes it over, and the pool is never smaller than it on the way."""
    world = tell(Script(orders=((10.0, scaled("resize", size)), (100.0, RESTART)))).run(99)
    weakest = world.strength()[RESIZE]
    while world.now < 200:
        world.run(world.now + 0.25)
        weakest = min(weakest, world.strength()[RESIZE])
    assert weakest == size
    assert set(world.served_by().values()) == {2}


def test_a_roll_after_a_shrink_does_not_dip() -> None:
    """Elders at seats whose indexes have gaps wait for the heirs at the same seats."""
    script = Script(
        plans=(Plan(waits=50),) * 3 + (LONG, LONG),
        orders=((10.0, scaled("resize", 2)), (20.0, RESTART)),
    )
    world = tell(script, workers=4).run(19)
    kept = indexes(world)
    assert kept == [2, 3]
    while world.now < 200:
        world.run(world.now + 0.25)
        assert world.strength()[RESIZE] >= 2
    assert indexes(world) == kept
    assert set(world.served_by().values()) == {2}


def test_a_pool_that_is_resized_while_a_candidate_proves_itself_has_that_size_after_it() -> None:
    """Both generations follow; the canary may find itself at a seat that is gone."""
    for size in (0, 1, 3):
        orders = ((10.0, RESTART), (12.0, scaled("resize", size)))
        world = tell(Script(orders=orders)).run(100)
        assert world.strength()[RESIZE] == size
        assert set(world.served_by().values()) == {2}


def test_a_canary_whose_seat_is_taken_has_an_heir() -> None:
    """The candidate still has to show that it can serve the list."""
    script = Script(
        versions=(Version(), Version(workers=(Fate(), Fate(boot=5.0)))),
        plans=(Plan(waits=0, lasts=90, timeout=None),) * 3,
        orders=((10.0, scaled("resize", 1)), (20.0, RESTART), (23.0, scaled("resize", 2))),
    )
    world = tell(script, workers=2).run(200)
    assert world.strength()[RESIZE] == 2
    assert set(world.served_by().values()) == {2}


# --- quiet and resume -----------------------------------------------------------------------------


def test_a_quiet_pool_ends_polls_and_tasks_and_stays_up() -> None:
    """Nobody polls any more, nothing in hand is lost; still is told when the last one has left."""
    world = tell(Script(plans=(LONG,), orders=((10.0, QUIET),))).run(90)
    assert world.strength() == {}
    assert [each.facts["task_list"] for each in world.notes("still")] == ["flow_resize"]
    world.run(200)
    assert len(world.notes("still")) == 2
    assert len(world.said(messages.Done)) == 1
    assert not world.said(messages.Kill)
    assert not world.said(messages.RetireGeneration)
    assert world.exit is None


def test_resume_fills_at_once() -> None:
    """Beside those who still end their polls, a boot later all seats are served."""
    world = tell(Script(orders=((10.0, QUIET), (11.0, RESUME)))).run(12)
    assert world.strength() == {RESIZE: 2, DECIDER: 1}
    assert [each.leaving for each in world.core.pool()] == [1, 2]
    world.run(100)
    assert [each.leaving for each in world.core.pool()] == [0, 0]
    assert not world.notes("still")


def test_one_list_can_be_quiet() -> None:
    """The others go on; the picture says which is."""
    world = tell(Script(orders=((10.0, messages.QuietAsked("people", "resize")),))).run(100)
    assert world.strength() == {DECIDER: 1}
    assert [(each.quiet, each.wanted) for each in world.core.pool()] == [(False, 1), (True, 0)]
    assert "flow_resize is quiet already." in world.core.refusal(
        messages.QuietAsked("people", "flow_resize")
    )


def test_a_restart_while_quiet_stays_quiet() -> None:
    """The new generation proves itself where it may, and fills the list when it is resumed."""
    for task_list in (None, "resize"):
        quiet = messages.QuietAsked("people", task_list)
        world = tell(Script(orders=((10.0, quiet), (100.0, RESTART)))).run(150)
        assert world.strength()[RESIZE] == 0
        assert [each.facts["generation"] for each in world.notes("generation_current")] == [1, 2]
        world.ask(messages.ResumeAsked("people", task_list))
        world.run(160)
        assert world.strength() == {RESIZE: 2, DECIDER: 1}
        assert set(world.served_by().values()) == {2}


def test_a_quiet_list_can_be_resized() -> None:
    """It stays quiet, and has the new size when it is resumed."""
    orders = ((10.0, QUIET), (20.0, scaled("resize", 4)), (100.0, RESUME))
    world = tell(Script(orders=orders)).run(99)
    assert world.strength() == {}
    assert world.run(110).strength() == {RESIZE: 4, DECIDER: 1}


def test_who_dies_while_its_list_is_quiet_is_not_replaced() -> None:
    """Its seat is gone, and costs nobody a rest when the list is resumed."""
    script = Script(orders=((10.0, QUIET), (11.0, Murder(1)), (12.0, Murder(1)), (13.0, RESUME)))
    world = tell(script).run(14)
    assert world.strength() == {RESIZE: 2, DECIDER: 1}
    assert all("on its way out" in each for each in world.deaths())


def test_who_was_killed_before_its_list_was_quiet_is_not_replaced() -> None:
    """The kernel may hold it for a while; the seat is filled beside it, and it costs no rest."""
    script = Script(
        fates=(Fate(boot=float("inf"), stuck=9.0),),
        orders=((10.0, QUIET), (11.0, RESUME)),
    )
    world = tell(script, deciders=0, workers=1, boot_patience=5.0).run(9)
    assert world.said(messages.Kill)
    assert world.run(12).strength() == {RESIZE: 1}
    (death,) = world.run(30).deaths()
    assert death.endswith("It is not replaced: it was on its way out.")


def test_resume_forgives_what_a_list_died_of() -> None:
    """Somebody says that it is well: its seats do not rest, and it is not degraded any more."""
    version = Version(cursed=(RESIZE,))
    world = tell(Script(versions=(version,))).run(200)
    assert world.core.status(world.now).generations[0].degraded == (RESIZE.name,)
    for event in (messages.QuietAsked("people", "resize"), messages.ResumeAsked("people")):
        world.ask(event)
        world.run(world.now + 0.01)
    forks = [at for at, each in world.log if isinstance(each, messages.Fork) and at >= 200]
    assert len(forks) == 2
    assert world.core.status(world.now).generations[0].degraded == ()


def test_a_quiet_list_keeps_the_program_alive() -> None:
    """That no other list can keep a worker is no reason to end: the quiet one is to be resumed."""
    version = Version(cursed=(RESIZE,))
    quiet = (20.0, messages.QuietAsked("people", "flow"))
    assert tell(Script(versions=(version,), orders=(quiet,))).run(400).exit is None


def test_a_canary_leaves_when_its_list_becomes_quiet() -> None:
    """And is not waited for; the candidate takes over without it."""
    orders = ((10.0, RESTART), (12.0, messages.QuietAsked("people", "resize")))
    world = tell(Script(orders=orders)).run(12.5)
    seats = {each.seat for each in world.core.status(12.5).workers if not each.leaving}
    assert {each.task_list for each in seats if each} == {DECIDER}
    assert set(world.run(80).served_by().values()) == {2}


def test_a_lower_seat_that_is_added_gets_a_canary() -> None:
    """Pools fill their gaps first, so the first seat may be another while a candidate proves."""
    tasks = (Plan(waits=50),) * 3 + (Plan(waits=0, lasts=100, timeout=None),) * 2
    orders = ((10.0, scaled("resize", 2)), (20.0, RESTART), (23.0, scaled("resize", 3)))
    world = tell(Script(plans=tasks, orders=orders), workers=4).run(400)
    assert indexes(world) == [0, 2, 3]
    assert set(world.served_by().values()) == {2}

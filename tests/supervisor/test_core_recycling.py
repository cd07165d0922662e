"""The core's stories: tired workers and their heirs."""

from __future__ import annotations

from supervisor import messages
from supervisor.messages import Serve
from tests.fates import CRASHES_BOOTING, Fate, Murder, Plan, Script, Version, ZygoteMurder
from tests.world import LISTS, World, tell

RESTART = messages.RestartAsked("SIGHUP")
DRAIN = messages.DrainAsked("SIGTERM")

TIRES = Fate(tires=1)
QUICK = Plan(waits=1.0, lasts=1.0)
"""Its worker, forked at 1.3125 after an import and a registering, is done with it at 3.625."""


def heirs(world: World) -> list[messages.Fork]:
    """The forks for seats of which somebody else was not dead."""
    forks = [each for each in world.said(messages.Fork) if isinstance(each.job, Serve)]
    return forks[sum(world.wanted.values()) :]


def test_a_tired_worker_is_replaced_heir_first() -> None:
    """Its heir is forked at once; it is told to leave when the heir is ready, and no sooner."""
    world = tell(Script(fates=(TIRES,), plans=(QUICK,)), workers=1, deciders=0).finish(200)
    (heir,) = heirs(world)
    assert world.when(heir) == world.when(messages.Tired(2, "it has done 1 tasks"))
    assert world.when(messages.Terminate(2)) == world.when(messages.Polling(heir.worker))
    assert world.lowest == world.wanted
    (note,) = world.notes("worker_recycled")
    assert note.text == "Worker 3 replaces worker 2 at flow_resize/0: it has done 1 tasks."


def test_recycling_is_no_death() -> None:
    """No line tells of a death, no rest follows, nothing is counted."""
    world = tell(Script(fates=(TIRES,), plans=(QUICK,)), workers=1, deciders=0).finish(200)
    assert world.notes("worker_died") == []
    assert world.core.status(world.now).deaths == {}


def test_one_after_the_other_is_recycled() -> None:
    """Of four that are tired together each waits for the one before to be gone."""
    script = Script(fates=(TIRES,) * 4, plans=(QUICK,) * 4)
    world = tell(script, workers=4, deciders=0).finish(400)
    exits = [(at, each.worker) for at, each in world.log if isinstance(each, messages.Exited)]
    gone = [at for at, worker in exits if 2 <= worker <= 5]
    forked = [world.when(each) for each in heirs(world)]
    assert len(forked) == 4
    assert forked[1:] == gone[:-1]
    assert world.lowest == world.wanted


def test_a_big_list_recycles_a_tenth_at_once() -> None:
    """Of twenty seats two; the world's judge sees to it that there are no more."""
    script = Script(fates=(TIRES,) * 20, plans=(QUICK,) * 20)
    world = tell(script, workers=20, deciders=0).run(6)
    assert len(heirs(world)) == 2
    world.finish(1000)
    assert len(heirs(world)) == 20
    assert world.lowest == world.wanted


def test_lists_recycle_side_by_side() -> None:
    """One list does not wait for another."""
    script = Script(fates=(TIRES, TIRES), plans=(QUICK, QUICK))
    world = tell(script, workers=1, deciders=1).run(5)
    assert {each.job.seat.task_list for each in heirs(world) if isinstance(each.job, Serve)} == set(
        LISTS
    )


def test_an_heir_that_dies_early_is_tried_again_after_a_rest() -> None:
    """The tired one goes on meanwhile; the line says so."""
    fates = (TIRES, CRASHES_BOOTING, CRASHES_BOOTING)
    world = tell(Script(fates=fates, plans=(QUICK,)), workers=1, deciders=0).finish(200)
    assert len(heirs(world)) == 3
    assert world.lowest == world.wanted
    remedies = [str(each.facts["remedy"]) for each in world.notes("worker_died")]
    assert all(each.startswith("It was to replace a tired worker") for each in remedies)
    assert len(world.notes("worker_recycled")) == 1


def test_the_heir_of_a_dead_one_takes_its_seat() -> None:
    """A tired worker that dies is not replaced twice."""
    orders = ((3.75, Murder(0)),)
    script = Script(fates=(TIRES, Fate(boot=5.0)), plans=(QUICK,), orders=orders)
    world = tell(script, workers=1, deciders=0).finish(200)
    assert len(heirs(world)) == 1
    assert world.notes("worker_died")[0].facts["remedy"] == "Its heir takes the seat."
    assert world.strength() == world.wanted


def test_a_tired_one_that_was_killed_is_not_told_to_leave() -> None:
    """Its heir takes the seat while the kernel still takes it apart."""
    swells = Plan(waits=0.25, lasts=50.0, swells=0.25)
    script = Script(fates=(Fate(tires=1, stuck=9.0), Fate(boot=5.0)), plans=(QUICK, swells))
    world = tell(script, workers=1, deciders=0).finish(200)
    assert len(world.said(messages.Kill)) == 1
    assert len(world.notes("worker_recycled")) == 1
    assert world.said(messages.Terminate) == []
    assert world.strength() == world.wanted


def test_a_relieved_one_may_say_that_it_is_tired_as_often_as_it_likes() -> None:
    """Only who sits at the seat is replaced."""
    plans = (QUICK, Plan(waits=0.5, lasts=90.0, timeout=900.0))
    world = tell(Script(fates=(TIRES,), plans=plans), workers=1, deciders=0).run(10)
    for number in (3, 2):
        world.say(messages.Tired(number, "again"))
    world.later(0, lambda: None)
    world.finish(300)
    assert [each.facts["relieved"] for each in world.notes("worker_recycled")] == [2, 3]


def test_a_worker_without_a_zygote_is_not_recycled_until_there_is_one() -> None:
    """Who cannot be replaced goes on."""
    versions = (Version(lost_after=1.5), Version(imports=50.0))
    script = Script(fates=(TIRES,), versions=versions, plans=(QUICK,))
    world = tell(script, workers=1, deciders=0).run(50)
    assert heirs(world) == []
    assert world.strength() == world.wanted
    assert world.finish(200).lowest == world.wanted


def test_nobody_is_recycled_while_the_program_leaves() -> None:
    """A drain wants no heirs."""
    script = Script(fates=(TIRES,), plans=(QUICK,), orders=((3.0, DRAIN),))
    world = tell(script, workers=1, deciders=0).finish(200)
    assert heirs(world) == []
    assert world.exit == messages.Exit(0, "SIGTERM")


def test_a_restart_in_the_middle_of_recycling_costs_nothing() -> None:
    """Both the tired one and its heir make room for the new generation, and strength never dips."""
    orders = ((2.0, RESTART), (3.75, ZygoteMurder(9)))
    script = Script(fates=(TIRES, Fate(boot=20.0)), plans=(QUICK,), orders=orders[:1])
    world = tell(script, workers=1, deciders=0).finish(300)
    assert world.lowest == world.wanted
    assert set(world.served_by().values()) == {2}
    assert world.said(messages.RetireGeneration) == [messages.RetireGeneration(1)]


def test_a_tired_worker_may_take_another_task_meanwhile() -> None:
    """What its open poll brings is done, however long it takes; the heir serves beside it."""
    plans = (QUICK, Plan(waits=0.1, lasts=500.0, timeout=900.0))
    world = tell(Script(fates=(TIRES,), plans=plans), workers=1, deciders=0).finish(1000)
    assert len(world.said(messages.Done)) == 2
    assert world.said(messages.Kill) == []
    assert world.notes("worker_died") == []


def test_a_canary_that_is_tired_is_replaced_when_it_has_proved_itself() -> None:
    """Until its generation is the current one it has no heirs."""
    tired = Version(workers=(TIRES,))
    script = Script(
        versions=(Version(), tired),
        plans=(Plan(waits=40), Plan(waits=0.5, lasts=0.5)),
        orders=((20.0, RESTART),),
    )
    world = tell(script, workers=1, deciders=0).finish(300)
    (recycled,) = world.notes("worker_recycled")
    assert world.when(recycled) > world.when(world.notes("generation_current")[1])

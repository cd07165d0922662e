"""The core's stories: rolling restarts, candidates that fail, zygotes that are lost."""

from __future__ import annotations

from math import inf

import pytest

from supervisor import messages
from supervisor.messages import Role, TaskList
from tests.fates import (
    CRASHES_BOOTING,
    End,
    Fate,
    Murder,
    Orders,
    Plan,
    Script,
    Version,
    ZygoteMurder,
)
from tests.world import DECIDER, LISTS, World, tell

RESTART = (20.0, messages.RestartAsked("SIGHUP"))

CRASHES_SOON = Fate(end=End.IN_POLL, after=4.0)  # ready, but it does not last

BAD_VERSIONS = {
    "cannot be imported": Version(failure=("SyntaxError", 3)),
    "import hangs": Version(imports=inf),
    "refused": Version(refusal=("no such domain", 2)),
    "unknown pools": Version(lists=()),
    "workers crash": Version(workers=(CRASHES_BOOTING,), forever=True),
    "workers hang": Version(workers=(Fate(boot=inf),), forever=True),
    "one list boots": Version(cursed=(DECIDER,)),
    "workers do not last": Version(workers=(CRASHES_SOON,), forever=True),
    "fails now and then": Version(workers=(CRASHES_BOOTING, Fate(), CRASHES_SOON), forever=True),
    "no process": Version(workers=(Fate(forks=False),), forever=True),
    "zygote dies": Version(lost_after=1.0),
}


def generations(world: World) -> set[int]:
    """Which generations serve."""
    return set(world.served_by().values())


# --- a rolling restart ----------------------------------------------------------------------------


def test_a_restart_replaces_every_worker_without_a_gap() -> None:
    """New workers take all seats, strength never dips, the old zygote goes at last."""
    world = tell(Script(plans=(Plan(),) * 9, orders=(RESTART,)), workers=4).finish(200)
    assert generations(world) == {2}
    assert world.lowest == world.wanted
    assert world.said(messages.RetireGeneration) == [messages.RetireGeneration(1)]
    assert len(world.said(messages.Terminate)) == 5
    assert world.notes("worker_died") == []


def test_canaries_go_first() -> None:
    """Until one new worker a list has lasted, no other is forked and nobody is told to leave."""
    world = tell(Script(orders=(RESTART,)), workers=4).run(20 + 1 + 0.625 + 4.9)
    assert world.serves(2) == 2
    assert world.said(messages.Terminate) == []
    world.run(20 + 1 + 0.625 + 5.5)
    assert world.serves(2) == 5


def test_elders_leave_side_by_side() -> None:
    """All elders are told within a second of their heirs being ready, not one after the other."""
    world = tell(Script(orders=(RESTART,)), workers=8).run(60)
    told = [world.when(each) for each in world.said(messages.Terminate)]
    assert len(told) == 9
    assert max(told) - min(told) < 1


def test_an_elder_finishes_its_task() -> None:
    """A restart costs no task: who has one in hand answers it, however long it takes."""
    plan = Plan(waits=1, lasts=1000, timeout=2000)
    world = tell(Script(plans=(plan,), orders=(RESTART,)), workers=1, deciders=0).run(500)
    assert world.said(messages.RetireGeneration) == []
    world.finish(1200)
    assert len(world.said(messages.Done)) == 1
    assert world.said(messages.Kill) == []
    assert world.said(messages.RetireGeneration) == [messages.RetireGeneration(1)]


def test_who_serves_a_list_that_is_gone_is_told_to_leave() -> None:
    """A new flow without one of the lists: its workers have no heirs to wait for."""
    world = tell(Script(versions=(Version(), Version(lists=(DECIDER,))), orders=(RESTART,)))
    world.finish(200)
    assert world.strength() == {DECIDER: 1}
    assert world.notes("worker_died") == []


def test_a_new_list_gets_its_workers() -> None:
    """A new flow with one list more: it is served after the restart."""
    more = TaskList("flow_more", Role.ACTIVITY, "more")
    world = tell(Script(versions=(Version(), Version(lists=(*LISTS, more))), orders=(RESTART,)))
    assert world.finish(200).strength() == {DECIDER: 1, LISTS[1]: 2, more: 2}


def test_of_restarts_during_a_restart_one_is_remembered() -> None:
    """Three more wishes during a restart are one more restart after it."""
    orders = tuple((20.0 + n, messages.RestartAsked("SIGHUP")) for n in range(4))
    world = tell(Script(orders=orders)).finish(300)
    assert len(world.said(messages.StartGeneration)) == 3
    assert generations(world) == {3}


def test_a_restart_is_remembered_during_the_start() -> None:
    """Who asks before the first generation serves gets the code as it is afterwards."""
    world = tell(Script(orders=((0.5, messages.RestartAsked("SIGHUP")),))).finish(300)
    assert generations(world) == {2}


def test_a_restart_mends_a_degraded_list() -> None:
    """While a candidate is on its way nothing is given up; it replaces what could not live."""
    bad = Version(workers=(CRASHES_SOON,), forever=True)
    orders = ((8.0, messages.RestartAsked("SIGHUP")),)
    script = Script(versions=(bad, Version(imports=60.0)), orders=orders)
    world = tell(script, intensity_deaths=3).finish(300)
    assert world.notes("list_degraded")
    assert generations(world) == {2}
    assert world.strength() == world.wanted


# --- bad candidates -------------------------------------------------------------------------------


@pytest.mark.parametrize("version", BAD_VERSIONS.values(), ids=BAD_VERSIONS.keys())
def test_a_bad_version_is_given_up_and_costs_nothing(version: Version) -> None:
    """Whatever is wrong with it: bounded forks, one line why, the current generation untouched."""
    settings = {"pools": {"resize": 2}} if version.lists == () else {}
    world = tell(Script(versions=(Version(), version), orders=(RESTART,)), **settings).finish(400)
    (note,) = world.notes("generation_abandoned")
    assert note.facts["generation"] == 2
    assert world.serves(2) <= 5
    assert world.lowest == world.wanted
    assert generations(world) == {1}
    assert messages.RetireGeneration(2) in world.said(messages.RetireGeneration) or (
        world.said(messages.GenerationLost)
    )


@pytest.mark.parametrize(
    "orders",
    [(RESTART,), ((20.0, ZygoteMurder(0)), (20.5, Murder(1)))],
    ids=["beside a good one", "on an empty seat"],
)
def test_canaries_of_a_given_up_version_leave_at_once(orders: Orders) -> None:
    """The canary that was good is told to leave, even where nobody else serves its seat."""
    script = Script(versions=(Version(), Version(cursed=(DECIDER,))), orders=orders)
    world = tell(script).run(20 + 20)
    abandoned = world.when(world.notes("generation_abandoned")[0])
    told = [world.when(each) for each in world.said(messages.Terminate)]
    assert told[0] == abandoned


def test_a_bad_versions_crashes_do_not_delay_the_good_ones_refill() -> None:
    """Rests belong to generation and seat: a good worker killed meanwhile is replaced at once."""
    version = Version(workers=(CRASHES_BOOTING,), forever=True)
    script = Script(versions=(Version(), version), orders=(RESTART, (22.0, Murder(0))))
    world = tell(script).finish(400)
    assert any(
        at == 22.0 and each.generation == 1
        for at, each in world.log
        if isinstance(each, messages.Fork)
    )


def test_a_good_version_follows_a_bad_one() -> None:
    """After a bad deploy the next restart works."""
    orders = (RESTART, (100.0, messages.RestartAsked("SIGHUP")))
    script = Script(versions=(Version(), BAD_VERSIONS["workers crash"]), orders=orders)
    assert generations(tell(script).finish(300)) == {3}


# --- lost zygotes ---------------------------------------------------------------------------------


def test_a_lost_zygote_costs_no_worker() -> None:
    """Its workers go on until a new generation has proved itself and takes over."""
    world = tell(Script(orders=((20.0, ZygoteMurder(0)),))).finish(200)
    assert len(world.notes("zygote_lost")) == 1
    assert world.lowest == world.wanted
    assert generations(world) == {2}
    assert world.notes("worker_died") == []


def test_candidates_that_fail_do_not_end_a_pool_that_lives() -> None:
    """Without a zygote and with bad code on disk the workers go on; tries become rare."""
    bad = Version(failure=("SyntaxError", 3))
    script = Script(versions=(Version(), *[bad] * 500), orders=((20.0, ZygoteMurder(0)),))
    world = tell(script).finish(2000)
    assert world.exit is None
    assert world.lowest == world.wanted
    starts = [world.when(each) for each in world.said(messages.StartGeneration)]
    assert starts[1] == 20.0
    assert 2000 / 31 < len(starts) < 2000 / 15


@pytest.mark.parametrize(("own", "code"), [(3, 3), (2, 2), (4, 4), (70, 4)])
def test_a_pool_without_workers_and_zygote_is_given_up(own: int, code: int) -> None:
    """Nothing left alive, ``generation_tries`` candidates failed: exit with the fitting code."""
    bad = Version(failure=("it is broken", own))
    murders = tuple((21.0 + n, Murder(0)) for n in range(2))
    script = Script(versions=(Version(), *[bad] * 99), orders=((20.0, ZygoteMurder(0)), *murders))
    world = tell(script, workers=1).finish(600)
    assert world.exit == messages.Exit(code, "it is broken")
    assert len(world.said(messages.StartGeneration)) == 1 + 5


def test_empty_seats_wait_for_a_generation_that_can_fork() -> None:
    """A worker that dies while there is no zygote is replaced by the next generation."""
    script = Script(orders=((20.0, ZygoteMurder(0)), (20.5, Murder(0))))
    world = tell(script).finish(200)
    assert world.strength() == world.wanted
    assert len(world.said(messages.StartGeneration)) == 2


def test_any_generation_reports() -> None:
    """Without a zygote of its own, a dead worker's task is reported by the candidate's."""
    script = Script(
        fates=(Fate(), Fate(end=End.IN_TASK, after=1.0)),
        plans=(Plan(waits=59), Plan(waits=19, lasts=9, timeout=None)),
        orders=((20.0, ZygoteMurder(0)),),
    )
    world = tell(script, workers=1).finish(200)
    assert len(world.notes("reported")) == 1

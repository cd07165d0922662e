"""The core's stories: new code that trips after it has taken over, and the way back."""

from __future__ import annotations

from typing import Any

import pytest

from supervisor import messages
from supervisor.core.generation import Generation
from supervisor.core.worker import Leave, Worker
from supervisor.messages import Role, Seat, Serve, TaskList
from supervisor.settings import Settings
from tests.fates import End, Fate, Murder, Order, Plan, Script, Version, ZygoteMurder
from tests.world import LISTS, World, tell

RESTART = messages.RestartAsked("SIGHUP")

DIES_LATER = Version(workers=(Fate(), Fate(), *[Fate(end=End.IN_POLL, after=1.0)] * 200))
"""Its canaries last; all the others die soon."""


def deploy(version: Version, *orders: tuple[float, Order], **chosen: Any) -> World:
    """A pool of four workers, restarted with this code at second 20."""
    script = Script(versions=(Version(), version), orders=((20.0, RESTART), *orders))
    return tell(script, **{"workers": 4, "intensity_deaths": 1, **chosen})


def retired(world: World, number: int) -> float:
    """When this generation's zygote was ended."""
    return world.when(messages.RetireGeneration(number))


def test_the_code_before_is_kept_for_a_while() -> None:
    """Its zygote outlives its workers until the probation is over."""
    world = deploy(Version(), probation=200.0).run(100)
    standings = [each.standing for each in world.core.status(100.0).generations]
    assert standings == ["previous", "current"]
    world.finish(600)
    promoted = world.when(world.notes("generation_current")[1])
    assert retired(world, 1) == promoted + 200.0
    assert world.strength() == world.wanted


def test_without_a_probation_nothing_is_kept() -> None:
    """The zygote goes with the last of its workers, and nothing returns."""
    world = deploy(DIES_LATER, probation=0.0).finish(200)
    assert world.notes("generation_returned") == []
    assert world.notes("list_degraded")


def test_code_that_trips_a_list_makes_room_for_the_code_before() -> None:
    """Workers that die again and again after the promotion: the old code serves again."""
    world = deploy(DIES_LATER).finish(600)
    (note,) = world.notes("generation_returned")
    assert (note.facts["generation"], note.facts["serving"]) == (2, 1)
    assert "died early again and again" in note.text
    assert "SIGSEGV" in note.text
    assert set(world.served_by().values()) == {1}
    assert world.strength() == world.wanted
    assert world.notes("full_strength")[-1].facts["generation"] == 1
    assert len(world.said(messages.StartGeneration)) == 2


def test_what_still_serves_leaves_only_for_a_ready_heir() -> None:
    """The tripped generation's last good worker stays until the old code's is there."""
    world = deploy(DIES_LATER).finish(600)
    returned = world.when(world.notes("generation_returned")[0])
    decider = next(
        each.worker
        for each in world.said(messages.Fork)
        if each.generation == 2
        and isinstance(each.job, Serve)
        and each.job.seat.task_list == LISTS[0]
    )
    assert world.when(messages.Terminate(decider)) > returned
    assert world.lowest[LISTS[0]] == 1


def test_a_zygote_that_is_lost_in_the_probation_is_a_trip() -> None:
    """The code before is at hand: nothing has to be imported."""
    world = deploy(Version(lost_after=12.0)).finish(600)
    assert len(world.notes("generation_returned")) == 1
    assert "the one before it returns" in world.notes("zygote_lost")[0].text
    assert set(world.served_by().values()) == {1}
    assert world.lowest == world.wanted
    assert len(world.said(messages.StartGeneration)) == 2


def test_after_the_probation_a_lost_zygote_is_replaced_by_the_code_on_disk() -> None:
    """Nothing returns any more: a new generation proves itself."""
    world = deploy(Version(lost_after=100.0)).finish(600)
    assert world.notes("generation_returned") == []
    assert set(world.served_by().values()) == {3}
    assert world.lowest == world.wanted


def test_without_the_old_zygote_there_is_no_way_back() -> None:
    """Who lost both goes on with the new code, and degraded as it is."""
    world = deploy(DIES_LATER, (27.0, ZygoteMurder(0))).finish(200)
    assert world.notes("generation_returned") == []
    assert world.notes("list_degraded")


def test_a_degraded_generation_is_nothing_to_return_to() -> None:
    """What could not keep its own workers is not given the seats of others."""
    bad = Version(workers=(Fate(), *[Fate(end=End.IN_POLL, after=4.0)] * 200))
    script = Script(versions=(bad, DIES_LATER), orders=((40.0, RESTART),))
    world = tell(script, workers=4, intensity_deaths=1).finish(300)
    assert len(world.notes("generation_current")) == 2
    assert world.notes("generation_returned") == []


def test_a_restart_in_the_probation_makes_the_one_that_serves_the_next_to_return_to() -> None:
    """Of three generations the second is returned to when the third trips."""
    script = Script(
        versions=(Version(), Version(), DIES_LATER), orders=((20.0, RESTART), (40.0, RESTART))
    )
    world = tell(script, workers=4, intensity_deaths=1).finish(600)
    (note,) = world.notes("generation_returned")
    assert (note.facts["generation"], note.facts["serving"]) == (3, 2)
    assert set(world.served_by().values()) == {2}
    assert messages.RetireGeneration(1) in world.said(messages.RetireGeneration)


def test_a_candidate_goes_on_when_the_current_one_trips() -> None:
    """The repaired code was on its way already: it takes over from the code before."""
    script = Script(
        versions=(Version(), DIES_LATER, Version(imports=60.0)),
        orders=((20.0, RESTART), (27.0, RESTART)),
    )
    world = tell(script, workers=4, intensity_deaths=1).finish(600)
    assert len(world.notes("generation_returned")) == 1
    assert set(world.served_by().values()) == {3}


def test_those_that_were_told_to_leave_do_not_hold_up_the_return() -> None:
    """Elders that end a long task sit beside their seats, and others take these at once."""
    tasks = (Plan(waits=1, lasts=900, timeout=2000),) * 5
    versions, orders = (Version(), Version(lost_after=20.0)), ((20.0, RESTART),)
    script = Script(plans=tasks, versions=versions, orders=orders)
    world = tell(script, workers=5, deciders=0).run(60)
    assert set(world.served_by().values()) == {1}
    assert world.strength() == world.wanted
    assert world.notes("worker_died") == []
    world.finish(1500)
    assert len(world.said(messages.Done)) == 5


def test_nothing_returns_while_the_program_leaves() -> None:
    """A drain ends everybody, whoever trips meanwhile."""
    drain = (29.0, messages.DrainAsked("SIGTERM"))
    world = deploy(Version(lost_after=12.0), drain, (30.0, ZygoteMurder(1))).finish(300)
    assert world.notes("generation_returned") == []
    assert world.exit == messages.Exit(0, "SIGTERM")


def test_the_outcome_of_the_last_deploy_is_kept() -> None:
    """For whoever asks later: which generation, how it ended, and why."""
    world = deploy(DIES_LATER).finish(600)
    told = world.core._state.deploy
    assert told is not None
    assert (told.generation, told.outcome.value) == (2, "returned")
    assert told.report == world.notes("generation_returned")[0].text


@pytest.mark.parametrize("seconds", [5.0, 300.0])
def test_lists_that_came_with_the_tripped_code_are_drained_again(seconds: float) -> None:
    """The code before has no seats for them: who serves them leaves at once."""
    more = TaskList("flow_more", Role.ACTIVITY, "more")
    version = Version(lists=(*LISTS, more), lost_after=8.0 + seconds)
    world = deploy(version, (21.0 + seconds, Murder(0)), probation=600.0).finish(900)
    assert len(world.notes("generation_returned")) == 1
    assert world.strength() == world.wanted


# --- whose seats they are -------------------------------------------------------------------------


def test_who_is_on_the_way_out_sits_beside_its_seat() -> None:
    """Seats are empty again, or their heirs'; nobody that leaves is tired of a seat any more."""
    generation = Generation(1, Settings(), 0.0)
    seats = [Seat(LISTS[1], n) for n in range(3)]
    leaves, tired, stays = (Worker(n, generation, Serve(seats[n])) for n in range(3))
    heir = Worker(3, generation, Serve(seats[1]))
    for worker in (leaves, tired, stays, heir):
        assert worker.seat
        generation.sit(worker, worker.seat)
    for worker in (tired, stays):
        generation.tire(worker)
    leaves.leave = tired.leave = Leave.TOLD
    generation.relieve_leavers()
    assert generation.seated == {seats[1]: heir, seats[2]: stays}
    assert generation.tired == {seats[2]: stays}
    assert generation.relieved == {leaves, tired}
    assert generation.heirs == {}

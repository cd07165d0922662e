"""The core's stories: deaths, and what SWF is told of them."""

from __future__ import annotations

import itertools
from math import inf
from typing import Any

import pytest

from supervisor import messages
from tests.fates import CRASHES_BOOTING, End, Fate, Murder, Plan, Script, Version
from tests.world import DECIDER, LISTS, RESIZE, tell

BAD_FOR_EVER = Version(workers=(CRASHES_BOOTING,), forever=True)


# --- seats ----------------------------------------------------------------------------------------


def test_the_seat_of_a_worker_that_had_lasted_is_filled_at_once() -> None:
    """Kill -9 of a good worker costs its seat no rest."""
    world = tell(Script(orders=((30.0, Murder(1)),))).finish(60)
    assert world.said(messages.Fork)[-1].worker == 5
    assert world.when(world.said(messages.Fork)[-1]) == 30.0
    assert "Its seat is filled at once." in world.deaths()[0]


def test_a_seat_that_rests_does_not_hold_up_another() -> None:
    """Rests belong to the seat: its neighbour of the same list is filled at once."""
    fates = (CRASHES_BOOTING, Fate(), *[CRASHES_BOOTING] * 5)
    script = Script(fates=fates, orders=((9.0, Murder(0)),))
    world = tell(script, workers=2, deciders=0).run(12)
    forks = [each for each in world.said(messages.Fork) if isinstance(each.job, messages.Serve)]
    assert [world.when(each) for each in forks if each.job == forks[1].job][1] == 9.0


def test_early_deaths_make_rests_grow() -> None:
    """The first crash while booting costs no rest; each after it a longer one, up to the cap."""
    world = tell(Script(versions=(BAD_FOR_EVER,)), workers=1, deciders=0, intensity_deaths=99)
    world.finish(300)
    at = [world.when(each) for each in world.said(messages.Fork)[1:]]
    rests = [after - before - 0.3125 for before, after in itertools.pairwise(at)]
    assert rests[0] == 0.0
    for n, rest in enumerate(rests[1:]):
        most = min(0.5 * 2**n, 30.0)
        assert most / 2 <= rest <= most


def test_a_worker_that_lasted_clears_its_seats_rests() -> None:
    """After a good time the count of early deaths begins anew."""
    fates = (CRASHES_BOOTING, CRASHES_BOOTING, Fate(end=End.IN_POLL, after=20.0), CRASHES_BOOTING)
    world = tell(Script(fates=fates), workers=1, deciders=0).finish(60)
    remedies = [str(each.facts["remedy"]) for each in world.notes("worker_died")]
    assert remedies[2] == "Its seat is filled at once."
    assert 0.2 <= float(remedies[1].split()[-2]) <= 0.5
    assert remedies[3] == "Its seat is filled at once."


def test_leaving_without_being_told_is_a_death() -> None:
    """Exit code 0 is no excuse: nobody had asked it to go."""
    world = tell(Script(fates=(Fate(end=End.IN_POLL, status=0),))).finish(60)
    assert len(world.deaths()) == 1
    assert "exited 0" in world.deaths()[0]
    assert world.strength() == world.wanted


def test_a_fork_that_fails_is_tried_again() -> None:
    """No process for a worker is like its death: noted, tried again, rested if it fails again."""
    world = tell(Script(fates=(Fate(forks=False), Fate(), Fate(forks=False)))).finish(60)
    assert "could not be forked: no process. Its seat is filled at once." in world.deaths()[0]
    assert world.strength() == world.wanted


# --- patience -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fate", "plan", "patience", "why"),
    [
        (Fate(boot=inf), Plan(), 30.0, "booting for 30 s"),
        (Fate(deaf=True), Plan(), 90.0, "its poll hung for 90 s"),
        (Fate(hangs=True), Plan(timeout=20.0), 50.0, "past its own timeout"),
    ],
)
def test_a_hung_worker_is_killed(fate: Fate, plan: Plan, patience: float, why: str) -> None:
    """Every stage has its patience; past it the worker is killed and its seat filled.

    Before the kill it is asked for its stacks, and has half a second to write them.
    """
    world = tell(Script(fates=(fate,), plans=(plan,)), workers=1, deciders=0).finish(200)
    since = [at for at, each in world.log if getattr(each, "worker", None) == 2]
    asked = world.when(messages.DumpStacks(2))
    assert asked - patience in since
    assert world.when(messages.Kill(2, why)) == asked + 0.5
    assert len(world.said(messages.Kill)) == 1
    assert world.strength() == world.wanted


def test_an_activity_without_timeout_may_take_for_ever() -> None:
    """Where SWF has no limit, we have none."""
    script = Script(fates=(Fate(hangs=True),), plans=(Plan(timeout=None),))
    world = tell(script, workers=1, deciders=0).finish(100_000)
    assert not world.said(messages.Kill)


def test_a_decision_may_not() -> None:
    """A hung decision is killed after ``decision_patience`` and reported, for SWF waits for it."""
    script = Script(fates=(Fate(hangs=True),), plans=(Plan(),))
    world = tell(script, workers=0).finish(1000)
    assert world.said(messages.Kill) == [messages.Kill(2, "past its own timeout")]
    assert [each.why for each in world.reports()] == [
        "WorkerDied: killed after 300 s, past its own timeout"
    ]


def test_who_is_not_given_back_counts_as_dead() -> None:
    """A killed worker that the kernel holds is noted, not killed again, and its seat filled."""
    world = tell(Script(fates=(Fate(boot=inf, stuck=1000.0),))).finish(500)
    assert len(world.said(messages.Kill)) == 1
    assert "the kernel holds it" in world.deaths()[0]
    assert world.strength() == world.wanted


# --- intensity ------------------------------------------------------------------------------------


def test_one_bad_list_is_degraded_and_the_others_go_on() -> None:
    """Workers of one list that keep dying cost the other list nothing."""
    fates = (Fate(), *[CRASHES_BOOTING] * 20)
    world = tell(Script(fates=fates)).run(60)
    (note,) = world.notes("list_degraded")
    assert note.facts["task_list"] == RESIZE.name
    assert world.strength() == {DECIDER: 1}
    assert [each.degraded for each in world.core.status(world.now).generations] == [(RESIZE.name,)]
    world.finish(300)
    assert world.strength() == world.wanted
    assert len(world.notes("list_recovered")) == 1
    assert world.core.status(world.now).generations[0].degraded == ()


def test_a_degraded_list_is_tried_at_the_longest_rest() -> None:
    """After the verdict no seat of the list rests less than half the cap."""
    world = tell(Script(fates=(Fate(), *[CRASHES_BOOTING] * 99))).finish(300)
    degraded = world.when(world.notes("list_degraded")[0])
    later = [each for at, each in world.log if at > degraded and isinstance(each, messages.Note)]
    remedies = [str(each.facts["remedy"]) for each in later if each.event == "worker_died"]
    assert remedies
    assert all(15 <= float(each.split()[3]) <= 30 for each in remedies)
    assert len(world.notes("list_degraded")) == 1


def test_when_every_list_is_degraded_the_program_gives_up() -> None:
    """No list can keep a worker: exit 4, and the last death's cause."""
    world = tell(Script(versions=(BAD_FOR_EVER,))).finish(600)
    assert world.exit is not None
    assert world.exit.code == 4
    assert "SIGSEGV" in world.exit.why


def test_a_list_that_is_not_degraded_keeps_the_program_alive() -> None:
    """Though its only worker has just died: it had lasted, and the next one is on its way."""
    script = Script(versions=(Version(cursed=(RESIZE,)),), orders=((60.0, Murder(0)),))
    world = tell(script, workers=1).finish(200)
    assert len(world.notes("list_degraded")) == 1
    assert world.exit is None
    assert world.strength() == {DECIDER: 1}


def test_a_ready_worker_keeps_the_program_alive() -> None:
    """While one worker of a degraded list is ready, nothing is given up."""
    world = tell(Script(fates=(Fate(), *[CRASHES_BOOTING] * 99)), deciders=0, intensity_deaths=1)
    world.finish(600)
    assert len(world.notes("list_degraded")) == 1
    assert world.exit is None
    assert world.strength() == {LISTS[1]: 1}


def test_that_a_list_has_recovered_is_told_once() -> None:
    """Of two workers that have lasted by the same turn, one speaks for the list."""
    script = Script(fates=(Fate(), *[CRASHES_BOOTING] * 4), lag=2.0)
    quick: dict[str, Any] = {"intensity_deaths": 1, "rest_initial": 0.25, "rest_cap": 0.25}
    world = tell(script, workers=2, **quick).finish(120)
    assert len(world.notes("list_degraded")) == len(world.notes("list_recovered")) == 1

"""The picture of the pool that a service manager gets."""

from __future__ import annotations

from supervisor import messages
from tests.fates import CRASHES_BOOTING, Fate, Murder, Plan, Script, Version, spooled
from tests.world import RESIZE, tell


def test_before_anything_serves_there_is_nothing_to_count() -> None:
    """No generation, nobody wanted, and not full."""
    seen = tell().core.service(0.0)
    assert (seen.generation, seen.wanted, seen.ready, seen.full) == (0, 0, 0, False)


def test_a_pool_at_full_strength() -> None:
    """Every seat is served, nobody works."""
    seen = tell().run(30).core.service(30.0)
    assert (seen.generation, seen.full, seen.changing) == (1, True, False)
    assert (seen.wanted, seen.ready, seen.working, seen.left) == (3, 3, 0, 3)
    assert (seen.owed, seen.in_time, seen.degraded, seen.leaving) == (0, False, (), None)


def test_a_seat_whose_worker_boots_is_not_served() -> None:
    """It is there, but not ready."""
    world = tell(Script(fates=(Fate(boot=20.0),))).run(10)
    seen = world.core.service(world.now)
    assert (seen.wanted, seen.ready, seen.left, seen.full) == (3, 2, 3, False)


def test_a_degraded_list_is_named_and_not_waited_for() -> None:
    """The other list is served: the service is up."""
    world = tell(Script(fates=(Fate(), *[CRASHES_BOOTING] * 20))).run(60)
    seen = world.core.service(world.now)
    assert (seen.full, seen.degraded) == (True, (RESIZE.name,))
    assert seen.ready < seen.wanted


def test_beside_an_older_generation_only_the_ready_count() -> None:
    """After a roll the one of before waits for a while; a seat whose worker boots is not served."""
    workers = (*[Fate()] * 3, Fate(boot=20.0))
    orders = ((10.0, messages.RestartAsked("HUP")), (150.0, Murder(0)))
    script = Script(versions=(Version(), Version(workers=workers)), orders=orders)
    world = tell(script, probation=300.0).run(155)
    seen = world.core.service(world.now)
    assert len(world.core.status(world.now).generations) == 2
    assert (seen.generation, seen.wanted, seen.ready, seen.left) == (2, 3, 2, 3)


def test_a_quiet_list_wants_nobody() -> None:
    """It is named, and the rest is full."""
    orders = ((10.0, messages.QuietAsked("people", RESIZE.name)),)
    world = tell(Script(orders=orders)).run(100)
    seen = world.core.service(world.now)
    assert (seen.quiet, seen.wanted, seen.ready, seen.full) == ((RESIZE.name,), 1, 1, True)


def test_tasks_in_hand_are_counted_and_judged_by_their_timeouts() -> None:
    """One with a timeout is in time until it is past it; one without never counts as such."""
    for timeout, in_time in ((60.0, True), (None, False)):
        plans = (Plan(waits=1.0, lasts=30.0, timeout=timeout),)
        world = tell(Script(plans=plans), deciders=0, workers=1).run(10)
        seen = world.core.service(world.now)
        assert (seen.working, seen.in_time) == (1, in_time)
        late = world.core.service(world.now + 1000.0)
        assert not late.in_time


def test_reports_that_are_owed_are_counted() -> None:
    """Also before anybody can make them."""
    world = tell(Script(spool=(spooled(1, messages.Complete("1")),))).run(0.5)
    assert world.core.service(world.now).owed == 1

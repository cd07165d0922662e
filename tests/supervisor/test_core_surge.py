"""The core's stories: what a rolling restart costs beside the pool."""

from __future__ import annotations

from typing import Any

import pytest

from supervisor import messages
from supervisor.messages import Seat, Serve
from supervisor.surges import Surge
from tests.fates import Murder, Plan, Script
from tests.world import RESIZE, World, tell

RESTART = (20.0, messages.RestartAsked("SIGHUP"))


def roll(surge: str, script: Script | None = None, **chosen: Any) -> World:
    """A pool of one decider and four workers that is restarted."""
    chosen = {"workers": 4, **chosen}
    return tell(script or Script(orders=(RESTART,)), surge=Surge(surge), **chosen)


def most_beside(world: World) -> int:
    """The most processes that served at once, less the seats."""
    serving, most = set[int](), 0
    for _, each in world.log:
        if isinstance(each, messages.Fork) and isinstance(each.job, Serve):
            serving.add(each.worker)
        if isinstance(each, messages.Exited | messages.ForkFailed):
            serving.discard(each.worker)
        most = max(most, len(serving))
    return most - sum(world.wanted.values())


@pytest.mark.parametrize(("surge", "beside"), [("100%", 5), ("2", 2), ("1", 2), ("60%", 3)])
def test_a_surge_bounds_what_a_restart_costs(surge: str, beside: int) -> None:
    """That many processes at most run beside the pool; two canaries, one a list, in any case."""
    world = roll(surge).finish(1000)
    assert set(world.served_by().values()) == {2}
    assert world.lowest == world.wanted
    assert most_beside(world) == beside


def test_with_a_small_surge_elders_leave_one_after_the_other() -> None:
    """An heir comes when an elder has gone: each waits for the end of a poll."""
    world = roll("1").finish(1000)
    told = sorted(world.when(each) for each in world.said(messages.Terminate))
    assert len(told) == 5
    assert told[-1] - told[0] > 2 * 30


def test_a_long_task_holds_room_and_nothing_else() -> None:
    """While an elder ends its task, the others are replaced with the room that is left."""
    plan = Plan(waits=1, lasts=900, timeout=2000)
    world = roll("2", Script(plans=(plan,), orders=(RESTART,)), deciders=0).run(700)
    assert set(world.served_by().values()) == {2}
    assert world.lowest == world.wanted
    assert len(world.said(messages.Done)) == 0
    world.finish(1000)
    assert len(world.said(messages.Done)) == 1


def test_a_seat_that_nobody_serves_does_not_wait_for_room() -> None:
    """Who died in the middle of a restart is replaced at once, whatever there is beside."""
    tasks = (Plan(waits=1, lasts=900, timeout=2000),) * 4
    murders = tuple((40.0, Murder(n)) for n in range(2))
    world = roll("1", Script(plans=tasks, orders=(RESTART, *murders)), deciders=0).run(41)
    assert world.strength() == world.wanted


def test_a_new_restart_waits_for_no_elder_with_its_canaries() -> None:
    """Room bounds the heirs; whether the newest code is any good is found out at once."""
    tasks = (Plan(waits=1, lasts=900, timeout=2000),) * 4
    again = (60.0, messages.RestartAsked("SIGHUP"))
    world = roll("1", Script(plans=tasks, orders=(RESTART, again)), deciders=0).run(75)
    assert len(world.notes("generation_current")) == 3


def test_a_canary_does_not_stand_in_for_who_died() -> None:
    """It may be given up any moment: the worker of the code that serves is replaced at once."""
    orders = (RESTART, (24.0, Murder(1)))
    world = roll("1", Script(orders=orders)).run(25)
    replaced = [each for each in world.said(messages.Fork) if world.when(each) == 24.0]
    assert [(each.generation, each.job) for each in replaced] == [(1, Serve(Seat(RESIZE, 0)))]

"""Scenarios of the surge: the processes that a rolling restart runs beside the pool."""

from __future__ import annotations

from typing import Any

import pytest

from supervisor.config.setting_types import Surge
from supervisor.ipc import messages
from supervisor.ipc.messages import Serve, Slot
from tests.supervisor.simulation.scenarios import KillWorker, Scenario, TaskPlan
from tests.supervisor.simulation.world import ALL_POLL, RESIZE, World, simulate

RESTART = (20.0, messages.RestartRequested("SIGHUP"))


def roll(surge: str, scenario: Scenario | None = None, **chosen: Any) -> World:
    """A pool of one decider and four workers that is restarted."""
    chosen = {"workers": 4, **chosen}
    return simulate(scenario or Scenario(timeline=(RESTART,)), surge=Surge(surge), **chosen)


def most_beside(world: World) -> int:
    """The most workers that served at once, less the slots."""
    serving, most = set[int](), 0
    for _, each in world.log:
        if isinstance(each, messages.Fork) and isinstance(each.job, Serve):
            serving.add(each.worker)
        if isinstance(each, messages.Exited | messages.ForkFailed):
            serving.discard(each.worker)
        most = max(most, len(serving))
    return most - sum(world.desired.values())


@pytest.mark.parametrize(("surge", "beside"), [("100%", 5), ("2", 2), ("1", 2), ("60%", 3)])
def test_a_surge_bounds_the_processes_beside_the_pool(surge: str, beside: int) -> None:
    """At most that many; the two canaries, one a list, come in any case."""
    world = roll(surge).finish(1000)
    assert set(world.served_by().values()) == {2}
    assert world.lowest == world.desired
    assert most_beside(world) == beside


def test_with_a_small_surge_retiring_workers_leave_in_turn() -> None:
    """A replacement starts when a retiring worker has gone: each waits for the end of a poll."""
    world = roll("1", **ALL_POLL).finish(1000)
    asked_at = sorted(world.when(each) for each in world.logged(messages.Terminate))
    assert len(asked_at) == 5
    assert asked_at[-1] - asked_at[0] > 2 * 30


def test_a_long_task_takes_room_and_nothing_else() -> None:
    """While a retiring worker ends its task, the others are replaced with the room that is left."""
    task_plan = TaskPlan(waits=1, lasts=900, timeout=2000)
    world = roll("2", Scenario(tasks=(task_plan,), timeline=(RESTART,)), deciders=0).run(700)
    assert set(world.served_by().values()) == {2}
    assert world.lowest == world.desired
    assert len(world.logged(messages.Done)) == 0
    world.finish(1000)
    assert len(world.logged(messages.Done)) == 1


def test_a_slot_without_a_worker_does_not_wait_for_room() -> None:
    """A worker that dies during a restart is replaced at once, whatever is beside the pool."""
    tasks = (TaskPlan(waits=1, lasts=900, timeout=2000),) * 4
    kills = tuple((40.0, KillWorker(n)) for n in range(2))
    world = roll("1", Scenario(tasks=tasks, timeline=(RESTART, *kills)), deciders=0).run(41)
    assert world.strength() == world.desired


def test_canaries_of_a_new_restart_wait_for_no_room() -> None:
    """The surge bounds replacements; whether the newest code is good shows at once."""
    tasks = (TaskPlan(waits=1, lasts=900, timeout=2000),) * 4
    again = (60.0, messages.RestartRequested("SIGHUP"))
    world = roll("1", Scenario(tasks=tasks, timeline=(RESTART, again)), deciders=0).run(75)
    assert len(world.notes("generation_active")) == 3


def test_a_canary_is_no_substitute_for_a_dead_worker() -> None:
    """It may be given up any moment, so the worker of the active generation is replaced at once."""
    timeline = (RESTART, (24.0, KillWorker(1)))
    world = roll("1", Scenario(timeline=timeline)).run(25)
    replaced = [each for each in world.logged(messages.Fork) if world.when(each) == 24.0]
    assert [(each.generation, each.job) for each in replaced] == [
        (1, Serve(Slot(RESIZE, 0), needs_permit=True))
    ]

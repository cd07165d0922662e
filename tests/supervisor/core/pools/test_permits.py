"""Permits in simulated time: who polls, who is parked, and what a change of either costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from supervisor.config.setting_types import PollBounds
from supervisor.core.pools.poll_limit import PROBES
from supervisor.ipc import messages
from supervisor.ipc.messages import PollEnd, Serve
from tests.supervisor.simulation.scenarios import (
    LONG_POLL,
    KillWorker,
    OutsideEvent,
    Scenario,
    TaskPlan,
    Version,
    WorkerPlan,
)
from tests.supervisor.simulation.world import ALL_POLL, LANDS, RESIZE, World, simulate

if TYPE_CHECKING:
    from tests.supervisor.simulation.swf_list import SwfList

WORKERS = 16
MANY = {"workers": WORKERS, "deciders": 0}
READY = 10.0
"""A moment at which all workers are ready."""

RESTART = messages.RestartRequested("SIGHUP")


def arriving(*arrivals: float, lasts: float = 1.0, **chosen: Any) -> World:
    """A pool of sixteen workers, and tasks that arrive at these moments."""
    scenario = Scenario(arrivals=arrivals, lasts=lasts, **chosen)
    return simulate(scenario, **MANY)


def idle(*timeline: tuple[float, OutsideEvent], **chosen: Any) -> World:
    """A pool of sixteen workers without a task, all ready."""
    return simulate(Scenario(arrivals=(), timeline=timeline), **{**MANY, **chosen}).run(READY)


def swf(world: World) -> SwfList:
    """The list at SWF."""
    assert world.swf_list
    return world.swf_list


def polling(world: World) -> int:
    """Polls that are open."""
    return swf(world).open_polls


def parked(world: World) -> int:
    """The parked workers of the activity's list."""
    return sum(each.parked for each in world.core.pool() if each.task_list == RESIZE)


def allowed(world: World) -> int | None:
    """The limit of the activity's list."""
    return next(each.polls for each in world.core.pool() if each.task_list == RESIZE)


# --- idle and busy --------------------------------------------------------------------------------


def test_of_an_idle_list_one_worker_polls() -> None:
    """Each long poll is followed by one other; the parked workers count as ready."""
    world = idle()
    assert (polling(world), parked(world), allowed(world)) == (1, WORKERS - 1, 1)
    assert world.strength() == {RESIZE: WORKERS}
    assert world.notes("full_strength")
    world.run(READY + 10 * LONG_POLL)
    assert swf(world).polls <= 12


def test_a_task_now_and_then_needs_one_poll_each() -> None:
    """A parked worker polls while the other one works; both never do."""
    world = arriving(*range(20, 320, 10), lasts=2.0).run(330)
    assert swf(world).polls <= 32
    assert max(swf(world).waits) == 0.0
    assert polling(world) == allowed(world) == 1


def test_the_tasks_of_a_burst_all_begin_within_ten_round_trips() -> None:
    """A round trip is a poll's, and the message of the permit."""
    world = arriving(*[20.0] * WORKERS, lasts=30.0).run(25)
    assert len(swf(world).waits) == WORKERS
    assert max(swf(world).waits) <= 10 * (LANDS + 1 / 32)


def test_after_a_burst_the_list_is_idle_again_within_two_polls() -> None:
    """The empty polls halve the limit, and one of sixteen goes on."""
    world = arriving(*[20.0] * WORKERS).run(20 + 2 * LONG_POLL + 5)
    assert polling(world) == allowed(world) == 1


def test_under_load_permits_cost_no_message() -> None:
    """Where tasks wait, a worker that ends its task polls again at once, unasked."""
    world = arriving(*[20.0] * 2000).run(40)
    before = [len(world.logged(each)) for each in (messages.GrantPermit, messages.WithdrawPermit)]
    done = len(world.logged(messages.Done))
    world.run(100)
    after = [len(world.logged(each)) for each in (messages.GrantPermit, messages.WithdrawPermit)]
    assert after == before
    assert len(world.logged(messages.Done)) - done > 50 * WORKERS
    assert all(not each.parked for each in world.logged(messages.Done)[-1000:])


def test_without_permits_every_idle_worker_polls() -> None:
    """``--polls all``: a worker polls from its start, and sends what it always sent."""
    world = idle(**ALL_POLL)
    assert parked(world) == 0
    assert allowed(world) is None
    assert not world.logged(messages.Parked)
    assert not world.logged(messages.GrantPermit)


@pytest.mark.parametrize(("bounds", "at_rest", "at_most"), [("3..5", 3, 5), ("2..2", 2, 2)])
def test_bounds_hold_at_rest_and_in_a_burst(bounds: str, at_rest: int, at_most: int) -> None:
    """Of a list with ``--polls LIST=MIN..MAX`` MIN idle workers poll, and never more than MAX."""
    scenario = Scenario(arrivals=(30.0,) * 200)
    world = simulate(scenario, polls={"resize": PollBounds.parse(bounds)}, **MANY).run(READY)
    assert polling(world) == at_rest
    for tenths in range(300, 600):
        world.run(tenths / 10)
        assert polling(world) <= at_most
    assert allowed(world) == at_most


# --- workers that come and go ---------------------------------------------------------------------


def test_the_death_of_the_poller_wakes_another() -> None:
    """A list is not left without a poll for longer than a message takes."""
    world = idle()
    for _ in range(5):
        (poller,) = [each for each in world.core.status(world.now).workers if _polls(each)]
        world.processes[poller.worker].die(-9)
        world.run(world.now + 3 * LANDS)
        assert polling(world) == 1
        assert poller.worker not in world.processes or not world.processes[poller.worker].alive


def _polls(worker: messages.WorkerStatus) -> bool:
    return worker.stage == "polling"


def test_a_worker_that_does_not_wake_is_replaced() -> None:
    """Its permit ends with it: the list waits no longer than a worker may take to boot."""
    plans = (*[WorkerPlan()] * (WORKERS - 1), WorkerPlan(wakes=False))
    world = simulate(Scenario(workers=plans, arrivals=(READY,)), **MANY).finish(200)
    assert len(swf(world).waits) == 1
    assert swf(world).waits[0] <= world.settings.boot_timeout + 2
    assert polling(world) == 1


def test_a_drain_waits_for_one_poll_a_list() -> None:
    """The parked workers leave at once, and SWF sees one poll end."""
    world = idle((20.0, messages.DrainRequested("SIGTERM")))
    world.run(21)
    assert sum(each.alive for each in world.processes.values()) == 1
    world.finish(200)
    assert world.exit
    assert world.exit.code == 0


def test_a_quiet_list_is_not_polled_and_a_resumed_one_is() -> None:
    """The poll that is open is the last; a resumed list has its poller a boot later."""
    quiet, resume = messages.QuietRequested("people"), messages.ResumeRequested("people")
    world = idle((20.0, quiet), (100.0, resume)).run(99)
    assert polling(world) == 0
    world.run(101)
    assert (polling(world), parked(world)) == (1, WORKERS - 1)


def test_a_smaller_pool_gives_up_parked_workers() -> None:
    """The one that polls would take a minute to leave, so it stays."""
    world = idle((20.0, messages.ScaleRequested("people", "resize", 1))).run(21)
    assert (polling(world), parked(world)) == (1, 0)
    assert world.core.pool()[-1].leaving == 0


def test_a_canary_polls_beside_the_limit() -> None:
    """New code has to prove itself on a list where one worker is enough."""
    versions = (Version(), Version(imports=1.0))
    world = simulate(
        Scenario(arrivals=(), versions=versions, timeline=((20.0, RESTART),)), **MANY
    ).run(24)
    assert world.core.status(world.now).generations[-1].status == "candidate"
    assert polling(world) == 2


def test_a_restart_leaves_one_poller_of_the_new_code() -> None:
    """Retiring workers lose their permits; the last of them ends with its poll."""
    world = idle((20.0, RESTART)).run(20 + LONG_POLL + 10)
    assert set(world.served_by().values()) == {2}
    assert (polling(world), parked(world)) == (1, WORKERS - 1)
    assert world.lowest == {RESIZE: WORKERS}


# --- polls that fail ------------------------------------------------------------------------------


def failing(end: PollEnd, polls: int, **chosen: Any) -> World:
    """A pool whose first polls end so."""
    plans = [TaskPlan(waits=0.25, poll_end=end)] * polls
    return simulate(Scenario(tasks=tuple(plans), **chosen), **MANY)


def test_in_an_outage_one_worker_probes() -> None:
    """The others are parked, and cost nothing; its waits grow to the longest."""
    world = failing(PollEnd.FAILED, 10_000).run(READY + 200)
    probes = len(world.logged(messages.GrantPermit))
    assert 200 / (PROBES.cap + 1) <= probes <= 30 + 200 / (PROBES.cap / 2)
    assert parked(world) >= WORKERS - 1


def test_a_list_is_served_within_five_seconds_of_the_end_of_an_outage() -> None:
    """However long it took: the last wait is no longer than the longest."""
    world = failing(PollEnd.FAILED, 40)
    failures: list[float] = []
    while len(failures) < 40:
        world.run(world.now + 1)
        failures = [at for at, each in world.log if _has_failed(each)]
    world.run(world.now + 6)
    granted = [at for at, each in world.log if isinstance(each, messages.GrantPermit)]
    assert granted[-1] - failures[-1] <= 5.0
    assert len([each for each in world.core.status(world.now).workers if _polls(each)]) == 1


def _has_failed(each: object) -> bool:
    return isinstance(each, messages.Parked) and each.end is PollEnd.FAILED


def test_a_fleet_comes_back_from_an_outage_neither_at_once_nor_in_step() -> None:
    """Eight hosts of 25 workers, each host with its own chance: a budget of 31 polls and 3.1 a
    second, which all workers together would exceed seven times, is never used up.
    """
    end = READY + 60
    scenario = Scenario(arrivals=(), outage=(READY, end))
    fleet = [
        simulate(scenario, workers=25, deciders=0, jitter_seed=seed).run(end + 3 * LONG_POLL)
        for seed in range(8)
    ]
    later = sorted(at for each in fleet for at in swf(each).polled_at if at >= end)
    assert len([at for at in later if at <= end + 5]) == 8
    assert len(later) <= 8 * 4
    assert max(sum(at <= each < at + 1 for each in later) for at in later) <= 6


def test_tasks_that_wait_for_the_end_of_an_outage_all_begin_within_seconds() -> None:
    """The first probe that succeeds finds the backlog, and the limit doubles from there."""
    end = READY + 60
    world = arriving(*[READY + 30] * WORKERS, outage=(READY, end), lasts=60.0).run(end + 6)
    assert not swf(world).tasks
    assert max(swf(world).waits) <= 30 + PROBES.cap + 10 * (LANDS + 1 / 32)


def test_a_refused_poll_costs_no_wait_while_others_poll() -> None:
    """Sixteen workers, four polls allowed by SWF: the fifth is refused, and the four go on."""
    scenario = Scenario(
        tasks=(
            *[TaskPlan(waits=0.0, lasts=1.0)] * 40,
            TaskPlan(waits=0.0, poll_end=PollEnd.LIMITED),
        )
    )
    world = simulate(scenario, **MANY).run(READY + 20)
    limited = [each for each in world.logged(messages.Parked) if each.end is PollEnd.LIMITED]
    assert len(limited) == 1
    assert world.core.next_deadline() > world.now + 1


def test_kills_in_an_outage_leave_a_prober() -> None:
    """Any worker may die: one probes when the wait is over."""
    kills = tuple((15.0 + n, KillWorker(n)) for n in range(20))
    world = failing(PollEnd.FAILED, 10_000, timeline=kills).run(100)
    later = [at for at, each in world.log if isinstance(each, messages.GrantPermit) and at > 80]
    assert later


def test_every_worker_of_the_list_needs_a_permit_and_deciders_do_not() -> None:
    """A decider polls from its start."""
    world = simulate(workers=2, deciders=1).run(READY)
    jobs = [each.job for each in world.logged(messages.Fork)]
    needs = {each.slot: each.needs_permit for each in jobs if isinstance(each, Serve)}
    assert sorted((slot.task_list.role, needed) for slot, needed in needs.items()) == [
        ("activity", True),
        ("activity", True),
        ("decider", False),
    ]

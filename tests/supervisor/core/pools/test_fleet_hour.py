"""An hour of a small fleet in virtual time: rush, outages, deploy, reclaimed hosts, crashes."""

from __future__ import annotations

import math

import pytest

from supervisor.child.jobs.throttle_wait import THROTTLED_SECONDS
from supervisor.config.setting_types import HistorySource, PoolBounds
from supervisor.core.pools.poll_limit import PROBES
from tests.benchmarks import fleet_day
from tests.benchmarks.fleet_day import ONE_HOUR
from tests.benchmarks.fleet_model.account import COUNT, DECISION_COUNT, HEARTBEAT, HISTORY, POLL
from tests.benchmarks.fleet_model.fleet import Fleet
from tests.benchmarks.fleet_model.host import MESSAGE
from tests.benchmarks.fleet_model.task_list import TRIP, ListPlan

pytestmark = pytest.mark.slow

HOSTS = 4
"""Fiftieth of a fleet, with a fiftieth of the account's budgets."""

WORKED_OFF = ONE_HOUR.rush[1] + 120
"""The end of the rush, which wants four fifths of the budgets and has an outage in it."""


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    """The fleet after its hour; one list is scaled."""
    scale = {"bill": PoolBounds.parse("1..7")}
    return fleet_day.simulate(ONE_HOUR, HOSTS, scale=scale, scale_interval=60.0)


def test_no_task_is_lost(fleet: Fleet) -> None:
    """Each one that SWF gave out is answered in time; only SWF's own outage outlasts heartbeats."""
    assert fleet.arrived > 1000
    assert fleet.repeated > 0
    assert not fleet.lost
    assert fleet.completed == fleet.arrived
    assert not fleet.open


def test_a_list_with_an_idle_worker_is_polled(fleet: Fleet) -> None:
    """A message's time apart, and the waits after failed polls."""
    assert 0 < fleet.longest_bare <= 2 * MESSAGE


def test_the_budgets_last_outside_of_the_rush(fleet: Fleet) -> None:
    """An outage, a deploy, bursts and reclaimed hosts make no call that SWF refuses."""
    refused = {
        second for second in fleet.account.refused[POLL] if fleet.account.refused[POLL][second]
    }
    assert all(ONE_HOUR.rush[0] <= each < WORKED_OFF for each in refused)
    for operation in (HEARTBEAT, COUNT, DECISION_COUNT):
        assert not sum(fleet.account.refused[operation].values())


def test_a_task_waits_for_no_permit(fleet: Fleet) -> None:
    """Outside of rush and outages, 99 of 100 tasks are begun at once; a burst waits for workers."""
    waits = sorted(fleet_day.calm_waits(fleet, ONE_HOUR))
    assert waits[len(waits) * 9 // 10] <= PROBES.first


def test_hosts_that_are_reclaimed_or_deployed_end_well(fleet: Fleet) -> None:
    """The drain is over before the instance; tasks that are cut short make the exit code 1."""
    assert sum(fleet.exits.values()) == round(HOSTS * 0.3)
    assert set(fleet.exits) <= {0, 1}


@pytest.mark.parametrize(("hosts", "workers", "pollers"), [(2, 24, 16), (6, 8, 3), (20, 4, 5)])
def test_a_list_that_takes_few_polls_is_served_by_all_workers(
    hosts: int, workers: int, pollers: int
) -> None:
    """SWF refuses most of the hosts a poll, also where it takes fewer than there are hosts; still
    a hundred tasks of two seconds take little longer than the workers need for them.
    """
    plan = ListPlan("one", lasts=2, timeout=600, heartbeat_timeout=600, share=1, workers=workers)
    fleet = Fleet(hosts, [plan], pollers=pollers, gate_replay=HistorySource("off"))
    fleet.time.run(200.0)
    for _ in range(100):
        fleet.arrive(plan, 2.0)
    fleet.time.run(200.0 + 2.0 * math.ceil(100 / (hosts * workers)) + PROBES.cap)
    fleet.finish()
    assert fleet.completed == 100
    assert fleet.longest_bare <= 2 * MESSAGE


def test_the_canary_of_a_list_that_takes_no_more_polls_is_patient() -> None:
    """It polls beside the limit, but every few seconds: SWF refuses it until another poll ends."""
    plan = ListPlan("one", lasts=2, timeout=600, heartbeat_timeout=600, share=1, workers=4)
    fleet = Fleet(1, [plan], pollers=1, gate_replay=HistorySource("off"))
    fleet.time.run(200.0)
    before = fleet.account.calls[POLL].total()
    fleet.restart(0, 1)
    fleet.time.run(300.0)
    assert fleet.hosts[0].core.launch() == "ready"
    assert fleet.account.calls[POLL].total() - before < 50


def test_a_burst_begins_within_ten_round_trips() -> None:
    """The rule takes five of them for 64 workers; what a real burst takes beyond that is CPU."""
    plan = ListPlan("one", lasts=30, timeout=600, heartbeat_timeout=600, share=1, workers=64)
    fleet = Fleet(1, [plan], gate_replay=HistorySource("off"))
    fleet.time.run(200.0)
    for _ in range(64):
        fleet.arrive(plan, 30.0)
    fleet.time.run(210.0)
    waits = fleet.lists["one"].waits
    assert len(waits) == 64
    assert max(waits) + TRIP <= 6 * (TRIP + 2 * MESSAGE)


def test_hosts_that_start_in_the_same_second_all_start() -> None:
    """They share the calls that list types and read histories; each waits, and none gives up."""
    fleet = fleet_day.start_at_once(10)
    assert fleet.is_ready
    assert sum(fleet.account.refused[HISTORY].values()) > 0
    assert not fleet.exits
    assert fleet.time.now < THROTTLED_SECONDS

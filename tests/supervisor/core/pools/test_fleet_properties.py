"""Properties of a fleet in virtual time: permits and heartbeats of hosts, in any deaths."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supervisor.config.setting_types import HistorySource
from supervisor.core.pools.poll_limit import THROTTLED
from tests.benchmarks.fleet_model.fleet import Fleet
from tests.benchmarks.fleet_model.host import MESSAGE
from tests.benchmarks.fleet_model.processes import GHOST, MOMENT
from tests.benchmarks.fleet_model.task_list import ListPlan

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.slow

HOSTS, WORKERS = 3, 4
LISTS = [
    ListPlan("short", 3, 600, 600, 0.5, WORKERS),
    ListPlan("long", 60, 600, 30, 0.5, WORKERS),
]
LENGTH = 400.0
"""Seconds in which things happen; as many follow in which the tasks are worked off."""

MOMENTS = st.floats(20.0, LENGTH)

HAPPENINGS = st.one_of(
    st.tuples(MOMENTS, st.just("kill"), st.integers(0, 40)),
    st.tuples(MOMENTS, st.just("restart"), st.just(0)),
    st.tuples(MOMENTS, st.just("reclaim"), st.just(0)),
)


def happening(fleet: Fleet, what: str, number: int) -> Callable[[], object]:
    """The call that makes it happen, to a host that is chosen then."""

    def happen() -> None:
        if not fleet.hosts:
            return
        host = fleet.hosts[number % len(fleet.hosts)]
        if what == "kill":
            host.kill(number // HOSTS)
        elif what == "restart":
            fleet.restart(0, 1)
        else:
            fleet.reclaim(1, 120.0)

    return happen


@settings(max_examples=10, deadline=None)
@given(
    st.lists(HAPPENINGS, max_size=12),
    st.lists(st.tuples(st.floats(0.0, LENGTH), st.integers(0, 1)), max_size=60),
    st.sampled_from([0.005, 0.02, 1.0]),
    st.integers(1, 30),
    st.integers(0, 1000),
)
def test_whichever_worker_dies_each_task_is_done_and_each_list_is_polled(
    happenings: list[tuple[float, str, int]],
    arrivals: list[tuple[float, int]],
    share: float,
    pollers: int,
    seed: int,
) -> None:
    """Also with a two-hundredth of the budgets, and on a list that takes one poll: no task is lost
    but those that SWF gave to a poller in the moment of its death, and none waits for ever.
    """
    fleet = Fleet(
        HOSTS,
        LISTS,
        share=share,
        pollers=pollers,
        seed=seed,
        gate_replay=HistorySource("off"),
    )
    for at, which in arrivals:
        plan = LISTS[which]
        fleet.time.later(at, fleet.arrive, plan, plan.lasts)
    for at, what, number in happenings:
        fleet.time.later(at, happening(fleet, what, number))
    fleet.time.run(2 * LENGTH + len(arrivals) * (2 * LISTS[1].lasts + THROTTLED.cap) / HOSTS)
    fleet.finish()
    assert set(fleet.lost) <= {GHOST}
    assert fleet.completed == fleet.arrived - fleet.lost[GHOST]
    assert fleet.longest_bare <= MOMENT + 2 * MESSAGE  # the kernel reports a death, too

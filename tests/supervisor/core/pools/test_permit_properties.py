"""Properties of permits in every scenario, beside the invariants: no task is left waiting."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from supervisor.config.setting_types import PollBounds
from supervisor.core.pools.poll_limit import PROBES
from supervisor.ipc import messages
from tests.supervisor.simulation.property_tests import ENOUGH, NEVER_GIVES_UP, many
from tests.supervisor.simulation.scenarios import (
    KillWorker,
    KillZygote,
    Scenario,
    Version,
    operator_requests,
    quarters,
    scenarios,
)
from tests.supervisor.simulation.swf_list import TRIP
from tests.supervisor.simulation.world import LANDS, RESIZE, World, simulate

pytestmark = pytest.mark.slow

ROUND_TRIPS = 10
"""Within so many all tasks of a burst begin, if there are workers for them."""

BURST = (60.0,) * 12
QUIET_AND_BACK = (
    (59.75, messages.QuietRequested("people")),
    (60.0, messages.ResumeRequested("people")),
)


NEVER_STARTS = Scenario(
    versions=(Version(), Version(imports=inf)), timeline=((0.0, KillZygote(0)),)
)
"""The first zygote is killed, and the code that the next one finds does not come to an end."""


def served(scenario: Scenario, arrivals: list[float], workers: int, **chosen: object) -> World:
    """The world after tasks that arrived while this happened, with workers that do wake and poll.

    A worker that hangs holds up its list until its deadline, whatever permits do.
    """
    plans = tuple(replace(each, poll_hangs=False, wakes=True) for each in scenario.workers)
    versions = tuple(
        replace(
            each,
            workers=tuple(replace(plan, poll_hangs=False, wakes=True) for plan in each.workers),
        )
        for each in scenario.versions
    )
    scenario = replace(scenario, workers=plans, versions=versions, arrivals=tuple(arrivals))
    settings = {"workers": workers, "deciders": 0, **NEVER_GIVES_UP, **chosen}
    return simulate(scenario, **settings).finish(ENOUGH)


def is_served(world: World) -> bool:
    """Whether the list is to have workers: code that cannot be imported ends a first start."""
    return world.exit is None and bool(world.desired.get(RESIZE))


@many
@given(
    scenarios(more=operator_requests()),
    st.lists(quarters(5, 300), max_size=20),
    st.integers(1, 8),
    st.sampled_from(["1..100", "2..3", "1..1"]),
)
@example(Scenario(timeline=((60.0, KillWorker(0)),)), list(BURST), 8, "1..100")
@example(Scenario(timeline=QUIET_AND_BACK), list(BURST), 8, "1..100")
@example(NEVER_STARTS, [5.0], 1, "1..100")
@example(Scenario(timeline=((60.0, messages.RestartRequested("HUP")),)), list(BURST), 8, "1..100")
def test_no_task_waits_beside_a_parked_worker(
    scenario: Scenario, arrivals: list[float], workers: int, bounds: str
) -> None:
    """Any worker may die, retire, be scaled away or go quiet: a task is begun, or all are busy."""
    polls = {"resize": PollBounds.parse(bounds)}
    world = served(scenario, arrivals, workers, polls=polls)
    assert world.swf_list
    trip = LANDS + TRIP + 2 * scenario.lag
    rounds = ROUND_TRIPS if bounds == "1..100" else len(arrivals) + ROUND_TRIPS
    assert world.swf_list.longest_neglect <= rounds * trip
    if is_served(world):
        assert not world.swf_list.tasks


@many
@given(
    scenarios(more=operator_requests()),
    st.lists(quarters(5, 300), max_size=20),
    quarters(5, 300),
    quarters(0.25, 100),
)
def test_no_outage_outlasts_itself(
    scenario: Scenario, arrivals: list[float], begins: float, lasts: float
) -> None:
    """Whatever else happens, the list is polled within five seconds of its end."""
    scenario = replace(scenario, outage=(begins, begins + lasts), lag=0.0)
    world = served(scenario, arrivals, 4)
    assert world.swf_list
    waited = ROUND_TRIPS * (LANDS + TRIP)
    assert world.swf_list.longest_neglect <= lasts + PROBES.cap + waited
    if is_served(world):
        assert not world.swf_list.tasks


@many
@given(scenarios(more=operator_requests()), st.lists(quarters(5, 300), max_size=20))
def test_an_idle_list_ends_with_one_poll(scenario: Scenario, arrivals: list[float]) -> None:
    """In the end one worker of the list polls, and every other one is parked."""
    world = served(scenario, arrivals, 4)
    assert world.swf_list
    for each in world.core.pool():
        if each.task_list == RESIZE and each.desired:
            assert world.swf_list.open_polls == each.polls == 1
            assert each.parked == each.desired - 1

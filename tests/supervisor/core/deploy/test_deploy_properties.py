"""Properties of every deploy, whatever the new code does and whatever else happens."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from math import inf
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from supervisor.config.setting_types import HistorySource, Surge
from supervisor.ipc import messages
from supervisor.ipc.messages import Serve
from tests.supervisor.simulation.property_tests import ENOUGH, many
from tests.supervisor.simulation.scenarios import (
    End,
    KillWorker,
    Scenario,
    TaskPlan,
    Timeline,
    Version,
    WorkerPlan,
    faults,
    quarters,
    restart_settings,
    scenarios,
    task_plans,
    timelines,
)
from tests.supervisor.simulation.world import World, simulate

pytestmark = pytest.mark.slow

surges = st.sampled_from(["1", "2", "40%", "100%"]).map(Surge)

SOON = 0.75
"""Seconds in which a dead worker is replaced: a fork and a boot, and some to spare."""

FEW = 10
"""Early deaths after which a candidate is given up, and more than the program ever has in a row."""

strict = st.fixed_dictionaries(
    {
        "surge": surges,
        "probation": st.sampled_from([0.0, 10.0, 60.0, 300.0]),
        "gate_replay": st.sampled_from([HistorySource("off"), HistorySource("last:5")]),
        "crash_loop_deaths": st.integers(1, 3),
        "min_failed_tasks": st.integers(1, 3),
    }
)
"""Settings with which new code fails at the least fault."""

harmless = st.sampled_from(
    [
        Version(),
        Version(imports=inf),
        Version(failure=("SyntaxError", 3)),
        Version(refusal=("no such domain", 2)),
        Version(non_deterministic=True),
        Version(workers=(WorkerPlan(end=End.IN_BOOT),), repeats=True),
        Version(workers=(WorkerPlan(boot=inf),), repeats=True),
        Version(workers=(WorkerPlan(fails=True),), repeats=True),
    ]
) | st.builds(Version, lost_after=quarters(0, 120))
"""New code, good or bad, whose workers do not die once they have lasted."""


def restarts(times: list[float]) -> Timeline:
    """A restart at each of these times."""
    return tuple((each, messages.RestartRequested("SIGHUP")) for each in sorted(times))


def requested_at(world: World) -> list[float]:
    """The moments at which a restart was requested."""
    return [at for at, each in world.log if isinstance(each, messages.RestartRequested)]


@many
@given(scenarios(leaving=True), st.integers(1, 5), strict)
def test_no_deploy_breaks_an_invariant(
    scenario: Scenario, workers: int, chosen: dict[str, Any]
) -> None:
    """With settings that fail new code at the least fault, deaths and signals break no
    invariant.
    """
    simulate(scenario, workers=workers, **chosen).finish(ENOUGH)


@many
@given(
    st.lists(harmless, max_size=4),
    st.lists(quarters(10, 300), max_size=4),
    st.lists(task_plans(too_big_at=False), max_size=8),
    st.integers(1, 6),
    strict,
)
def test_a_deploy_never_costs_strength(
    others: list[Version],
    times: list[float],
    tasks: list[TaskPlan],
    workers: int,
    chosen: dict[str, Any],
) -> None:
    """No list ever has fewer ready workers than desired, whichever generation starts, fails or
    returns.
    """
    in_time = tuple(replace(each, timeout=60.0) for each in tasks)
    scenario = Scenario(versions=(Version(), *others), tasks=in_time, timeline=restarts(times))
    world = simulate(scenario, workers=workers, **chosen).finish(ENOUGH)
    assert world.lowest == world.desired
    assert world.notes("list_degraded") == []


@many
@given(st.lists(quarters(10, 300), max_size=4), st.integers(1, 8), st.integers(0, 3), surges)
def test_beside_the_pool_are_the_surge_and_the_canaries(
    times: list[float], workers: int, deciders: int, surge: Surge
) -> None:
    """Beside the pool are never more processes than the surge and the canaries of each restart."""
    world = simulate(
        Scenario(timeline=restarts(times)), workers=workers, deciders=deciders, surge=surge
    )
    world.finish(ENOUGH)
    slots = sum(world.desired.values())
    alive, most = 0, 0
    for _, each in world.log:
        alive += isinstance(each, messages.Fork) and isinstance(each.job, Serve)
        alive -= isinstance(each, messages.Exited) and has_slot(world, each.worker)
        most = max(most, alive - slots)
    restarted = len(world.logged(messages.StartGeneration)) - 1
    assert most <= surge.of(slots) + len(world.desired) * restarted


def has_slot(world: World, worker: int) -> bool:
    """Whether a worker had a slot."""
    forks = world.logged(messages.Fork)
    return any(each.worker == worker and isinstance(each.job, Serve) for each in forks)


@many
@given(
    quarters(0, 59), quarters(20, 80), surges, st.lists(task_plans(too_big_at=False), max_size=8)
)
def test_a_zygote_lost_in_probation_leads_to_a_rollback(
    after: float, at: float, surge: Surge, tasks: list[TaskPlan]
) -> None:
    """At any moment of the probation, without a dip; before it the candidate is only given up."""
    in_time = tuple(replace(each, timeout=60.0) for each in tasks)
    versions = (Version(), Version(lost_after=after))
    scenario = Scenario(versions=versions, tasks=in_time, timeline=restarts([at]))
    world = simulate(scenario, workers=4, surge=surge).finish(ENOUGH)
    outcomes = world.notes("generation_rolled_back") + world.notes("generation_failed")
    assert [each.facts["generation"] for each in outcomes] == [2]
    assert set(world.served_by().values()) == {1}
    assert world.lowest == world.desired


@many
@given(st.lists(quarters(2, 300), min_size=1, max_size=8))
def test_a_requested_restart_is_remembered_once(times: list[float]) -> None:
    """The last active code was imported after the last request, and no request makes two
    restarts.
    """
    world = simulate(Scenario(timeline=restarts(times))).finish(ENOUGH)
    started = [world.when(each) for each in world.logged(messages.StartGeneration)]
    assert started[-1] >= max(times)
    assert len(started) <= 1 + len(times)
    assert set(world.served_by().values()) == {len(started)}
    assert len(world.notes("generation_active")) == len(started)


@many
@given(st.lists(st.tuples(quarters(10, 300), restart_settings()), max_size=3), surges)
def test_the_settings_are_those_of_the_active_generation(
    reloads: list[tuple[float, Any]], surge: Surge
) -> None:
    """After any number of reloads the sizes are the last ones that could be served."""
    in_time = sorted(reloads, key=lambda each: each[0])
    timeline = tuple((at, messages.RestartRequested("SIGHUP", new)) for at, new in in_time)
    world = simulate(Scenario(timeline=timeline), surge=surge).finish(ENOUGH)
    serving = set(world.served_by().values())
    assert serving == {world.checker.active}
    assert world.core._state.settings == world.checker.settings_of[world.checker.active]
    assert world.strength() == world.desired


@many
@given(
    st.lists(harmless, min_size=1, max_size=3),
    timelines(faults(FEW), 6),
    st.integers(1, 4),
    strict,
)
def test_after_any_deploys_and_kills_one_generation_serves_every_slot(
    others: list[Version], timeline: Timeline, workers: int, chosen: dict[str, Any]
) -> None:
    """After deaths, restarts and new settings in any order, all slots have the same code."""
    chosen = {**chosen, "crash_loop_deaths": FEW}
    late = tuple((20.0 + at, each) for at, each in timeline)
    scenario = Scenario(versions=(Version(), *others), timeline=late)
    world = simulate(scenario, workers=workers, **chosen).finish(ENOUGH)
    assert world.exit is None
    assert world.strength() == world.desired
    assert len(set(world.served_by().values())) == 1


@many
@given(
    st.lists(quarters(10, 200), min_size=1, max_size=3),
    st.lists(st.tuples(quarters(10, 300), st.integers(0, 9)), max_size=4),
    st.integers(2, 6),
    surges,
)
@example([10.0], [(10.0, 0), (10.0 + SOON, 0)], 2, Surge("1"))  # killed at the moment of the look
def test_a_worker_killed_in_a_restart_is_replaced_at_once(
    times: list[float], kills: list[tuple[float, int]], workers: int, surge: Surge
) -> None:
    """Soon after the last of some kills the pool is full, whatever room the surge leaves."""
    killed = tuple((at, KillWorker(nth)) for at, nth in kills)
    timeline = tuple(sorted((*restarts(times), *killed), key=lambda each: each[0]))
    world = simulate(Scenario(timeline=timeline), workers=workers, surge=surge, min_uptime=0.25)
    moments = sorted({at for at, _ in kills})
    for at, following in pairwise([*moments, inf]):
        if following - at <= SOON:
            continue
        world.run(at + SOON)
        assert all(world.strength()[each] >= n for each, n in world.desired.items()), at
    world.finish(ENOUGH)

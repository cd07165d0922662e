"""What must hold in every deploy, whatever becomes of the new code and in whatever order."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from math import inf
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from supervisor import messages
from supervisor.histories import Histories
from supervisor.messages import Serve
from supervisor.surges import Surge
from tests.fates import (
    End,
    Fate,
    Murder,
    Orders,
    Plan,
    Script,
    Version,
    orders,
    plans,
    quarters,
    scripts,
    settings,
    troubles,
)
from tests.stories import ENOUGH, many
from tests.world import World, tell

surges = st.sampled_from(["1", "2", "40%", "100%"]).map(Surge)

SOON = 0.75
"""Seconds in which a dead worker is replaced: a fork and a boot, and some to spare."""

trigger_happy = st.fixed_dictionaries(
    {
        "surge": surges,
        "probation": st.sampled_from([0.0, 10.0, 60.0, 300.0]),
        "gate_replay": st.sampled_from([None, Histories("last:5")]),
        "intensity_deaths": st.integers(0, 2),
        "trial_failures": st.integers(1, 3),
        "trial_deviations": st.sampled_from([0.25, 3.0]),
    }
)
"""Settings with which new code trips at the least fault."""

harmless = st.sampled_from(
    [
        Version(),
        Version(imports=inf),
        Version(failure=("SyntaxError", 3)),
        Version(refusal=("no such domain", 2)),
        Version(contradicts=True),
        Version(workers=(Fate(end=End.IN_BOOT),), forever=True),
        Version(workers=(Fate(boot=inf),), forever=True),
        Version(workers=(Fate(fails=True),), forever=True),
    ]
) | st.builds(Version, lost_after=quarters(0, 120))
"""New code, good or bad, whose workers do not die once they have lasted."""


def restarts(times: list[float]) -> Orders:
    """A restart at each of these times."""
    return tuple((each, messages.RestartAsked("SIGHUP")) for each in sorted(times))


def asked(world: World) -> list[float]:
    """When a restart was asked for."""
    return [at for at, each in world.log if isinstance(each, messages.RestartAsked)]


@many
@given(scripts(leaving=True), st.integers(1, 5), trigger_happy)
def test_no_deploy_breaks_a_law(script: Script, workers: int, chosen: dict[str, Any]) -> None:
    """With code that trips at the least, in any order of deaths and signals, no law is broken."""
    tell(script, workers=workers, **chosen).finish(ENOUGH)


@many
@given(
    st.lists(harmless, max_size=4),
    st.lists(quarters(10, 300), max_size=4),
    st.lists(plans(swells=False), max_size=8),
    st.integers(1, 6),
    trigger_happy,
)
def test_a_deploy_never_costs_strength(
    others: list[Version],
    times: list[float],
    tasks: list[Plan],
    workers: int,
    chosen: dict[str, Any],
) -> None:
    """No list ever has fewer ready workers than it should, whoever comes, trips or returns."""
    in_time = tuple(replace(each, timeout=60.0) for each in tasks)
    script = Script(versions=(Version(), *others), plans=in_time, orders=restarts(times))
    world = tell(script, workers=workers, **chosen).finish(ENOUGH)
    assert world.lowest == world.wanted
    assert world.notes("list_degraded") == []


@many
@given(st.lists(quarters(10, 300), max_size=4), st.integers(1, 8), st.integers(0, 3), surges)
def test_beside_the_pool_are_the_surge_and_the_canaries(
    times: list[float], workers: int, deciders: int, surge: Surge
) -> None:
    """Canaries of each restart, that is: with them there are never more processes than that."""
    world = tell(Script(orders=restarts(times)), workers=workers, deciders=deciders, surge=surge)
    world.finish(ENOUGH)
    seats = sum(world.wanted.values())
    alive, most = 0, 0
    for _, each in world.log:
        alive += isinstance(each, messages.Fork) and isinstance(each.job, Serve)
        alive -= isinstance(each, messages.Exited) and serves(world, each.worker)
        most = max(most, alive - seats)
    restarted = len(world.said(messages.StartGeneration)) - 1
    assert most <= surge.of(seats) + len(world.wanted) * restarted


def serves(world: World, worker: int) -> bool:
    """Whether a worker had a seat."""
    forks = world.said(messages.Fork)
    return any(each.worker == worker and isinstance(each.job, Serve) for each in forks)


@many
@given(quarters(0, 59), quarters(20, 80), surges, st.lists(plans(swells=False), max_size=8))
def test_what_trips_in_its_probation_is_returned_from(
    after: float, at: float, surge: Surge, tasks: list[Plan]
) -> None:
    """At any moment of it, and without a dip; before it the candidate is only given up."""
    in_time = tuple(replace(each, timeout=60.0) for each in tasks)
    versions = (Version(), Version(lost_after=after))
    script = Script(versions=versions, plans=in_time, orders=restarts([at]))
    world = tell(script, workers=4, surge=surge).finish(ENOUGH)
    outcomes = world.notes("generation_returned") + world.notes("generation_abandoned")
    assert [each.facts["generation"] for each in outcomes] == [2]
    assert set(world.served_by().values()) == {1}
    assert world.lowest == world.wanted


@many
@given(st.lists(quarters(2, 300), min_size=1, max_size=8))
def test_a_restart_is_remembered_and_only_once(times: list[float]) -> None:
    """The code that serves in the end was imported after the last wish, and no wish is two."""
    world = tell(Script(orders=restarts(times))).finish(ENOUGH)
    started = [world.when(each) for each in world.said(messages.StartGeneration)]
    assert started[-1] >= max(times)
    assert len(started) <= 1 + len(times)
    assert set(world.served_by().values()) == {len(started)}
    assert len(world.notes("generation_current")) == len(started)


@many
@given(st.lists(st.tuples(quarters(10, 300), settings()), max_size=3), surges)
def test_the_settings_in_force_are_those_of_the_code_that_serves(
    reloads: list[tuple[float, Any]], surge: Surge
) -> None:
    """After any number of reloads the sizes are the last ones that could be served."""
    in_time = sorted(reloads, key=lambda each: each[0])
    told = tuple((at, messages.RestartAsked("SIGHUP", new)) for at, new in in_time)
    world = tell(Script(orders=told), surge=surge).finish(ENOUGH)
    serving = set(world.served_by().values())
    assert serving == {world.judge.current}
    assert world.core._state.settings == world.judge.chosen[world.judge.current]
    assert world.strength() == world.wanted


@many
@given(
    st.lists(harmless, min_size=1, max_size=3),
    orders(troubles(), 6),
    st.integers(1, 4),
    trigger_happy,
)
def test_after_any_deploys_and_murders_one_generation_serves_every_seat(
    others: list[Version], told: Orders, workers: int, chosen: dict[str, Any]
) -> None:
    """Deaths, restarts and new settings in any order: in the end all seats have the same code."""
    chosen = {**chosen, "intensity_deaths": 999, "generation_tries": 999}
    late = tuple((20.0 + at, each) for at, each in told)
    script = Script(versions=(Version(), *others), orders=late)
    world = tell(script, workers=workers, **chosen).finish(ENOUGH)
    assert world.exit is None
    assert world.strength() == world.wanted
    assert len(set(world.served_by().values())) == 1


@many
@given(
    st.lists(quarters(10, 200), min_size=1, max_size=3),
    st.lists(st.tuples(quarters(10, 300), st.integers(0, 9)), max_size=4),
    st.integers(2, 6),
    surges,
)
@example([10.0], [(10.0, 0), (10.0 + SOON, 0)], 2, Surge("1"))  # killed at the moment of the look
def test_who_is_killed_in_a_restart_is_replaced_at_once(
    times: list[float], murders: list[tuple[float, int]], workers: int, surge: Surge
) -> None:
    """Soon after the last of some murders the pool is whole, whatever room the surge leaves."""
    killed = tuple((at, Murder(nth)) for at, nth in murders)
    told = tuple(sorted((*restarts(times), *killed), key=lambda each: each[0]))
    world = tell(Script(orders=told), workers=workers, surge=surge, lasting=0.25)
    moments = sorted({at for at, _ in murders})
    for at, following in pairwise([*moments, inf]):
        if following - at <= SOON:
            continue
        world.run(at + SOON)
        assert all(world.strength()[each] >= n for each, n in world.wanted.items()), at
    world.finish(ENOUGH)

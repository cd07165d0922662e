"""Property tests: the number and length of their scenarios, and the end that all must reach."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import settings

from tests.supervisor.simulation.world import simulate

if TYPE_CHECKING:
    from tests.supervisor.simulation.scenarios import Scenario
    from tests.supervisor.simulation.world import World

ENOUGH = 1500.0
"""Seconds after which every fault of a generated scenario is over: five minutes of outside events,
then the longest deadline (a decision's) and the longest waits, some times."""

NEVER_GIVES_UP = {"crash_loop_deaths": 999}
"""Settings with which the program never gives up."""

# A scenario takes milliseconds, and the invariants need many.
many = settings(max_examples=100)


def run_until_healed(scenario: Scenario, workers: int, deciders: int) -> World:
    """The world after a scenario whose outside events begin when the first generation is active.

    All desired slots have a ready worker of one generation: whatever happened, it is over. So every
    task has a timeout: one without an end may take the room of the surge for ever.
    """
    timeline = tuple((20.0 + at, each) for at, each in scenario.timeline)
    tasks = tuple(replace(each, timeout=each.timeout or 60.0) for each in scenario.tasks)
    scenario = replace(scenario, timeline=timeline, tasks=tasks)
    world = simulate(scenario, workers=workers, deciders=deciders, **NEVER_GIVES_UP).finish(ENOUGH)
    assert world.exit is None
    assert world.strength() == world.desired
    assert len(set(world.served_by().values())) <= 1
    return world

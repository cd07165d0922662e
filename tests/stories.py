"""How many stories a property is tried on, for how long each is told, and how it ends well."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import settings

from tests.world import tell

if TYPE_CHECKING:
    from tests.fates import Script
    from tests.world import World

ENOUGH = 1500.0
"""Seconds after which every fault of a generated story is over: five minutes of orders, then the
longest patience (a decision's) and the longest rests, some times."""

PATIENT = {"intensity_deaths": 999, "generation_tries": 999}
"""Settings with which the program never gives up."""

# A story takes milliseconds, and the laws need many.
many = settings(max_examples=100)


def healed(script: Script, workers: int, deciders: int) -> World:
    """The world after a story whose orders begin when the first generation serves.

    All seats that are wanted are served, by one generation: whatever happened, it is over.
    """
    script = replace(script, orders=tuple((20.0 + at, each) for at, each in script.orders))
    world = tell(script, workers=workers, deciders=deciders, **PATIENT).finish(ENOUGH)
    assert world.exit is None
    assert world.strength() == world.wanted
    assert len(set(world.served_by().values())) <= 1
    return world

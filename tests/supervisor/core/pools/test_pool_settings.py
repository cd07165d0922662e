"""Sizes of pools by the settings: retired code."""

from __future__ import annotations

from typing import Any

import pytest

from supervisor.config.settings import Settings
from supervisor.core.pools.pool_settings import NothingToServe, pool_sizes
from tests.supervisor.simulation.world import DECIDER, RESIZE


@pytest.mark.parametrize(
    ("chosen", "sizes"),
    [
        ({}, {DECIDER: 1, RESIZE: 0}),
        ({"workers": 4, "deciders": 3}, {DECIDER: 1, RESIZE: 0}),
        ({"pools": {"resize": 2}}, {DECIDER: 1, RESIZE: 2}),
        ({"deciders": 0, "pools": {"resize": 1}}, {DECIDER: 0, RESIZE: 1}),
        ({"served_list": ("flow",)}, {DECIDER: 1, RESIZE: 1}),
        ({"served_list": ("flow", "flow_resize")}, {DECIDER: 1, RESIZE: 0}),
        ({"served_list": ("flow", "resize"), "workers": 4}, {DECIDER: 1, RESIZE: 0}),
        ({"served_list": ("flow", "other"), "deciders": 0}, {DECIDER: 0, RESIZE: 1}),
    ],
)
def test_retired_code_has_one_decider_and_one_worker_for_each_list_of_its_own(
    chosen: dict[str, Any], sizes: dict[Any, int]
) -> None:
    """Its own are the lists that are not named as served; without those, the ones of --pool."""
    settings = Settings(flow="flow", retired=True, **chosen)
    assert pool_sizes(settings, (DECIDER, RESIZE)) == sizes


def test_retired_code_without_a_list_of_its_own_may_end() -> None:
    """On a host without deciders, if newer code has all its lists."""
    served = ("flow", "flow_resize")
    settings = Settings(flow="flow", retired=True, deciders=0, served_list=served)
    with pytest.raises(NothingToServe, match="serves every list"):
        pool_sizes(settings, (DECIDER, RESIZE))

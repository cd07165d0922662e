"""A fleet's demand of the account's budgets, as ``--check --hosts`` prints it."""

from __future__ import annotations

import re
from math import inf
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from garcon.activity import heartbeat_pace
from garcon.local.engine import throttle
from supervisor.cli import fleet_demand
from supervisor.cli.fleet_demand import Demand, ListLoad, demands, shortest_tasks
from supervisor.sidecars import count_pace

ROOT = Path(__file__).parents[3]

DECIDER = ListLoad("flow", decides=True, workers=2, pollers=1, own_lists=2)
RESIZE = ListLoad(
    "flow_resize", decides=False, workers=64, pollers=64, heartbeat_timeout=60.0, counted=True
)


def of(found: list[Demand], what: str) -> Demand:
    """The demand of this name."""
    (one,) = (each for each in found if each.what == what)
    return one


def test_the_figures_are_those_of_swf_and_of_the_rules() -> None:
    """Budgets as the local SWF has them, intervals as workers keep them."""
    budgets = throttle.ACCOUNT
    assert budgets["PollForActivityTask"].refill == fleet_demand.POLLS
    assert budgets["PollForDecisionTask"].refill == fleet_demand.POLLS
    assert budgets["RespondActivityTaskCompleted"].refill == fleet_demand.ANSWERS
    assert budgets["RecordActivityTaskHeartbeat"].refill == fleet_demand.HEARTBEATS
    assert budgets["CountPendingActivityTasks"].refill == fleet_demand.COUNTS
    assert count_pace.FLEET_RATE == fleet_demand.COUNT_RATE
    pace = heartbeat_pace
    assert (pace.EARLIEST + pace.LATEST) / 2 == fleet_demand.INTERVAL
    assert (pace.THROTTLED_EARLIEST + pace.THROTTLED_LATEST) / 2 == fleet_demand.THROTTLED_INTERVAL


def test_each_budget_has_its_demand() -> None:
    """200 hosts with 64 workers that all poll, and two sticky deciders of which one does."""
    found = demands(200, [DECIDER, RESIZE])
    assert round(of(found, "activity polls, idle").amount, 1) == 213.3
    assert of(found, "activity polls, idle").carried(200) == 187
    assert of(found, "decision polls, idle").amount == 10.0
    assert of(found, "open polls of flow_resize").carried(200) == 15
    assert round(of(found, "heartbeats, all busy").amount, 1) == 341.3
    assert round(of(found, "the same, throttled").share, 2) == 1.52
    assert of(found, "counts of backlogs").carried(200) == inf
    assert shortest_tasks(200, [DECIDER, RESIZE]) == 64.0


def test_lists_without_workers_demand_nothing() -> None:
    """Nor does a fleet without lists."""
    none = ListLoad("flow_resize", decides=False, workers=0, pollers=0, counted=True)
    for lists in ([none], []):
        assert sum(each.amount for each in demands(200, lists)) == 0.0


@given(st.integers(1, 5_000), st.integers(1, 64), st.floats(1.0, 86_400.0))
def test_so_many_hosts_are_carried_as_fit_the_budget(
    hosts: int, workers: int, timeout: float
) -> None:
    """That number fits, and one more does not."""
    lists = [ListLoad("a", False, workers, workers, heartbeat_timeout=timeout)]  # noqa: FBT003 - a record
    for number, each in enumerate(demands(hosts, lists)):
        carried = each.carried(hosts)
        if carried < 1 or carried == inf:
            continue
        fits, beyond = (demands(int(carried) + more, lists)[number].share for more in (0, 1))
        assert fits <= 1.0 + 1e-9
        assert beyond > 1.0 - 1e-9


def test_the_tables_of_the_guide_are_computed() -> None:
    """``docs/fleet.md`` shows what these functions give."""
    page = (ROOT / "docs" / "fleet.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) s \| ([\d,]+) \| ([\d,]+) \|", page, re.MULTILINE)
    assert len(rows) == 5
    for seconds, *shown in rows:
        lists = [ListLoad("a", False, 1, 1, heartbeat_timeout=float(seconds))]  # noqa: FBT003 - a record
        found = demands(1_000_000, lists)
        kinds = ("heartbeats, all busy", "the same, throttled")
        carried = [round(of(found, kind).carried(1_000_000)) for kind in kinds]
        assert [f"{each:,}" for each in carried] == shown

"""A day of a fleet in virtual time: 200 hosts of 64 workers on ten lists, in one account.

``python -m tests.benchmarks.fleet_day [--hosts 200] [--hour | --start] [--polls-all]``

The hosts are the product's cores (``fleet_model``). The day has a rush hour with an outage in it,
an outage at night, a rolling deploy, a wave of reclaimed hosts, bursts and crashes. Printed are the
calls a second beside the account's budgets, what became of the tasks, and how long they waited.
The budgets of a smaller fleet are smaller by as much. ``--hour`` has all of it in an hour,
``--start`` is the start of all hosts within a second.
"""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from supervisor.config.setting_types import ALL, PollBounds, PoolBounds
from tests.benchmarks import measuring
from tests.benchmarks.fleet_model.account import (
    COMPLETE,
    COUNT,
    DECIDE,
    DECISION_COUNT,
    DECISION_POLL,
    FAIL,
    HEARTBEAT,
    HISTORY,
    LIST_OPEN,
    POLL,
    TYPES,
)
from tests.benchmarks.fleet_model.fleet import Fleet, lasts_of, offer
from tests.benchmarks.fleet_model.task_list import ListPlan

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.benchmarks.fleet_model.account import Account

HOSTS = 200
"""Hosts whose budgets are those of an account."""

HOUR = 3600.0

LISTS = (
    # name, seconds of a task, timeout, heartbeat timeout, share of the tasks, workers of a host
    ListPlan("thumb", 2, 600, 600, 0.03, 7),
    ListPlan("index", 5, 600, 600, 0.10, 7),
    ListPlan("mail", 10, 600, 600, 0.10, 7),
    ListPlan("bill", 20, 600, 600, 0.10, 7),
    ListPlan("scale", 30, 600, 60, 0.20, 6),
    ListPlan("pack", 30, 600, 60, 0.20, 6),
    ListPlan("scan", 60, 1200, 30, 0.10, 6),
    ListPlan("sign", 60, 1200, 30, 0.10, 6),
    ListPlan("merge", 120, 3600, 600, 0.05, 6),
    ListPlan("render", 300, 3600, 600, 0.02, 6),
)

NIGHT, DAY, RUSH = 2.0, 8.0, 160.0
"""Tasks a second that arrive at 200 hosts."""

LONGEST_START = 600.0
"""Seconds after which a start is given up."""

INTERVAL = 300.0
"""Seconds from one turn of a counted list to the next. More often, and the cores of the model take
more time for turns without a count than for the tasks; the counts a second stay the same."""

AFTERMATH = 1800.0
"""Seconds after a rush in which its tasks are worked off."""

NOTICE = 120.0
"""Seconds from spot's notice to the end of the host."""


@dataclass(frozen=True)
class Plan:
    """The schedule of a run, in seconds.

    Attributes:
        length: Of the whole run.
        rush: When most tasks come.
        outages: When SWF is not reached.
        deploy: The first host's restart; a tenth of the fleet follows every ``step``.
        reclaim: When three hosts of ten get two minutes of notice.
        burst_every: Seconds from one burst to the next, each a task for every worker of a list.
        crash_every: Seconds from one crash of a worker to the next, on average.
    """

    length: float
    rush: tuple[float, float]
    outages: tuple[tuple[float, float], ...]
    deploy: float
    reclaim: float
    step: float = 120.0
    burst_every: float = HOUR
    crash_every: float = 120.0


WHOLE_DAY = Plan(
    length=24 * HOUR,
    rush=(12 * HOUR, 12.33 * HOUR),
    outages=((4 * HOUR, 4 * HOUR + 45), (12 * HOUR + 300, 12 * HOUR + 600)),
    deploy=15 * HOUR,
    reclaim=18 * HOUR,
)

ONE_HOUR = Plan(
    length=HOUR,
    rush=(900, 1200),
    outages=((400, 445), (1000, 1060)),
    deploy=1900,
    reclaim=2900,
    step=60.0,
    burst_every=600.0,
)


def rate(plan: Plan, share: float, now: float) -> float:
    """Tasks a second that arrive at this time."""
    if plan.rush[0] <= now < plan.rush[1]:
        return RUSH * share
    sun = max(0.0, math.sin(2 * math.pi * (now / (24 * HOUR) - 0.25)))
    return (NIGHT + (DAY - NIGHT) * sun) * share


def simulate(
    plan: Plan,
    hosts: int = HOSTS,
    lists: Sequence[ListPlan] = LISTS,
    seed: int = 0,
    **chosen: Any,
) -> Fleet:
    """The fleet after its day."""
    share = hosts / HOSTS
    fleet = Fleet(
        hosts,
        lists,
        share=share,
        pollers=round(1000 * share),
        outages=plan.outages,
        seed=seed,
        **chosen,
    )
    offer(fleet, lambda now: rate(plan, share, now), RUSH * share, plan.length - HOUR / 6)
    _plan_bursts(fleet, plan)
    _plan_deploy(fleet, plan)
    fleet.time.later(plan.reclaim, fleet.reclaim, round(hosts * 0.3), NOTICE)
    _plan_crashes(fleet, plan.crash_every, plan.length)
    fleet.time.run(plan.length)
    fleet.finish()
    return fleet


def start_at_once(hosts: int, seed: int = 0) -> Fleet:
    """The fleet whose hosts all started in the same second, when the last one serves."""
    fleet = Fleet(hosts, LISTS, share=hosts / HOSTS, started=1.0, seed=seed)
    while not fleet.is_ready and fleet.time.now < LONGEST_START:
        fleet.time.run(fleet.time.now + 1)
    return fleet


def _plan_bursts(fleet: Fleet, plan: Plan) -> None:
    """One list after the other gets a task for each of its workers."""
    plans = list(fleet.plans.values())
    for number in range(1, int(plan.length / plan.burst_every)):
        each = plans[number % len(plans)]
        for _ in range(fleet.size * each.workers):
            lasts = lasts_of(each, fleet.random)
            fleet.time.later(number * plan.burst_every, fleet.arrive, each, lasts)


def _plan_deploy(fleet: Fleet, plan: Plan) -> None:
    """New code on a tenth of the hosts after the other."""
    tenth = max(1, fleet.size // 10)
    for number in range(math.ceil(fleet.size / tenth)):
        fleet.time.later(plan.deploy + number * plan.step, fleet.restart, number * tenth, tenth)


def _plan_crashes(fleet: Fleet, every: float, until: float) -> None:
    def crash() -> None:
        host = fleet.random.choice(fleet.hosts)
        fleet.crashes += host.crash_one()
        if fleet.time.now < until:
            fleet.time.later(fleet.random.expovariate(1 / every), crash)

    fleet.time.later(every, crash)


# --- figures --------------------------------------------------------------------------------------


def calls_row(account: Account, operation: str, length: float) -> list[str]:
    """One line of the table of calls."""
    calls, refused = account.calls[operation], account.refused[operation]
    total, minutes = sum(calls.values()), minute_peak(account, operation)
    return [
        operation,
        f"{total / length:.2f}",
        f"{minutes:.1f}",
        str(max(calls.values(), default=0)),
        f"{account.rates[operation].refill:g} ({account.rates[operation].size:g})",
        f"{sum(refused.values())} ({sum(refused.values()) / max(1, total):.1%})",
    ]


def minute_peak(account: Account, operation: str) -> float:
    """Calls a second in the minute with most of them."""
    minutes: dict[int, int] = {}
    for second, number in account.calls[operation].items():
        minutes[second // 60] = minutes.get(second // 60, 0) + number
    return max(minutes.values(), default=0) / 60


def calm_waits(fleet: Fleet, plan: Plan) -> list[float]:
    """The waits of activities that arrived neither in an outage or rush, nor soon after it."""
    busy = [*plan.outages, (plan.rush[0], plan.rush[1] + AFTERMATH)]
    return [
        wait
        for each in fleet.lists.values()
        for arrived, wait in zip(each.arrivals, each.waits, strict=True)
        if not any(begin <= arrived < end for begin, end in busy)
    ]


def waits_row(name: str, waits: Iterable[float]) -> list[str]:
    """One line of the table of waiting times."""
    all_of_them = sorted(waits) or [0.0]
    number = len(all_of_them)
    figures = (all_of_them[number // 2], all_of_them[int(number * 0.99)], all_of_them[-1])
    return [name, str(number), *(f"{each:.2f} s" for each in figures)]


def report(fleet: Fleet, plan: Plan) -> str:
    """All figures of a run."""
    operations = (POLL, DECISION_POLL, COMPLETE, FAIL, DECIDE, HEARTBEAT, COUNT, DECISION_COUNT)
    head = ["calls", "mean a second", "highest minute", "highest second", "budget (bucket)"]
    rows = [[*head, "refused"]]
    starts = (*TYPES, LIST_OPEN, HISTORY)
    rows += [calls_row(fleet.account, each, plan.length) for each in (*operations, *starts)]
    waits = [["waits", "tasks", "median", "p99", "longest"]]
    waits.append(waits_row("outside of rush and outages", calm_waits(fleet, plan)))
    waits += [waits_row(each.name, each.waits) for each in (*fleet.lists.values(), fleet.decisions)]
    return "\n\n".join((measuring.table(rows), measuring.table(waits), *outcomes(fleet)))


def outcomes(fleet: Fleet) -> tuple[str, ...]:
    """Sentences about tasks and hosts."""
    lost = ", ".join(f"{number} by {why}" for why, number in fleet.lost.items()) or "0"
    done = f"tasks: {fleet.arrived} arrived, {fleet.completed} completed"
    left = f"{fleet.repeated} reported and repeated, {len(fleet.open)} in progress at the end"
    bare = f"an idle list without a poll: {fleet.longest_bare * 1e3:.0f} ms at most"
    return (
        f"{done}, {left}",
        f"lost: {lost}; ended by their heartbeat timeout within an outage: {fleet.lost_in_outage}",
        f"crashes of workers: {fleet.crashes}; exits of hosts by code: {dict(fleet.exits)}",
        f"{bare}, outages and their backoff aside",
    )


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=HOSTS)
    parser.add_argument("--hour", action="store_true", help="one hour with all of it")
    parser.add_argument("--start", action="store_true", help="the start of all hosts at once")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--polls-all", action="store_true", help="every idle worker polls")
    asked = parser.parse_args()
    if asked.start:
        fleet = start_at_once(asked.hosts, asked.seed)
        refused = {name: sum(each.values()) for name, each in fleet.account.refused.items()}
        print(f"all serve after {fleet.time.now:.0f} s; hosts that failed: {fleet.exits.total()}")
        print(f"calls refused: {refused}")
        return
    plan = ONE_HOUR if asked.hour else WHOLE_DAY
    chosen: dict[str, Any] = {
        "scale": {"bill": PoolBounds.parse("1..7")},
        "scale_interval": INTERVAL,
    }
    if asked.polls_all:
        chosen["polls"] = {ALL: PollBounds(ALL)}
    began = time.process_time()
    fleet = simulate(plan, asked.hosts, seed=asked.seed, **chosen)
    print(report(fleet, plan))
    print(f"\n{fleet.events} events of cores, {time.process_time() - began:.0f} s of CPU")


if __name__ == "__main__":
    main()

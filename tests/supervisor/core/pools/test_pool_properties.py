"""Properties of sizes, quiet lists and drains, in every scenario, beside the invariants."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from supervisor.config.setting_types import PoolBounds
from supervisor.core.rules.ledger import TaskOutcome
from supervisor.ipc import messages
from tests.supervisor.simulation.property_tests import ENOUGH, many, run_until_healed
from tests.supervisor.simulation.scenarios import (
    Scenario,
    TaskPlan,
    Timeline,
    WorkerPlan,
    backlogs,
    endings,
    limited,
    operator_requests,
    quarters,
    scenarios,
    task_plans,
    timelines,
)
from tests.supervisor.simulation.world import RESIZE, simulate

if TYPE_CHECKING:
    from supervisor.ipc.messages import TaskList
    from tests.supervisor.simulation.world import World

pytestmark = pytest.mark.slow

RESTART = messages.RestartRequested("SIGHUP")


@many
@given(scenarios(leaving=True, more=operator_requests()), st.integers(1, 3), st.integers(0, 2))
def test_no_requests_about_pools_break_an_invariant(
    scenario: Scenario, workers: int, deciders: int
) -> None:
    """Whatever people request of the pools, and whatever else happens, no invariant breaks."""
    simulate(scenario, workers=workers, deciders=deciders).finish(ENOUGH)


@many
@given(
    scenarios(leaving=True, more=operator_requests() | backlogs()),
    st.integers(0, 3),
    st.integers(0, 3),
)
def test_a_pool_that_is_sized_by_its_backlog_keeps_its_bounds(
    scenario: Scenario, least: int, more: int
) -> None:
    """Never above MAX, never below MIN, and no busy worker is asked to leave for it."""
    span = PoolBounds.parse(f"{least}..{max(1, least + more)}")
    world = simulate(scenario, scale={"resize": span}).run(5)
    while world.now < ENOUGH and not world.exit:
        world.run(world.now + 10)
        bounds = world.checker.settings.scale.get("resize")  # a restart may have brought others
        for each in world.core.pool():
            if bounds and each.task_list == RESIZE and not each.quiet:
                assert bounds.clamp(each.desired) == each.desired
    world.checker.finish()


NO_SOONER_QUIET = (
    (1.75, messages.QuietRequested("people")),
    (1.75, messages.ResumeRequested("people")),
)


@many
@given(
    timelines(operator_requests() | st.just(RESTART), 8),
    st.lists(task_plans(too_big_at=False), max_size=8),
)
@example(NO_SOONER_QUIET, [])
def test_strength_never_dips_for_a_size_or_a_restart(
    timeline: Timeline, tasks: list[TaskPlan]
) -> None:
    """With good workers a list is always as strong as it was, or as it is to be."""
    in_time = tuple(replace(each, timeout=60.0, stale=None) for each in tasks)
    world = simulate(Scenario(tasks=in_time, timeline=timeline)).finish(ENOUGH)
    before: dict[TaskList, int] = {}
    for at, strength, least in world.strengths:
        for each, size in least.items():
            floor = min(before.get(each, 0), size)
            assert strength.get(each, 0) >= floor, f"{each} fell below {floor} at {at}"
        before = strength


@many
@given(scenarios(more=operator_requests()), st.integers(1, 3), st.integers(0, 2))
def test_after_the_last_fault_every_list_is_as_strong_as_it_should_be(
    scenario: Scenario, workers: int, deciders: int
) -> None:
    """The size requested last applies in the end; quiet lists have no worker."""
    world = run_until_healed(scenario, workers, deciders)
    for each in world.core.pool():
        assert each.ready == each.desired == world.desired.get(each.task_list, 0)


@many
@given(
    scenarios(more=operator_requests()),
    quarters(0, 300),
    endings(),
    st.sampled_from([1.0, 30.0]),
)
def test_a_drain_with_a_limit_ends_after_any_requests(
    scenario: Scenario, at: float, ending: messages.Event, limit: float
) -> None:
    """Sizes and quiet lists do not hold up the end; every task in progress has its outcome."""
    events = (*scenario.timeline, (at, ending))
    kept = tuple((when, limited(each, limit)) for when, each in events)
    scenario = replace(scenario, timeline=kept, lag=0.0, jobs=())
    world = simulate(scenario, drain_timeout=limit).finish(ENOUGH)
    assert world.exit
    assert world.now <= max(at, 300) + limit + world.settings.reap_timeout + 2


HELD_BY_THE_KERNEL = Scenario(
    workers=(WorkerPlan(hangs=True, unreaped_for=60.0),),
    tasks=(TaskPlan(waits=0.0, timeout=None, too_big_at=0.0),),
    timeline=((12.0, messages.DrainRequested("SIGTERM")),),  # when its task has been reported
)


@many
@given(scenarios(leaving=True, more=operator_requests()), st.sampled_from([None, 5.0]))
@example(HELD_BY_THE_KERNEL, None)
def test_the_drain_report_has_every_task(scenario: Scenario, limit: float | None) -> None:
    """Every task in progress at the drain's beginning, or later, is in it once, with its
    outcome.
    """
    world = simulate(scenario, drain_timeout=limit).finish(ENOUGH)
    if not world.exit or world.exit.code > 1:
        return
    (report,) = world.notes("drain_report")
    worker_plans = [each.value.replace(" ", "_") for each in TaskOutcome]
    assert report.facts["tasks"] == sum(
        int(str(report.facts.get(each, 0))) for each in worker_plans
    )
    assert int(str(report.facts["tasks"])) >= len(_in_progress(world))
    assert report.facts["code"] == world.exit.code
    abandoned = len(world.notes("task_abandoned"))
    assert int(str(report.facts.get("abandoned", 0))) <= abandoned


def _in_progress(world: World) -> set[str]:
    """The tokens of tasks that living workers had when the drain began, or received later."""
    held: dict[int, str] = {}
    seen: set[str] = set()
    leaving = False
    for _, each in world.log:
        match each:
            case messages.Working(worker=worker, task=task):
                held[worker] = task.token
            case messages.Done(worker=worker) | messages.Exited(worker=worker):
                held.pop(worker, None)
            case messages.Note(event="worker_died", facts={"worker": int(worker)}):
                held.pop(worker, None)  # it may be long before the kernel lets a killed one go
            case messages.Note(event="draining" | "stopping"):
                leaving = True
            case _:
                pass
        seen |= set(held.values()) if leaving else set()
    return seen

"""Scenarios of retired code: when it ends because its build has no open execution left."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.core.build_use import SEARCHES
from supervisor.core.stages import SEARCH_TIMEOUT
from supervisor.ipc.messages import (
    Done,
    DrainRequested,
    Fork,
    OpenSearched,
    PollEnd,
    RestartRequested,
    SearchOpen,
)
from tests.supervisor.simulation.property_tests import many
from tests.supervisor.simulation.scenarios import (
    End,
    Scenario,
    TaskPlan,
    Version,
    WorkerPlan,
    quarters,
)
from tests.supervisor.simulation.world import DECIDER, simulate

if TYPE_CHECKING:
    from tests.supervisor.simulation.world import World

HOUR = 3_600.0
UNUSED = 2 * HOUR
"""The time for which the build has to be unused in these scenarios; searches are 40 minutes apart,
or an hour."""

OLD = Version(build="b-old", workers=(WorkerPlan(),) * 9)
FOUND, UNKNOWN = (True, True), (False, False)
KEPT = Scenario(versions=(OLD,), is_kept=True)


def retired(scenario: Scenario = KEPT, **settings: Any) -> World:
    """Retired code with this plan, whose sticky decider is as any other."""
    usual = {"retired": True, "served_list": (DECIDER.name,), "keep_unused": UNUSED}
    return simulate(scenario, **{**usual, **settings})


def searches(world: World) -> list[float]:
    """The times at which a search was begun."""
    return [
        at for at, each in world.log if isinstance(each, Fork) and isinstance(each.job, SearchOpen)
    ]


def test_code_without_an_open_execution_ends() -> None:
    """After four searches it drains with code 0, says why, and for how long."""
    world = retired().finish(9 * HOUR)
    assert world.exit is not None
    assert (world.exit.code, len(searches(world))) == (0, SEARCHES)
    assert UNUSED * 4 / 3 <= world.now <= UNUSED * 2 + 100
    (note,) = world.notes("draining")
    assert "no execution of build b-old has been open for" in note.text
    since = next(at for at, each in world.log if isinstance(each, OpenSearched))
    assert world.core.unused_for(since + 100.0) == 100.0


@pytest.mark.parametrize("outcome", [FOUND, UNKNOWN], ids=["an execution", "not known"])
def test_code_goes_on_while_it_may_be_needed(outcome: tuple[bool, bool]) -> None:
    """An execution is found each time, or SWF refuses each search."""
    world = retired(replace(KEPT, searches=(outcome,) * 99)).run(12 * HOUR)
    assert world.exit is None
    assert world.core.unused_for(world.now) is None
    assert 11 <= len(searches(world)) <= 18


def test_a_task_keeps_it() -> None:
    """One each hour, whose execution newer code may have adopted."""
    empty = (TaskPlan(poll_end=PollEnd.EMPTY, waits=60.0),) * 120
    tasks = (*empty, TaskPlan()) * 8
    world = retired(replace(KEPT, tasks=tasks)).run(8 * HOUR)
    assert world.exit is None
    assert len(world.logged(Done)) >= 7
    world.finish(20 * HOUR)
    assert world.exit is not None


def test_a_task_in_progress_keeps_it() -> None:
    """It may take days, and others may wait behind it on its list."""
    world = retired(replace(KEPT, tasks=(TaskPlan(lasts=8 * HOUR, timeout=None),) * 3))
    assert world.run(7 * HOUR).exit is None


def test_a_task_that_was_handed_out_keeps_it() -> None:
    """Its heartbeats come from this supervisor."""
    world = retired(replace(KEPT, tasks=(TaskPlan(hands_out=True),) * 3)).run(12 * HOUR)
    assert world.handed_out
    assert world.exit is None


@pytest.mark.parametrize(
    ("scenario", "settings"),
    [
        (replace(KEPT, is_kept=False), {}),
        (KEPT, {"keep_unused": 0.0}),
        (KEPT, {"deciders": 0}),
        (replace(KEPT, versions=(Version(),)), {}),
    ],
    ids=["started by people", "switched off", "no decider", "no build"],
)
def test_other_code_never_searches(scenario: Scenario, settings: dict[str, Any]) -> None:
    """Nothing on its host would start it again, or its settings forbid it."""
    world = retired(scenario, **settings).run(12 * HOUR)
    assert world.exit is None
    assert not searches(world)


def test_a_search_that_dies_or_hangs_costs_nothing_but_itself() -> None:
    """The next one is due as planned, and no list is degraded by it."""
    jobs = (WorkerPlan(), WorkerPlan(boot=inf), WorkerPlan(end=End.IN_BOOT))
    world = retired(replace(KEPT, jobs=jobs)).run(UNUSED / 2)
    (first,) = searches(world)
    world.run(first + SEARCH_TIMEOUT + 60)
    (text,) = world.deaths()
    assert text.endswith("The open executions are searched again later.")
    world.finish(20 * HOUR)
    assert world.exit is not None
    assert (world.exit.code, len(searches(world))) == (0, SEARCHES + 2)


def test_a_restart_ends_a_search() -> None:
    """It is asked to leave with its generation, and the next one searches."""
    jobs = (WorkerPlan(), WorkerPlan(boot=600.0))
    restart = ((UNUSED / 2 + 1.0, RestartRequested("HUP")),)
    world = retired(replace(KEPT, versions=(OLD, OLD), jobs=jobs, timeline=restart)).run(UNUSED / 2)
    assert len(searches(world)) == 1
    world.finish(20 * HOUR)
    assert world.exit is not None
    assert world.exit.code == 0
    assert {each.generation for each in world.logged(Fork) if isinstance(each.job, SearchOpen)} == {
        1,
        2,
    }


def test_what_was_found_during_a_restart_decides_nothing() -> None:
    """The code does not end under a candidate, and after it the last search is an old one."""
    jobs = (*[WorkerPlan()] * SEARCHES, WorkerPlan(boot=300.0))
    scenario = replace(KEPT, versions=(OLD, replace(OLD, imports=900.0)), jobs=jobs)
    last = searches(retired(scenario, import_timeout=HOUR).finish(9 * HOUR))[-1]
    restart = ((last + 1.0, RestartRequested("HUP")),)
    world = retired(replace(scenario, timeline=restart), import_timeout=HOUR).run(last + 1200.0)
    assert len(world.notes("generation_active")) == 2
    assert len(world.logged(OpenSearched)) == SEARCHES
    assert world.exit is None
    ended = world.finish(20 * HOUR)
    assert ended.exit is not None
    assert len(ended.logged(OpenSearched)) == SEARCHES + 1


@many
@given(
    st.lists(st.sampled_from([FOUND, UNKNOWN, (False, True)]), max_size=8),
    st.lists(st.builds(WorkerPlan, boot=quarters(0.25, 40) | st.just(inf)), max_size=6),
    st.none() | quarters(0, 1200),
)
def test_no_course_of_searches_breaks_an_invariant(
    found: list[tuple[bool, bool]], jobs: list[WorkerPlan], drained_at: float | None
) -> None:
    """Whatever becomes of searches, it ends cleanly, by itself or by a drain."""
    end = HOUR if drained_at is None else drained_at
    scenario = replace(
        KEPT,
        searches=tuple(found),
        jobs=(WorkerPlan(), *jobs),
        timeline=((end, DrainRequested("SIGTERM")),),
    )
    world = retired(scenario, keep_unused=300.0).finish(end + HOUR)
    assert world.exit is not None
    assert world.exit.code == 0

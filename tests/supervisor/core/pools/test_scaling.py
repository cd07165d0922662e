"""Pools that are sized by their backlog: the rule alone, and scenarios."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.config.setting_types import PoolBounds
from supervisor.config.settings import Settings
from supervisor.core.pools.scaling import target
from supervisor.ipc import messages
from supervisor.ipc.messages import Backlog
from tests.supervisor.simulation.scenarios import Scenario, SidecarPlan, TaskPlan
from tests.supervisor.simulation.world import DECIDER, RESIZE, World, simulate

LONG = TaskPlan(waits=0, lasts=100, timeout=None)
BOUNDS: dict[str, Any] = {"scale": {"resize": PoolBounds.parse("1..5")}}


def counts(*pending: int, every: float = 30.0) -> tuple[tuple[float, messages.Event], ...]:
    """Counts of waiting tasks, one after the other."""
    return tuple((10.0 + every * n, Backlog(RESIZE.name, each)) for n, each in enumerate(pending))


def size(world: World) -> int:
    """The desired workers of the list."""
    return world.core.pool()[-1].desired


# --- the rule -------------------------------------------------------------------------------------


def test_a_pool_grows_at_once_and_shrinks_later() -> None:
    """A demand above the size is met at once; one below it only if it lasts, and then the
    greatest.
    """
    assert target(2, (0, 0, 7), 3) == 7
    assert target(7, (1, 1), 3) == 7
    assert target(7, (1, 3, 0), 3) == 3
    assert target(7, (1, 9, 0), 3) == 7


@given(st.integers(0, 50), st.lists(st.integers(0, 50), min_size=1, max_size=4))
def test_the_target_lies_between_the_size_and_the_demands(now: int, demands: list[int]) -> None:
    """It never overshoots, and never undercuts the newest demand."""
    desired = target(now, demands, 4)
    assert demands[-1] <= desired <= max(now, *demands)
    assert desired >= now or len(demands) == 4


# --- scenarios ------------------------------------------------------------------------------------


def test_a_backlog_grows_the_pool_up_to_its_most() -> None:
    """A worker for each task that waits or is in progress, and never more than MAX."""
    scenario = Scenario(tasks=(TaskPlan(waits=50), LONG), timeline=counts(2, 100))
    world = simulate(scenario, workers=1, **BOUNDS).run(11)
    assert size(world) == 3
    assert size(world.run(50)) == 5
    assert world.core.pool()[-1].pending == 100


def test_the_snapshot_of_a_scaled_pool_travels() -> None:
    """The JSON of ``status`` has the bounds and the count."""
    world = simulate(Scenario(timeline=counts(2)), **BOUNDS).run(11)
    status = msgspec.json.decode(msgspec.json.encode(world.core.status(world.now)))
    assert status["lists"][1]["scale"] == "1..5"
    assert status["lists"][1]["pending"] == 2


def test_before_the_lists_are_known_the_status_has_none() -> None:
    """The bounds are known from the start, the flow's lists only when it is imported."""
    core = simulate(**BOUNDS).core
    assert core.pool() == core.status(0.0).lists == ()


def test_a_truncated_count_means_very_many() -> None:
    """Whatever its number, MAX is desired."""
    world = simulate(
        Scenario(timeline=((10.0, Backlog(RESIZE.name, 1, truncated=True)),)), **BOUNDS
    )
    assert size(world.run(11)) == 5


def test_hosts_that_count_at_the_same_time_share_the_tasks() -> None:
    """Each takes its share, rounded up."""
    shared = Backlog(RESIZE.name, 7, counting=3.0)
    world = simulate(Scenario(timeline=((10.0, shared),)), workers=1, **BOUNDS).run(11)
    assert size(world) == 3
    assert world.core.pool()[-1].pending == 7


def test_a_turn_without_a_count_is_judged_by_the_pool_itself() -> None:
    """With every worker busy the pool doubles; with an idle one nothing waits."""
    turns = tuple((10.0 + 30 * n, Backlog(RESIZE.name, None)) for n in range(5))
    busy = simulate(Scenario(tasks=(LONG,) * 3, timeline=turns), workers=1, **BOUNDS)
    assert [size(busy.run(at)) for at in (11, 41, 71)] == [2, 4, 4]
    idle = simulate(Scenario(timeline=turns), workers=3, **BOUNDS)
    assert [size(idle.run(at)) for at in (11, 71)] == [3, 1]
    assert idle.core.pool()[-1].pending is None


def test_the_pool_shrinks_after_several_low_counts() -> None:
    """Not at the first of them, and to no fewer workers than MIN."""
    world = simulate(Scenario(timeline=counts(4, 0, 0, 0, 0)), workers=1, **BOUNDS).run(11)
    assert [size(world.run(at)) for at in (11, 41, 71)] == [4, 4, 4]
    assert [size(world.run(at)) for at in (101, 131)] == [1, 1]


def test_a_wave_starts_the_wait_anew() -> None:
    """One demand among the low ones keeps as many workers as it called for."""
    world = simulate(Scenario(timeline=counts(4, 0, 0, 3, 0, 0)), workers=1, **BOUNDS).run(11)
    assert [size(world.run(at)) for at in (71, 101, 131, 161)] == [4, 3, 3, 3]


def test_busy_workers_are_never_asked_to_leave() -> None:
    """With three tasks in progress the pool goes down to three, and to those three."""
    scenario = Scenario(
        tasks=(TaskPlan(waits=400), *(TaskPlan(waits=0, lasts=400, timeout=None),) * 3)
    )
    world = simulate(
        Scenario(tasks=scenario.tasks, timeline=counts(0, 0, 0, 0)), workers=5, **BOUNDS
    )
    world.run(200)
    asked = {each.worker for each in world.logged(messages.Terminate)}
    working = {each.worker for each in world.logged(messages.Working)}
    assert size(world) == 3
    assert len(asked) == 2
    assert not asked & working


def test_a_pool_begins_within_its_bounds() -> None:
    """Whatever --workers is for the other lists."""
    assert simulate(workers=9, **BOUNDS).run(5).strength() == {RESIZE: 5, DECIDER: 1}
    none: dict[str, Any] = {"scale": {"resize": PoolBounds.parse("0..5")}}
    world = simulate(Scenario(timeline=counts(2)), workers=0, deciders=0, **none).run(9)
    assert world.strength() == {}
    assert world.run(12).strength() == {RESIZE: 2}


def test_people_may_size_it_within_its_bounds() -> None:
    """A size outside of them is refused; one more or fewer goes as far as the bounds."""
    world = simulate(**BOUNDS).run(5)
    asked = messages.ScaleRequested("people", "resize", 6)
    assert "is sized by its backlog, --scale 1..5: 6 is outside" in world.core.refusal(asked)
    world.ask(messages.ScaleRequested("SIGTTIN", by=9))
    assert size(world.run(6)) == 5


def test_new_bounds_apply_when_new_code_is_active() -> None:
    """A pool that is too big for them shrinks; without bounds the counting sidecar ends."""
    for scale, size_then in ((BOUNDS["scale"] | {"resize": PoolBounds.parse("1..2")}, 2), ({}, 4)):
        new = Settings(flow="flow", workers=2, scale=scale)
        restart = (20.0, messages.RestartRequested("SIGHUP", new))
        world = simulate(Scenario(timeline=(*counts(4), restart)), **BOUNDS).run(19)
        assert size(world) == 4
        assert size(world.run(100)) == size_then
        counters = world.logged(messages.StopSidecar)
        assert [each.name for each in counters] == ([] if scale else ["backlog"])
        assert len(world.logged(messages.StartSidecar)) == 1


def test_counts_of_a_quiet_list_are_ignored() -> None:
    """Tasks are meant to wait there; the list is resumed with the size that it had."""
    quiet = (5.0, messages.QuietRequested("people"))
    world = simulate(Scenario(timeline=(quiet, *counts(9, 9))), **BOUNDS).run(100)
    assert world.strength() == {}
    world.ask(messages.ResumeRequested("people"))
    assert world.run(101).strength() == {RESIZE: 2, DECIDER: 1}


def test_counts_of_lists_that_are_not_scaled_change_nothing() -> None:
    """Nor do counts of lists that are gone."""
    timeline = (*counts(9), (11.0, Backlog("gone", 9)))
    assert simulate(Scenario(timeline=timeline)).run(20).strength() == {RESIZE: 2, DECIDER: 1}


@pytest.mark.parametrize(
    ("scale", "why"),
    [({"strange": "1..2"}, "no such task list"), ({"flow": "0..2"}, "this is the decider's list")],
)
def test_bounds_of_lists_that_cannot_be_scaled_are_refused(scale: dict[str, str], why: str) -> None:
    """Like all settings that do not fit the flow: with a sentence and exit code 2."""
    bounds = {name: PoolBounds.parse(each) for name, each in scale.items()}
    world = simulate(scale=bounds).finish(50)
    assert world.exit
    assert world.exit.code == 2
    assert why in world.exit.why


# --- who counts -----------------------------------------------------------------------------------


def test_the_sidecar_is_started_for_the_lists_that_are_scaled() -> None:
    """As soon as a generation is active; without --scale there is none."""
    assert not simulate().run(10).logged(messages.StartSidecar)
    assert simulate(deciders=2, **BOUNDS).run(10).logged(messages.StartSidecar) == [
        messages.StartSidecar("backlog", (RESIZE,))
    ]


def test_the_list_of_a_single_decider_is_counted_too() -> None:
    """Waiting decisions at two counts in a row are a warning, once until none waits."""
    decisions = [(10.0 + 30 * n, Backlog("flow", each)) for n, each in enumerate((1, 0, 5, 5, 5))]
    world = simulate(Scenario(timeline=tuple(decisions)), **BOUNDS).run(200)
    (start,) = world.logged(messages.StartSidecar)
    assert set(start.lists) == {DECIDER, RESIZE}
    (note,) = world.notes("decisions_wait")
    assert "there is one decider on this host" in note.text


def test_a_change_of_the_group_by_half_restarts_the_sidecar() -> None:
    """It counts by the new number of hosts; a small change, and one that is set, restart none."""
    for hosts, expected in ((0, [1, 10]), (7, [7])):
        sizes = ((10.0, messages.GroupSized(10)), (20.0, messages.GroupSized(12)))
        world = simulate(Scenario(timeline=sizes), hosts=hosts, **BOUNDS).run(60)
        assert [each.hosts for each in world.logged(messages.StartSidecar)] == expected


def test_deciders_are_scaled_like_activities() -> None:
    """At least one stays."""
    bounds: dict[str, Any] = {"scale": {"flow": PoolBounds.parse("1..4")}}
    world = simulate(Scenario(timeline=((10.0, Backlog("flow", 9)),)), **bounds).run(11)
    assert world.core.pool()[0].desired == 4


def test_a_lost_sidecar_is_started_after_growing_waits() -> None:
    """Each loss is a warning, and the pool keeps its size meanwhile."""
    world = simulate(Scenario(sidecars=(SidecarPlan(lost_after=0.25),) * 99), **BOUNDS).run(60)
    starts = [at for at, each in world.log if isinstance(each, messages.StartSidecar)]
    gaps = [later - before for before, later in pairwise(starts)]
    assert len(gaps) >= 4
    assert gaps[0] < gaps[2] < gaps[3]
    assert len(world.notes("sidecar_lost")) >= len(gaps)
    assert world.strength() == {RESIZE: 2, DECIDER: 1}


def test_a_sidecar_that_ran_for_a_while_is_started_again_at_once() -> None:
    """Each loss is a warning."""
    world = simulate(Scenario(sidecars=(SidecarPlan(lost_after=20.0),) * 99), **BOUNDS).run(60)
    assert [each.level for each in world.notes("sidecar_lost")] == [messages.Level.WARNING] * 2

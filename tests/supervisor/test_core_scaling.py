"""A pool that is sized by its backlog: the rule by itself, and its stories."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor import messages, spans
from supervisor.core.scaling import target
from supervisor.messages import Backlog
from supervisor.settings import Settings
from tests.fates import Helper, Plan, Script
from tests.world import DECIDER, RESIZE, World, tell

LONG = Plan(waits=0, lasts=100, timeout=None)
BOUNDS: dict[str, Any] = {"scale": {"resize": spans.parse("1..5")}}


def counts(*pending: int, every: float = 30.0) -> tuple[tuple[float, messages.Event], ...]:
    """So many tasks wait, counted one after the other."""
    return tuple((10.0 + every * n, Backlog(RESIZE.name, each)) for n, each in enumerate(pending))


def size(world: World) -> int:
    """How many workers the list should have."""
    return world.core.pool()[-1].wanted


# --- the rule -------------------------------------------------------------------------------------


def test_growth_is_for_now_and_shrinking_for_later() -> None:
    """A demand above the size is met; one below it only when it lasts, and then the greatest."""
    assert target(2, (0, 0, 7), 3) == 7
    assert target(7, (1, 1), 3) == 7
    assert target(7, (1, 3, 0), 3) == 3
    assert target(7, (1, 9, 0), 3) == 7


@given(st.integers(0, 50), st.lists(st.integers(0, 50), min_size=1, max_size=4))
def test_the_target_lies_between_what_is_and_what_was_wanted(now: int, demands: list[int]) -> None:
    """It never overshoots, and never undercuts the newest demand."""
    wanted = target(now, demands, 4)
    assert demands[-1] <= wanted <= max(now, *demands)
    assert wanted >= now or len(demands) == 4


# --- stories --------------------------------------------------------------------------------------


def test_a_backlog_grows_the_pool_up_to_its_most() -> None:
    """A worker for each task that waits or is in hand, and never more than MAX."""
    script = Script(plans=(Plan(waits=50), LONG), orders=counts(2, 100))
    world = tell(script, workers=1, **BOUNDS).run(11)
    assert size(world) == 3
    assert size(world.run(50)) == 5
    assert world.core.pool()[-1].pending == 100


def test_the_picture_of_a_scaled_pool_travels() -> None:
    """Whoever asks gets it in JSON, bounds and count included."""
    world = tell(Script(orders=counts(2)), **BOUNDS).run(11)
    told = msgspec.json.decode(msgspec.json.encode(world.core.status(world.now)))
    assert told["lists"][1]["scale"] == "1..5"
    assert told["lists"][1]["pending"] == 2


def test_who_asks_before_the_lists_are_known_is_shown_none() -> None:
    """What is to be scaled is known from the start, the flow's lists only when it is imported."""
    core = tell(**BOUNDS).core
    assert core.pool() == core.status(0.0).lists == ()


def test_a_count_that_is_cut_off_means_very_many() -> None:
    """SWF counts so far and no further: whatever the number, MAX is wanted."""
    world = tell(Script(orders=((10.0, Backlog(RESIZE.name, 1, truncated=True)),)), **BOUNDS)
    assert size(world.run(11)) == 5


def test_the_pool_shrinks_after_several_quiet_counts() -> None:
    """Not at the first, and to no fewer than MIN."""
    world = tell(Script(orders=counts(4, 0, 0, 0, 0)), workers=1, **BOUNDS).run(11)
    assert [size(world.run(at)) for at in (11, 41, 71)] == [4, 4, 4]
    assert [size(world.run(at)) for at in (101, 131)] == [1, 1]


def test_a_wave_starts_the_wait_anew() -> None:
    """One demand among the quiet ones keeps as many workers as it wanted."""
    world = tell(Script(orders=counts(4, 0, 0, 3, 0, 0)), workers=1, **BOUNDS).run(11)
    assert [size(world.run(at)) for at in (71, 101, 131, 161)] == [4, 3, 3, 3]


def test_busy_workers_are_never_told_to_leave() -> None:
    """With three tasks in hand the pool goes down to three, and to those three."""
    script = Script(plans=(Plan(waits=400), *(Plan(waits=0, lasts=400, timeout=None),) * 3))
    world = tell(Script(plans=script.plans, orders=counts(0, 0, 0, 0)), workers=5, **BOUNDS)
    world.run(200)
    told = {each.worker for each in world.said(messages.Terminate)}
    working = {each.worker for each in world.said(messages.Working)}
    assert size(world) == 3
    assert len(told) == 2
    assert not told & working


def test_a_pool_begins_within_its_bounds() -> None:
    """Whatever --workers says for the others."""
    assert tell(workers=9, **BOUNDS).run(5).strength() == {RESIZE: 5, DECIDER: 1}
    none: dict[str, Any] = {"scale": {"resize": spans.parse("0..5")}}
    world = tell(Script(orders=counts(2)), workers=0, deciders=0, **none).run(9)
    assert world.strength() == {}
    assert world.run(12).strength() == {RESIZE: 2}


def test_people_may_size_it_within_its_bounds() -> None:
    """Outside of them they are refused; one more or fewer goes as far as the bounds."""
    world = tell(**BOUNDS).run(5)
    asked = messages.ScaleAsked("people", "resize", 6)
    assert "is sized by its backlog, --scale 1..5: 6 is outside" in world.core.refusal(asked)
    world.ask(messages.ScaleAsked("SIGTTIN", by=9))
    assert size(world.run(6)) == 5


def test_new_bounds_hold_when_new_code_takes_over() -> None:
    """A pool that is too big for them shrinks; where there are none any more, nobody counts."""
    for scale, size_then in ((BOUNDS["scale"] | {"resize": spans.parse("1..2")}, 2), ({}, 4)):
        new = Settings(flow="flow", workers=2, scale=scale)
        restart = (20.0, messages.RestartAsked("SIGHUP", new))
        world = tell(Script(orders=(*counts(4), restart)), **BOUNDS).run(19)
        assert size(world) == 4
        assert size(world.run(100)) == size_then
        counters = world.said(messages.StopAttendant)
        assert [each.name for each in counters] == ([] if scale else ["scale"])
        assert len(world.said(messages.StartAttendant)) == 1


def test_counts_of_a_quiet_list_are_not_heeded() -> None:
    """That tasks wait there is meant; it is resumed with the size that it had."""
    quiet = (5.0, messages.QuietAsked("people"))
    world = tell(Script(orders=(quiet, *counts(9, 9))), **BOUNDS).run(100)
    assert world.strength() == {}
    world.ask(messages.ResumeAsked("people"))
    assert world.run(101).strength() == {RESIZE: 2, DECIDER: 1}


def test_counts_of_lists_that_are_not_scaled_change_nothing() -> None:
    """Or that are not there any more."""
    orders = (*counts(9), (11.0, Backlog("gone", 9)))
    assert tell(Script(orders=orders)).run(20).strength() == {RESIZE: 2, DECIDER: 1}


@pytest.mark.parametrize(
    ("scale", "why"),
    [({"strange": "1..2"}, "no such task list"), ({"flow": "1..2"}, "it is the decider's list")],
)
def test_bounds_for_what_cannot_be_scaled_are_refused(scale: dict[str, str], why: str) -> None:
    """As all settings that the flow cannot be served with: exit code 2 and a sentence."""
    bounds = {name: spans.parse(each) for name, each in scale.items()}
    world = tell(scale=bounds).finish(50)
    assert world.exit
    assert world.exit.code == 2
    assert why in world.exit.why


# --- who counts -----------------------------------------------------------------------------------


def test_the_counter_is_started_for_the_lists_that_are_scaled() -> None:
    """Once a generation serves; without --scale there is none."""
    assert not tell().run(10).said(messages.StartAttendant)
    assert tell(**BOUNDS).run(10).said(messages.StartAttendant) == [
        messages.StartAttendant("scale", (RESIZE,))
    ]


def test_a_lost_counter_comes_again_after_growing_rests() -> None:
    """One warning each time; the pool keeps its size meanwhile."""
    world = tell(Script(companions=(Helper(lost_after=0.25),) * 99), **BOUNDS).run(60)
    starts = [at for at, each in world.log if isinstance(each, messages.StartAttendant)]
    gaps = [later - before for before, later in pairwise(starts)]
    assert len(gaps) >= 4
    assert gaps[0] < gaps[2] < gaps[3]
    assert len(world.notes("attendant_lost")) >= len(gaps)
    assert world.strength() == {RESIZE: 2, DECIDER: 1}


def test_a_counter_that_lasted_is_started_again_at_once() -> None:
    """Its loss is told each time."""
    world = tell(Script(companions=(Helper(lost_after=20.0),) * 99), **BOUNDS).run(60)
    assert [each.level for each in world.notes("attendant_lost")] == [messages.Level.WARNING] * 2

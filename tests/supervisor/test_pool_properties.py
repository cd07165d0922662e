"""What must hold of sizes, quiet lists and drains in every story; the judge watches them all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import example, given
from hypothesis import strategies as st

from supervisor import messages, spans
from supervisor.core.ledger import Fate as TaskFate
from tests.fates import (
    Fate,
    Orders,
    Plan,
    Script,
    backlogs,
    farewells,
    limited,
    orders,
    plans,
    quarters,
    scripts,
    wishes,
)
from tests.stories import ENOUGH, healed, many
from tests.world import RESIZE, tell

if TYPE_CHECKING:
    from supervisor.messages import TaskList
    from tests.world import World

RESTART = messages.RestartAsked("SIGHUP")


@many
@given(scripts(leaving=True, more=wishes()), st.integers(1, 3), st.integers(0, 2))
def test_no_story_of_sizes_breaks_a_law(script: Script, workers: int, deciders: int) -> None:
    """Whatever is asked of the pools, and whatever befalls whom meanwhile, no law is broken."""
    tell(script, workers=workers, deciders=deciders).finish(ENOUGH)


@many
@given(scripts(leaving=True, more=wishes() | backlogs()), st.integers(0, 3), st.integers(0, 3))
def test_a_pool_that_is_sized_by_its_backlog_keeps_its_bounds(
    script: Script, least: int, more: int
) -> None:
    """Never over MAX, never below MIN, and no busy worker is ended for it: laws of the judge."""
    span = spans.parse(f"{least}..{max(1, least + more)}")
    world = tell(script, scale={"resize": span}).run(5)
    while world.now < ENOUGH and not world.exit:
        world.run(world.now + 10)
        bounds = world.judge.settings.scale.get("resize")  # a restart may have brought others
        for each in world.core.pool():
            if bounds and each.task_list == RESIZE and not each.quiet:
                assert bounds.within(each.wanted) == each.wanted
    world.judge.finish()


NO_SOONER_QUIET = (
    (1.75, messages.QuietAsked("people")),
    (1.75, messages.ResumeAsked("people")),
)


@many
@given(orders(wishes() | st.just(RESTART), 8), st.lists(plans(swells=False), max_size=8))
@example(NO_SOONER_QUIET, [])
def test_strength_never_dips_for_a_size_or_a_restart(told: Orders, tasks: list[Plan]) -> None:
    """With good workers a list is always as strong as it was, or as it is to be."""
    in_time = tuple(replace(each, timeout=60.0, stale=None) for each in tasks)
    world = tell(Script(plans=in_time, orders=told)).finish(ENOUGH)
    before: dict[TaskList, int] = {}
    for at, strength, least in world.pictures:
        for each, size in least.items():
            floor = min(before.get(each, 0), size)
            assert strength.get(each, 0) >= floor, f"{each} fell below {floor} at {at}"
        before = strength


@many
@given(scripts(more=wishes()), st.integers(1, 3), st.integers(0, 2))
def test_after_the_last_fault_every_list_is_as_strong_as_it_should_be(
    script: Script, workers: int, deciders: int
) -> None:
    """What was asked for last holds in the end; quiet lists have nobody."""
    world = healed(script, workers, deciders)
    for each in world.core.pool():
        assert each.ready == each.wanted == world.wanted.get(each.task_list, 0)


@many
@given(
    scripts(more=wishes()),
    quarters(0, 300),
    farewells(),
    st.sampled_from([1.0, 30.0]),
)
def test_a_drain_with_a_limit_ends_whatever_was_asked_before(
    script: Script, at: float, farewell: messages.Event, limit: float
) -> None:
    """Sizes and quiet lists do not hold the end up; every task that was in hand has its fate."""
    told = (*script.orders, (at, farewell))
    kept = tuple((when, limited(each, limit)) for when, each in told)
    script = replace(script, orders=kept, lag=0.0, errands=())
    world = tell(script, drain_timeout=limit).finish(ENOUGH)
    assert world.exit
    assert world.now <= max(at, 300) + limit + world.settings.reap_patience + 2


HELD_BY_THE_KERNEL = Script(
    fates=(Fate(hangs=True, stuck=60.0),),
    plans=(Plan(waits=0.0, timeout=None, swells=0.0),),
    orders=((12.0, messages.DrainAsked("SIGTERM")),),  # when its task has been reported
)


@many
@given(scripts(leaving=True, more=wishes()), st.sampled_from([None, 5.0]))
@example(HELD_BY_THE_KERNEL, None)
def test_the_drain_report_has_every_task(script: Script, limit: float | None) -> None:
    """What was in hand at the drain's beginning or came later is in it once, with its fate."""
    world = tell(script, drain_timeout=limit).finish(ENOUGH)
    if not world.exit or world.exit.code > 1:
        return
    (report,) = world.notes("drain_report")
    fates = [each.value.replace(" ", "_") for each in TaskFate]
    assert report.facts["tasks"] == sum(int(str(report.facts.get(each, 0))) for each in fates)
    assert int(str(report.facts["tasks"])) >= len(_in_hand(world))
    assert report.facts["code"] == world.exit.code
    abandoned = len(world.notes("task_abandoned"))
    assert int(str(report.facts.get("abandoned", 0))) <= abandoned


def _in_hand(world: World) -> set[str]:
    """The tokens of what living workers held when the program began to leave, or took later."""
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

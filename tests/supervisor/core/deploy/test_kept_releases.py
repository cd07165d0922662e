"""Kept releases: when retired code runs beside the active code, and whom it keeps from harm."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor import exit_codes
from supervisor.cli.commands.status import status_lines
from supervisor.config.setting_types import HistorySource
from supervisor.ipc.messages import (
    RETIRED,
    DrainRequested,
    Launch,
    QuietRequested,
    RestartRequested,
    ResumeRequested,
    Returned,
    SidecarLost,
    StartSidecar,
    StopRequested,
    StopSidecar,
    TerminationNotice,
    Tick,
    WarmPool,
)
from tests.supervisor.simulation.property_tests import ENOUGH, NEVER_GIVES_UP, many
from tests.supervisor.simulation.scenarios import (
    Scenario,
    SidecarPlan,
    Version,
    quarters,
    scenarios,
)
from tests.supervisor.simulation.world import DECIDER, LISTS, World, simulate

OLD, OLDER = f"{RETIRED}old", f"{RETIRED}older"
KEPT = Version(release="new", build="b-new", older=("old",))
SERVES = SidecarPlan(build="b-old")
GATE: dict[str, Any] = {"gate_replay": HistorySource("open:20")}
MISFIT = replace(KEPT, misfits=("b-old",))
SIGHUP, SIGTERM = RestartRequested("SIGHUP"), DrainRequested("SIGTERM")


def kept(*versions: Version, plan: SidecarPlan = SERVES, **more: Any) -> Scenario:
    """These generations, one after the other, and the retired code of the release ``old``."""
    return Scenario(versions=versions or (KEPT,), retired=((OLD, plan),), **more)


def starts(world: World, name: str = OLD) -> list[float]:
    """The times at which the retired code was started."""
    return [at for at, each in world.log if isinstance(each, StartSidecar) and each.name == name]


def stops(world: World, name: str = OLD) -> list[tuple[float, bool]]:
    """The times at which it was asked to leave, and whether at once."""
    return [
        (at, each.now)
        for at, each in world.log
        if isinstance(each, StopSidecar) and each.name == name
    ]


def retired(world: World) -> dict[str, str]:
    """The retired code with its state, as ``status`` has it."""
    found = world.core.status(world.now).sidecars
    return {each.name: each.status for each in found if each.name.startswith(RETIRED)}


# --- when it runs ---------------------------------------------------------------------------------


def test_a_kept_release_serves_beside_the_first_generation() -> None:
    """It is started with the lists that the generation serves, and shown with its build."""
    world = simulate(kept()).run(20)
    assert world.logged(StartSidecar) == [StartSidecar(OLD, LISTS)]
    assert "sidecar retired@old: ready, build b-old" in list(
        status_lines(world.core.status(world.now), {})
    )
    assert world.notes("retired_serving")[0].facts["build"] == "b-old"


def test_a_launch_waits_for_old_code_that_starts() -> None:
    """The group takes away the next host once this one is ready: it may be the last to serve it."""
    slow = simulate(kept(plan=replace(SERVES, ready=20.0))).run(15)
    assert slow.notes("full_strength")
    assert slow.core.launch() is Launch.PENDING
    assert slow.run(30).core.launch() is Launch.READY


def test_the_release_that_served_becomes_retired_with_the_next_one() -> None:
    """When that one is active, and not before: its own workers serve until then."""
    first = Version(release="old", build="b-old")
    world = simulate(kept(first, KEPT, timeline=((20.0, SIGHUP),))).run(60)
    (active,) = (at for at, each in world.log if each == world.notes("generation_active")[1])
    assert starts(world) == [active]


def test_a_roll_back_takes_it_back() -> None:
    """Retired code of the release that is active again is not needed; it finishes its tasks."""
    first = Version(release="old", build="b-old")
    lost = replace(KEPT, lost_after=15.0)
    world = simulate(kept(first, lost, timeline=((20.0, SIGHUP),))).run(80)
    assert world.notes("generation_rolled_back")
    assert [hurried for _, hurried in stops(world)] == [False]
    assert retired(world) == {}


def test_it_follows_the_lists_of_the_active_code() -> None:
    """Its worker of a list that the new code has again would take that code's tasks."""
    fewer = replace(KEPT, lists=(DECIDER,))
    world = simulate(kept(KEPT, fewer, timeline=((20.0, SIGHUP),))).run(60)
    assert [each.lists for each in world.logged(StartSidecar)] == [LISTS, (DECIDER,)]
    assert len(stops(world)) == 1


def test_a_release_beyond_those_that_are_kept_finishes_its_tasks() -> None:
    """It is asked to leave, is not hurried, and is forgotten when it is gone."""
    next_one = replace(KEPT, release="newest", older=("new",))
    plan = replace(SERVES, drains=500.0)
    world = simulate(kept(KEPT, next_one, plan=plan, timeline=((20.0, SIGHUP),))).run(60)
    assert retired(world) == {OLD: "stopping", f"{RETIRED}new": "ready"}
    world.run(600)
    assert retired(world) == {f"{RETIRED}new": "ready"}
    assert [hurried for _, hurried in stops(world)] == [False]


@pytest.mark.parametrize(
    ("keep", "older", "expected"),
    [(1, ("old",), ("new",)), (2, ("old",), ("new", "old")), (0, (), ())],
)
def test_after_going_back_the_newer_release_completes_what_it_began(
    keep: int, older: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    """The one that served until now comes first, and stays when the same release is restarted;
    one whose folder is gone does not.
    """
    there = ("old", "middle", "new")
    back = Version(release="middle", older=older, releases=there)
    gone = replace(back, releases=("old", "middle"))
    timeline = ((20.0, SIGHUP), (60.0, SIGHUP), (100.0, SIGHUP))
    scenario = Scenario(versions=(KEPT, back, back, gone), timeline=timeline)
    world = simulate(scenario, keep_builds=keep)
    for until in (50, 90):
        assert set(retired(world.run(until))) == {RETIRED + each for each in expected}
    assert set(retired(world.run(130))) == {RETIRED + each for each in older[:keep]}


def test_the_same_code_is_not_served_twice() -> None:
    """A copy of the active release has its build, which is known once it serves; then the one
    before it takes its place.
    """
    copied = replace(KEPT, older=("old", "older"))
    world = simulate(kept(copied, plan=SidecarPlan(build="b-new"))).run(200)
    assert len(starts(world)) == len(stops(world)) == 1
    assert retired(world) == {OLDER: "ready"}


def test_quiet_and_warm_hosts_poll_nothing() -> None:
    """It is stopped while every list is quiet, and not started in a warm pool."""
    timeline = ((20.0, QuietRequested("people")), (40.0, ResumeRequested("people")))
    world = simulate(kept(timeline=timeline)).run(60)
    assert len(starts(world)) == 2
    assert len(stops(world)) == 1
    warm = ((0.5, WarmPool(is_warm=True)), (60.0, WarmPool(is_warm=False)))
    world = simulate(kept(timeline=warm), asg_group="g", ec2="on").run(90)
    assert starts(world) == [60.0]


# --- losses ---------------------------------------------------------------------------------------


def test_lost_retired_code_is_started_again() -> None:
    """At once after it has served for a while; after growing waits if it never served."""
    world = simulate(kept(plan=replace(SERVES, lost_after=50.0))).run(200)
    first, second, third, *_ = starts(world)
    assert (second - first, third - second) == (50.5, 50.5)
    slow = SidecarPlan(ready=inf, build="b-old")
    world = simulate(kept(plan=slow)).run(10)
    for _ in range(4):
        world.sidecars[OLD].die(3)
        count = len(starts(world))
        while len(starts(world)) == count:
            world.run(world.now + 1)
        world.run(world.now + 30)  # an import takes longer than a start that lasts
    losses = [at for at, each in world.log if isinstance(each, SidecarLost)]
    waits = [start - loss for start, loss in zip(starts(world)[1:], losses, strict=True)]
    assert waits[0] == 0
    assert waits[1] < waits[2] < waits[3]


def test_retired_code_without_a_list_of_its_own_is_left_alone() -> None:
    """It has ended with code 0; other lists of the active code are a new question."""
    plan = SidecarPlan(ready=inf, lost_after=0.0)
    fewer = replace(KEPT, lists=(DECIDER,))
    world = simulate(kept(KEPT, fewer, plan=plan, timeline=((300.0, SIGHUP),))).run(10)
    world.sidecars[OLD].die(0)
    world.run(290)
    assert len(starts(world)) == 1
    assert [each.level.name for each in world.notes("retired_unneeded")] == ["INFO"]
    world.run(330)
    assert len(starts(world)) == 2


# --- a build that is no longer used ---------------------------------------------------------------

UNUSED = replace(SERVES, unused_after=100.0, drains=5.0)


def unneeded(world: World) -> bool:
    """Whether the retired code has ended because its build is unused."""
    return retired(world) == {OLD: "unneeded"}


def test_retired_code_whose_build_is_unused_ends_and_is_remembered() -> None:
    """The log and ``status`` say why, and it is not started again by itself."""
    world = simulate(kept(plan=UNUSED)).run(103)
    assert retired(world) == {OLD: "stopping"}
    world.run(50_000)
    assert unneeded(world)
    assert len(starts(world)) == 1
    assert stops(world) == []
    (note,) = world.notes("retired_unneeded")
    assert (note.level.name, note.facts["build"]) == ("INFO", "b-old")
    assert "no execution of build b-old has been open for 24.0 h" in note.text
    (line,) = (each for each in status_lines(world.core.status(world.now), {}) if OLD in each)
    assert line == f"sidecar {OLD}: unneeded, build b-old, no open execution for 37.9 h"


@pytest.mark.parametrize("at", [102.5, 300.0], ids=["while it drains", "later"])
def test_an_execution_that_is_returned_to_its_build_starts_it_again(at: float) -> None:
    """The decider that returns it may be the only one that ever sees it."""
    returned = Returned(2, "b-old"), Returned(2, "b-old"), Returned(2, "b-strange")
    world = simulate(kept(plan=UNUSED)).run(at)
    for each in returned:
        world.send(each)
    world.ask(Tick())
    world.run(at + 30)
    assert retired(world) == {OLD: "ready"}
    assert len(starts(world)) == 2
    assert len(world.notes("retired_recalled")) == 1


def test_an_execution_of_another_build_starts_nothing() -> None:
    """That build may be kept nowhere."""
    world = simulate(kept(plan=UNUSED)).run(300)
    world.send(Returned(2, "b-strange"))
    world.ask(Tick())
    assert unneeded(world.run(400))


def test_what_is_returned_to_code_that_serves_is_its_own_affair() -> None:
    """It is started once."""
    world = simulate(kept()).run(20)
    world.send(Returned(2, "b-old"))
    world.run(60)
    assert len(starts(world)) == 1
    assert not world.notes("retired_recalled")


def test_each_new_generation_starts_it_again() -> None:
    """A deploy may be the way back; a stopped one changes nothing."""
    broken = Version(imports=inf, release="newer", build="b-newer", older=("old",))
    scenario = kept(KEPT, broken, KEPT, plan=UNUSED, timeline=((200.0, SIGHUP), (500.0, SIGHUP)))
    world = simulate(scenario).run(400)
    assert unneeded(world)
    assert len(world.notes("generation_failed")) == 1
    world.run(560)
    assert retired(world) == {OLD: "ready"}
    world.run(900)
    assert unneeded(world)


def test_an_execution_that_the_gate_finds_starts_it_again() -> None:
    """Also where the candidate fails: the execution is there."""
    strange = replace(MISFIT, misfits=("b-old", "b-strange"))
    scenario = kept(KEPT, strange, plan=UNUSED, timeline=((200.0, SIGHUP),))
    world = simulate(scenario, **GATE).run(250)
    assert len(world.notes("generation_failed")) == 1
    assert len(starts(world)) == 2


def test_unused_code_is_forgotten_with_its_release() -> None:
    """Or while every list is quiet: it starts with the others."""
    gone = replace(KEPT, older=())
    world = simulate(kept(KEPT, gone, plan=UNUSED, timeline=((200.0, SIGHUP),))).run(300)
    assert retired(world) == {}
    timeline = ((200.0, QuietRequested("people")), (300.0, ResumeRequested("people")))
    world = simulate(kept(plan=UNUSED, timeline=timeline)).run(320)
    assert retired(world) == {OLD: "ready"}


def test_a_drain_waits_for_code_that_ends_by_itself() -> None:
    """It may have a task of its last polls."""
    plan = replace(UNUSED, drains=200.0)
    world = simulate(kept(plan=plan, timeline=((110.0, SIGTERM),))).finish(1000)
    assert stops(world) == []
    assert world.now >= 300.0


def test_what_unused_code_has_abandoned_is_no_part_of_a_later_drain() -> None:
    """The last poll of its own drain brought a task that was too long."""
    plan = replace(UNUSED, abandons=True)
    world = simulate(kept(plan=plan, timeline=((200.0, SIGTERM),))).finish(1000)
    assert world.exit is not None
    assert world.exit.code == 0


# --- late -----------------------------------------------------------------------------------------

LATEST = 270.0
"""Seconds for an import, a registration and a first poll."""


def test_nothing_waits_for_retired_code_that_hangs() -> None:
    """The host launches, and is ready for its service manager, as soon as it is late; it goes on
    starting.
    """
    world = simulate(kept(plan=replace(SERVES, ready=400.0))).run(200)
    assert world.core.launch() is Launch.PENDING
    seen = world.core.service(world.now)
    assert (seen.full, seen.awaited, seen.ready) == (False, ("old",), seen.desired)
    world.run(LATEST + 5)
    assert world.core.launch() is Launch.READY
    seen = world.core.service(world.now)
    assert (seen.full, seen.awaited) == (True, ())
    (note,) = world.notes("retired_late")
    assert note.level.name == "WARNING"
    world.run(450)
    assert retired(world) == {OLD: "ready"}


def test_the_service_manager_does_not_wait_for_code_that_cannot_start() -> None:
    """Its first death ends the wait; so does its first poll."""
    world = simulate(kept(plan=SidecarPlan(ready=inf))).run(10)
    assert not world.core.service(world.now).full
    world.sidecars[OLD].die(3)
    world.ask(Tick())
    world.run(10.5)
    assert world.core.service(world.now).full
    assert simulate(kept()).run(10).core.service(10.0).full


def test_a_candidate_does_not_wait_for_retired_code_that_hangs() -> None:
    """It would leave executions alone, and ends as if that code had failed."""
    world = simulate(kept(MISFIT, plan=SidecarPlan(ready=inf)), **GATE).finish(LATEST + 5)
    assert world.exit is not None
    assert world.exit.code == exit_codes.FLOW


# --- the end --------------------------------------------------------------------------------------


def test_a_drain_waits_for_retired_code() -> None:
    """It drains beside the workers; the exit comes after it, and with its exit code."""
    plan = replace(SERVES, drains=300.0, abandons=True)
    world = simulate(kept(plan=plan, timeline=((20.0, SIGTERM),))).finish(1000)
    assert stops(world) == [(20.0, False)]
    assert world.exit is not None
    assert world.exit.code == exit_codes.ABANDONED
    assert world.now >= 320.0


def test_retired_code_that_was_lost_before_a_drain_has_abandoned_nothing_in_it() -> None:
    """An uncaught exception is exit code 1, too, and the drain itself is a clean one."""
    plan = SidecarPlan(ready=inf, build="b-old")
    world = simulate(kept(plan=plan)).run(10)
    for _ in range(2):
        world.later(0, lambda: world.sidecars[OLD].die(exit_codes.ABANDONED))
        world.run(world.now + 0.1)
    assert retired(world) == {OLD: "gone"}
    world.ask(SIGTERM)
    world.finish(200)
    assert world.exit is not None
    assert world.exit.code == 0


@pytest.mark.parametrize(
    ("more", "at"),
    [
        (((30.0, SIGTERM),), 30.0),
        (((30.0, StopRequested("SIGQUIT")),), 30.0),
        (((30.0, TerminationNotice("spot", within=25.0)),), 55.0),
    ],
    ids=["second signal", "stop", "notice"],
)
def test_what_cuts_a_drain_short_cuts_retired_code_short(more: Any, at: float) -> None:
    """It is asked to stop when the workers are; if it does not, the exit waits no longer."""
    plan = replace(SERVES, drains=inf, hurries=False)
    timeline = ((20.0, SIGTERM), *more)
    world = simulate(kept(plan=plan, timeline=timeline)).finish(1000)
    assert stops(world) == [(20.0, False), (at, True)]
    assert len(world.notes("sidecar_left_behind")) == 1
    settings = world.settings
    assert world.now == at + settings.stop_timeout + settings.sidecar_timeout


def test_it_is_not_started_in_a_drain() -> None:
    """Its open executions wait in SWF."""
    world = simulate(kept(timeline=((0.5, SIGTERM),))).finish(100)
    assert starts(world) == []


# --- the gate -------------------------------------------------------------------------------------


def test_a_kept_release_keeps_executions_from_harm() -> None:
    """New code that does not fit them is let in, with a warning, once that release has said its
    build.
    """
    world = simulate(kept(MISFIT, plan=replace(SERVES, ready=70.0)), **GATE).run(60)
    assert not world.notes("generation_active")
    world.run(100)
    assert world.notes("generation_active")
    (note,) = world.notes("histories_replayed")
    assert note.text == "1 differs. Retired code of old serves them."
    assert note.level.name == "WARNING"


@pytest.mark.parametrize(
    ("version", "plan"),
    [
        (MISFIT, SidecarPlan(build="b-other")),
        (MISFIT, SidecarPlan(ready=inf)),
        (replace(MISFIT, misfits=("b-old", "b-older")), SERVES),
        (replace(MISFIT, older=()), SERVES),
    ],
    ids=["another build", "does not start", "one of two", "none kept"],
)
def test_code_that_would_leave_executions_alone_is_stopped(
    version: Version, plan: SidecarPlan
) -> None:
    """It ends at its first start with exit code 3, and names the build that no host serves."""
    world = simulate(kept(version, plan=plan), **GATE).run(10)
    if plan.ready == inf:
        world.sidecars[OLD].die(3)
    world.finish(100)
    assert world.exit is not None
    assert world.exit.code == exit_codes.FLOW
    assert not world.notes("generation_active")
    if version.older:
        assert "No release that is kept here serves build b-old" in world.exit.why


def test_in_a_restart_the_active_release_counts_as_kept() -> None:
    """Its build is known, and it will be served as retired code."""
    first = Version(release="old", build="b-old")
    world = simulate(kept(first, MISFIT, timeline=((20.0, SIGHUP),)), **GATE).run(60)
    assert set(world.served_by().values()) == {2}
    strange = replace(MISFIT, misfits=("b-strange",))
    world = simulate(kept(first, strange, timeline=((20.0, SIGHUP),)), **GATE).run(60)
    assert set(world.served_by().values()) == {1}
    assert world.notes("generation_failed")[0].facts["gate"] == "replay"


def test_a_release_that_only_the_candidate_keeps_is_asked() -> None:
    """It is started for the question, and goes when the candidate fails."""
    first = Version(release="older", build="b-older")
    wrong = replace(MISFIT, misfits=("b-old", "b-strange"), older=("older", "old"))
    scenario = kept(first, wrong, timeline=((20.0, SIGHUP),))
    world = simulate(scenario, keep_builds=2, **GATE).run(60)
    assert len(starts(world)) == len(stops(world)) == 1
    assert retired(world) == {}


# --- all of it ------------------------------------------------------------------------------------

RELEASES = ("r1", "r2", "r3")

plans = st.builds(
    SidecarPlan,
    ready=quarters(0, 8) | st.just(inf),
    lost_after=st.just(inf) | quarters(0, 90),
    obeys=st.booleans(),
    build=st.sampled_from(["", "b-r1", "b-r2", "b-r3"]),
    status=st.sampled_from([-9, 0, 1, 3]),
    drains=quarters(0, 300),
    abandons=st.booleans(),
    hurries=st.booleans(),
    unused_after=st.just(inf) | quarters(0, 60),
)


def of_a_release(version: Version, release: str, kept: tuple[str, ...]) -> Version:
    """The version as that of a release, whose own is never kept beside it."""
    older = tuple(each for each in kept if each != release)
    return replace(version, release=release, build=f"b-{release}", older=older)


@pytest.mark.slow
@many
@given(
    scenarios(leaving=True),
    st.lists(st.sampled_from(RELEASES), min_size=4, max_size=4),
    st.lists(st.lists(st.sampled_from(RELEASES), unique=True).map(tuple), min_size=4, max_size=4),
    st.lists(st.tuples(st.sampled_from([RETIRED + each for each in RELEASES]), plans)),
)
def test_no_scenario_with_kept_releases_breaks_an_invariant(
    scenario: Scenario,
    releases: list[str],
    older: list[tuple[str, ...]],
    retired_plans: list[tuple[str, SidecarPlan]],
) -> None:
    """Whatever happens to retired code, it is started and stopped in turn, never in a drain, and
    the exit waits for it.
    """
    found = zip(scenario.versions, releases, older, strict=False)
    versions = tuple(of_a_release(*each) for each in found)
    simulate(
        replace(scenario, versions=versions, retired=tuple(retired_plans)),
        keep_builds=2,
        **NEVER_GIVES_UP,
    ).finish(ENOUGH)


@pytest.mark.slow
@many
@given(
    st.lists(
        st.tuples(
            st.sampled_from(RELEASES), st.lists(st.sampled_from(RELEASES), unique=True).map(tuple)
        ),
        min_size=1,
        max_size=4,
    )
)
def test_after_any_deploys_the_kept_releases_serve(
    deploys: list[tuple[str, tuple[str, ...]]],
) -> None:
    """They are those of the last version, each with its lists; every other one has been asked to
    leave.
    """
    versions = tuple(of_a_release(Version(), *each) for each in deploys)
    timeline = tuple((20.0 + 100 * n, SIGHUP) for n in range(1, len(versions)))
    retired_plans = tuple((RETIRED + each, SidecarPlan(build=f"b-{each}")) for each in RELEASES)
    scenario = Scenario(versions=versions, timeline=timeline, retired=retired_plans)
    world = simulate(scenario, keep_builds=3).run(600)
    serving = {name for name, state in retired(world).items() if state == "ready"}
    assert serving == {RETIRED + each for each in versions[-1].older}
    assert set(retired(world)) == serving

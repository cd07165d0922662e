"""Scenarios on EC2: notices of the host's end, and the sidecar that brings them."""

from __future__ import annotations

from typing import Any

import pytest

from supervisor.config.settings import Settings
from supervisor.core import Core
from supervisor.ipc import messages
from supervisor.ipc.messages import InstanceKnown, TerminationNotice
from tests.supervisor.simulation.scenarios import Scenario, SidecarPlan, TaskPlan, Version
from tests.supervisor.simulation.world import World, simulate

DRAIN = messages.DrainRequested("SIGTERM")
LONG = TaskPlan(waits=1.0, lasts=500.0, timeout=600.0)
INSTANCE = messages.Instance("i-0123", "eu-west-1a", "spot")


def noticed(*timeline: tuple[float, messages.Event], **plans: Any) -> World:
    """A pool of one worker with a long task in progress, which gets these notices."""
    scenario = Scenario(timeline=timeline, tasks=(LONG,), **plans)
    return simulate(scenario, deciders=0, workers=1).finish(1500)


def first_kill_at(world: World) -> float:
    """The moment at which the task was cut short."""
    return world.when(world.logged(messages.Kill)[0])


# --- notices --------------------------------------------------------------------------------------


def test_a_notice_is_a_drain_with_an_end() -> None:
    """A task in progress at its end is killed and reported, with the notice as the reason."""
    world = noticed((20.0, TerminationNotice("spot, at noon", within=25.0)))
    assert first_kill_at(world) == 45.0
    assert [each.why for each in world.reports()] == ["Interrupted: spot, at noon"]
    assert world.exit is not None
    assert world.exit.code == 1


def test_a_notice_without_an_end_waits_for_the_task() -> None:
    """Without an end there is no moment to kill it."""
    world = noticed((20.0, TerminationNotice("rebalance")))
    assert world.logged(messages.Kill) == []
    assert world.exit is not None
    assert world.exit.code == 0


@pytest.mark.parametrize(
    "timeline",
    [
        (
            (20.0, TerminationNotice("a")),
            (30.0, TerminationNotice("b")),
            (31.0, TerminationNotice("c")),
        ),
        ((20.0, TerminationNotice("a")), (30.0, DRAIN), (31.0, TerminationNotice("c"))),
    ],
)
def test_notices_are_not_a_second_signal(
    timeline: tuple[tuple[float, messages.Event], ...],
) -> None:
    """However many there are beside init's one SIGTERM, the drain goes on."""
    world = noticed(*timeline)
    assert world.notes("stopping") == []
    assert len(world.notes("draining")) == 1
    assert len(world.logged(messages.Done)) == 1


def test_a_scale_in_that_went_well_reads_as_one() -> None:
    """The hook's end, which nothing met, is not the reason of the drain."""
    quick = TaskPlan(waits=1.0, lasts=25.0, timeout=600.0)
    timeline = (
        (20.0, TerminationNotice("the group moves this instance to Terminated")),
        (21.0, TerminationNotice("the group ends its wait", within=300.0)),
    )
    world = simulate(Scenario(timeline=timeline, tasks=(quick,)), deciders=0, workers=1)
    world.finish(1500)
    (report,) = world.notes("drain_report")
    assert report.level == messages.Level.INFO
    assert "(the group moves this instance to Terminated). Tasks in progress: 1 finished." in (
        report.text
    )


def test_the_nearest_end_holds_and_gives_the_reason() -> None:
    """A later end moves nothing; a nearer one does, and the task is cut short for its reason."""
    world = noticed(
        (20.0, TerminationNotice("far", within=200.0)),
        (21.0, TerminationNotice("near", within=30.0)),
        (22.0, TerminationNotice("farther", within=500.0)),
    )
    assert first_kill_at(world) == 51.0
    assert "near" in world.reports()[0].why


def test_a_notice_may_come_after_a_signal() -> None:
    """A drain without an end gets one."""
    world = noticed((20.0, DRAIN), (25.0, TerminationNotice("spot", within=10.0)))
    assert first_kill_at(world) == 35.0


# --- the instance ---------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [0.1, 30.0])
@pytest.mark.parametrize(
    ("life_cycle", "in_group", "warned"),
    [("spot", False, True), ("on-demand", True, True), ("on-demand", False, False)],
)
def test_activities_that_an_interruption_fails_are_named_once(
    at: float, life_cycle: str, *, in_group: bool, warned: bool
) -> None:
    """On spot or in a group, whether the instance or the flow is known first."""
    known = InstanceKnown(messages.Instance("i-0123", "eu-west-1a", life_cycle), in_group)
    unsaid = Version(restart_unset=("resize", "publish"))
    world = simulate(Scenario(timeline=((at, known),), versions=(unsaid,))).run(60)
    notes = world.notes("restartable_unset")
    assert len(notes) == warned
    assert all("resize, publish: retry=0" in each.text for each in notes)


def test_forks_get_the_instance_once_it_is_known() -> None:
    """Earlier workers do without it; the status has it."""
    world = simulate(Scenario(timeline=((1.5, InstanceKnown(INSTANCE)),))).run(5)
    known = [each.instance for each in world.logged(messages.Fork)]
    assert known[0] is None
    world.processes[2].die(-9)
    world.run(20)
    assert world.logged(messages.Fork)[-1].instance == INSTANCE
    assert world.core.status(world.now).instance == INSTANCE


# --- the sidecar --------------------------------------------------------------------------------


@pytest.mark.parametrize("ec2", ["auto", "on", "off"])
def test_the_sidecar_starts_at_once_if_the_settings_say_on(ec2: str) -> None:
    """``auto`` is decided before the core is made; undecided it starts no sidecar."""
    settings = Settings(flow="flow", ec2=ec2)  # type: ignore[arg-type]
    started = messages.StartSidecar("ec2") in Core(settings).begin(0.0)
    assert started is (ec2 == "on")


def test_a_lost_sidecar_is_started_again() -> None:
    """At once if it had run for a while, else after growing waits; each loss is a warning."""
    worker_plans = (
        SidecarPlan(lost_after=50.0),
        SidecarPlan(lost_after=0.0),
        SidecarPlan(lost_after=0.0),
    )
    world = simulate(Scenario(sidecars=worker_plans), ec2="on").run(200)
    starts = [at for at, each in world.log if each == messages.StartSidecar("ec2")]
    assert starts[:2] == [0.0, 50.5]
    assert starts[2] - starts[1] < starts[3] - starts[2]
    assert len(starts) == 4
    assert len(world.notes("sidecar_lost")) == 3


def test_a_drain_needs_the_sidecar_to_its_end() -> None:
    """It is started again in a drain, and stopped when no worker and no owed report is left."""
    scenario = Scenario(
        sidecars=(SidecarPlan(lost_after=30.0), SidecarPlan()),
        tasks=(LONG,),
        timeline=((20.0, DRAIN),),
    )
    world = simulate(scenario, ec2="on").finish(1500)
    assert len(world.logged(messages.StartSidecar)) == 2
    done = world.when(world.logged(messages.Done)[0])
    assert world.when(messages.StopSidecar("ec2")) > done
    assert world.exit is not None


def test_the_drain_is_reported_before_the_sidecar_ends() -> None:
    """When it completes its lifecycle hook, the host may be gone before another line is written."""
    scenario = Scenario(tasks=(LONG,), timeline=((20.0, TerminationNotice("spot", within=25.0)),))
    world = simulate(scenario, ec2="on").finish(1500)
    (report,) = world.notes("drain_report")
    logged = [each for _, each in world.log]
    assert logged.index(report) < logged.index(messages.StopSidecar("ec2"))


def test_the_exit_waits_for_a_hung_sidecar_until_its_timeout() -> None:
    """It waits, but not for ever."""
    world = simulate(
        Scenario(sidecars=(SidecarPlan(obeys=False),), timeline=((20.0, DRAIN),)), ec2="on"
    )
    world.finish(300)
    asked = world.when(messages.StopSidecar("ec2"))
    assert world.now == asked + world.settings.sidecar_timeout


def test_a_sidecar_lost_at_the_end_is_not_started_again() -> None:
    """No worker and no owed report is left, so it is not needed."""
    world = simulate(Scenario(timeline=((20.0, DRAIN),)), ec2="on").run(61)
    world.sidecars["ec2"].die(-9)
    world.finish(300)
    assert len(world.logged(messages.StartSidecar)) <= 2
    assert world.exit is not None

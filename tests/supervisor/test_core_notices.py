"""The core's stories on EC2: notices of the host's end, and the attendant that brings them."""

from __future__ import annotations

import pytest

from supervisor import messages
from supervisor.core import Core
from supervisor.messages import EndNoticed, InstanceKnown
from supervisor.settings import Settings
from tests.fates import Helper, Plan, Script
from tests.world import World, tell

DRAIN = messages.DrainAsked("SIGTERM")
LONG = Plan(waits=1.0, lasts=500.0, timeout=600.0)
INSTANCE = messages.Instance("i-0123", "eu-west-1a", "spot")


def noticed(*orders: tuple[float, messages.Event], **script: object) -> World:
    """A pool of one worker with a long task in hand that is told these things."""
    return tell(Script(orders=orders, plans=(LONG,), **script), deciders=0, workers=1).finish(1500)  # type: ignore[arg-type]


def first_kill(world: World) -> float:
    """When the task was cut short."""
    return world.when(world.said(messages.Kill)[0])


# --- notices --------------------------------------------------------------------------------------


def test_a_notice_is_a_drain_with_an_end() -> None:
    """What is in hand at its end is killed and reported, with the notice as the reason."""
    world = noticed((20.0, EndNoticed("spot, at noon", within=25.0)))
    assert first_kill(world) == 45.0
    assert [each.why for each in world.reports()] == ["Interrupted: spot, at noon"]
    assert world.exit is not None
    assert world.exit.code == 1


def test_a_notice_without_an_end_waits_for_the_task() -> None:
    """Nothing says when it would be too late."""
    world = noticed((20.0, EndNoticed("rebalance")))
    assert world.said(messages.Kill) == []
    assert world.exit is not None
    assert world.exit.code == 0


@pytest.mark.parametrize(
    "orders",
    [
        ((20.0, EndNoticed("a")), (30.0, EndNoticed("b")), (31.0, EndNoticed("c"))),
        ((20.0, EndNoticed("a")), (30.0, DRAIN), (31.0, EndNoticed("c"))),
    ],
)
def test_notices_are_no_second_signal(orders: tuple[tuple[float, messages.Event], ...]) -> None:
    """However many there are, beside init's one SIGTERM, the drain goes on."""
    world = noticed(*orders)
    assert world.notes("stopping") == []
    assert len(world.notes("draining")) == 1
    assert len(world.said(messages.Done)) == 1


def test_the_nearest_end_holds_and_gives_the_reason() -> None:
    """A later end moves nothing; a nearer one does, and is what the task was cut short by."""
    world = noticed(
        (20.0, EndNoticed("far", within=200.0)),
        (21.0, EndNoticed("near", within=30.0)),
        (22.0, EndNoticed("farther", within=500.0)),
    )
    assert first_kill(world) == 51.0
    assert "near" in world.reports()[0].why


def test_a_notice_may_come_after_a_signal() -> None:
    """A drain without an end gets one."""
    world = noticed((20.0, DRAIN), (25.0, EndNoticed("spot", within=10.0)))
    assert first_kill(world) == 35.0


# --- the instance ---------------------------------------------------------------------------------


def test_who_is_forked_knows_the_instance_once_it_is_known() -> None:
    """Workers before it do without; the status tells it."""
    world = tell(Script(orders=((1.5, InstanceKnown(INSTANCE)),))).run(5)
    known = [each.instance for each in world.said(messages.Fork)]
    assert known[0] is None
    world.processes[2].die(-9)
    world.run(20)
    assert world.said(messages.Fork)[-1].instance == INSTANCE
    assert world.core.status(world.now).instance == INSTANCE


# --- the attendant --------------------------------------------------------------------------------


@pytest.mark.parametrize("ec2", ["auto", "on", "off"])
def test_the_attendant_starts_at_once_and_only_if_it_is_decided(ec2: str) -> None:
    """``auto`` is decided before the core is made; undecided it starts nobody."""
    settings = Settings(flow="flow", ec2=ec2)  # type: ignore[arg-type]
    started = messages.StartAttendant("ec2") in Core(settings).begin(0.0)
    assert started is (ec2 == "on")


def test_a_lost_attendant_is_started_again() -> None:
    """At once if it had lasted, else after growing rests; each loss is a warning."""
    fates = (Helper(lost_after=50.0), Helper(lost_after=0.0), Helper(lost_after=0.0))
    world = tell(Script(companions=fates), ec2="on").run(200)
    starts = [at for at, each in world.log if each == messages.StartAttendant("ec2")]
    assert starts[:2] == [0.0, 50.5]
    assert starts[2] - starts[1] < starts[3] - starts[2]
    assert len(starts) == 4
    assert len(world.notes("attendant_lost")) == 3


def test_a_drain_needs_the_attendant_to_its_end() -> None:
    """It is started again in a drain, and stopped when no worker and no report is left."""
    script = Script(
        companions=(Helper(lost_after=30.0), Helper()), plans=(LONG,), orders=((20.0, DRAIN),)
    )
    world = tell(script, ec2="on").finish(1500)
    assert len(world.said(messages.StartAttendant)) == 2
    done = world.when(world.said(messages.Done)[0])
    assert world.when(messages.StopAttendant("ec2")) > done
    assert world.exit is not None


def test_the_drain_is_reported_before_the_attendant_ends() -> None:
    """When it has let the group go on, the host may be gone before another line is written."""
    script = Script(plans=(LONG,), orders=((20.0, EndNoticed("spot", within=25.0)),))
    world = tell(script, ec2="on").finish(1500)
    (report,) = world.notes("drain_report")
    said = [each for _, each in world.log]
    assert said.index(report) < said.index(messages.StopAttendant("ec2"))


def test_a_deaf_attendant_costs_its_patience() -> None:
    """The exit waits for it, but not for ever."""
    world = tell(Script(companions=(Helper(heeds=False),), orders=((20.0, DRAIN),)), ec2="on")
    world.finish(300)
    asked = world.when(messages.StopAttendant("ec2"))
    assert world.now == asked + world.settings.attendant_patience


def test_nobody_is_started_when_nothing_is_left() -> None:
    """An attendant that is lost while the last one leaves stays lost."""
    world = tell(Script(orders=((20.0, DRAIN),)), ec2="on").run(61)
    world.helpers["ec2"].die(-9)
    world.finish(300)
    assert len(world.said(messages.StartAttendant)) <= 2
    assert world.exit is not None

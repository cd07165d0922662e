"""Scenarios of instances in a warm pool: no worker polls there."""

from __future__ import annotations

from supervisor.ipc import health
from supervisor.ipc.messages import WarmPool
from tests.supervisor.simulation.scenarios import Scenario
from tests.supervisor.simulation.world import DECIDER, RESIZE, simulate

FULL = {RESIZE: 2, DECIDER: 1}


def test_a_warm_instance_polls_nothing_until_it_is_in_service() -> None:
    """However long that takes; then all slots are filled at once."""
    timeline = ((0.2, WarmPool(is_warm=True)), (3600.0, WarmPool(is_warm=False)))
    world = simulate(Scenario(timeline=timeline), ec2="on").run(3599)
    assert world.strength() == {}
    assert world.notes("full_strength") == []
    assert world.run(3605).strength() == FULL
    assert len(world.notes("warm_pool")) == len(world.notes("in_service")) == 1
    assert len(world.notes("full_strength")) == 1


def test_no_poll_begins_before_the_state_is_reported() -> None:
    """A report that does not come holds up the start for five seconds."""
    timeline = ((3.0, WarmPool(is_warm=False)),)
    world = simulate(Scenario(timeline=timeline), ec2="on").run(2.9)
    assert world.strength() == {}
    assert world.run(4.5).strength() == FULL
    silent = simulate(ec2="on").run(4.9)
    assert silent.strength() == {}
    assert silent.run(7.0).strength() == FULL


def test_the_service_manager_waits_for_the_report_but_not_for_the_end_of_the_wait() -> None:
    """A warm instance has started; one whose state is not known has not."""
    unknown = simulate(ec2="on").run(3.0)
    assert not unknown.core.service(unknown.now).full
    timeline = ((0.2, WarmPool(is_warm=True)),)
    warm = simulate(Scenario(timeline=timeline), ec2="on").run(3.0)
    assert warm.core.service(warm.now).full
    assert not any(health.problems(warm.core.status(warm.now)))


def test_elsewhere_nothing_is_waited_for() -> None:
    """A host that is not on EC2 has no such state."""
    assert simulate().run(3.0).strength() == FULL

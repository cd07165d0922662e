"""The instance's hook and protection in its group, against moto's auto scaling."""

from __future__ import annotations

import logging
from math import inf
from typing import TYPE_CHECKING

import msgspec
import pytest

from supervisor.ipc.messages import Ec2Settings, SwfEndpoint
from supervisor.sidecars.ec2 import asg
from supervisor.sidecars.ec2.asg import ScalingGroup
from supervisor.sidecars.ec2.asg_api import AsgApi, CallOutcome
from supervisor.sidecars.ec2.lifecycle_hook import TerminationHook
from tests.fakes.auto_scaling import (
    BEAT,
    COMPLETE,
    DESCRIBE,
    DESCRIBE_HOOKS,
    HOOK,
    PROTECT,
    REGION,
    Scaling,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.slow  # a server of moto's and new boto3 clients for each test

DENIED = "AccessDenied"


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Scaling]]:
    """A function that makes a group to which this process's calls go."""
    made: list[Scaling] = []

    def make(*hooks: str, heartbeat: int = 30) -> Scaling:
        made.append(Scaling(*hooks, heartbeat=heartbeat))
        monkeypatch.setenv("AWS_ENDPOINT_URL_AUTO_SCALING", made[-1].url)
        return made[-1]

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    yield make
    for each in made:
        each.__exit__()


def orders(
    *, protect: bool = False, group: str | None = None, hook: str | None = None
) -> Ec2Settings:
    """The settings of the sidecar."""
    return Ec2Settings(
        interval=5.0,
        margin=30.0,
        maintenance_lead=600.0,
        token_ttl=60,
        drain_on_rebalance=False,
        protect_busy=protect,
        group=group,
        hook=hook,
    )


def group(scaling: Scaling, desired: Ec2Settings | None = None) -> ScalingGroup:
    """The instance's group, looked up."""
    made = ScalingGroup(desired or orders(), AsgApi(SwfEndpoint(), REGION, scaling.instance))
    made.serve(0.0)
    return made


# --- looking up -----------------------------------------------------------------------------------


def test_the_size_of_the_group_is_asked_for_where_its_hosts_share_counts(
    make: Callable[..., Scaling],
) -> None:
    """Every ten minutes, and not at all without a backlog to count."""
    scaling = make(HOOK)
    counted = group(scaling, msgspec.structs.replace(orders(), count_group=True))
    assert counted.size == 1
    counted.serve(599.0)
    assert scaling.count("DescribeAutoScalingGroups") == 1
    assert counted.next_at == 600.0
    assert group(scaling).size is None


def test_group_and_hook_are_found_by_describing(make: Callable[..., Scaling]) -> None:
    """The only termination hook is used, a launch hook is not, and the look-up happens once."""
    scaling = make(HOOK, heartbeat=90)
    calls = AsgApi(SwfEndpoint(), REGION, scaling.instance)
    outcome, found = calls.membership()
    assert outcome is CallOutcome.DONE
    assert found is not None
    assert (found.group, found.protected) == (scaling.group, False)
    assert calls.hooks(scaling.group) == (
        CallOutcome.DONE,
        [TerminationHook(scaling.group, HOOK, 90.0, 9000.0)],
    )
    assert group(scaling).next_at == inf


@pytest.mark.parametrize(
    ("hooks", "named", "warns"),
    [((), None, False), (("a", "b"), None, True), (("a",), "b", True)],
)
def test_no_hook_is_guessed(
    make: Callable[..., Scaling],
    caplog: pytest.LogCaptureFixture,
    hooks: tuple[str, ...],
    named: str | None,
    warns: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """Of several hooks none is used, nor one of another name; the group is not kept waiting."""
    scaling = make(*hooks)
    with caplog.at_level(logging.WARNING):
        mine = group(scaling, orders(hook=named))
    mine.leave(10.0)
    mine.serve(10.0)
    mine.finish()
    assert (mine.ends_at, mine.next_at) == (inf, inf)
    assert scaling.count(BEAT) == scaling.count(COMPLETE) == 0
    assert ("Name one with --asg-hook" in caplog.text) is warns


def test_of_several_hooks_the_named_one_is_used(make: Callable[..., Scaling]) -> None:
    """Heartbeats go to the named hook."""
    scaling = make("logs", HOOK)
    mine = group(scaling, orders(hook=HOOK))
    mine.leave(10.0)
    mine.serve(10.0)
    assert scaling.wait_for(BEAT)["LifecycleHookName"] == HOOK


def test_a_failed_look_up_is_repeated_a_minute_later(make: Callable[..., Scaling]) -> None:
    """The wait of a group that is left meanwhile counts from then."""
    scaling = make(HOOK)
    scaling.order(DESCRIBE, "InternalFailure")
    mine = group(scaling)
    mine.leave(10.0)
    mine.serve(10.0)
    assert (mine.ends_at, mine.next_at) == (inf, 60.0)
    mine.leave(20.0)
    scaling.order(DESCRIBE, "")
    mine.serve(60.0)
    assert mine.ends_at == 10.0 + 3000.0


def test_settings_replace_the_look_up(
    make: Callable[..., Scaling], caplog: pytest.LogCaptureFixture
) -> None:
    """The shortest times of a hook are assumed; each missing permission is one warning."""
    scaling = make(HOOK, heartbeat=3600)
    scaling.order(DESCRIBE, DENIED)
    scaling.order(DESCRIBE_HOOKS, DENIED)
    with caplog.at_level(logging.WARNING):
        mine = group(scaling, orders(group=scaling.group, hook=HOOK))
        for now in (100.0, 110.0, 120.0):
            mine.leave(100.0)
            mine.serve(now)
    assert mine.ends_at == 100.0 + 3000.0
    assert scaling.count(BEAT) == 3
    warnings = [each.message for each in caplog.records]
    assert [each.count("autoscaling:Describe") for each in warnings] == [1, 1]
    assert scaling.count(DESCRIBE) == 1


def test_an_unknown_profile_is_a_failed_call(
    make: Callable[..., Scaling], caplog: pytest.LogCaptureFixture
) -> None:
    """It is one warning, and the look-up is repeated a minute later."""
    scaling = make(HOOK)
    mine = ScalingGroup(orders(), AsgApi(SwfEndpoint(profile="unknown"), REGION, scaling.instance))
    with caplog.at_level(logging.WARNING):
        mine.serve(0.0)
        mine.serve(60.0)
    assert [each.message.count("(unknown) could not be found") for each in caplog.records] == [1]
    assert mine.next_at == 120.0


# --- the hook -------------------------------------------------------------------------------------


def test_the_hook_is_kept_waiting_and_completed(make: Callable[..., Scaling]) -> None:
    """Heartbeats begin when the group is left; CONTINUE ends them; both have the instance id."""
    scaling = make(HOOK)
    mine = group(scaling)
    mine.serve(5.0)
    assert scaling.count(BEAT) == 0
    mine.leave(10.0)
    mine.leave(15.0)
    for now in (15.0, 16.0, 25.0):
        mine.serve(now)
    assert scaling.count(BEAT) == 2
    mine.finish()
    expected = {
        "LifecycleHookName": HOOK,
        "AutoScalingGroupName": scaling.group,
        "InstanceId": scaling.instance,
    }
    assert scaling.wait_for(BEAT) == expected
    assert scaling.wait_for(COMPLETE) == {**expected, "LifecycleActionResult": "CONTINUE"}


def test_a_hook_at_which_no_group_waits_is_not_completed(make: Callable[..., Scaling]) -> None:
    """A sidecar that ends for another reason leaves the hook alone."""
    scaling = make(HOOK)
    group(scaling).finish()
    assert scaling.count(COMPLETE) == 0


def test_refused_heartbeats_are_one_warning_and_a_shorter_wait(
    make: Callable[..., Scaling], caplog: pytest.LogCaptureFixture
) -> None:
    """The warning names the IAM action; the hook is completed all the same."""
    scaling = make(HOOK)
    scaling.order(BEAT, DENIED)
    mine = group(scaling)
    mine.leave(10.0)
    with caplog.at_level(logging.WARNING):
        for now in (10.0, 20.0, 30.0):
            mine.serve(now)
    assert mine.ends_at == 40.0
    assert [record.message.split(" is not")[0] for record in caplog.records] == [
        f"The IAM action autoscaling:{BEAT}"
    ]
    mine.finish()
    assert scaling.count(COMPLETE) == 1


def test_a_heartbeat_at_a_hook_that_is_over_is_the_last(make: Callable[..., Scaling]) -> None:
    """After the service's validation error no heartbeat follows."""
    scaling = make(HOOK)
    scaling.order(BEAT, "ValidationError")
    mine = group(scaling)
    mine.leave(10.0)
    mine.serve(10.0)
    mine.serve(100.0)
    assert scaling.count(BEAT) == 1


def test_completing_is_repeated_after_contention(
    make: Callable[..., Scaling], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another change of the group may be in progress: the waits between the attempts grow."""
    scaling = make(HOOK)
    scaling.order(COMPLETE, *["ResourceContention"] * 5, "")
    mine, waits = group(scaling), list[float]()
    mine.leave(10.0)
    mine.serve(10.0)
    monkeypatch.setattr("supervisor.sidecars.ec2.asg.time.sleep", waits.append)
    mine.finish()
    assert scaling.count(COMPLETE) == 6
    assert len(waits) == 5
    assert all(0.25 <= wait <= 4.0 for wait in waits)


def test_completing_ends_with_its_time(
    make: Callable[..., Scaling],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The supervisor does not wait longer; a warning says what the group does then."""
    scaling = make(HOOK)
    scaling.order(COMPLETE, "ResourceContention")
    mine = group(scaling)
    mine.leave(10.0)
    mine.serve(10.0)
    monkeypatch.setattr(asg, "COMPLETE_SECONDS", 0.0)
    mine.finish()
    assert scaling.count(COMPLETE) == 1
    assert "The group goes on when the hook's timeout is over" in caplog.text


def test_no_permission_to_complete_is_a_warning(
    make: Callable[..., Scaling], caplog: pytest.LogCaptureFixture
) -> None:
    """The hook's own timeout then ends the group's wait."""
    scaling = make(HOOK)
    scaling.order(COMPLETE, DENIED)
    mine = group(scaling)
    mine.leave(10.0)
    mine.serve(10.0)
    with caplog.at_level(logging.WARNING):
        mine.finish()
    assert f"autoscaling:{COMPLETE} is not allowed" in caplog.text
    assert scaling.count(COMPLETE) == 1


# --- protection -----------------------------------------------------------------------------------


def test_a_busy_instance_is_protected_until_it_idles(
    make: Callable[..., Scaling],
) -> None:
    """Without the setting no call is made."""
    scaling = make(HOOK)
    untouched = group(scaling)
    untouched.protect(5, 0.0)
    untouched.finish()
    assert scaling.count(PROTECT) == 0
    mine = group(scaling, orders(protect=True))
    mine.protect(5, 0.0)
    assert scaling.protected()
    mine.protect(0, 100.0)
    assert not scaling.protected()


@pytest.mark.parametrize(("code", "calls"), [(DENIED, 1), ("InternalFailure", 3)])
def test_a_protection_that_is_refused_is_one_warning(
    make: Callable[..., Scaling], caplog: pytest.LogCaptureFixture, code: str, calls: int
) -> None:
    """A forbidden call is not repeated; a failed one is, a minute later."""
    scaling = make(HOOK)
    scaling.order(PROTECT, code)
    mine = group(scaling, orders(protect=True))
    with caplog.at_level(logging.WARNING):
        for now in (0.0, 60.0, 120.0):
            mine.protect(5, now)
    assert scaling.count(PROTECT) == calls
    assert len(caplog.records) == 1


def test_the_protection_ends_with_the_sidecar(make: Callable[..., Scaling]) -> None:
    """The instance is no longer protected after the supervisor's end."""
    scaling = make(HOOK)
    mine = group(scaling, orders(protect=True))
    mine.protect(5, 0.0)
    mine.finish()
    assert not scaling.protected()


def test_a_leftover_protection_is_removed(make: Callable[..., Scaling]) -> None:
    """The protection of a killed supervisor is removed by the next one."""
    scaling = make(HOOK)
    group(scaling, orders(protect=True)).protect(5, 0.0)
    group(scaling, orders(protect=True)).protect(0, 0.0)
    assert not scaling.protected()


def test_a_leaving_instance_is_not_protected(make: Callable[..., Scaling]) -> None:
    """A group protects only instances in service."""
    scaling = make(HOOK)
    mine = group(scaling, orders(protect=True))
    mine.leave(10.0)
    mine.protect(5, 20.0)
    assert scaling.count(PROTECT) == 0


# --- the launch hook ------------------------------------------------------------------------------


@pytest.mark.parametrize(("proceeds", "result"), [(True, "CONTINUE"), (False, "ABANDON")])
def test_a_named_launch_hook_is_completed_once(
    make: Callable[..., Scaling],
    proceeds: bool,  # noqa: FBT001 - a column of the table
    result: str,
) -> None:
    """The instance serves, or an instance refresh replaces it and stops."""
    scaling = make(HOOK)
    mine = group(scaling, msgspec.structs.replace(orders(), launch_hook="launched"))
    assert mine.is_launching
    mine.complete_launch(proceeds=proceeds)
    mine.complete_launch(proceeds=proceeds)
    members = scaling.wait_for(COMPLETE)
    assert members["LifecycleHookName"] == "launched"
    assert members["LifecycleActionResult"] == result
    assert (scaling.count(COMPLETE), mine.is_launching) == (1, False)


def test_without_a_name_no_launch_hook_is_completed(make: Callable[..., Scaling]) -> None:
    """It may be for another program."""
    scaling = make(HOOK)
    mine = group(scaling)
    mine.complete_launch(proceeds=True)
    assert (scaling.count(COMPLETE), mine.is_launching) == (0, False)


def test_a_launch_that_is_over_is_no_news(
    make: Callable[..., Scaling], caplog: pytest.LogCaptureFixture
) -> None:
    """A later start finds no group waiting; another failure is attempted again."""
    scaling = make(HOOK)
    scaling.order(COMPLETE, "InternalFailure", "ValidationError")
    mine = group(scaling, msgspec.structs.replace(orders(), launch_hook="launched"))
    states = []
    for _ in range(2):
        mine.complete_launch(proceeds=True)
        states.append(mine.is_launching)
    assert states == [True, False]
    assert "ValidationError" not in caplog.text

"""The fake auto scaling has moto's group, two more calls, and errors on demand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.fakes.auto_scaling import BEAT, COMPLETE, DESCRIBE, HOOK, Scaling

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow  # a server of moto's for each test


@pytest.fixture
def scaling() -> Iterator[Scaling]:
    """A group with one hook, ended afterwards."""
    with Scaling(HOOK) as made:
        yield made


def at_hook(scaling: Scaling) -> dict[str, Any]:
    """The members that name the hook."""
    return {
        "LifecycleHookName": HOOK,
        "AutoScalingGroupName": scaling.group,
        "InstanceId": scaling.instance,
    }


def test_there_is_a_group_of_one_with_its_hooks(scaling: Scaling) -> None:
    """The set-up makes group and hooks, and does not count as calls."""
    assert scaling.calls == []
    response = scaling.client.describe_auto_scaling_instances(InstanceIds=[scaling.instance])
    assert response["AutoScalingInstances"][0]["AutoScalingGroupName"] == scaling.group
    hooks = scaling.client.describe_lifecycle_hooks(AutoScalingGroupName=scaling.group)[
        "LifecycleHooks"
    ]
    assert {each["LifecycleHookName"]: each["HeartbeatTimeout"] for each in hooks} == {
        HOOK: 30,
        "launched": 30,
    }
    assert scaling.protected() is False


def test_a_hook_takes_heartbeats_and_is_completed(scaling: Scaling) -> None:
    """Both calls are recorded with their members."""
    scaling.client.record_lifecycle_action_heartbeat(**at_hook(scaling))
    scaling.client.complete_lifecycle_action(**at_hook(scaling), LifecycleActionResult="CONTINUE")
    assert [action for action, _ in scaling.calls] == [BEAT, COMPLETE]
    assert scaling.wait_for(COMPLETE)["LifecycleActionResult"] == "CONTINUE"
    assert scaling.wait_for(BEAT)["InstanceId"] == scaling.instance


def test_errors_come_in_the_order_given(scaling: Scaling) -> None:
    """The last one stays, and "" means success."""
    scaling.order(DESCRIBE, "", "Throttling", "AccessDenied")
    codes = []
    for _ in range(4):
        try:
            scaling.client.describe_auto_scaling_instances()
            codes.append("")
        except ClientError as error:
            codes.append(error.response["Error"]["Code"])
    assert codes[0] == ""
    assert codes[-1] == "AccessDenied"


def test_moto_is_left_as_it_was() -> None:
    """After the block moto's class is unchanged for other tests."""
    from moto.autoscaling.responses import AutoScalingResponse  # noqa: PLC0415 - for this test alone

    before = dict(vars(AutoScalingResponse))
    with Scaling(HOOK):
        assert dict(vars(AutoScalingResponse)) != before
    assert dict(vars(AutoScalingResponse)) == before

"""The tests' own auto scaling: moto's group, two more calls, and errors to order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.scaling import BEAT, COMPLETE, DESCRIBE, HOOK, Scaling

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def scaling() -> Iterator[Scaling]:
    """Ended afterwards."""
    with Scaling(HOOK) as made:
        yield made


def at_hook(scaling: Scaling) -> dict[str, Any]:
    """What names the hook."""
    return {
        "LifecycleHookName": HOOK,
        "AutoScalingGroupName": scaling.group,
        "InstanceId": scaling.instance,
    }


def test_there_is_a_group_of_one_with_its_hooks(scaling: Scaling) -> None:
    """As moto tells it, and nothing was called before a test calls."""
    assert scaling.calls == []
    told = scaling.client.describe_auto_scaling_instances(InstanceIds=[scaling.instance])
    assert told["AutoScalingInstances"][0]["AutoScalingGroupName"] == scaling.group
    hooks = scaling.client.describe_lifecycle_hooks(AutoScalingGroupName=scaling.group)[
        "LifecycleHooks"
    ]
    assert {each["LifecycleHookName"]: each["HeartbeatTimeout"] for each in hooks} == {
        HOOK: 30,
        "launched": 30,
    }
    assert scaling.protected() is False


def test_a_hook_takes_heartbeats_and_is_completed(scaling: Scaling) -> None:
    """Both are written down with their members."""
    scaling.client.record_lifecycle_action_heartbeat(**at_hook(scaling))
    scaling.client.complete_lifecycle_action(**at_hook(scaling), LifecycleActionResult="CONTINUE")
    assert [action for action, _ in scaling.calls] == [BEAT, COMPLETE]
    assert scaling.wait_for(COMPLETE)["LifecycleActionResult"] == "CONTINUE"
    assert scaling.wait_for(BEAT)["InstanceId"] == scaling.instance


def test_errors_come_in_the_order_given(scaling: Scaling) -> None:
    """The last one stays; "" is none."""
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
    """Another test's moto hears nothing of ours."""
    from moto.autoscaling.responses import AutoScalingResponse  # noqa: PLC0415 - this test's

    before = dict(vars(AutoScalingResponse))
    with Scaling(HOOK):
        assert dict(vars(AutoScalingResponse)) != before
    assert dict(vars(AutoScalingResponse)) == before

"""EC2 Auto Scaling on loopback: moto's, with the two calls that it has not, and faults to order.

The server runs in a thread of the test's process. ``test_scaling`` tests what is added to moto.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import threading
from typing import TYPE_CHECKING, Any, Self

import boto3
from botocore import xform_name
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import EmptyResult
from moto.server import ThreadedMotoServer

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT = 40.0
"""Seconds after which a wait has failed."""

HOOK = "drain"
REGION = "us-east-1"

IMAGE = "ami-12c6146b"
"""One of those that moto has from the start."""

logging.getLogger("werkzeug").setLevel(logging.ERROR)  # its access log is not what tests look for

_numbers = itertools.count(1)

BEAT = "RecordLifecycleActionHeartbeat"
COMPLETE = "CompleteLifecycleAction"
PROTECT = "SetInstanceProtection"
DESCRIBE = "DescribeAutoScalingInstances"
DESCRIBE_HOOKS = "DescribeLifecycleHooks"


class Scaling:
    """One group of one instance; leaving the block ends it.

    Args:
        hooks: The names of its termination hooks.
        heartbeat: Their timeout in seconds.
    """

    def __init__(self, *hooks: str, heartbeat: int = 30) -> None:
        self.group = f"pool-{next(_numbers)}"  # moto's state is the process's, not the server's
        self.calls: list[tuple[str, dict[str, Any]]] = []  # action and members, in order
        self._faults: dict[str, list[str]] = {}  # codes of the next answers, the last for ever
        self._change = threading.Condition()
        self._undo = contextlib.ExitStack()
        self._server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        self._server.start()
        self._undo.callback(self._server.stop)
        self._install()
        host, port = self._server.get_host_and_port()
        self.url = f"http://{host}:{port}"
        self.client: Any = self._make_client()
        self.instance = self._make_group()
        for name in hooks:
            self._add_hook(name, "TERMINATING", heartbeat)
        self._add_hook("launched", "LAUNCHING", heartbeat)
        self.calls.clear()

    # --- orders

    def order(self, action: str, *codes: str) -> None:
        """Answer an action with these errors, the last one from then on; "" is none."""
        self._faults[action] = list(codes)

    # --- what it was asked

    def count(self, action: str) -> int:
        """How often an action was called."""
        with self._change:
            return sum(name == action for name, _ in self.calls)

    def wait_for(self, action: str, times: int = 1) -> dict[str, Any]:
        """Wait until an action has been called so often; returns the last call's members."""
        with self._change:
            called = self._change.wait_for(lambda: self._called(action, times), LIMIT)
            assert called, f"{action} was not called {times} times: {self.calls}"
            return [members for name, members in self.calls if name == action][-1]

    def protected(self) -> bool:
        """Whether the instance is protected from scale-in."""
        told = self.client.describe_auto_scaling_instances(InstanceIds=[self.instance])
        return bool(told["AutoScalingInstances"][0]["ProtectedFromScaleIn"])

    def _called(self, action: str, times: int) -> bool:
        return sum(name == action for name, _ in self.calls) >= times

    # --- how

    def _install(self) -> None:
        self._replace("call_action", self._heard(AutoScalingResponse.call_action))
        for name in ("record_lifecycle_action_heartbeat", "complete_lifecycle_action"):
            self._replace(name, lambda _response: EmptyResult())

    def _replace(self, name: str, function: Callable[..., Any]) -> None:
        before = vars(AutoScalingResponse).get(name)
        setattr(AutoScalingResponse, name, function)
        if before is None:
            self._undo.callback(delattr, AutoScalingResponse, name)
        else:
            self._undo.callback(setattr, AutoScalingResponse, name, before)

    def _heard(self, answer: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def heard(response: Any) -> Any:
            action = response._get_action()
            with self._change:
                self.calls.append((action, dict(response._get_params())))
                code = self._next_fault(action)
                self._change.notify_all()
            if code:  # moto calls the response's method of this name
                setattr(response, xform_name(action), lambda: _error(code))
            return answer(response)

        return heard

    def _next_fault(self, action: str) -> str:
        codes = self._faults.get(action, [])
        return codes.pop(0) if len(codes) > 1 else "".join(codes)

    def _make_client(self) -> Any:
        return boto3.client(
            "autoscaling",
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - any will do here
        )

    def _make_group(self) -> str:
        self.client.create_launch_configuration(
            LaunchConfigurationName=self.group, ImageId=IMAGE, InstanceType="m5.large"
        )
        self.client.create_auto_scaling_group(
            AutoScalingGroupName=self.group,
            LaunchConfigurationName=self.group,
            AvailabilityZones=[f"{REGION}a"],
            MinSize=1,
            MaxSize=1,
        )
        told = self.client.describe_auto_scaling_groups(AutoScalingGroupNames=[self.group])
        return str(told["AutoScalingGroups"][0]["Instances"][0]["InstanceId"])

    def _add_hook(self, name: str, what: str, heartbeat: int) -> None:
        self.client.put_lifecycle_hook(
            AutoScalingGroupName=self.group,
            LifecycleHookName=name,
            LifecycleTransition=f"autoscaling:EC2_INSTANCE_{what}",
            HeartbeatTimeout=heartbeat,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()


def _error(code: str) -> tuple[int, dict[str, Any], str]:
    """As the service writes one: moto can write only those that the service's model names."""
    text = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>as ordered</Message></Error>"
    return 400, {"status": 400}, f"<ErrorResponse>{text}<RequestId>1</RequestId></ErrorResponse>"

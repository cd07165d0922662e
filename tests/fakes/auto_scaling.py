"""EC2 Auto Scaling on loopback: moto's, with two calls that it lacks, and errors on demand.

The server runs in a thread of the test's process. ``test_auto_scaling`` tests the additions. Moto's
EC2 takes a second to import: that waits until a group is made, and other tests do without.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import threading
from typing import TYPE_CHECKING, Any, Self

import boto3
from botocore import xform_name

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT = 40.0
"""Seconds after which a wait has failed."""

HOOK = "drain"
REGION = "us-east-1"

IMAGE = "ami-12c6146b"
"""An image that moto knows from the start."""

logging.getLogger("werkzeug").setLevel(logging.ERROR)  # tests do not read its access log

_numbers = itertools.count(1)

BEAT = "RecordLifecycleActionHeartbeat"
COMPLETE = "CompleteLifecycleAction"
PROTECT = "SetInstanceProtection"
DESCRIBE = "DescribeAutoScalingInstances"
DESCRIBE_HOOKS = "DescribeLifecycleHooks"


class Scaling:
    """A group of one instance, with its server; leaving the block ends it.

    Args:
        hooks: Names of the termination hooks.
        heartbeat: Their heartbeat timeout in seconds.
    """

    def __init__(self, *hooks: str, heartbeat: int = 30) -> None:
        self.group = f"pool-{next(_numbers)}"  # moto's state is the process's, not the server's
        self.calls: list[tuple[str, dict[str, Any]]] = []  # action and members, in order
        self._faults: dict[str, list[str]] = {}  # codes of the next responses, the last for ever
        self._change = threading.Condition()
        self._undo = contextlib.ExitStack()
        from moto.autoscaling.responses import AutoScalingResponse  # noqa: PLC0415 - see above
        from moto.server import ThreadedMotoServer  # noqa: PLC0415 - same

        self._responses = AutoScalingResponse
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

    # --- errors

    def order(self, action: str, *codes: str) -> None:
        """Answer an action with these error codes, the last one from then on; "" means success."""
        self._faults[action] = list(codes)

    # --- received calls

    def count(self, action: str) -> int:
        """The number of calls of an action."""
        with self._change:
            return sum(name == action for name, _ in self.calls)

    def wait_for(self, action: str, times: int = 1) -> dict[str, Any]:
        """Wait for this many calls of an action; returns the last one's members."""
        with self._change:
            called = self._change.wait_for(lambda: self._called(action, times), LIMIT)
            assert called, f"{action} was not called {times} times: {self.calls}"
            return [members for name, members in self.calls if name == action][-1]

    def protected(self) -> bool:
        """Whether the instance is protected from scale-in."""
        response = self.client.describe_auto_scaling_instances(InstanceIds=[self.instance])
        return bool(response["AutoScalingInstances"][0]["ProtectedFromScaleIn"])

    def _called(self, action: str, times: int) -> bool:
        return sum(name == action for name, _ in self.calls) >= times

    # --- set-up

    def _install(self) -> None:
        from moto.core.responses import EmptyResult  # noqa: PLC0415 - see above

        self._replace("call_action", self._recorded(self._responses.call_action))
        for name in ("record_lifecycle_action_heartbeat", "complete_lifecycle_action"):
            self._replace(name, lambda _response: EmptyResult())

    def _replace(self, name: str, function: Callable[..., Any]) -> None:
        before = vars(self._responses).get(name)
        setattr(self._responses, name, function)
        if before is None:
            self._undo.callback(delattr, self._responses, name)
        else:
            self._undo.callback(setattr, self._responses, name, before)

    def _recorded(self, answer: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def recorded(response: Any) -> Any:
            action = response._get_action()
            with self._change:
                self.calls.append((action, dict(response._get_params())))
                code = self._next_fault(action)
                self._change.notify_all()
            if code:  # moto calls the response's method of this name
                setattr(response, xform_name(action), lambda: _error(code))
            return answer(response)

        return recorded

    def _next_fault(self, action: str) -> str:
        codes = self._faults.get(action, [])
        return codes.pop(0) if len(codes) > 1 else "".join(codes)

    def _make_client(self) -> Any:
        return boto3.client(
            "autoscaling",
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - moto takes any
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
        response = self.client.describe_auto_scaling_groups(AutoScalingGroupNames=[self.group])
        return str(response["AutoScalingGroups"][0]["Instances"][0]["InstanceId"])

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
    """An error in the service's format: moto writes only the codes of the service's model."""
    text = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>as ordered</Message></Error>"
    return 400, {"status": 400}, f"<ErrorResponse>{text}<RequestId>1</RequestId></ErrorResponse>"

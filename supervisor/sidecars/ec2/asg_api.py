"""The calls to EC2 Auto Scaling, and their outcomes.

Rules:

1. A missing permission is logged once for each action, with its IAM name. The action is not called
   again, and the drain goes on without it.
2. Every other failure counts as transient: it is logged once for each action, and the caller
   repeats the call at its own pace. A call takes seconds at most: the instance may be ending.
3. botocore is imported here and nowhere else in the sidecar, so that an instance without a group
   does not pay for it.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from supervisor.logs import log
from supervisor.sidecars.ec2.lifecycle_hook import TerminationHook, limit

if TYPE_CHECKING:
    from supervisor.ipc.messages import SwfEndpoint

TERMINATING = "autoscaling:EC2_INSTANCE_TERMINATING"

CONFIG = Config(
    connect_timeout=2,  # seconds: a regional endpoint answers in a tenth of one
    read_timeout=3,
    retries={"mode": "standard", "total_max_attempts": 2},
)

DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError")

OVER = "ValidationError"
"""The code for a hook at which no group waits, and for an unknown instance."""


class CallOutcome(enum.Enum):
    """The outcome of a call."""

    DONE = enum.auto()
    DENIED = enum.auto()
    OVER = enum.auto()  # there is nothing to act on
    UNKNOWN = enum.auto()  # it may be called again


@dataclass(frozen=True)
class Membership:
    """An instance's group, and whether it is protected from scale-in."""

    group: str
    protected: bool


class AsgApi:
    """The calls for one instance.

    Args:
        swf: The endpoint whose profile is used, and whose region if the instance's is unknown.
        region: The instance's region.
        instance: The instance's id.
    """

    def __init__(self, swf: SwfEndpoint, region: str, instance: str) -> None:
        self._profile = swf.profile
        self._region = region or swf.region
        self._instance = instance
        self._logged_actions: set[str] = set()
        self._denied_actions: set[str] = set()
        self._usual: set[str] = set()  # refusals that are expected

    @cached_property
    def _client(self) -> Any:
        """Made at the first call, so that a wrong profile or region is a failed call."""
        session = botocore.session.Session(profile=self._profile)
        return session.create_client("autoscaling", region_name=self._region, config=CONFIG)

    def membership(self) -> tuple[CallOutcome, Membership | None]:
        """DescribeAutoScalingInstances: the group, if the instance is in one."""
        outcome, response = self._call("DescribeAutoScalingInstances", InstanceIds=[self._instance])
        for each in response.get("AutoScalingInstances", ()):
            group, protected = each["AutoScalingGroupName"], each["ProtectedFromScaleIn"]
            return outcome, Membership(group, protected)
        return outcome, None

    def hooks(self, group: str) -> tuple[CallOutcome, list[TerminationHook]]:
        """DescribeLifecycleHooks: the termination hooks of a group."""
        outcome, response = self._call("DescribeLifecycleHooks", AutoScalingGroupName=group)
        found = [
            _hook(group, each)
            for each in response.get("LifecycleHooks", ())
            if each["LifecycleTransition"] == TERMINATING
        ]
        return outcome, found

    def size(self, group: str) -> tuple[CallOutcome, int | None]:
        """DescribeAutoScalingGroups: the number of instances that a group is to have."""
        outcome, response = self._call("DescribeAutoScalingGroups", AutoScalingGroupNames=[group])
        for each in response.get("AutoScalingGroups", ()):
            return outcome, int(each["DesiredCapacity"])
        return outcome, None

    def record_heartbeat(self, hook: TerminationHook) -> CallOutcome:
        """RecordLifecycleActionHeartbeat: the group's wait starts anew."""
        return self._act("RecordLifecycleActionHeartbeat", **self._members_of(hook))

    def complete(self, hook: TerminationHook) -> CallOutcome:
        """CompleteLifecycleAction: the group ends its wait."""
        more = {"LifecycleActionResult": "CONTINUE"}
        return self._act("CompleteLifecycleAction", **self._members_of(hook), **more)

    def complete_launch(self, group: str, hook: str, *, proceeds: bool) -> CallOutcome:
        """CompleteLifecycleAction of a launch hook: the instance serves, or is replaced.

        Args:
            group: The group.
            hook: The hook's name.
            proceeds: CONTINUE if true, else ABANDON.
        """
        members = self._members_of(TerminationHook(group, hook))
        result = "CONTINUE" if proceeds else "ABANDON"
        # OVER is usual: the supervisor starts again on an instance that was launched long ago.
        self._usual.add(f"CompleteLifecycleAction {OVER}")
        return self._act("CompleteLifecycleAction", **members, LifecycleActionResult=result)

    def set_protection(self, group: str, *, on: bool) -> CallOutcome:
        """SetInstanceProtection: protect the instance from scale-in, or no longer."""
        return self._act(
            "SetInstanceProtection",
            InstanceIds=[self._instance],
            AutoScalingGroupName=group,
            ProtectedFromScaleIn=on,
        )

    def _members_of(self, hook: TerminationHook) -> dict[str, str]:
        return {
            "LifecycleHookName": hook.name,
            "AutoScalingGroupName": hook.group,
            "InstanceId": self._instance,
        }

    def _act(self, action: str, **members: Any) -> CallOutcome:
        outcome, _ = self._call(action, **members)
        return outcome

    def _call(self, action: str, **members: Any) -> tuple[CallOutcome, dict[str, Any]]:
        if action in self._denied_actions:
            return CallOutcome.DENIED, {}
        try:
            return CallOutcome.DONE, getattr(self._client, xform_name(action))(**members)
        except ClientError as error:
            return self._refused(action, error), {}
        except (BotoCoreError, ResponseParserError) as error:
            self._warn_once(action, f"Calling autoscaling:{action} failed: {error}")
            return CallOutcome.UNKNOWN, {}

    def _refused(self, action: str, error: ClientError) -> CallOutcome:
        code = error.response.get("Error", {}).get("Code", "")
        if code in DENIED:
            self._denied_actions.add(action)
            self._warn_once(
                action,
                f"The IAM action autoscaling:{action} is not allowed to this instance's role. The"
                " supervisor goes on without it; allow it to have lifecycle hooks and scale-in"
                " protection served.",
            )
            return CallOutcome.DENIED
        if f"{action} {code}" not in self._usual:
            self._warn_once(action, f"EC2 Auto Scaling refused {action}: {error}")
        return CallOutcome.OVER if code == OVER else CallOutcome.UNKNOWN

    def _warn_once(self, action: str, text: str) -> None:
        if action not in self._logged_actions:
            self._logged_actions.add(action)
            facts = {"event": "autoscaling_refused", "action": f"autoscaling:{action}"}
            log.LOGGER.warning("%s", text, extra={"facts": facts})


def _hook(group: str, member: dict[str, Any]) -> TerminationHook:
    heartbeat = float(member.get("HeartbeatTimeout", 3600))
    longest = float(member.get("GlobalTimeout") or limit(heartbeat))
    name = member["LifecycleHookName"]
    return TerminationHook(group, name, heartbeat, min(longest, limit(heartbeat)))

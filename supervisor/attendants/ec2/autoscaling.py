"""The calls to EC2 Auto Scaling, and what came of them.

Rules of this file:

1. A missing permission is one warning for each action, with its IAM name; nothing is asked of that
   action again, and the drain goes on without.
2. Everything else that goes wrong may pass: it is told once an action, and the caller tries again
   at its own pace. A call takes seconds at most: the instance may be about to go.
3. botocore is imported here and nowhere else in the attendant: who is in no group pays nothing.
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

from supervisor import log
from supervisor.attendants.ec2.hook import Hook, limit

if TYPE_CHECKING:
    from supervisor.messages import Place

TERMINATING = "autoscaling:EC2_INSTANCE_TERMINATING"

CONFIG = Config(
    connect_timeout=2,  # seconds: a regional endpoint answers in a tenth of one
    read_timeout=3,
    retries={"mode": "standard", "total_max_attempts": 2},
)

DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError")

OVER = "ValidationError"
"""What the service calls a hook at which nobody waits, and an instance that it does not have."""


class Outcome(enum.Enum):
    """What came of a call."""

    DONE = enum.auto()
    DENIED = enum.auto()
    OVER = enum.auto()  # there is nothing to act on
    UNKNOWN = enum.auto()  # it may be tried again


@dataclass(frozen=True)
class Membership:
    """What the service knows of an instance."""

    group: str
    protected: bool


class AutoScaling:
    """One instance's calls.

    Args:
        place: Whose profile is used; the region is the instance's own.
        region: The instance's.
        instance: Its id.
    """

    def __init__(self, place: Place, region: str, instance: str) -> None:
        self._profile = place.profile
        self._region = region or place.region
        self._instance = instance
        self._told: set[str] = set()
        self._denied: set[str] = set()

    @cached_property
    def _client(self) -> Any:
        """Made at the first call: no profile or region of that name is trouble like any other."""
        session = botocore.session.Session(profile=self._profile)
        return session.create_client("autoscaling", region_name=self._region, config=CONFIG)

    def membership(self) -> tuple[Outcome, Membership | None]:
        """DescribeAutoScalingInstances: the group, if the instance is in one."""
        outcome, answer = self._call("DescribeAutoScalingInstances", InstanceIds=[self._instance])
        for each in answer.get("AutoScalingInstances", ()):
            group, protected = each["AutoScalingGroupName"], each["ProtectedFromScaleIn"]
            return outcome, Membership(group, protected)
        return outcome, None

    def hooks(self, group: str) -> tuple[Outcome, list[Hook]]:
        """DescribeLifecycleHooks: the termination hooks of a group."""
        outcome, answer = self._call("DescribeLifecycleHooks", AutoScalingGroupName=group)
        found = [
            _hook(group, each)
            for each in answer.get("LifecycleHooks", ())
            if each["LifecycleTransition"] == TERMINATING
        ]
        return outcome, found

    def beat(self, hook: Hook) -> Outcome:
        """RecordLifecycleActionHeartbeat: the group waits anew."""
        return self._act("RecordLifecycleActionHeartbeat", **self._at(hook))

    def complete(self, hook: Hook) -> Outcome:
        """CompleteLifecycleAction: the group may go on."""
        more = {"LifecycleActionResult": "CONTINUE"}
        return self._act("CompleteLifecycleAction", **self._at(hook), **more)

    def protect(self, group: str, *, on: bool) -> Outcome:
        """SetInstanceProtection."""
        return self._act(
            "SetInstanceProtection",
            InstanceIds=[self._instance],
            AutoScalingGroupName=group,
            ProtectedFromScaleIn=on,
        )

    def _at(self, hook: Hook) -> dict[str, str]:
        return {
            "LifecycleHookName": hook.name,
            "AutoScalingGroupName": hook.group,
            "InstanceId": self._instance,
        }

    def _act(self, action: str, **members: Any) -> Outcome:
        outcome, _ = self._call(action, **members)
        return outcome

    def _call(self, action: str, **members: Any) -> tuple[Outcome, dict[str, Any]]:
        if action in self._denied:
            return Outcome.DENIED, {}
        try:
            return Outcome.DONE, getattr(self._client, xform_name(action))(**members)
        except ClientError as error:
            return self._refused(action, error), {}
        except (BotoCoreError, ResponseParserError) as error:
            self._tell(action, f"{action} did not get through: {error}")
            return Outcome.UNKNOWN, {}

    def _refused(self, action: str, error: ClientError) -> Outcome:
        code = error.response.get("Error", {}).get("Code", "")
        if code in DENIED:
            self._denied.add(action)
            self._tell(
                action,
                f"The IAM action autoscaling:{action} is not allowed to this instance's role. The"
                " supervisor goes on without; allow it to have lifecycle hooks and scale-in"
                " protection served.",
            )
            return Outcome.DENIED
        self._tell(action, f"{action} is refused: {error}")
        return Outcome.OVER if code == OVER else Outcome.UNKNOWN

    def _tell(self, action: str, text: str) -> None:
        if action not in self._told:
            self._told.add(action)
            facts = {"event": "autoscaling_refused", "action": f"autoscaling:{action}"}
            log.LOGGER.warning("%s", text, extra={"facts": facts})


def _hook(group: str, told: dict[str, Any]) -> Hook:
    heartbeat = float(told.get("HeartbeatTimeout", 3600))
    longest = float(told.get("GlobalTimeout") or limit(heartbeat))
    return Hook(group, told["LifecycleHookName"], heartbeat, min(longest, limit(heartbeat)))

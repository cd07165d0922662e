"""The instance's auto scaling group: its termination hook, its size, and scale-in protection.

Rules:

1. Both are looked up as soon as the instance is known to be in a group, so that a missing
   permission shows before it is needed. A failed look-up is repeated a minute later.
2. The hook in use is the one that was named, else the group's only termination hook. Of several
   none is chosen: completing another program's hook would cut its time short.
3. The hook is completed when the supervisor has nothing left to do, and not before the group waits
   at it. The result is always CONTINUE: for an instance that terminates it only means that the
   group still waits at its other hooks.
4. A launch hook is completed only if it was named: CONTINUE when the supervisor serves, ABANDON if
   its code or its settings cannot be served, so that an instance refresh stops. A start that people
   stop completes nothing.
5. The group's size is asked for every ten minutes, where the hosts of the group share the counting
   of backlogs.
"""

from __future__ import annotations

import random
import time
from math import inf
from typing import TYPE_CHECKING

from supervisor.backoff import Backoff
from supervisor.logs import log
from supervisor.sidecars.ec2.asg_api import CallOutcome
from supervisor.sidecars.ec2.lifecycle_hook import HookWait, TerminationHook
from supervisor.sidecars.ec2.scale_in_protection import MINUTE, ScaleInProtection

if TYPE_CHECKING:
    from supervisor.ipc.messages import Ec2Settings
    from supervisor.sidecars.ec2.asg_api import AsgApi

COMPLETE_SECONDS = 12.0
"""Seconds in which an attempt to complete the hook may begin: others may meet another change of the
group (``ResourceContention``). The supervisor waits 20 s for this sidecar."""

COMPLETE_BACKOFF = Backoff(first=0.5, factor=2.0, cap=4.0)


SIZE_EVERY = 600.0
"""Seconds between two reads of the group's size: 200 hosts make one call in three seconds."""


class ScalingGroup:
    """The group of one instance. Times are monotonic seconds."""

    def __init__(self, orders: Ec2Settings, api: AsgApi) -> None:
        self._api = api
        self._orders = orders
        self._name = orders.group
        self._hook: TerminationHook | None = None
        self._protection = ScaleInProtection()
        self._look_up_at = -inf  # inf once all is known
        self._leaving_since: float | None = None
        self._wait: HookWait | None = None
        self.size: int | None = None  # instances that the group is to have, if they are counted
        self._size_at = -inf if orders.count_group else inf
        self._is_launched = orders.launch_hook is None

    @property
    def ends_at(self) -> float:
        """Time at which the group ends its wait for this instance; ``inf`` if it does not wait."""
        return self._wait.ends_at if self._wait else inf

    @property
    def next_at(self) -> float:
        """Time at which ``serve`` is due again."""
        heartbeat_at = self._wait.heartbeat_at if self._wait else inf
        return min(self._look_up_at, heartbeat_at, self._size_at if self._name else inf)

    def leave(self, now: float) -> None:
        """The group is taking the instance out of service."""
        if self._leaving_since is None:
            self._leaving_since = now

    def serve(self, now: float) -> None:
        """Look up hook and protection, and send heartbeats, as due."""
        if self._look_up_at <= now:
            self._look_up(now)
        if self._size_at <= now and self._name:
            self._size_at = now + SIZE_EVERY
            _, size = self._api.size(self._name)
            self.size = size or self.size
        if self._hook and self._leaving_since is not None and self._wait is None:
            self._wait = HookWait(self._hook, self._leaving_since)
        if self._wait and self._wait.heartbeat_at <= now:
            self._send_heartbeat(self._wait, now)

    def protect(self, in_progress: int, now: float) -> None:
        """Protect the instance from scale-in, or no longer, by its tasks in progress."""
        if self._name and self._orders.protect_busy and self._leaving_since is None:
            self._set_protection(self._protection.due_change(in_progress, now))

    @property
    def is_launching(self) -> bool:
        """Whether a launch hook is still to be completed."""
        return not self._is_launched

    def complete_launch(self, *, proceeds: bool) -> None:
        """Complete the launch hook: the instance serves, or is to be replaced."""
        hook = self._orders.launch_hook
        if self._is_launched or hook is None or self._name is None:
            return
        outcome = self._api.complete_launch(self._name, hook, proceeds=proceeds)
        self._is_launched = outcome is not CallOutcome.UNKNOWN
        if outcome is CallOutcome.DONE:
            result = "CONTINUE" if proceeds else "ABANDON"
            facts = {"facts": {"event": "hook_completed", "hook": hook, "group": self._name}}
            log.LOGGER.info(
                "Completed the launch hook %s of the group %s with %s.",
                *(hook, self._name, result),
                extra=facts,
            )

    def finish(self) -> None:
        """The supervisor has nothing left to do: complete the hook, or end the protection."""
        if self._wait:
            self._complete(self._wait.hook)
        elif self._orders.protect_busy:
            self._set_protection(self._protection.last_change())

    # --- looking up

    def _look_up(self, now: float) -> None:
        outcome, membership = self._api.membership()
        if membership:
            self._protection.on = membership.protected
            self._name = self._name or membership.group
        hook_outcome = self._find_hook(self._name) if self._name else outcome
        incomplete = CallOutcome.UNKNOWN in (outcome, hook_outcome)
        self._look_up_at = now + MINUTE if incomplete else inf

    def _find_hook(self, group: str) -> CallOutcome:
        outcome, hooks = self._api.hooks(group)
        named = self._orders.hook
        if outcome is CallOutcome.DONE:
            candidates = [hook for hook in hooks if named in (None, hook.name)]
            self._hook = candidates[0] if len(candidates) == 1 else None
            _log_hook(group, named, hooks, self._hook)
        elif named:
            self._hook = TerminationHook(group, named)
        return outcome

    # --- calls

    def _send_heartbeat(self, wait: HookWait, now: float) -> None:
        match self._api.record_heartbeat(wait.hook):
            case CallOutcome.DONE:
                wait.accepted(now)
            case CallOutcome.UNKNOWN:
                wait.unanswered(now)
            case _:
                wait.refused()

    def _complete(self, hook: TerminationHook) -> None:
        outcome = self._complete_in_time(hook)
        facts = {"event": "hook_completed", "hook": hook.name, "group": hook.group}
        if outcome is CallOutcome.DONE:
            log.LOGGER.info(
                "Completed the termination hook %s of the group %s.",
                *(hook.name, hook.group),
                extra={"facts": facts},
            )
        elif outcome is CallOutcome.UNKNOWN:
            log.LOGGER.warning(
                "The termination hook %s of the group %s is not completed: EC2 Auto Scaling did not"
                " accept it for %g s. The group goes on when the hook's timeout is over.",
                *(hook.name, hook.group, COMPLETE_SECONDS),
                extra={"facts": facts | {"event": "hook_not_completed"}},
            )

    def _complete_in_time(self, hook: TerminationHook) -> CallOutcome:
        """Complete the hook, with growing waits between the attempts."""
        deadline, attempts = time.monotonic() + COMPLETE_SECONDS, 0
        while (outcome := self._api.complete(hook)) is CallOutcome.UNKNOWN:
            attempts += 1
            wait = COMPLETE_BACKOFF.wait_after(attempts, random.Random())
            if time.monotonic() + wait > deadline:
                break
            time.sleep(wait)
        return outcome

    def _set_protection(self, on: bool | None) -> None:  # noqa: FBT001 - None leaves it
        if on is None or self._name is None:
            return
        if self._api.set_protection(self._name, on=on) is CallOutcome.DONE:
            self._protection.on = on
            facts = {"facts": {"event": "protection", "protected": on}}
            state = "protected from" if on else "no longer protected from"
            log.LOGGER.info("The instance is %s scale-in.", state, extra=facts)


def _log_hook(
    group: str, named: str | None, hooks: list[TerminationHook], used: TerminationHook | None
) -> None:
    facts = {"facts": {"event": "hook", "group": group, "hook": used.name if used else ""}}
    if used:
        log.LOGGER.info(
            "Using the termination hook %s of the group %s, heartbeat timeout %g s.",
            *(used.name, group, used.heartbeat),
            extra=facts,
        )
    elif named or hooks:
        log.LOGGER.warning(
            "Using no termination hook of the group %s, which has %s. Name one with --asg-hook.",
            *(group, ", ".join(hook.name for hook in hooks) or "none"),
            extra=facts,
        )
    else:
        log.LOGGER.info(
            "The group %s has no termination hook, so it does not wait for a drain.",
            group,
            extra=facts,
        )

"""The instance's place in its auto scaling group: the termination hook, and scale-in protection.

Rules of this file:

1. Both are looked up as soon as the instance is known to be in a group, so that what is not
   permitted is known before it is needed. What could not be learned is asked for again, a minute
   later.
2. Our hook is the one that was named, else the only termination hook there is. Of several none is
   ours: to complete another's would take from it the time that it is there for.
3. The hook is completed when the program has nothing left to do, and not before the group waits at
   it. It is always CONTINUE: where an instance is terminated the result changes nothing but that
   further hooks are still waited for.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from supervisor import log
from supervisor.attendants.ec2.autoscaling import Outcome
from supervisor.attendants.ec2.hook import Hook, Waiting
from supervisor.attendants.ec2.protection import MINUTE, Protection

if TYPE_CHECKING:
    from supervisor.attendants.ec2.autoscaling import AutoScaling
    from supervisor.messages import Ec2

COMPLETE_TRIES = 2
"""Another change of the group may be under way (``ResourceContention``): once more is enough."""


class Group:
    """One instance's. Times are seconds on a clock that never goes back."""

    def __init__(self, orders: Ec2, calls: AutoScaling) -> None:
        self._calls = calls
        self._orders = orders
        self._name = orders.group
        self._hook: Hook | None = None
        self._protection = Protection()
        self._look_up_at = -inf  # inf once all is known
        self._leaves_since: float | None = None
        self._waiting: Waiting | None = None

    @property
    def ends(self) -> float:
        """When the group goes on without us, if it waits for us."""
        return self._waiting.ends if self._waiting else inf

    @property
    def next_at(self) -> float:
        """When there is something to be done again."""
        return min(self._look_up_at, self._waiting.beat_at if self._waiting else inf)

    def leave(self, now: float) -> None:
        """The group has the instance on its way out."""
        if self._leaves_since is None:
            self._leaves_since = now

    def tend(self, now: float) -> None:
        """Look up what is not known, and ask for more time where it is due."""
        if self._look_up_at <= now:
            self._look_up(now)
        if self._hook and self._leaves_since is not None and self._waiting is None:
            self._waiting = Waiting(self._hook, self._leaves_since)
        if self._waiting and self._waiting.beat_at <= now:
            self._beat(self._waiting, now)

    def protect(self, in_hand: int, now: float) -> None:
        """Protect the instance, or not any more, as the tasks in hand ask for."""
        if self._name and self._orders.protect_busy and self._leaves_since is None:
            self._set_protection(self._protection.wish(in_hand, now))

    def end(self) -> None:
        """The program has nothing left to do."""
        if self._waiting:
            self._complete(self._waiting.hook)
        elif self._orders.protect_busy:
            self._set_protection(self._protection.last_wish())

    # --- looking up

    def _look_up(self, now: float) -> None:
        asked, found = self._calls.membership()
        if found:
            self._protection.on = found.protected
            self._name = self._name or found.group
        hooked = self._find_hook(self._name) if self._name else asked
        passing = Outcome.UNKNOWN in (asked, hooked)
        self._look_up_at = now + MINUTE if passing else inf

    def _find_hook(self, group: str) -> Outcome:
        outcome, found = self._calls.hooks(group)
        named = self._orders.hook
        if outcome is Outcome.DONE:
            ours = [each for each in found if named in (None, each.name)]
            self._hook = ours[0] if len(ours) == 1 else None
            _tell(group, named, found, self._hook)
        elif named:
            self._hook = Hook(group, named)
        return outcome

    # --- acting

    def _beat(self, waiting: Waiting, now: float) -> None:
        match self._calls.beat(waiting.hook):
            case Outcome.DONE:
                waiting.beaten(now)
            case Outcome.UNKNOWN:
                waiting.missed(now)
            case _:
                waiting.refuse()

    def _complete(self, hook: Hook) -> None:
        for _ in range(COMPLETE_TRIES):
            outcome = self._calls.complete(hook)
            if outcome is not Outcome.UNKNOWN:
                break
        facts = {"facts": {"event": "hook_completed", "hook": hook.name, "group": hook.group}}
        if outcome is Outcome.DONE:
            log.LOGGER.info("The group %s may go on: %s.", hook.group, hook.name, extra=facts)

    def _set_protection(self, on: bool | None) -> None:  # noqa: FBT001 - None: as it is
        if on is None or self._name is None:
            return
        if self._calls.protect(self._name, on=on) is Outcome.DONE:
            self._protection.on = on
            facts = {"facts": {"event": "protection", "protected": on}}
            what = "protected from" if on else "open to"
            log.LOGGER.info("The instance is %s scale-in.", what, extra=facts)


def _tell(group: str, named: str | None, found: list[Hook], ours: Hook | None) -> None:
    names = ", ".join(each.name for each in found) or "none"
    facts = {"facts": {"event": "hook", "group": group, "hook": ours.name if ours else ""}}
    if ours:
        log.LOGGER.info(
            "The group %s waits at its termination hook %s, %g s at a time.",
            *(group, ours.name, ours.heartbeat),
            extra=facts,
        )
    elif named or found:
        log.LOGGER.warning(
            "No termination hook of the group %s is ours: it has %s. Name one with --asg-hook.",
            *(group, names),
            extra=facts,
        )
    else:
        log.LOGGER.info(
            "The group %s has no termination hook: it will not wait for a drain.",
            group,
            extra=facts,
        )

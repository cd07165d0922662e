"""The process: looks, says what is to be said, tends the group, and ends when it is told to.

It is told to when no task and no report is left. Then it looks once more, for the group may have
begun to wait just now, completes the hook, and ends; the program waits for that.
"""

from __future__ import annotations

import os
import random
import time
from math import inf
from typing import TYPE_CHECKING

from supervisor import attendants, kernel, log, messages
from supervisor.attendants.ec2 import imds
from supervisor.attendants.ec2.ear import Ear
from supervisor.attendants.ec2.lookout import Lookout
from supervisor.attendants.ec2.notices import Drain, Item, Line, Notices, Policy, be_gone_by

if TYPE_CHECKING:
    from supervisor.attendants.ec2.group import Group
    from supervisor.attendants.ec2.notices import Sight
    from supervisor.channel import Channel

NEARER = 0.5
"""Seconds by which an end must have moved to be worth a word."""


def main(channel: Channel, order: messages.Attend, _inputs: list[str]) -> None:
    """Watch until told to end."""
    if order.ec2 is None:
        return
    with kernel.wake_up() as signals:
        ear = Ear(channel, signals)
        ear.say(messages.AttendantReady(order.name))
        Watch(ear, order.ec2, order.place).run()


class Watch:
    """One instance's."""

    def __init__(self, ear: Ear, orders: messages.Ec2, place: messages.Place) -> None:
        source = imds.Imds(imds.endpoint(os.environ), orders.token_ttl)
        policy = Policy(orders.margin, orders.maintenance_lead, orders.drain_on_rebalance)
        self._ear = ear
        self._orders = orders
        self._place = place
        self._lookout = Lookout(source, orders.interval, random.Random())
        self._notices = Notices(policy)
        self._group: Group | None = None
        self._introduced = False
        self._look_at = -inf
        self._ends = inf  # when the group goes on without us, as far as said

    def run(self) -> None:
        """Turn until there is a reason to end."""
        while not (self._ear.asked or self._ear.alone):
            now = time.monotonic()
            if self._look_at <= now:
                self._look(now)
            self._tend()
            next_at = min(self._look_at, self._group.next_at if self._group else inf)
            self._ear.wait(next_at - time.monotonic())
        if self._ear.asked:
            self._look(time.monotonic())
            self._tend()
            if self._group:
                self._group.end()

    def _look(self, now: float) -> None:
        sight = self._lookout.look(now)
        self._look_at = time.monotonic() + self._lookout.rest()
        self._introduce()
        self._find_group(sight)
        for said in self._notices.look(sight, time.time()):
            self._pass_on(said)
        if self._orders.protect_busy:
            self._ear.say(messages.PoolAsked())

    def _introduce(self) -> None:
        instance = self._lookout.instance
        if instance and not self._introduced:
            self._introduced = True
            log.stand_on(instance)
            self._ear.say(messages.InstanceKnown(instance))

    def _pass_on(self, said: Drain | Line) -> None:
        if isinstance(said, Line):
            facts = {"event": said.event, **said.facts}
            log.LOGGER.log(said.level, "%s", said.text, extra={"facts": facts})
            return
        within = None if said.by is None else max(0.0, said.by - time.time())
        self._ear.say(messages.EndNoticed(said.why, within))

    # --- the group

    def _find_group(self, sight: Sight) -> None:
        instance = self._lookout.instance
        in_group = sight.get(Item.TARGET) is not None or self._orders.group is not None
        if self._group is None and instance and in_group:
            # botocore costs what the rest of this process does: only where there is a group.
            from supervisor.attendants.ec2.autoscaling import AutoScaling  # noqa: PLC0415
            from supervisor.attendants.ec2.group import Group  # noqa: PLC0415

            calls = AutoScaling(self._place, self._lookout.region, instance.id)
            self._group = Group(self._orders, calls)

    def _tend(self) -> None:
        if self._group is None:
            return
        in_hand = self._ear.take_in_hand()
        if in_hand is not None:
            self._group.protect(in_hand, time.monotonic())
        if self._notices.leaves_group:
            self._group.leave(time.monotonic())
        self._group.tend(time.monotonic())
        ends, now = self._group.ends, time.monotonic()
        if ends < self._ends - NEARER:
            self._ends = ends
            within = max(0.0, be_gone_by(ends, self._orders.margin, now) - now)
            why = "the auto scaling group waits no longer at its termination hook"
            self._ear.say(messages.EndNoticed(why, within))


if __name__ == "__main__":
    attendants.attend(main)

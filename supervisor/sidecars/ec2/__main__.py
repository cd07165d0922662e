"""The ``ec2`` sidecar's process: reads the metadata, reports notices, and serves the group.

The supervisor asks it to end when no task and no report is left. Then it reads the metadata once
more, because the group may have begun to wait just now, completes the hook, and ends; the
supervisor waits for that.
"""

from __future__ import annotations

import os
import random
import time
from math import inf
from typing import TYPE_CHECKING

from supervisor import sidecars
from supervisor.ipc import messages, signal_wakeup
from supervisor.logs import log
from supervisor.sidecars.ec2 import imds
from supervisor.sidecars.ec2.inbox import Inbox
from supervisor.sidecars.ec2.metadata_poller import MetadataPoller
from supervisor.sidecars.ec2.notices import (
    DrainOrder,
    Item,
    NoticeLine,
    NoticePolicy,
    Notices,
    be_gone_by,
    is_target_state,
)

if TYPE_CHECKING:
    from supervisor.ipc.channel import Channel
    from supervisor.sidecars.ec2.asg import ScalingGroup
    from supervisor.sidecars.ec2.notices import Metadata

NEARER_BY = 0.5
"""Seconds by which an end must have come nearer to be reported again."""


def main(channel: Channel, order: messages.RunSidecar, _inputs: list[str]) -> None:
    """Serve until asked to end."""
    if order.ec2 is None:
        return
    with signal_wakeup.wake_up() as signals:
        inbox = Inbox(channel, signals)
        inbox.send(messages.SidecarReady(order.name))
        InstanceWatch(inbox, order.ec2, order.swf).run()


ANSWER_SECONDS = 2.0
"""Seconds in which the supervisor, which waits for this process, says how its start ended."""


class InstanceWatch:
    """Watches one instance and its group."""

    def __init__(
        self, inbox: Inbox, orders: messages.Ec2Settings, swf: messages.SwfEndpoint
    ) -> None:
        source = imds.Imds(imds.endpoint(os.environ), orders.token_ttl)
        policy = NoticePolicy(orders.margin, orders.maintenance_lead, orders.drain_on_rebalance)
        self._inbox = inbox
        self._orders = orders
        self._swf = swf
        self._poller = MetadataPoller(source, orders.interval, random.Random())
        self._notices = Notices(policy)
        self._group: ScalingGroup | None = None
        self._instance_reported = False
        self._read_at = -inf
        self._reported_size: int | None = None
        self._reported_warm: bool | None = None
        self._reported_end = inf  # when the group ends its wait, as last reported

    def run(self) -> None:
        """Serve until asked to end, or until the supervisor is gone."""
        while not (self._inbox.end_requested or self._inbox.supervisor_lost):
            now = time.monotonic()
            if self._read_at <= now:
                self._read_metadata(now)
            self._serve_group()
            next_at = min(self._read_at, self._group.next_at if self._group else inf)
            self._inbox.wait(next_at - time.monotonic())
        if self._inbox.end_requested:
            self._finish()

    def _finish(self) -> None:
        self._read_metadata(time.monotonic())
        self._serve_group()
        if self._group:
            self._abandon_refused_launch(self._group)
            self._group.finish()

    def _abandon_refused_launch(self, group: ScalingGroup) -> None:
        if group.is_launching:
            self._inbox.send(messages.PoolRequested())
            self._inbox.wait(ANSWER_SECONDS)
            if self._inbox.launch is messages.Launch.REFUSED:
                group.complete_launch(proceeds=False)

    def _read_metadata(self, now: float) -> None:
        metadata = self._poller.read(now)
        self._read_at = time.monotonic() + self._poller.seconds_to_next()
        self._report_instance(in_group=self._is_in_group(metadata))
        self._find_group(metadata)
        for result in self._notices.update(metadata, time.time()):
            self._pass_on(result)
        if self._notices.is_warm is not None and self._notices.is_warm is not self._reported_warm:
            self._reported_warm = self._notices.is_warm
            self._inbox.send(messages.WarmPool(self._reported_warm))
        if self._orders.protect_busy or (self._group and self._group.is_launching):
            self._inbox.send(messages.PoolRequested())

    def _report_instance(self, *, in_group: bool) -> None:
        instance = self._poller.instance
        if instance and not self._instance_reported:
            self._instance_reported = True
            log.name_instance(instance.id, instance.zone, instance.life_cycle)
            self._inbox.send(messages.InstanceKnown(instance, in_group))

    def _pass_on(self, result: DrainOrder | NoticeLine) -> None:
        if isinstance(result, NoticeLine):
            facts = {"event": result.event, **result.facts}
            log.LOGGER.log(result.level, "%s", result.text, extra={"facts": facts})
            return
        within = None if result.by is None else max(0.0, result.by - time.time())
        self._inbox.send(messages.TerminationNotice(result.why, within))

    # --- the group

    def _is_in_group(self, metadata: Metadata) -> bool:
        return is_target_state(metadata.get(Item.TARGET)) or self._orders.group is not None

    def _find_group(self, metadata: Metadata) -> None:
        instance = self._poller.instance
        if self._group is None and instance and self._is_in_group(metadata):
            # botocore doubles the memory of this process: imported only where there is a group.
            from supervisor.sidecars.ec2.asg import ScalingGroup  # noqa: PLC0415
            from supervisor.sidecars.ec2.asg_api import AsgApi  # noqa: PLC0415

            api = AsgApi(self._swf, self._poller.region, instance.id)
            self._group = ScalingGroup(self._orders, api)

    def _serve_group(self) -> None:
        if self._group is None:
            return
        in_progress = self._inbox.take_in_progress()
        if in_progress is not None:
            self._group.protect(in_progress, time.monotonic())
        if self._inbox.launch is messages.Launch.READY:
            self._group.complete_launch(proceeds=True)
        if self._notices.is_leaving_group:
            self._group.leave(time.monotonic())
        self._group.serve(time.monotonic())
        if self._group.size and self._group.size != self._reported_size:
            self._reported_size = self._group.size
            self._inbox.send(messages.GroupSized(self._group.size))
        self._report_end_of_wait(self._group.ends_at, time.monotonic())

    def _report_end_of_wait(self, ends_at: float, now: float) -> None:
        if ends_at < self._reported_end - NEARER_BY:
            self._reported_end = ends_at
            within = max(0.0, be_gone_by(ends_at, self._orders.margin, now) - now)
            why = "the auto scaling group ends its wait at the termination hook"
            self._inbox.send(messages.TerminationNotice(why, within))


if __name__ == "__main__":
    sidecars.run_sidecar(main)

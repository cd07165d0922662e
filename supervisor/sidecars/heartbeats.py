"""The ``heartbeats`` sidecar: sends those of the tasks that workers have handed out.

Rules:

1. It is not a worker, so workers come and go without a call to SWF. ``garcon``'s rules hold for the
   times of the heartbeats and for requests to cancel (``garcon.activity.handed_out``).
2. Tasks come from the supervisor. It reports those that SWF no longer has, and those beyond what
   one process keeps; their files leave the spool.
3. It calls the SWF of the settings, as every sidecar does: it does not import the flow, so a client
   that the flow makes for itself is not used.
"""

from __future__ import annotations

import select
from typing import TYPE_CHECKING

from garcon import client
from garcon.activity import ActivityExecution
from garcon.activity.handed_out import HandedOutTasks
from supervisor import sidecars
from supervisor.child import swf_endpoint
from supervisor.ipc import messages, spool

if TYPE_CHECKING:
    from collections.abc import Iterable

    from supervisor.ipc.channel import Channel

LONGEST_WAIT = 3_600.0
"""Seconds; ``select`` takes no infinite ones, and a wake-up an hour costs nothing."""


def main(channel: Channel, order: messages.RunSidecar, _inputs: list[str]) -> None:
    """Send heartbeats until the supervisor is gone, or asks this process to end."""
    swf_endpoint.use(order.swf)
    channel.send(messages.SidecarReady(order.name))
    keeper = _Keeper(channel, order.spool)
    while not channel.closed:
        keeper.send_due()
        if _is_readable(channel, keeper.wait):
            message = channel.receive()
            if isinstance(message, messages.HandOver):
                keeper.take(message.tasks)


def _is_readable(channel: Channel, seconds: float) -> bool:
    return bool(select.select([channel], [], [], min(seconds, LONGEST_WAIT))[0])


class _Keeper:
    def __init__(self, channel: Channel, folder: str | None) -> None:
        self._channel = channel
        self._folder = folder
        self._tasks = HandedOutTasks()
        self._given: dict[str, messages.HandedOutTask] = {}

    @property
    def wait(self) -> float:
        """Seconds until a heartbeat is due."""
        return self._tasks.wait

    def take(self, given: Iterable[messages.HandedOutTask]) -> None:
        """Send heartbeats for these tasks, too."""
        for each in given:
            self._given[each.task.token] = each
            if not self._tasks.add(_execution(each.task)):
                self._end([each.task.token])
        self._channel.send(messages.TasksTaken())

    def send_due(self) -> None:
        """Send the heartbeats that are due, and report what has ended."""
        self._end(str(each.task_token) for each in self._tasks.send_due())

    def _end(self, tokens: Iterable[str]) -> None:
        ended = [self._given.pop(token) for token in tokens]
        for each in ended:
            spool.remove(self._folder, each.task)
        if ended:
            self._channel.send(messages.TasksEnded(tuple(each.number for each in ended)))


def _execution(task: messages.Task) -> ActivityExecution:
    return ActivityExecution(
        client.calling(),
        task.activity_id,
        task.token,
        None,
        workflow_id=task.workflow_id,
        run_id=task.run_id,
        activity_name=task.activity_name,
        heartbeat_timeout=task.heartbeat,
    )


if __name__ == "__main__":
    sidecars.run_sidecar(main, calls_swf=True)

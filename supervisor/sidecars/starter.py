"""The ``starter`` sidecar: starts the executions of ``--start``, and follows them for ``--once``.

Rules:

1. It is a client of SWF like any other: it starts executions, reads histories, and never polls.
2. It reads again soon after new events, later after each reading without any, and always well
   within the account's 60 history calls a second (SWF Developer Guide, quotas).
"""

from __future__ import annotations

import json
import select
import signal
import sys
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

from garcon import client
from garcon.aws.backoff import Backoff
from garcon.executions import Client, Execution, Status, WorkflowError, recorded_history
from garcon.executions.progress import Progress
from garcon.executions.timeline import BarState
from garcon.executions.waiting import NewEvents
from supervisor import sidecars
from supervisor.child import swf_endpoint
from supervisor.ipc import messages
from supervisor.logs import log, redaction
from supervisor.sidecars import progress_view

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

    from garcon.executions.recorded_history import Events
    from supervisor.ipc.channel import Channel

SHORTEST_WAIT, LONGEST_WAIT = 0.05, 2.0
"""Seconds between two readings: at the local SWF after new events, and anywhere without any."""

GRACE = 3.0
"""Seconds that an activity may wait before its list counts as not polled: a worker may be starting,
and another program may serve the list."""

SHORTEST_WAIT_AT_AWS = 0.5
"""Seconds between two readings of each execution at the real service: a few calls a second."""


def main(channel: Channel, order: messages.RunSidecar, inputs: list[str]) -> None:
    """Start the executions; follow them if the user waits for them."""
    swf_endpoint.use(order.swf)
    channel.send(messages.SidecarReady(order.name))
    flow = SimpleNamespace(
        domain=order.domain,
        name=order.flow_name,
        version=order.flow_version,
        tags=order.flow_tags,
        priority=order.flow_priority,
    )
    starter = Client(flow)
    try:
        executions = [starter.start(json.loads(text)) for text in inputs]
    except WorkflowError as error:
        log.LOGGER.error("%s", error)
        sys.exit(1)
    if order.live:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # the view leaves the terminal whole
        _ExecutionWatch(channel, order, executions).run()
    else:
        for execution in executions:
            facts = {"facts": {"run_id": execution.run_id}}
            log.LOGGER.info("Started %s.", execution.workflow_id, extra=facts)


class _ExecutionWatch:
    """Shows the progress of the executions until all have closed."""

    def __init__(
        self, channel: Channel, order: messages.RunSidecar, executions: list[Execution]
    ) -> None:
        self._channel = channel
        self._domain = order.domain
        self._all = [Progress(each, named=True) for each in executions]
        self._lists: tuple[messages.ListState, ...] = ()
        self._waits_on = WaitingLists()
        title = f"{order.flow_name} on {redaction.text(order.swf.endpoint_url or 'Amazon SWF')}"
        self._view = progress_view.make(title, len(executions))
        if order.swf.local:
            self._view.line(f"Local SWF: {order.swf.endpoint_url}/ (open it in a browser)")
        shortest = SHORTEST_WAIT if order.swf.local else SHORTEST_WAIT_AT_AWS * len(executions)
        longest = max(LONGEST_WAIT, shortest)
        self._waits = Backoff(first=shortest, factor=1.5, cap=longest, jitter=0.0)

    def run(self) -> None:
        """Follow the executions, then report that all have closed."""
        wait, quiet_readings = SHORTEST_WAIT, 0  # the first table shows the pool already
        while self._open and not self._channel.closed:
            self._receive_pool_state(wait)
            quiet_readings = 0 if self._show_new_events() else quiet_readings + 1
            self._report_unserved_lists()
            self._view.picture(self._all, self._lists)
            wait = self._waits.wait_after(quiet_readings + 1)
        self._sum_up()

    @property
    def _open(self) -> list[Progress]:
        return [progress for progress in self._all if progress.status is Status.OPEN]

    def _show_new_events(self) -> bool:
        lines: list[str] = []
        for progress in self._open:
            if events := self._new_events(progress):
                lines += progress.read(NewEvents(progress.execution, events))
        for line in lines:
            self._view.line(line)
        return bool(lines)

    def _report_unserved_lists(self) -> None:
        """Show once each task list on which an activity waits and no worker here polls."""
        if not self._lists:
            return  # the pool's state has not come yet, or is too large for a message
        polled = {each.task_list.name for each in self._lists if each.ready}
        waiting = waiting_lists(self._all) - polled
        for name in self._waits_on.newly_late(waiting, time.monotonic()):
            self._view.line(
                f"{name} waits for a worker: none of this supervisor polls this task list."
            )

    def _new_events(self, progress: Progress) -> Events:
        execution = progress.execution
        try:
            return recorded_history.since(client.calling(), self._domain, execution, progress.seen)
        except client.ERRORS as error:
            what = f"reading the history of {execution.workflow_id}"
            problem = client.explain(error, what)
            log.LOGGER.warning("%s Reading it again.", problem.sentence)
            return []

    def _receive_pool_state(self, seconds: float) -> None:
        """Wait for the pool's next state for so long, and take in all that have come."""
        while select.select([self._channel], [], [], seconds)[0]:
            message = self._channel.receive()
            if isinstance(message, messages.PoolState):
                self._lists = message.lists
            if message is None:
                return
            seconds = 0.0

    def _sum_up(self) -> None:
        completed = [each for each in self._all if each.status is Status.COMPLETED]
        for progress in completed:
            if progress.last_result:
                shown = _shortened(progress.last_result)
                self._view.line(f"{progress.execution.workflow_id}  last result: {shown}")
        self._view.close(f"{len(completed)} of {len(self._all)} executions completed")
        if not self._channel.closed:
            self._channel.send(messages.AllClosed(completed=len(completed) == len(self._all)))


class WaitingLists:
    """Task lists on which activities wait in vain, each of them once."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}
        self._reported: set[str] = set()

    def newly_late(self, waiting: AbstractSet[str], now: float) -> list[str]:
        """Those that have waited for longer than the grace, and were not returned before."""
        self._since = {name: self._since.get(name, now) for name in waiting}
        late = {name for name, since in self._since.items() if now - since >= GRACE}
        new = sorted(late - self._reported)
        self._reported.update(new)
        return new


def waiting_lists(executions: Iterable[Progress]) -> set[str]:
    """The activities that wait for a worker; each has a task list of its name."""
    counts = (progress.activities() for progress in executions)
    return {name for each in counts for name, state in each if state is BarState.WAITING}


def _shortened(result: str, length: int = 200) -> str:
    try:
        text = json.dumps(json.loads(result), ensure_ascii=False)
    except json.JSONDecodeError:
        text = result
    return text if len(text) <= length else f"{text[: length - 1]}…"


if __name__ == "__main__":
    sidecars.run_sidecar(main, calls_swf=True)

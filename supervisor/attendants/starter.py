"""Starts the executions of ``--start`` and, with ``--once``, watches them to their end.

Rules of this file:

1. It is a client of SWF like any other: it starts, reads histories, and never touches a task.
2. It looks more often when it has just seen something, and never more often than the account's
   60 history calls a second allow with room to spare (SWF Developer Guide, quotas).
"""

from __future__ import annotations

import json
import select
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

from garcon import client
from garcon.workflow import Client, Execution, Status, WorkflowError, history
from garcon.workflow.looking import News
from garcon.workflow.progress import Progress
from supervisor import attendants, log, messages, place
from supervisor.attendants import view

if TYPE_CHECKING:
    from garcon.workflow.history import Events
    from supervisor.channel import Channel

SOONEST, LATEST = 0.05, 2.0
"""Seconds between two looks on our own endpoint at its quickest, and on any at its slowest."""

SOONEST_AT_AWS = 0.5
"""Seconds between two looks at the real service, for each execution: a few calls a second."""


def main(channel: Channel, order: messages.Attend, inputs: list[str]) -> None:
    """Start all; follow them if somebody waits."""
    place.use(order.place)
    channel.say(messages.AttendantReady(order.name))
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
        _Watch(channel, order, executions).run()
    else:
        for each in executions:
            facts = {"facts": {"run_id": each.run_id}}
            log.LOGGER.info("Started %s.", each.workflow_id, extra=facts)


class _Watch:
    """Looks at the executions until all have closed."""

    def __init__(
        self, channel: Channel, order: messages.Attend, executions: list[Execution]
    ) -> None:
        self._channel = channel
        self._domain = order.domain
        self._all = [Progress(each, named=True) for each in executions]
        self._lists: tuple[messages.ListState, ...] = ()
        title = f"{order.flow_name} on {order.place.endpoint_url or 'Amazon SWF'}"
        self._view = view.make(title, len(executions))
        if order.place.local:
            self._view.line(f"Amazon SWF on this host: {order.place.endpoint_url}/ (look at it)")
        self._soonest = SOONEST if order.place.local else SOONEST_AT_AWS * len(executions)

    def run(self) -> None:
        rest = SOONEST  # the first picture shows the pool already
        while self._open and not self._channel.closed:
            self._listen(rest)
            news = self._look()
            self._view.picture(self._all, self._lists)
            rest = self._soonest if news else min(max(LATEST, self._soonest), rest * 1.5)
        self._sum_up()

    @property
    def _open(self) -> list[Progress]:
        return [each for each in self._all if each.status is Status.OPEN]

    def _look(self) -> bool:
        lines: list[str] = []
        for each in self._open:
            if events := self._new_events(each):
                lines += each.read(News(each.execution, events))
        for line in lines:
            self._view.line(line)
        return bool(lines)

    def _new_events(self, one: Progress) -> Events:
        try:
            return history.since(client.calling(), self._domain, one.execution, one.seen)
        except client.ERRORS as error:
            what = f"reading the history of {one.execution.workflow_id}"
            log.LOGGER.warning("%s Looking again.", client.explain(error, what).sentence)
            return []

    def _listen(self, seconds: float) -> None:
        """Hear how the pool does, for at most this long."""
        while select.select([self._channel], [], [], seconds)[0]:
            message = self._channel.hear()
            if isinstance(message, messages.PoolState):
                self._lists = message.lists
            if message is None:
                return
            seconds = 0.0

    def _sum_up(self) -> None:
        done = [each for each in self._all if each.status is Status.COMPLETED]
        for each in done:
            if each.last_result:
                shown = _short(each.last_result)
                self._view.line(f"{each.execution.workflow_id}  last result: {shown}")
        self._view.close(f"{len(done)} of {len(self._all)} executions completed")
        if not self._channel.closed:
            self._channel.say(messages.AllClosed(completed=len(done) == len(self._all)))


def _short(result: str, length: int = 200) -> str:
    try:
        text = json.dumps(json.loads(result), ensure_ascii=False)
    except json.JSONDecodeError:
        text = result
    return text if len(text) <= length else f"{text[: length - 1]}…"


if __name__ == "__main__":
    attendants.attend(main)

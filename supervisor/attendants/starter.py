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
import uuid
from typing import TYPE_CHECKING

from garcon import client
from supervisor import attendants, log, messages
from supervisor.attendants import view
from supervisor.attendants.progress import Execution

if TYPE_CHECKING:
    from supervisor.attendants.progress import Event
    from supervisor.channel import Channel

SOONEST, LATEST = 0.05, 2.0
"""Seconds between two looks on our own endpoint at its quickest, and on any at its slowest."""

SOONEST_AT_AWS = 0.5
"""Seconds between two looks at the real service, for each execution: a few calls a second."""


def main(channel: Channel, order: messages.Attend, inputs: list[str]) -> None:
    """Start all; follow them if somebody waits."""
    place = order.place
    client.configure(region=place.region, profile=place.profile, endpoint_url=place.endpoint_url)
    channel.say(messages.AttendantReady(order.name))
    try:
        executions = [_start(order, text) for text in inputs]
    except client.ERRORS as error:
        what = f"starting an execution of {order.flow_name} in {order.domain}"
        log.LOGGER.error("%s", client.explain(error, what).sentence)
        sys.exit(1)
    if order.live:
        _Watch(channel, order, executions).run()
    else:
        for each in executions:
            facts = {"facts": {"run_id": each.run_id}}
            log.LOGGER.info("Started %s.", each.workflow_id, extra=facts)


def _start(order: messages.Attend, text: str) -> Execution:
    workflow_id = f"{order.flow_name}-{uuid.uuid4().hex[:8]}"
    started = client.calling().start_workflow_execution(
        domain=order.domain,
        workflowId=workflow_id,
        workflowType={"name": order.flow_name, "version": order.flow_version},
        taskList={"name": order.flow_name},
        input=text,
    )
    return Execution(workflow_id, started["runId"])


class _Watch:
    """Looks at the executions until all have closed."""

    def __init__(
        self, channel: Channel, order: messages.Attend, executions: list[Execution]
    ) -> None:
        self._channel = channel
        self._domain = order.domain
        self._executions = executions
        self._lists: tuple[messages.ListState, ...] = ()
        title = f"{order.flow_name} on {order.place.endpoint_url or 'Amazon SWF'}"
        self._view = view.make(title, len(executions))
        if order.place.local:
            self._view.line(f"Amazon SWF on this host: {order.place.endpoint_url}/ (look at it)")
        self._soonest = SOONEST if order.place.local else SOONEST_AT_AWS * len(executions)

    def run(self) -> None:
        rest = self._soonest
        while any(not each.closed for each in self._executions) and not self._channel.closed:
            news = self._look()
            self._view.picture(self._executions, self._lists)
            rest = self._soonest if news else min(max(LATEST, self._soonest), rest * 1.5)
            self._listen(rest)
        self._sum_up()

    def _look(self) -> bool:
        lines: list[str] = []
        for each in self._executions:
            if not each.closed:
                lines += each.read(self._new_events(each))
        for line in lines:
            self._view.line(line)
        return bool(lines)

    def _new_events(self, execution: Execution) -> list[Event]:
        """The events past the last one seen, oldest first, reading backwards from the newest."""
        events: list[Event] = []
        pages = client.calling().get_paginator("get_workflow_execution_history")
        try:
            for page in pages.paginate(
                domain=self._domain,
                execution={"workflowId": execution.workflow_id, "runId": execution.run_id},
                reverseOrder=True,
            ):
                events += page["events"]
                if page["events"][-1]["eventId"] <= execution.seen:
                    break
        except client.ERRORS as error:
            trouble = client.explain(error, f"reading the history of {execution.workflow_id}")
            log.LOGGER.warning("%s Looking again.", trouble.sentence)
            return []
        return events[::-1]

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
        done = [each for each in self._executions if each.closed == "completed"]
        for each in done:
            if each.last_result:
                self._view.line(f"{each.workflow_id}  last result: {_short(each.last_result)}")
        self._view.close(f"{len(done)} of {len(self._executions)} executions completed")
        if not self._channel.closed:
            all_of_them = len(done) == len(self._executions)
            self._channel.say(messages.AllClosed(completed=all_of_them))


def _short(result: str, length: int = 200) -> str:
    try:
        text = json.dumps(json.loads(result), ensure_ascii=False)
    except json.JSONDecodeError:
        text = result
    return text if len(text) <= length else f"{text[: length - 1]}…"


if __name__ == "__main__":
    attendants.attend(main)

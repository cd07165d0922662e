"""Counts the tasks that wait for a worker, for ``--scale``: CountPendingActivityTasks.

Rules of this file:

1. Each list is counted once an interval, and the lists are spread over it: an account has 6 of
   these calls a second for all of its hosts, and 200 at once (SWF Developer Guide, quotas).
2. A count that fails is left out, and the pool keeps its size until counts come again. That is said
   when it begins, once a minute while it lasts, and when it is over (``outage``).
3. What a count means is the core's business.
"""

from __future__ import annotations

import random
import select
import time
from typing import TYPE_CHECKING

from garcon import client
from supervisor import attendants, log, messages, place
from supervisor.outage import Outage

if TYPE_CHECKING:
    from supervisor.channel import Channel


def main(channel: Channel, order: messages.Attend, _inputs: list[str]) -> None:
    """Count until the supervisor is gone or asks to end."""
    place.use(order.place)
    channel.say(messages.AttendantReady(order.name))
    counter = _Counter(channel, order)
    while not channel.closed:
        for each in order.lists:
            rest = counter.count(each.name)
            if _has_ended(channel, max(rest, order.interval / len(order.lists))):
                return


class _Counter:
    """Counts, and tells the supervisor."""

    def __init__(self, channel: Channel, order: messages.Attend) -> None:
        self._channel = channel
        self._domain = order.domain
        self._outage = Outage(random.Random())

    def count(self, name: str) -> float:
        """Count one list; returns the seconds to rest before the next."""
        where = f"{self._domain}/{name}"
        try:
            told = client.calling().count_pending_activity_tasks(
                domain=self._domain, taskList={"name": name}
            )
        except client.ERRORS as error:
            rest, speak = self._outage.failed(time.monotonic())
            if speak:
                what = f"counting the tasks that wait in {where} (swf:CountPendingActivityTasks)"
                trouble = client.explain(error, what)
                log.LOGGER.warning("%s The pool keeps its size meanwhile.", trouble.sentence)
            return rest
        if (lasted := self._outage.over(time.monotonic())) is not None:
            log.LOGGER.warning("Counting the tasks that wait works again, after %.1f s.", lasted)
        self._channel.say(messages.Backlog(name, told["count"], told.get("truncated", False)))
        return 0.0


def _has_ended(channel: Channel, seconds: float) -> bool:
    """Rest for so long, or until the channel's end; whether it was that."""
    readable, _, _ = select.select([channel], [], [], seconds)
    return bool(readable) and channel.hear() is None


if __name__ == "__main__":
    attendants.attend(main)

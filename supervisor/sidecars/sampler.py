"""The ``sampler`` sidecar: counts open executions that do not go on, in a random sample.

Rules:

1. A round is one count of the open executions, their list (at most ``LISTED`` of them), and one
   GetWorkflowExecutionHistory for each of a sample, the newest events alone. The calls are spread
   over the interval, so that they never come in a burst.
2. The hosts of a fleet share the sample: each reads its part. So metrics are sums over all hosts.
3. A call that fails ends the round: the budget belongs to the workers. What the round before has
   found stands, with its age.
4. It finds what ``garcon list --stuck --waiting --quiet`` finds.
"""

from __future__ import annotations

import itertools
import math
import random
import time
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from garcon import client
from garcon.aws import usage
from garcon.aws.single_attempt import single_attempt
from garcon.executions import criteria, listing, recorded_history, slowness, standstill
from garcon.executions.values import Status
from supervisor import sidecars
from supervisor.child import swf_endpoint
from supervisor.child.worker_meter import WorkerMeter
from supervisor.ipc import messages
from supervisor.ipc.messages.tallies import Sampled
from supervisor.logs import log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from garcon.executions.recorded_history import Event
    from supervisor.ipc.channel import Channel

LISTED = 10_000
"""Open executions that a sample is drawn from, those that started last: ten calls at most."""

NEWEST = 100
"""Events that are read of a history, as by ``garcon list``."""


def main(channel: Channel, order: messages.RunSidecar, _inputs: list[str]) -> None:
    """Sample until the supervisor is gone, or asks this process to end."""
    swf_endpoint.use(order.swf)
    channel.send(messages.SidecarReady(order.name))
    if order.sample is None or not isinstance(usage.meter, WorkerMeter):
        return
    sampler = Sampler(order, order.sample, usage.meter)
    while True:
        for wait in sampler.round():
            if sidecars.has_ended(channel, wait):
                return


class Sampler:
    """Looks, round by round.

    Args:
        order: Names the domain, the flow, and how many hosts share the sample.
        settings: The size of the sample, and what counts as slow.
        meter: Where the counts go.
        now: Gives the time.
    """

    def __init__(
        self,
        order: messages.RunSidecar,
        settings: messages.SampleSettings,
        meter: WorkerMeter,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._domain = order.domain
        self._open = criteria.Criteria(
            names=frozenset({order.flow_name}), statuses=frozenset({Status.OPEN})
        )
        self._size = math.ceil(settings.executions / max(1, order.hosts))
        self._settings = settings
        self._meter = meter
        self._now = now
        self._random = random.Random()

    def round(self) -> Iterator[float]:
        """One round; yields the seconds to wait, after each call and at the end."""
        began = time.monotonic()
        pause = self._settings.interval / (self._size + 2)
        swf: Any = client.calling()
        try:
            with single_attempt(swf):
                number = listing.count(swf, self._domain, self._open).number
                found = listing.found(swf, self._domain, self._open)
                known = [each.execution for each in itertools.islice(found, LISTED)]
            causes: Counter[str] = Counter()
            sample = self._random.sample(known, min(self._size, len(known)))
            for each in sample:
                yield pause * self._random.uniform(0.5, 1.5)  # so that hosts do not fall into step
                with single_attempt(swf):
                    latest = recorded_history.newest(swf, self._domain, each, NEWEST)
                causes.update(causes_of(latest, self._now(), self._settings))
            self._meter.note_sample(number, len(sample), causes)
        except (*client.ERRORS, ValueError) as error:
            problem = client.explain(error, f"sampling the open executions of {self._domain}")
            log.LOGGER.info("%s The next sample follows.", problem.sentence)
        yield max(0.0, began + self._settings.interval - time.monotonic())


def causes_of(
    latest: Sequence[Event], now: datetime, settings: messages.SampleSettings
) -> list[Sampled]:
    """The causes of an execution's standstill, by the end of its history; it may have several."""
    found: list[Sampled] = []
    if stands := standstill.standstill(latest):
        found.append(Sampled(stands.cause.value))
    if slowness.waiting(latest, now, settings.waiting):
        found.append(Sampled.WAITING)
    if slowness.quiet(latest, now, settings.quiet):
        found.append(Sampled.QUIET)
    return found


if __name__ == "__main__":
    sidecars.run_sidecar(main, calls_swf=True)

"""Metrics of an observation: the catalogue of them, and the text that Prometheus reads.

Rules:

1. A metric is one entry of ``METRICS``: its name, its meaning with the unit, and its samples. The
   table of ``docs/observing.md`` is made from it.
2. Names and units follow Prometheus: base units, ``_total`` for counters.
3. Nothing is kept between two scrapes: the counts are the supervisor's own, so a lost monitor loses
   none.
4. What has not happened yet is counted as 0. A counter that appears with its first event has no
   increase, so an alarm on it would miss that one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.registry import Collector, CollectorRegistry

from supervisor.sidecars.monitor import call_metrics, pool_metrics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.core import Metric as Family

    from supervisor.sidecars.monitor.metric_kinds import Metric
    from supervisor.sidecars.observation import Observation

METRICS: tuple[Metric, ...] = (*pool_metrics.METRICS, *call_metrics.METRICS)
"""All metrics, in the order of the documentation."""


class _Observed(Collector):
    """Gives the client library the metrics of one observation."""

    def __init__(self, seen: Observation) -> None:
        self._seen = seen

    def collect(self) -> Iterator[Family]:
        """All metrics."""
        for each in METRICS:
            yield each.family(self._seen)


def registry(seen: Observation) -> CollectorRegistry:
    """The metrics of an observation, for an encoder of the client library."""
    made = CollectorRegistry()
    made.register(_Observed(seen))
    return made

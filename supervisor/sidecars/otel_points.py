"""The metrics of an observation as OpenTelemetry's data points; names are those of ``/metrics``.

Counts are cumulative, since the supervisor's start. Pure: the caller has the clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.metrics import export
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from garcon.version import VERSION
from supervisor.sidecars.monitor.exposition import METRICS
from supervisor.sidecars.monitor.metric_kinds import Counter, Histogram

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource

    from supervisor.sidecars.monitor.metric_kinds import Metric
    from supervisor.sidecars.observation import Observation

CUMULATIVE = export.AggregationTemporality.CUMULATIVE

_UNITS = {"_seconds": "s", "_bytes": "By"}  # of UCUM
_UNKNOWN: Any = None  # the shortest and the longest: the protocol lets them out
_SCOPE = InstrumentationScope("garcon", VERSION)


@dataclass(frozen=True)
class Period:
    """The time that the counts are of, in nanoseconds since the epoch."""

    start: int
    end: int


def metrics_data(seen: Observation, resource: Resource, period: Period) -> export.MetricsData:
    """The data that an exporter of metrics takes.

    Args:
        seen: The pool now.
        resource: The service and host that the metrics are of.
        period: From the supervisor's start to now.
    """
    metrics = [
        export.Metric(each.name, each.help, _unit(each.name), _data(each, seen, period))
        for each in METRICS
    ]
    of_scope = export.ScopeMetrics(_SCOPE, metrics, "")
    return export.MetricsData([export.ResourceMetrics(resource, [of_scope], "")])


def _unit(name: str) -> str:
    base = name.removesuffix("_total")
    return next((unit for ending, unit in _UNITS.items() if base.endswith(ending)), "1")


def _data(metric: Metric, seen: Observation, period: Period) -> Any:
    if isinstance(metric, Histogram):
        return export.Histogram(_durations(metric, seen, period), CUMULATIVE)
    points = [
        export.NumberDataPoint(
            dict(zip(metric.labels, labels, strict=True)), period.start, period.end, float(value)
        )
        for labels, value in metric.samples(seen)
    ]
    if isinstance(metric, Counter):
        return export.Sum(points, CUMULATIVE, is_monotonic=True)
    return export.Gauge(points)


def _durations(
    metric: Histogram, seen: Observation, period: Period
) -> list[export.HistogramDataPoint]:
    return [
        export.HistogramDataPoint(
            dict(zip(metric.labels, each.labels, strict=True)),
            period.start,
            period.end,
            count=sum(each.classes),
            sum=each.seconds,
            bucket_counts=each.classes,
            explicit_bounds=metric.bounds,
            min=_UNKNOWN,
            max=_UNKNOWN,
        )
        for each in metric.distributions(seen)
    ]

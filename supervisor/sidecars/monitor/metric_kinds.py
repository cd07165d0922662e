"""Kinds of metrics: gauges, counters, histograms. Each makes its samples of an observation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from prometheus_client.core import Metric as Family

    from supervisor.sidecars.observation import Observation

Sample = tuple[tuple[str, ...], float]
"""The values of the labels, and the value."""


@dataclass(frozen=True)
class Gauge:
    """A value of this moment.

    Attributes:
        name: The metric's name.
        help: The meaning.
        labels: The names of its labels.
        samples: The values, from an observation.
    """

    name: str
    help: str
    labels: tuple[str, ...]
    samples: Callable[[Observation], Iterable[Sample]]
    kind = "gauge"
    _family: ClassVar[type[GaugeMetricFamily | CounterMetricFamily]] = GaugeMetricFamily

    def family(self, seen: Observation) -> Family:
        """The metric with its samples."""
        made = self._family(self.name, self.help, labels=self.labels)
        for labels, value in self.samples(seen):
            made.add_metric(labels, value)
        return made


@dataclass(frozen=True)
class Counter(Gauge):
    """A count since the supervisor's start."""

    kind = "counter"
    _family = CounterMetricFamily


@dataclass(frozen=True)
class Distribution:
    """The times of one combination of labels.

    Attributes:
        labels: The values of the labels.
        classes: How many are in each class: one number for each bound, and one for longer ones.
        seconds: Their sum.
    """

    labels: tuple[str, ...]
    classes: tuple[int, ...]
    seconds: float


@dataclass(frozen=True)
class Histogram:
    """Times since the supervisor's start, in classes.

    Attributes:
        name: The metric's name.
        help: The meaning.
        labels: The names of its labels.
        bounds: The upper bounds of its classes, in seconds.
        distributions: The times, from an observation.
    """

    name: str
    help: str
    labels: tuple[str, ...]
    bounds: tuple[float, ...]
    distributions: Callable[[Observation], Iterable[Distribution]]
    kind = "histogram"

    def family(self, seen: Observation) -> Family:
        """The metric with its samples."""
        made = HistogramMetricFamily(self.name, self.help, labels=self.labels)
        for each in self.distributions(seen):
            made.add_metric(each.labels, list(self._cumulated(each)), each.seconds)
        return made

    def _cumulated(self, times: Distribution) -> Iterator[tuple[str, int]]:
        total = 0
        for bound, number in zip((*map(repr, self.bounds), "+Inf"), times.classes, strict=True):
            total += number
            yield bound, total


Metric = Gauge | Histogram

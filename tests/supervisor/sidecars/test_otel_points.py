"""Metrics as OpenTelemetry's data points: the same values as in the exposition."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.sdk.metrics import export
from opentelemetry.sdk.resources import Resource

from supervisor.ipc.messages.tallies import BOUNDS, DECISION_BOUNDS
from supervisor.sidecars import otel_metrics, otel_points
from supervisor.sidecars.monitor.exposition import METRICS
from tests.supervisor.sidecars.monitor.test_exposition import CLASSES, SEEN

PERIOD = otel_points.Period(1_000, 2_000)


def exported() -> dict[str, Any]:
    """The data of each metric, by its name."""
    data = otel_points.metrics_data(SEEN, Resource({}), PERIOD)
    return {each.name: each.data for each in data.resource_metrics[0].scope_metrics[0].metrics}


def test_all_metrics_are_exported_with_their_kind() -> None:
    """Gauges, cumulative counts and histograms, under the names of ``/metrics``."""
    kinds = {"gauge": export.Gauge, "counter": export.Sum, "histogram": export.Histogram}
    data = exported()
    assert {name: type(each) for name, each in data.items()} == {
        each.name: kinds[each.kind] for each in METRICS
    }


def test_durations_keep_their_classes() -> None:
    """A histogram has the tally's classes, their bounds, and the labels of the list."""
    (point,) = exported()["garcon_task_duration_seconds"].data_points
    assert (point.bucket_counts, point.explicit_bounds) == (CLASSES, BOUNDS)
    assert (point.count, point.attributes["task_list"]) == (sum(CLASSES), "album_resize")


def test_what_children_count_is_exported_with_unit_and_bounds() -> None:
    """Seconds and bytes have UCUM's units, and each histogram the bounds of its own."""
    data = otel_points.metrics_data(SEEN, Resource({}), PERIOD)
    found = data.resource_metrics[0].scope_metrics[0].metrics
    metrics: dict[str, Any] = {each.name: each for each in found}
    assert metrics["garcon_swf_budget_seconds_total"].unit == "s"
    assert metrics["garcon_claim_bytes_total"].unit == "By"
    (decisions,) = metrics["garcon_decision_duration_seconds"].data.data_points
    assert (decisions.explicit_bounds, decisions.count) == (DECISION_BOUNDS, 6)
    (waits,) = metrics["garcon_task_wait_seconds"].data.data_points
    assert (waits.attributes, waits.sum) == ({"task_list": "album_resize"}, 777.5)
    calls = {
        (each.attributes["operation"], each.attributes["result"]): each.value
        for each in metrics["garcon_swf_calls_total"].data.data_points
    }
    assert calls["PollForActivityTask", "throttled"] == 10


def test_counts_begin_with_the_supervisor() -> None:
    """A collector sees a new supervisor by the start of the counts."""
    counts = exported()["garcon_tasks_total"]
    assert counts.is_monotonic
    assert {(each.start_time_unix_nano, each.time_unix_nano) for each in counts.data_points} == {
        (1_000, 2_000)
    }


def test_the_protocol_takes_them() -> None:
    """OTLP has a form for every value."""
    encoded = encode_metrics(otel_points.metrics_data(SEEN, Resource({}), PERIOD))
    assert len(encoded.resource_metrics[0].scope_metrics[0].metrics) == len(METRICS)


@pytest.mark.parametrize(
    ("given", "seconds"), [("", 60.0), ("5000", 5.0), ("1", 1.0), ("soon", 60.0)]
)
def test_the_interval_is_that_of_the_variable(given: str, seconds: float) -> None:
    """In milliseconds; never more often than once a second."""
    assert otel_metrics.interval(given) == seconds

"""Traces and metrics of a real supervisor, as a collector receives them."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.processes.collector import Collector, collecting
from tests.processes.harness import Program, Supervisor, local_swf, until

if TYPE_CHECKING:
    from pathlib import Path

COFFEE = ("--flow", "examples.coffee", "--start", '{"items": ["tea", "latte"]}')

DEADLY = """
import os
from pathlib import Path
from garcon import activity, runner, task
domain, name = "shop", "orders"

@task.decorate()
def die_once(mark):
    if not Path(mark).exists():
        Path(mark).touch()
        os.abort()

make = activity.create(domain, name)(
    name="make", run=runner.Sync(die_once.fill(mark="mark")), retry=1
)
"""


def run(*argv: str, **variables: str) -> tuple[int, str]:
    """Run the supervisor until the executions have closed; returns its exit code and its log."""
    with Program("-m", "supervisor", *argv, "--local", "--once", **variables) as program:
        return program.wait(), program.err.rest()


def test_the_workers_of_a_supervisor_make_one_trace() -> None:
    """The variable of the endpoint suffices; spans of five processes fit together in one tree."""
    with collecting() as collector:
        code, errors = run(*COFFEE, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    assert code == 0, errors
    spans = {span.span_id: span for span in collector.spans}
    assert len(spans) == len(collector.spans)
    assert Counter(span.name for span in spans.values()) >= Counter(
        {
            "execution coffee": 1,
            "decision coffee": 4,
            "attempt coffee_take_order": 1,
            "attempt coffee_prepare_item": 2,
            "attempt coffee_serve": 1,
        }
    )
    roots = [span for span in spans.values() if not span.parent_span_id]
    assert [span.name for span in roots] == ["execution coffee"]
    assert {span.parent_span_id for span in spans.values()} - {b""} <= spans.keys()
    assert len({span.trace_id for span in spans.values()}) == 1
    assert collector.services == {"coffee"}


def test_runs_that_continue_are_in_one_trace() -> None:
    """Two deciders share them: whichever decides the next run finds the trace of the first."""
    towns = json.dumps({"towns": ["Bern", "Thun", "Brig"]})
    with collecting() as collector:
        argv = ("--flow", "examples.continuing", "--start", towns, "--deciders", "2")
        code, errors = run(*argv, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    assert code == 0, errors
    spans = collector.spans
    assert Counter(span.name for span in spans)["execution relay"] > 1
    assert len({span.trace_id for span in spans}) == 1
    assert [span.name for span in spans if not span.parent_span_id] == ["execution relay"]
    assert {span.parent_span_id for span in spans} - {b""} <= {span.span_id for span in spans}


def test_a_collector_that_does_not_answer_harms_no_task() -> None:
    """The executions complete, and the workers leave although spans are still queued."""
    with collecting(answers=False) as collector:
        code, errors = run(
            *COFFEE, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, OTEL_BSP_SCHEDULE_DELAY="1"
        )
    assert code == 0, errors
    assert "The last spans were not sent within 3 s" in errors


@pytest.mark.parametrize(
    ("argv", "exporter"), [(("--no-otel",), "otlp"), ((), "none")], ids=["setting", "variable"]
)
def test_tracing_can_be_off(argv: tuple[str, ...], exporter: str) -> None:
    """With --no-otel, or the exporter none, no span is sent."""
    with collecting() as collector:
        code, errors = run(
            *COFFEE,
            *argv,
            OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
            OTEL_TRACES_EXPORTER=exporter,
        )
    assert (code, collector.spans) == (0, []), errors


def test_a_missing_exporter_is_named_once_and_harms_nothing() -> None:
    """The generation says what to install, and its workers serve."""
    code, errors = run(*COFFEE, OTEL_TRACES_EXPORTER="zipkin")
    assert code == 0, errors
    assert errors.count("no exporter zipkin is installed") == 1


def test_the_death_of_a_worker_is_a_lost_attempt(tmp_path: Path) -> None:
    """The reporter makes the span, with the cause, beside that of the retry."""
    (tmp_path / "mine.py").write_text(DEADLY)
    start = json.dumps({"mark": str(tmp_path / "mark")})
    variables = {"PYTHONPATH": str(tmp_path)}
    with collecting() as collector:
        variables |= {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
        code, errors = run("--flow", "mine", "--start", start, **variables)
    assert code == 0, errors
    attempts = [span for span in collector.spans if span.name == "attempt orders_make"]
    assert len({span.parent_span_id for span in attempts}) == 1
    outcomes = {
        each.value.string_value
        for span in attempts
        for each in span.attributes
        if each.key == "garcon.outcome"
    }
    assert outcomes == {"lost", "completed"}
    assert "SIGABRT" in "".join(span.status.message for span in attempts)


def test_metrics_are_exported_too(tmp_path: Path) -> None:
    """With --otel-metrics a collector has the pool's metrics, under the names of ``/metrics``."""
    with collecting() as collector, local_swf("--poll-seconds", "1", "--no-ghosts") as url:
        argv = ("--flow", "tests.processes.flow", "--endpoint-url", url, "--otel-metrics")
        variables = {
            "GARCON_CONTROL": str(tmp_path / "control.sock"),
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_METRIC_EXPORT_INTERVAL": "1000",
        }
        with Supervisor(*argv, **variables).ready():
            until(lambda: healthy(collector) == [1.0], "the metrics of a healthy pool")
    assert "garcon_tasks_total" in collector.metrics


def healthy(collector: Collector) -> list[float]:
    """The latest values of the pool's health."""
    metric = collector.metrics.get("garcon_healthy")
    return [point.as_double for point in metric.gauge.data_points] if metric else []

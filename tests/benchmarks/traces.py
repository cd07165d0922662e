"""Costs of traces to an attempt at an activity: off, and on with an exporter that does nothing.

    python -m tests.benchmarks.traces [--turns N]

CPU of ``Activity.attempt`` with one quick task and without SWF. *without* is the same code without
the question whether it is traced. All three take turns.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from garcon import activity, runner, task, tracing
from garcon.tracing import seam

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.sdk.trace import ReadableSpan


class Nowhere(SpanExporter):
    """Drops every span."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Drop them."""
        return SpanExportResult.SUCCESS


@task.decorate()
def count() -> dict[str, Any]:
    """Do next to nothing."""
    return {"counted": 1}


WORK = activity.create("bench", "traces")(name="work", run=runner.Sync(count.fill()))


def cost(attempt: Callable[[Any], Any]) -> int:
    """Nanoseconds of CPU for one attempt."""
    execution = activity.ActivityExecution(
        None, "id", "token", "{}", workflow_id="w", run_id="r", started_event_id=6
    )
    before = time.process_time_ns()
    attempt(execution)
    return time.process_time_ns() - before


def main() -> None:
    """Print the medians and their ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--turns", type=int, default=5000)
    turns = parser.parse_args().turns
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(Nowhere()))
    tracing.start(provider)
    tracer = seam.tracer
    found: dict[str, list[int]] = {"without": [], "off": [], "on": []}
    for turn in range(turns):
        for name in sorted(found, reverse=bool(turn % 2)):
            seam.tracer = tracer if name == "on" else None
            attempt = WORK._attempt_logging if name == "without" else WORK.attempt
            found[name].append(cost(attempt))
    floor = statistics.median(found["without"])
    for name, costs in found.items():
        median = statistics.median(costs)
        print(f"{name:8} {median / 1000:6.1f} us {median / floor:6.3f}")


if __name__ == "__main__":
    main()

"""The tables of metrics and events in ``docs/observing.md``; run it to print them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supervisor.logs.event_catalogue import EVENTS
from supervisor.sidecars.monitor.exposition import METRICS

if TYPE_CHECKING:
    from collections.abc import Iterator


def metric_lines() -> Iterator[str]:
    """The table of metrics, one line a metric."""
    yield "| metric | kind | labels | meaning |"
    yield "|---|---|---|---|"
    for each in METRICS:
        labels = ", ".join(f"`{label}`" for label in each.labels)
        yield f"| `{each.name}` | {each.kind} | {labels} | {each.help} |"


def event_lines() -> Iterator[str]:
    """The table of events, one line an event."""
    yield "| event | meaning |"
    yield "|---|---|"
    for name, meaning in EVENTS.items():
        yield f"| `{name}` | {meaning} |"


if __name__ == "__main__":
    print("\n".join([*metric_lines(), "", *event_lines()]))  # noqa: T201 - its output

"""Spans in memory, as trees of names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter


@dataclass(frozen=True)
class RecordedSpans:
    """The finished spans of one test."""

    exporter: InMemorySpanExporter

    @property
    def finished(self) -> list[ReadableSpan]:
        """All of them, in the order of their ends."""
        return list(self.exporter.get_finished_spans())

    def named(self, name: str) -> list[ReadableSpan]:
        """Those of this name."""
        return [span for span in self.finished if span.name == name]

    def tree(self, parent: ReadableSpan | None = None) -> list[Any]:
        """Names, each with the list of its children if it has any, in the order of their ends."""
        parent_id = parent.context.span_id if parent and parent.context else None
        below = [
            span
            for span in self.finished
            if (span.parent.span_id if span.parent else None) == parent_id
        ]
        return [(span.name, self.tree(span)) if self.tree(span) else span.name for span in below]

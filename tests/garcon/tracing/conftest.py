"""Fixtures of tests of traces: a tracer of their own whose spans stay in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from garcon import tracing
from garcon.local import LocalSWF
from tests.garcon.recorded_spans import RecordedSpans

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def swf() -> Iterator[LocalSWF]:
    """A local SWF in virtual time."""
    with LocalSWF() as made:
        yield made


@pytest.fixture
def provider() -> TracerProvider:
    """A provider without an exporter."""
    return TracerProvider(shutdown_on_exit=False)


@pytest.fixture
def spans(provider: TracerProvider) -> Iterator[RecordedSpans]:
    """The spans of this test; tracing is on meanwhile."""
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing.start(provider)
    yield RecordedSpans(exporter)
    tracing.stop()

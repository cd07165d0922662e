"""The exporter of the standard variables, and the last flush."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from examples import coffee
from garcon import tracing
from garcon.tracing import export

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

    from garcon.local import LocalSWF


@pytest.mark.parametrize(
    ("environ", "configured"),
    [
        ({}, False),
        ({"OTEL_SERVICE_NAME": "shop"}, False),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}, True),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}, False),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_SDK_DISABLED": "true"}, False),
    ],
)
def test_the_standard_variables_ask_for_traces(
    environ: Mapping[str, str], *, configured: bool
) -> None:
    """An exporter or its endpoint asks for them; ``none`` and a disabled SDK do not."""
    assert tracing.is_configured(environ) is configured


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({}, "OTLPSpanExporter"),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, "OTLPSpanExporter"),
        ({"OTEL_TRACES_EXPORTER": "console"}, "ConsoleSpanExporter"),
    ],
)
def test_the_exporter_is_that_of_the_variables(
    monkeypatch: pytest.MonkeyPatch, environ: Mapping[str, str], name: str
) -> None:
    """OTLP over HTTP is the default, as in the specification."""
    for key, value in environ.items():
        monkeypatch.setenv(key, value)
    assert [each.__name__ for each in export.exporter_classes()] == [name]


def test_a_missing_exporter_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says which variable asks for it, and what to install."""
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "zipkin")
    with pytest.raises(tracing.TracingUnavailable, match=r"no exporter zipkin .* pip install"):
        tracing.load()


def test_an_exporter_that_blocks_delays_nothing(
    swf: LocalSWF, provider: TracerProvider, caplog: pytest.LogCaptureFixture
) -> None:
    """The execution completes, and the end of the process waits no longer than its limit."""
    released = threading.Event()

    class Blocked(SpanExporter):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            released.wait(60)
            return SpanExportResult.SUCCESS

    provider.add_span_processor(BatchSpanProcessor(Blocked(), schedule_delay_millis=1))
    tracing.start(provider)
    assert swf.run(coffee, {"items": ["tea"]}).status == "COMPLETED"
    tracing.stop(0.01)
    assert "The last spans were not sent within 0.01 s" in caplog.text
    released.set()
    provider.shutdown()


def test_the_last_spans_are_sent_at_the_end(swf: LocalSWF, provider: TracerProvider) -> None:
    """Queued spans reach the exporter before ``stop`` returns."""
    sent: list[Any] = []

    class Kept(SpanExporter):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            sent.extend(spans)
            return SpanExportResult.SUCCESS

    provider.add_span_processor(BatchSpanProcessor(Kept(), schedule_delay_millis=60_000))
    tracing.start(provider)
    swf.run(coffee, {"items": ["tea"]})
    assert sent == []
    tracing.stop()
    assert len(sent) == 11
    provider.shutdown()

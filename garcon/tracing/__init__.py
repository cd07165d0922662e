"""Traces of executions with OpenTelemetry (``pip install 'garcon[otel]'``).

Call ``start`` once in each process, after its last fork and before its workers run. The supervisor
does so in each of its workers.

Rules:

1. The exporter is that of the standard variables (``OTEL_TRACES_EXPORTER``,
   ``OTEL_EXPORTER_OTLP_ENDPOINT``, …). Spans are queued and sent by a thread of the SDK: an
   exporter that blocks or fails costs spans, never a task.
2. At the end of the process what is queued is sent, for ``FLUSH_SECONDS`` at most.

Source: "OpenTelemetry Environment Variable Specification".
"""

import atexit
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from garcon.errors import GarconError
from garcon.tracing import seam

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

    from garcon.tracing.export import Flusher

FLUSH_SECONDS = 3.0
"""Seconds for which the end of a process waits for its last spans."""

_ASKING = (
    "OTEL_TRACES_EXPORTER",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
)

_flusher: "Flusher | None" = None


class TracingUnavailable(GarconError, ImportError):
    """Traces were asked for; a package that they need is missing, or cannot be set up."""


def is_configured(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the standard variables name an exporter of traces."""
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    if environ.get("OTEL_TRACES_EXPORTER", "").strip().lower() == "none":
        return False
    return any(environ.get(name, "").strip() for name in _ASKING)


def load(signal: str = "traces") -> None:
    """Import OpenTelemetry's SDK and the exporter, so that processes forked later share them.

    Args:
        signal: What is exported: ``traces`` or ``metrics``.

    Raises:
        TracingUnavailable: It is not installed, or the exporter is not.
    """
    try:
        from garcon.tracing import export, spans  # noqa: F401, PLC0415 - only if it traces
    except ImportError as error:
        raise TracingUnavailable(
            f"OpenTelemetry is missing ({error}): pip install 'garcon[otel]'."
        ) from error
    try:
        export.exporter_classes(signal)
    except LookupError as error:
        raise TracingUnavailable(str(error)) from error


def start(provider: "TracerProvider | None" = None, *, service: str = "garcon") -> None:
    """Trace the decisions and attempts of this process from now on.

    Args:
        provider: Where spans go. If not given, the provider that the program has set for the
            process; if it has set none, one with the exporter of the standard variables, which then
            is that of the process.
        service: ``service.name``, if no variable names the service.

    Raises:
        TracingUnavailable: OpenTelemetry or the exporter is missing, or a variable is invalid.
    """
    global _flusher  # noqa: PLW0603 - as the tracer itself: one for the process
    load()
    from garcon.tracing import export, spans  # noqa: PLC0415 - see ``load``

    stop()
    try:
        chosen = provider or export.process_provider(service)
    except (ValueError, RuntimeError, OSError) as error:  # of the exporters' constructors
        raise TracingUnavailable(f"An exporter of traces refuses its variables: {error}") from error
    _flusher = export.Flusher(chosen)
    seam.tracer = spans.SpanTracer(chosen)
    atexit.register(stop)


def stop(seconds: float = FLUSH_SECONDS) -> None:
    """End tracing, and send what is queued.

    Args:
        seconds: How long to wait for that.
    """
    global _flusher
    flusher, _flusher, seam.tracer = _flusher, None, None
    if flusher:
        atexit.unregister(stop)
        flusher.flush(seconds)

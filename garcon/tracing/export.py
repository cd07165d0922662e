"""The exporters that the standard variables describe, the provider of spans, and its last flush.

Source: "OpenTelemetry Environment Variable Specification"; the entry points are those of the SDK's
own configuration. The SDK reads the other variables by itself (sampler, limits, batches, endpoint).
"""

import logging
import os
import threading
from collections.abc import Mapping
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

_LOGGER = logging.getLogger("garcon")

_OTLP = {"grpc": "otlp_proto_grpc", "http/protobuf": "otlp_proto_http"}


def process_provider(service: str) -> TracerProvider:
    """The provider of this process; made and set if the program has set none."""
    known = trace.get_tracer_provider()
    if isinstance(known, TracerProvider):
        return known
    exporters = [each() for each in exporter_classes()]  # they refuse invalid variables
    # Not shut down at the exit: that would wait for a blocked exporter for half a minute.
    made = TracerProvider(resource=resource(service), shutdown_on_exit=False)
    for exporter in exporters:
        made.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(made)
    return made


def exporter_classes(signal: str = "traces") -> list[Any]:
    """The classes of the exporters that ``OTEL_TRACES_EXPORTER`` names.

    Args:
        signal: ``traces``; or ``metrics``, for ``OTEL_METRICS_EXPORTER``.

    Raises:
        LookupError: One is not installed.
    """
    named = os.environ.get(f"OTEL_{signal.upper()}_EXPORTER", "").strip() or "otlp"
    names = [each.strip() for each in named.split(",")]
    return [_exporter_class(signal, each) for each in names if each != "none"]


def _exporter_class(signal: str, name: str) -> Any:
    chosen = _otlp(signal) if name == "otlp" else name
    for found in entry_points(group=f"opentelemetry_{signal}_exporter", name=chosen):
        return found.load()
    raise LookupError(
        f"OTEL_{signal.upper()}_EXPORTER: no exporter {chosen} is installed. The one of OTLP over "
        "HTTP comes with pip install 'garcon[otel]'; for gRPC install "
        "opentelemetry-exporter-otlp-proto-grpc."
    )


def _otlp(signal: str) -> str:
    names = (f"OTEL_EXPORTER_OTLP_{signal.upper()}_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
    given = next((os.environ[name] for name in names if os.environ.get(name)), "http/protobuf")
    return _OTLP.get(given.strip().lower(), given)


def resource(service: str, facts: Mapping[str, str] = MappingProxyType({})) -> Resource:
    """The resource that spans and metrics are of.

    Args:
        service: The service's name, if no variable gives one.
        facts: More attributes.
    """
    known = Resource.create(facts)
    is_named = not str(known.attributes.get(SERVICE_NAME, "unknown_service")).startswith("unknown")
    return known if is_named else known.merge(Resource({SERVICE_NAME: service}))


class Flusher:
    """Sends what is queued, in a thread, so that the wait for it has a bound.

    Args:
        provider: The provider.
    """

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._asked, self._done = threading.Event(), threading.Event()
        # Made now: Python 3.12 begins no thread in exit handlers.
        threading.Thread(target=self._flush, name="garcon-flush-spans", daemon=True).start()

    def flush(self, seconds: float) -> None:
        """Send what is queued; after so many seconds it is given up."""
        self._asked.set()
        if not self._done.wait(seconds):
            _LOGGER.warning("The last spans were not sent within %g s, and are lost.", seconds)

    def _flush(self) -> None:
        self._asked.wait()
        try:
            self._provider.force_flush()
        except Exception:  # the exporter is code of others
            _LOGGER.exception("The last spans were not sent.")
        self._done.set()

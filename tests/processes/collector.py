"""A collector of OpenTelemetry's spans and metrics on 127.0.0.1, that answers or does not."""

from __future__ import annotations

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.processes.harness import LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterator


class Collector:
    """The requests that it has received.

    Attributes:
        url: Its address.
        services: The names of the services that sent spans.
        spans: The spans, as the protocol has them.
        metrics: The latest metrics, as the protocol has them, by name.
        released: Set, it answers; before that it keeps requests waiting.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.services: set[str] = set()
        self.spans: list[Any] = []
        self.metrics: dict[str, Any] = {}
        self.released = threading.Event()

    def receive(self, path: str, body: bytes) -> None:
        """Keep what a request brings."""
        if path == "/v1/metrics":
            for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                for scope in resource.scope_metrics:
                    self.metrics |= {each.name: each for each in scope.metrics}
            return
        for sent in ExportTraceServiceRequest.FromString(body).resource_spans:
            for attribute in sent.resource.attributes:
                if attribute.key == "service.name":
                    self.services.add(attribute.value.string_value)
            for spans in sent.scope_spans:
                self.spans += spans.spans


@contextlib.contextmanager
def collecting(*, answers: bool = True) -> Iterator[Collector]:
    """A collector, as long as the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Take spans (OTLP over HTTP)."""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.released.wait(LIMIT)
            collector.receive(self.path, body)
            with contextlib.suppress(OSError):  # the sender has gone
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Be silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector = Collector(f"http://127.0.0.1:{server.server_port}")
    if answers:
        collector.released.set()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield collector
    finally:
        collector.released.set()
        server.shutdown()
        thread.join(LIMIT)
        server.server_close()

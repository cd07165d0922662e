"""The ``otel_metrics`` sidecar: exports the metrics with OpenTelemetry (``--otel-metrics``).

The standard variables say where to and how often (``OTEL_METRICS_EXPORTER``,
``OTEL_EXPORTER_OTLP_ENDPOINT``, ``OTEL_METRIC_EXPORT_INTERVAL``). A minute in which the supervisor
or the collector does not answer is left out: the counts are the supervisor's own, so none is lost.
"""

from __future__ import annotations

import os
import socket
import time
from typing import TYPE_CHECKING

import psutil

from garcon import tracing
from supervisor import sidecars
from supervisor.ipc import messages
from supervisor.logs import log
from supervisor.sidecars.observation import NoAnswer, Source

if TYPE_CHECKING:
    from supervisor.ipc.channel import Channel

INTERVAL = 60_000
"""Milliseconds between two exports, as the specification has it."""

NANOSECONDS = 1_000_000_000


def main(channel: Channel, order: messages.RunSidecar, _inputs: list[str]) -> None:
    """Export until the supervisor is gone, or asks this process to end."""
    try:
        exporter = _Exporter(order)
    except (ImportError, LookupError, ValueError) as error:
        log.LOGGER.error("No metrics are exported. %s", error)
        raise SystemExit(1) from None
    channel.send(messages.SidecarReady(order.name))
    seconds = interval(os.environ.get("OTEL_METRIC_EXPORT_INTERVAL", ""))
    while True:
        exporter.export()
        if sidecars.has_ended(channel, seconds):
            return


def interval(given: str) -> float:
    """Seconds between two exports; ``given`` are milliseconds, at least a second."""
    return max(int(given), 1000) / 1000 if given.isdecimal() else INTERVAL / 1000


class _Exporter:
    """Exports one observation after the other."""

    def __init__(self, order: messages.RunSidecar) -> None:
        tracing.load("metrics")
        from garcon.tracing import export  # noqa: PLC0415 - the extra is not always installed
        from supervisor.sidecars import otel_points  # noqa: PLC0415 - same

        self._points = otel_points
        self._source = Source(order.control, order.flow_name)
        self._resource = export.resource(order.flow_name, {"host.name": socket.gethostname()})
        self._exporters = [each() for each in export.exporter_classes("metrics")]
        self._start = round(psutil.Process(os.getppid()).create_time() * NANOSECONDS)

    def export(self) -> None:
        """Export the metrics of this moment."""
        try:
            seen = self._source.observe()
        except NoAnswer as error:
            log.LOGGER.debug("No metrics were exported: %s", error)
            return
        period = self._points.Period(self._start, time.time_ns())
        data = self._points.metrics_data(seen, self._resource, period)
        for each in self._exporters:
            each.export(data)  # it logs what the collector refuses


if __name__ == "__main__":
    sidecars.run_sidecar(main)

"""The ``emf`` sidecar: appends metrics to a file once a minute (``--emf``), see ``emf_lines``.

The file is opened anew each minute, so it may be rotated. What cannot be written is logged once,
and left out.
"""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

from supervisor import sidecars
from supervisor.ipc import messages
from supervisor.logs import log
from supervisor.sidecars import emf_calls, emf_lines
from supervisor.sidecars.observation import NoAnswer, Source

if TYPE_CHECKING:
    from supervisor.ipc.channel import Channel
    from supervisor.ipc.messages.tallies import Tallies

INTERVAL = emf_calls.MINUTE
"""Seconds between two reads: CloudWatch's own metrics have minutes, too."""

STANDARD_OUTPUT = "-"


def main(channel: Channel, order: messages.RunSidecar, _inputs: list[str]) -> None:
    """Write until the supervisor is gone, or asks this process to end."""
    channel.send(messages.SidecarReady(order.name))
    writer = _Writer(order)
    while True:
        writer.write()
        if sidecars.has_ended(channel, INTERVAL):
            return


class _Writer:
    """Writes the lines of one minute after the other."""

    def __init__(self, order: messages.RunSidecar) -> None:
        self._source = Source(order.control, order.flow_name)
        self._file = MetricsFile(order.emf)
        self._before: Tallies | None = None
        self._has_failed = False

    def write(self) -> None:
        """Write the lines of this minute."""
        try:
            seen = self._source.observe()
            made = emf_lines.lines(seen, self._before, self._source.flow, time.time())
            self._file.append("".join(f"{line}\n" for line in made))
        except (NoAnswer, OSError) as error:
            if not self._has_failed:
                log.LOGGER.warning(
                    "Metrics of this minute are not written to %s: %s. The next lines count what"
                    " these would have.",
                    self._file.path,
                    error,
                )
            self._has_failed = True
            return
        self._before, self._has_failed = seen.tallies, False


class MetricsFile:
    """The file, or standard output, to which lines are appended.

    A disk that fills up takes a part of a line. The next line then begins with the end of that one,
    so that a reader loses no more than it.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._is_torn = False  # it ends within a line

    def append(self, text: str) -> None:
        """Append whole lines. Raises ``OSError``."""
        if self.path == STANDARD_OUTPUT:
            sys.stdout.write(text)
            sys.stdout.flush()
            return
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(self.path, flags, 0o640)
        try:
            self._write(descriptor, (b"\n" * self._is_torn) + text.encode())
        finally:
            os.close(descriptor)

    def _write(self, descriptor: int, data: bytes) -> None:
        while data:
            written = os.write(descriptor, data)
            self._is_torn = data[written - 1 : written] != b"\n"
            data = data[written:]


if __name__ == "__main__":
    sidecars.run_sidecar(main)

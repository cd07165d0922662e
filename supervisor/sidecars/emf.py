"""The ``emf`` sidecar: appends metrics to a file once a minute (``--emf``), see ``emf_lines``.

The file is opened anew each minute, so it may be rotated. What cannot be written is logged once,
and left out.
"""

from __future__ import annotations

import os
import select
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
"""Seconds between two looks: CloudWatch's own metrics have minutes, too."""

STANDARD_OUTPUT = "-"


def main(channel: Channel, order: messages.RunSidecar, _inputs: list[str]) -> None:
    """Write until the supervisor is gone, or asks this process to end."""
    channel.send(messages.SidecarReady(order.name))
    writer = _Writer(order)
    while True:
        writer.write()
        readable, _, _ = select.select([channel], [], [], INTERVAL)
        if readable and channel.receive() is None:
            return


class _Writer:
    """Writes the lines of one minute after the other."""

    def __init__(self, order: messages.RunSidecar) -> None:
        self._source = Source(order.control, order.flow_name)
        self._file = order.emf
        self._before: Tallies | None = None
        self._has_failed = False

    def write(self) -> None:
        """Write the lines of this minute."""
        try:
            seen = self._source.observe()
            made = emf_lines.lines(seen, self._before, self._source.flow, time.time())
            self._append("".join(f"{line}\n" for line in made))
        except (NoAnswer, OSError) as error:
            if not self._has_failed:
                log.LOGGER.warning(
                    "Metrics of this minute are not written to %s: %s. The next lines count what"
                    " these would have.",
                    self._file,
                    error,
                )
            self._has_failed = True
            return
        self._before, self._has_failed = seen.tallies, False

    def _append(self, text: str) -> None:
        if self._file == STANDARD_OUTPUT:
            sys.stdout.write(text)
            sys.stdout.flush()
            return
        descriptor = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
        with os.fdopen(descriptor, "a", encoding="utf-8") as file:
            file.write(text)


if __name__ == "__main__":
    sidecars.run_sidecar(main)

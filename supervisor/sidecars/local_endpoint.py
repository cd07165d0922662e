"""The ``local_endpoint`` sidecar: garcon's local SWF on 127.0.0.1, for ``--local``."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING

from supervisor import sidecars
from supervisor.ipc import messages

if TYPE_CHECKING:
    from supervisor.ipc.channel import Channel

POLL_SECONDS = 1.0
"""Seconds of an empty poll. SWF's take 60, and a drain waits for them: too long in a trial."""


def main(channel: Channel, order: messages.RunSidecar, _inputs: list[str]) -> None:
    """Serve until the supervisor asks this process to end, or is gone."""
    from garcon.local.http import server  # noqa: PLC0415 - of the extra 'local'

    def report(url: str) -> None:
        channel.send(messages.SidecarReady(order.name, url))
        _end_with(channel)  # not before: until the server runs, SIGTERM ends it without a word

    server.serve(server.ServerOptions(port=0, poll_seconds=POLL_SECONDS), on_ready=report)


def _end_with(channel: Channel) -> None:
    """Send SIGTERM to this process at the channel's end: no other process knows this endpoint."""

    def wait() -> None:
        while channel.receive() is not None:
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="channel watcher", daemon=True).start()


if __name__ == "__main__":
    sidecars.run_sidecar(main)

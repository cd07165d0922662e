"""Runs garcon's local SWF on 127.0.0.1 for ``--local``."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING

from supervisor import attendants, messages

if TYPE_CHECKING:
    from supervisor.channel import Channel

POLL_SECONDS = 1.0
"""Length of an empty poll. SWF's are 60 s; at a desk nobody wants to wait for a drain so long."""


def main(channel: Channel, order: messages.Attend, _inputs: list[str]) -> None:
    """Serve until told to end."""
    from garcon.local import server  # noqa: PLC0415 - of the extra 'local'

    _end_with(channel)
    server.serve(
        server.Options(port=0, poll_seconds=POLL_SECONDS),
        on_ready=lambda url: channel.say(messages.AttendantReady(order.name, url)),
    )


def _end_with(channel: Channel) -> None:
    """End this process when the supervisor does: nobody else knows this endpoint."""

    def wait() -> None:
        while channel.hear() is not None:
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="supervisor's end", daemon=True).start()


if __name__ == "__main__":
    attendants.attend(main)

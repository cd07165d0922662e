"""Who polls, as SWF's history shows it (``identity`` of the started events)."""

import os
import socket
import threading

from garcon import limits


def identity_of(given: str | None = None) -> str:
    """The given identity, or host, process and thread; at most 256 characters.

    Asked at each poll and not once, because a fork changes the answer.
    """
    thread = threading.current_thread().name
    return limits.cut(given or f"{socket.gethostname()}:{os.getpid()}:{thread}", limits.IDENTITY)

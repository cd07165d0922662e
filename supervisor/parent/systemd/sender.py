"""Datagrams to the service manager at ``$NOTIFY_SOCKET`` (sd_notify(3)).

Rules of this file:

1. It never blocks. Datagrams that the manager has no room for wait, in order; if the manager never
   reads, the oldest are dropped.
2. A manager that cannot be reached costs one warning, never the pool.
"""

from __future__ import annotations

import socket
from collections import deque

from supervisor.logs import log

WAITING = 64
"""Most datagrams that wait: hours of ordinary service."""


class Sender:
    """Sends fields to the service manager.

    Args:
        address: As in ``$NOTIFY_SOCKET``: a path, or ``@`` and an abstract name.
    """

    def __init__(self, address: str) -> None:
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._shown = address
        self._waiting: deque[bytes] = deque(maxlen=WAITING)
        self._healthy = True

    @property
    def is_behind(self) -> bool:
        """Whether datagrams wait for room."""
        return bool(self._waiting)

    def send(self, fields: list[str]) -> None:
        """Send these fields in one datagram, after the datagrams that wait."""
        self._waiting.append("\n".join(fields).encode())
        self.flush()

    def flush(self) -> None:
        """Send the datagrams that wait, as far as there is room."""
        try:
            self._send_all()
        except BlockingIOError:
            return
        except OSError as error:
            self._warn(error)
        else:
            self._healthy = True

    def _send_all(self) -> None:
        # A new socket each time: the manager may have been restarted behind the same path.
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as ours:
            while self._waiting:
                ours.sendto(self._waiting[0], self._address)
                self._waiting.popleft()

    def _warn(self, error: OSError) -> None:
        if self._healthy:
            log.LOGGER.warning(
                "The service manager at NOTIFY_SOCKET=%s is not reachable: %s. Workers go on, but"
                " systemd does not see their state: check that the unit has NotifyAccess=main.",
                self._shown,
                error.strerror or error,
            )
        self._healthy = False

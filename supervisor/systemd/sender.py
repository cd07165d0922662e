"""The way to the service manager: datagrams to ``$NOTIFY_SOCKET`` (sd_notify(3)).

Rules of this file:

1. It never blocks. What the manager has no room for waits its turn, in order; of a manager that
   never reads, the oldest words are dropped.
2. A manager that cannot be reached costs one warning, never the pool.
"""

from __future__ import annotations

import socket
from collections import deque

from supervisor import log

WAITING = 64
"""Datagrams that wait at most: hours of ordinary service."""


class Sender:
    """Sends what the service manager is told.

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
        """Whether something waits for room."""
        return bool(self._waiting)

    def send(self, fields: list[str]) -> None:
        """Send these fields in one datagram, after what could not be sent before."""
        self._waiting.append("\n".join(fields).encode())
        self.flush()

    def flush(self) -> None:
        """Send what could not be sent before, as far as there is room."""
        try:
            self._send_all()
        except BlockingIOError:
            return
        except OSError as error:
            self._warn(error)
        else:
            self._healthy = True

    def _send_all(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as ours:
            while self._waiting:
                ours.sendto(self._waiting[0], self._address)
                self._waiting.popleft()

    def _warn(self, error: OSError) -> None:
        if self._healthy:
            log.LOGGER.warning(
                "The service manager at NOTIFY_SOCKET=%s cannot be told how we do: %s. Work goes"
                " on; under systemd, see that the unit has NotifyAccess=main.",
                self._shown,
                error.strerror or error,
            )
        self._healthy = False

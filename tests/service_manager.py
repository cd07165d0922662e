"""A service manager of the tests' own: it hears what a service says to ``$NOTIFY_SOCKET``."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT = 40.0
"""Seconds after which a wait has failed."""


class ServiceManager:
    """Listens at an address, and keeps every field in the order of its arrival.

    Args:
        address: A path, or ``@`` and an abstract name.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.fields: list[str] = []
        self._unread: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f"\0{address[1:]}" if address.startswith("@") else address)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def wait_for(self, beginning: str) -> str:
        """The next field that begins so."""
        return self.wait_until(lambda field: field.startswith(beginning), beginning)

    def wait_until(self, wanted: Callable[[str], bool], what: str) -> str:
        """The next field that is wanted; fails past the limit."""
        until = time.monotonic() + LIMIT
        while True:
            field = self._next(until - time.monotonic())
            assert field is not None, f"no {what} within {LIMIT:g} s after {self.fields}"
            if wanted(field):
                return field

    def is_silent_for(self, seconds: float) -> bool:
        """Whether nothing comes for so long."""
        return self._next(seconds) is None

    def read_dry(self) -> list[str]:
        """What has arrived and was not read yet."""
        found = []
        while (field := self._next(0)) is not None:
            found.append(field)
        return found

    def said(self, *kinds: str) -> list[str]:
        """All fields of these kinds so far (the words before the ``=``), in order."""
        return [field for field in self.fields if field.partition("=")[0] in kinds]

    def _next(self, seconds: float) -> str | None:
        if not self._unread:
            self._socket.settimeout(max(0.0, seconds))
            try:
                self._unread = self._socket.recv(65_536).decode().split("\n")
            except (TimeoutError, BlockingIOError):
                return None
        self.fields.append(self._unread.pop(0))
        return self.fields[-1]

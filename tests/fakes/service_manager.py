"""A fake service manager: it receives what a service sends to ``$NOTIFY_SOCKET``."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT = 40.0
"""Seconds after which a wait has failed."""


class ServiceManager:
    """Receives at an address, and keeps every field in the order of its arrival.

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
        """The next field with this beginning."""
        return self.wait_until(lambda field: field.startswith(beginning), beginning)

    def wait_until(self, desired: Callable[[str], bool], what: str) -> str:
        """The next field that meets the condition; fails after the limit."""
        until = time.monotonic() + LIMIT
        while True:
            field = self._next(until - time.monotonic())
            assert field is not None, f"no {what} within {LIMIT:g} s after {self.fields}"
            if desired(field):
                return field

    def is_silent_for(self, seconds: float) -> bool:
        """Whether no field arrives for so long."""
        return self._next(seconds) is None

    def read_dry(self) -> list[str]:
        """The fields that have arrived and were not read yet."""
        fields = []
        while (field := self._next(0)) is not None:
            fields.append(field)
        return fields

    def fields_of(self, *kinds: str) -> list[str]:
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

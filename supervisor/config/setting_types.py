"""Settings that have a notation of their own: sizes, bounds, surge, histories, addresses.

Rules of this file:

1. Each type prints as it is written, and ``parse`` reads what it prints.
2. ``parse`` raises ``ValueError`` with what it expects and an example.
3. A size has powers of 1024: ``512MiB``, or ``512M`` as for ``docker --memory`` and systemd; a bare
   number is bytes. ``512MB`` is invalid: half of its readers take it for a million bytes.
4. A surge in percent is of all slots, rounded up and at least one: a restart that may run no extra
   process would never end.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Self

_POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}
_MEMORY_SIZE = re.compile(r"(\d+(?:\.\d+)?) *(?:([KMGT])(?:iB)?|B)?", re.IGNORECASE)
_BOUNDS = re.compile(r"(\d{1,6})\.\.(\d{1,6})")
_SURGE = re.compile(r"(\d{1,6})(%?)")
_LAST, _OPEN, _OFF = "last:", "open:", "off"
_UNIX = "unix:"
_DIGITS = re.compile(r"\d{1,6}")

ALL = "all"
"""In place of the bounds of polls: each idle worker polls. In place of a list: every list."""

LOOPBACK = "127.0.0.1"
MOST_PORTS = 65_535

_MOST_BYTES = 1 << 60
"""More memory than any host has, and less than a number that Python cannot represent."""


class MemorySize(int):
    """A number of bytes, as in ``512MiB``."""

    def __str__(self) -> str:
        for unit, power in reversed(_POWERS.items()):
            if power and self >= 1024**power:
                return f"{self / 1024**power:.4g}{unit}iB"
        return f"{int(self)}B"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a size; zero is invalid."""
        found = _MEMORY_SIZE.fullmatch(text.strip())
        size = float(found[1]) * 1024 ** _POWERS[(found[2] or "").upper()] if found else 0.0
        if not 1 <= size <= _MOST_BYTES:
            raise ValueError("expected a size such as 512MiB or 2GiB")
        return cls(size)


class PoolBounds(str):
    """The least and the most workers of a task list, both included, as in ``1..8``."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read bounds; the first is not above the second, and the second not zero."""
        found = _BOUNDS.fullmatch(text.strip())
        if not found or not int(found[1]) <= int(found[2]) or not int(found[2]):
            raise ValueError("expected bounds such as 1..8, the smaller first")
        return cls(f"{int(found[1])}..{int(found[2])}")

    @property
    def least(self) -> int:
        """The smallest pool."""
        return int(self.partition("..")[0])

    @property
    def most(self) -> int:
        """The largest pool."""
        return int(self.partition("..")[2])

    def clamp(self, size: int) -> int:
        """The size within the bounds that is nearest to this one."""
        return min(max(size, self.least), self.most)


class PollBounds(PoolBounds):
    """The least and the most workers of a task list that poll at once, as in ``1..8``; or ``all``.

    ``all`` means that each idle worker polls.
    """

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read bounds; the first is not zero: a list without a poller would never be served."""
        if text.strip() == ALL:
            return cls(ALL)
        bounds = super().parse(text)
        if not bounds.least:
            raise ValueError(f"expected bounds from 1, such as 1..8, or {ALL}")
        return bounds

    @property
    def is_all(self) -> bool:
        """Whether each idle worker polls."""
        return self == ALL


def pool_size_refusal(name: str, size: int, most: int) -> str:
    """A sentence, if this is not a size of a task list's pool; else empty."""
    return "" if 0 <= size <= most else f"{name} can have 0 to {most} workers, not {size}."


class Surge(str):
    """The processes that a restart may run beside the pool: ``4``, or ``25%`` of its slots."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a surge; zero is invalid."""
        found = _SURGE.fullmatch(text.strip())
        if not found or not int(found[1]):
            raise ValueError("expected a number of processes such as 4, or a share such as 25%")
        return cls(f"{int(found[1])}{found[2]}")

    def of(self, slots: int) -> int:
        """The processes beside a pool of this many slots."""
        if self.endswith("%"):
            return max(1, -(-slots * int(self[:-1]) // 100))
        return int(self)


_BUILD = re.compile(r"[A-Za-z0-9._+-]{1,64}")


class BuildId(str):
    """A name for the code of a flow, which becomes part of a task list's name."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an id."""
        if not _BUILD.fullmatch(text):
            raise ValueError(
                "expected a build id of 1 to 64 letters, digits, dots, dashes, underscores or plus"
                " signs, such as 2026-11-29.3"
            )
        return cls(text)


class HistorySource(str):
    """The executions of the replay gate: ``open:20``, ``last:20``, a folder of files, or ``off``.

    ``open:20`` means twenty open executions, the ten that were started last and the ten oldest;
    ``last:20`` the twenty that were started last, open and closed. A folder holds files as
    ``python -m garcon history`` writes them.
    """

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a source; ``open:`` and ``last:`` need a number from 1."""
        is_counted = text.startswith((_LAST, _OPEN))
        number = text.partition(":")[2]
        if not text or (is_counted and not (_DIGITS.fullmatch(number) and int(number))):
            raise ValueError(
                "expected open:N or last:N with N from 1, as in open:20, a folder of histories, or"
                " off"
            )
        return cls(text)

    @property
    def is_off(self) -> bool:
        """Whether there is no gate."""
        return self == _OFF

    @property
    def last(self) -> int | None:
        """The number of executions that were started last; ``None`` for another source."""
        return self._number(_LAST)

    @property
    def open(self) -> int | None:
        """The number of open executions; ``None`` for another source."""
        return self._number(_OPEN)

    @property
    def folder(self) -> str | None:
        """The folder; ``None`` for another source."""
        return None if self.is_off or self.startswith((_LAST, _OPEN)) else str(self)

    def _number(self, kind: str) -> int | None:
        return int(self.removeprefix(kind)) if self.startswith(kind) else None


class HttpAddress(str):
    """An address to serve HTTP at: ``9102``, ``127.0.0.1:9102``, ``[::1]:9102``, ``unix:PATH``.

    A port alone is one of 127.0.0.1: what is served there is not for the network.
    """

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an address; a host is a number, not a name, and port 0 takes a free one."""
        if text.startswith(_UNIX) and text.removeprefix(_UNIX):
            return cls(text)
        host, colon, port = text.strip().rpartition(":")
        try:
            host = str(ip_address(host.removeprefix("[").removesuffix("]"))) if colon else LOOPBACK
        except ValueError:
            host = ""
        if not host or not _DIGITS.fullmatch(port) or int(port) > MOST_PORTS:
            raise ValueError("expected a port, ADDRESS:PORT or unix:PATH, as in 127.0.0.1:9102")
        return cls(f"[{host}]:{int(port)}" if ":" in host else f"{host}:{int(port)}")

    @property
    def path(self) -> str:
        """The path of a Unix socket; empty for a port."""
        return self.removeprefix(_UNIX) if self.startswith(_UNIX) else ""

    @property
    def is_local(self) -> bool:
        """Whether only this machine reaches it."""
        return bool(self.path) or ip_address(self.host).is_loopback

    @property
    def host(self) -> str:
        """The address of the interface, without brackets."""
        return self.rpartition(":")[0].removeprefix("[").removesuffix("]")

    @property
    def port(self) -> int:
        """The port."""
        return int(self.rpartition(":")[2])

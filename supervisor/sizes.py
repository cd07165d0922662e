"""Amounts of memory, as people write them: ``512MiB``.

1. Units are powers of 1024 (KiB, MiB, GiB, TiB). A bare K, M, G or T means the same, as it does to
   ``docker --memory`` and in systemd's units; a number alone is bytes.
2. ``512MB`` is refused: half of its readers take it for a million bytes, and for a limit the
   difference matters.
"""

from __future__ import annotations

import re

_POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}
_SIZE = re.compile(r"(\d+(?:\.\d+)?) *(?:([KMGT])(?:iB)?|B)?", re.IGNORECASE)


class Size(int):
    """A number of bytes that prints as it is written."""

    def __str__(self) -> str:
        for unit, power in reversed(_POWERS.items()):
            if power and self >= 1024**power:
                return f"{self / 1024**power:.4g}{unit}iB"
        return f"{int(self)}B"


def parse(text: str) -> Size:
    """The size that a text says. Raises ``ValueError`` with what was expected."""
    found = _SIZE.fullmatch(text.strip())
    size = Size(float(found[1]) * 1024 ** _POWERS[(found[2] or "").upper()]) if found else Size(0)
    if not size:
        raise ValueError("expected a size such as 512MiB or 2GiB")
    return size

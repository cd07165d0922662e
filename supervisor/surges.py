"""How many processes a rolling restart may cost beside the pool: ``4``, or ``25%`` of it.

1. A share is of all seats together, rounded up, and at least one: a restart that may cost nothing
   would never come to an end.
"""

from __future__ import annotations

import re

_SURGE = re.compile(r"(\d+)(%?)")


class Surge(str):
    """A number of processes, or a share of the pool, as it was written."""

    __slots__ = ()

    def of(self, seats: int) -> int:
        """Processes beside a pool of so many seats."""
        if self.endswith("%"):
            return max(1, -(-seats * int(self[:-1]) // 100))
        return int(self)


def parse(text: str) -> Surge:
    """The surge that a text says. Raises ``ValueError`` with what was expected."""
    found = _SURGE.fullmatch(text.strip())
    if not found or not int(found[1]):
        raise ValueError("expected a number of processes such as 4, or a share such as 25%")
    return Surge(f"{int(found[1])}{found[2]}")

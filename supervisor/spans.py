"""Bounds of a pool's size, as people write them: ``1..8``."""

from __future__ import annotations

import re

_SPAN = re.compile(r"(\d{1,6})\.\.(\d{1,6})")


class Span(str):
    """The least and the most workers of a list, both included; prints as it is written."""

    __slots__ = ()

    @property
    def least(self) -> int:
        """Never fewer."""
        return int(self.partition("..")[0])

    @property
    def most(self) -> int:
        """Never more."""
        return int(self.partition("..")[2])

    def within(self, size: int) -> int:
        """The size within the bounds that is nearest."""
        return min(max(size, self.least), self.most)


def parse(text: str) -> Span:
    """The bounds that a text says. Raises ``ValueError`` with what was expected."""
    found = _SPAN.fullmatch(text.strip())
    if not found or not int(found[1]) <= int(found[2]) or not int(found[2]):
        raise ValueError("expected bounds such as 1..8, the smaller first")
    return Span(f"{int(found[1])}..{int(found[2])}")

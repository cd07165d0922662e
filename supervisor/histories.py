"""Which histories a new decider has to fit: those of a folder, or the latest that SWF has.

1. ``last:20`` means the twenty executions that were started last, open and closed. Anything else
   is a folder of files as ``python -m garcon history`` writes them.
"""

from __future__ import annotations

_LAST = "last:"


class Histories(str):
    """Where they are, as it was written."""

    __slots__ = ()

    @property
    def last(self) -> int | None:
        """How many of the latest executions; ``None`` if this names a folder."""
        return int(self.removeprefix(_LAST)) if self.startswith(_LAST) else None


def parse(text: str) -> Histories:
    """What a text says. Raises ``ValueError`` with what was expected."""
    number = text.removeprefix(_LAST)
    if not text or (text.startswith(_LAST) and not (number.isdecimal() and int(number))):
        raise ValueError("expected a folder of histories, or last:N with N from 1, as in last:20")
    return Histories(text)

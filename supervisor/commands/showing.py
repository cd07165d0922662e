"""How answers are printed: within 80 columns for people, as JSON for programs."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WIDTH = 80
"""Columns of a terminal that nobody has made wider."""


_MANY = 120
"""Minutes that read better as hours."""


def as_json(value: Any) -> None:
    """One JSON object on one line."""
    print(msgspec.json.encode(value).decode())  # noqa: T201 - the command's answer


def line(text: str = "") -> None:
    """A line for people, as it is."""
    print(text)  # noqa: T201 - the command's answer


def prose(text: str, indent: str = "") -> None:
    """Sentences for people, broken where they are too long; what a line is indented by is kept."""
    for each in text.splitlines():
        before = each[: len(each) - len(each.lstrip())]
        hanging = before + (indent or "  ")
        broken = textwrap.wrap(
            each, WIDTH, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False
        )
        for part in broken or [""]:
            line(part)


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, flexible: int) -> list[str]:
    """Rows under their heads; ``flexible`` is the column that gives way where they are too wide.

    Numbers stand right, text stands left.
    """
    cells = [tuple(head), *(tuple(each) for each in rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(head))]
    taken = sum(widths) - widths[flexible] + 2 * (len(head) - 1)
    widths[flexible] = min(widths[flexible], WIDTH - taken)
    right = [all(_is_number(row[place]) for row in cells[1:]) for place in range(len(head))]
    return [_row(row, widths, right) for row in cells]


def _row(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    fitted = (
        short(cell, width).rjust(width) if is_right else short(cell, width).ljust(width)
        for cell, width, is_right in zip(cells, widths, right, strict=True)
    )
    return "  ".join(fitted).rstrip()


def _is_number(cell: str) -> bool:
    return not cell or cell[0].isdigit()


def short(text: str, width: int = WIDTH) -> str:
    """The text, or as much of its beginning as fits."""
    return text if len(text) <= width else f"{text[: max(0, width - 1)]}…"


def duration(seconds: float) -> str:
    """``0.4 s``, ``42 s``, ``5 min``, ``3.2 h``."""
    for limit, text in ((9.95, f"{seconds:.1f} s"), (120, f"{seconds:.0f} s")):
        if seconds < limit:
            return text
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < _MANY else f"{minutes / 60:.1f} h"


def amount(size: int | None) -> str:
    """Bytes as ``45 MiB``; nothing if they are not known."""
    return "" if size is None else f"{size / (1 << 20):.0f} MiB"

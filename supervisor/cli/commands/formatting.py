"""Output of the commands: tables and sentences within 80 columns for people, JSON for programs."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import msgspec

from supervisor.logs.control_characters import escape, report_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WIDTH = 80
"""Columns of a terminal by default."""


# --- printing -------------------------------------------------------------------------------------


def print_json(value: Any) -> None:
    """One JSON object on one line."""
    print(msgspec.json.encode(value).decode())  # noqa: T201 - the command's answer


def print_lines(lines: Iterable[str]) -> None:
    """Lines for people; control characters in them are escaped."""
    for line in lines:
        print(escape(line))  # noqa: T201 - the command's answer


def print_prose(text: str, indent: str = "  ") -> None:
    """A sentence or report, its lines wrapped; further lines get the indent below their first."""
    for line in report_lines(text):
        own = line[: len(line) - len(line.lstrip())]
        wrapped = textwrap.wrap(
            line,
            WIDTH,
            subsequent_indent=own + indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
        print_lines(wrapped or [""])


# --- tables ---------------------------------------------------------------------------------------


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, flexible: int) -> list[str]:
    """Rows below their heads; the column ``flexible`` is shortened where they are too wide.

    Numbers are aligned right, texts left.
    """
    cells = [tuple(head), *(tuple(row) for row in rows)]
    columns = range(len(head))
    widths = [max(len(row[column]) for row in cells) for column in columns]
    others = sum(widths) - widths[flexible] + 2 * (len(head) - 1)
    widths[flexible] = min(widths[flexible], WIDTH - others)
    right = [all(_is_number(row[column]) for row in cells[1:]) for column in columns]
    return [_row(row, widths, right) for row in cells]


def _row(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    fitted = (
        shorten(cell, width).rjust(width) if is_right else shorten(cell, width).ljust(width)
        for cell, width, is_right in zip(cells, widths, right, strict=True)
    )
    return "  ".join(fitted).rstrip()


def _is_number(cell: str) -> bool:
    return not cell or cell[0].isdigit()


# --- values ---------------------------------------------------------------------------------------


def shorten(text: str, width: int = WIDTH) -> str:
    """The text, or its beginning with an ellipsis."""
    return text if len(text) <= width else f"{text[: max(0, width - 1)]}…"


def count(number: int, noun: str) -> str:
    """``1 death``, ``3 deaths``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def memory_size(size: int | None) -> str:
    """Bytes as ``45 MiB``; empty if unknown."""
    return "" if size is None else f"{size / (1 << 20):.0f} MiB"

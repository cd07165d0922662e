"""Rows at the bottom of a terminal that stay while everything else scrolls above them.

Rules of this file:

1. The terminal itself keeps them apart: the rows lie below its scrolling region (DECSTBM, VT100).
   So what any process writes to the terminal scrolls above them, whole: tracebacks of workers, and
   what C code and programs of tasks print.
2. Each change is one write, which no other process's write can divide, and leaves the cursor where
   it was (DECSC, DECRC).
3. The rows take at most half of the terminal.
4. A terminal that was resized may have forgotten its region, and has moved its rows: they are
   erased, and pinned again.
5. A process that is killed leaves its region behind: the supervisor, which survives it, ends it.
"""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

from supervisor.ipc.standard_streams import WHOLE_SCREEN

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

_SAVE, _RESTORE = "\x1b7", "\x1b8"
_ERASE_BELOW = "\x1b[J"


class PinnedRows:
    """The pinned rows of the terminal at standard output."""

    def __init__(self) -> None:
        self._height = 0
        self._size: os.terminal_size | None = None

    def show(self, rows: Sequence[str]) -> None:
        """Show these rows, each no wider than the terminal; those without room are left out."""
        size = shutil.get_terminal_size()
        shown = rows[: size.lines // 2]
        changes = self._freed() if size != self._size else ""
        self._size = size
        if len(shown) > self._height:
            changes += _reserved(len(shown) - self._height, size.lines - len(shown))
            self._height = len(shown)
        _write(changes + _drawn(shown, self._height, size.lines))

    def free(self) -> None:
        """Erase the rows, and let the whole terminal scroll."""
        _write(self._freed())

    def _freed(self) -> str:
        if not self._height:
            return ""
        self._height = 0
        return WHOLE_SCREEN + _ERASE_BELOW


def _reserved(more: int, last: int) -> str:
    """End the scrolling region at the row ``last``, ``more`` rows above its end so far.

    The text moves up as far as it must, and the cursor with it.
    """
    room = "\n" * more
    return f"{room}{_SAVE}\x1b[1;{last}r{_RESTORE}\x1b[{more}A"


def _drawn(rows: Sequence[str], height: int, lines: int) -> str:
    blank = [""] * (height - len(rows))
    first = lines - height + 1
    drawn = (f"\x1b[{first + n};1H\x1b[2K{row}" for n, row in enumerate([*rows, *blank]))
    return f"{_SAVE}{''.join(drawn)}{_RESTORE}"


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()

"""Standard input, output and error: closed ones, full ones, and ones without a reader.

A program may be started without some of them (``2>&-``), and what it opens next would get their
numbers: a channel would receive what a library prints.
"""

from __future__ import annotations

import contextlib
import os
import select
import sys

WHOLE_SCREEN = "\x1b7\x1b[r\x1b8"
"""Ends a terminal's scrolling region (DECSTBM), which moves the cursor (so DECSC, DECRC)."""


def open_missing() -> None:
    """Open the closed ones of the three descriptors on ``/dev/null``."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            _open_null(number)


def _open_null(number: int) -> None:
    opened = os.open(os.devnull, os.O_RDWR)
    if opened != number:
        os.dup2(opened, number)
        os.close(opened)
    os.set_inheritable(number, True)  # noqa: FBT003 - the standard library's signature
    name = ("stdin", "stdout", "stderr")[number]
    if getattr(sys, name) is None:  # Python found it closed
        stream = open(number, "w" if number else "r", closefd=False, encoding="utf-8")  # noqa: SIM115 - for the process's life
        setattr(sys, name, stream)


def flush() -> None:
    """Write what is left while the exit code is still ours: Python's own, on an error, is 120."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except OSError:  # its reader is gone, or its disk full
            discard(stream.fileno())


def free_terminal() -> None:
    """Let the whole terminal scroll again, after the death of who has pinned rows to its end."""
    with contextlib.suppress(OSError):  # there is none, or it is gone
        if os.isatty(1) and _is_writable(1):
            os.write(1, WHOLE_SCREEN.encode())


def _is_writable(descriptor: int) -> bool:
    """Whether a write returns at once: not while Ctrl-S holds the terminal."""
    return bool(select.select([], [descriptor], [], 0)[1])


def discard(descriptor: int) -> None:
    """Send what a stream still holds to nowhere, so that Python's exit does not fail on it."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, descriptor)
    os.close(null)

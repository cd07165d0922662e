"""Standard output and error of children, whose writes wait for a reader for a bounded time.

Rules of this file:

1. A reader that lives slows its writers down a little, as everywhere. A reader that has stopped
   costs a process at most ``LONGEST_WAIT`` at once and ``SHARE`` of its time: not its task, not
   its heartbeats, not its reaction to TERM.
2. What cannot be written in that time is dropped and counted, in whole lines. The number stands in
   front of the next line that can be written, or at the end of the process.
3. A write never fails: the disk of the log may be full, and its reader gone.
4. What goes around Python's streams (C code, programs that a task starts) is not bounded.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import select
import stat
import sys
import time
from typing import TYPE_CHECKING, TextIO

from supervisor.logs import nonblocking
from supervisor.logs.background import dropped_lines

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

LONGEST_WAIT = 1.0
"""Seconds."""

SHARE = 0.05
"""Share of a process's time that it may wait for its reader."""


_NAMES = {"stdout": "standard output", "stderr": "standard error"}


def bound_waits(*names: str) -> None:
    """Bound the waits of ``stdout``, ``stderr`` or both, in this process and those it forks."""
    for each in names:
        setattr(sys, each, _bounded(getattr(sys, each), _NAMES[each]))


def flush() -> None:
    """Write what is left: at the end of a process, and before it forks."""
    sys.stdout.flush()
    sys.stderr.flush()
    for each in _writers:
        each.write(b"")


_writers: list[BoundedWriter] = []


def _forget_leftovers() -> None:
    for each in _writers:
        each.forget()


os.register_at_fork(after_in_child=_forget_leftovers)  # the parent writes its own


def _bounded(stream: TextIO, name: str) -> TextIO:
    # By lines, so that whole ones are dropped.
    raw = BoundedWriter(stream.fileno(), name)
    _writers.append(raw)
    return io.TextIOWrapper(
        io.BufferedWriter(raw), stream.encoding, stream.errors, line_buffering=True
    )


class BoundedWriter(io.RawIOBase):
    """Writes to a descriptor by the rules of this file.

    Args:
        descriptor: Where the bytes go; it stays open.
        name: Of the descriptor, for the sentence about dropped lines.
    """

    def __init__(self, descriptor: int, name: str) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._name = name
        self._file = _file(descriptor)
        self._writer = nonblocking.writer(descriptor)
        self._unsent = b""  # the rest of a line that is written in part
        self._dropped = 0
        self._waitable, self._since = LONGEST_WAIT, time.monotonic()

    def fileno(self) -> int:
        """The descriptor."""
        return self._descriptor

    def isatty(self) -> bool:
        """Whether it is a terminal: the log is coloured there."""
        return os.isatty(self._descriptor)

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        """Write or drop the data; returns its length in either case."""
        whole = bytes(data)
        with contextlib.suppress(OSError):  # rule 3
            if _file(self._descriptor) != self._file:
                return self._write_elsewhere(whole)
            left = self._send(whole) if self._send_leftovers() else whole
            if left == whole:
                self._dropped += whole.count(b"\n")
            else:
                self._unsent = left
        return len(whole)

    def _write_elsewhere(self, data: bytes) -> int:
        """Write to the file to which a task has redirected the descriptor.

        A connection is not such a file: it got the number because a task has closed the descriptor.
        """
        is_connection = stat.S_ISSOCK(os.fstat(self._descriptor).st_mode)
        return len(data) if is_connection else os.write(self._descriptor, data)

    def close(self) -> None:
        """Close what the writes need, not the descriptor."""
        if not self.closed:
            self._writer.close()
        super().close()

    def forget(self) -> None:
        """Neither write nor count what was left."""
        self._unsent, self._dropped = b"", 0

    def _send_leftovers(self) -> bool:
        """Write what is due before new lines; returns whether nothing of it is left."""
        self._unsent = self._send(self._unsent)
        if self._dropped and not self._unsent:
            note = _encoded(dropped_lines(self._dropped, self._name))
            left = self._send(note)
            if left != note:
                self._dropped, self._unsent = 0, left
        return not (self._unsent or self._dropped)

    def _send(self, data: bytes) -> bytes:
        """Write as much as the reader takes in time; returns the rest."""
        while data:
            try:
                data = data[self._writer.write(data) :]
            except BlockingIOError:
                if not self._wait_for_room():
                    break
        return data

    def _wait_for_room(self) -> bool:
        now = time.monotonic()
        most = min(LONGEST_WAIT, self._waitable + SHARE * (now - self._since))
        poll = select.poll()
        poll.register(self._descriptor, select.POLLOUT)
        has_room = bool(poll.poll(most * 1000))
        self._since = time.monotonic()
        self._waitable = max(0.0, most - (self._since - now))
        return has_room and self._waitable > 0


def _file(descriptor: int) -> tuple[int, int]:
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino


def _encoded(record: logging.LogRecord) -> bytes:
    """The record as the log's handler writes it."""
    formats = [handler.format for handler in logging.root.handlers] or [logging.Formatter().format]
    return f"{formats[0](record)}\n".encode(errors="backslashreplace")

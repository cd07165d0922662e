"""A log handler that never waits for the reader of the log.

Rules of this file:

1. ``emit`` only queues. A thread writes: whether a write to a pipe or a terminal blocks cannot be
   known before, because other processes write to it as well, and O_NONBLOCK would be set for them
   too (it belongs to the open file description, which they share).
2. The queue is bounded. A line without room is dropped and counted; the count is logged as soon as
   there is room again, or at the end.
3. The thread takes no signals and no lock of Python's streams: the process can exit while a write
   still blocks.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from supervisor.logs.formatters import LOGGER_NAME

if TYPE_CHECKING:
    from collections.abc import Callable

ROOM = 1 << 20
"""Bytes that may wait for the reader: some ten thousand lines."""

CLOSING_SECONDS = 1.0
"""Time of the last lines at the end; a reader that lives takes them in milliseconds."""

STANDARD_ERROR = 2


class BackgroundHandler(logging.Handler):
    """Writes records to a descriptor from a thread of its own.

    Args:
        descriptor: Where the lines go.
        room: Bytes that may wait.
    """

    def __init__(self, descriptor: int = STANDARD_ERROR, room: int = ROOM) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._free = room
        self._dropped = 0
        self._lines: deque[bytes] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Queue the record; one without room is dropped and counted."""
        try:
            line = self._line(record)
        except Exception:  # noqa: BLE001 - as every handler of the standard library
            self.handleError(record)
            return
        with self._changed:
            if len(line) > self._free:
                self._dropped += 1
                return
            self._queue_drop_count()
            self._queue(line)
            self._changed.notify_all()
        self._start()

    def close(self) -> None:
        """Wait a moment until all lines are written, then leave the thread to the process's end."""
        deadline = time.monotonic() + CLOSING_SECONDS
        with self._changed:
            self._changed.wait_for(
                lambda: not self._lines and not self._dropped, deadline - time.monotonic()
            )
        super().close()

    def _line(self, record: logging.LogRecord) -> bytes:
        return f"{self.format(record)}\n".encode(errors="backslashreplace")

    def _queue(self, line: bytes) -> None:
        self._free -= len(line)
        self._lines.append(line)

    def _queue_drop_count(self) -> None:
        """Queue the number of dropped lines, if there are any (rule 2)."""
        if not self._dropped:
            return
        record = dropped_lines(self._dropped, "standard error")
        self._dropped = 0
        self._queue(self._line(record))

    # --- the thread

    def _start(self) -> None:
        if self._thread is not None:
            return
        self._thread = threading.Thread(target=self._write_all, name="log", daemon=True)
        _start_without_signals(self._thread.start)

    def _write_all(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._lines)
                line = self._lines[0]
            _write(self._descriptor, line)
            with self._changed:
                self._lines.popleft()
                self._free += len(line)
                if not self._lines:
                    self._queue_drop_count()
                self._changed.notify_all()


def dropped_lines(count: int, stream: str) -> logging.LogRecord:
    """The record of so many lines that nothing read in time."""
    what = "log line" if count == 1 else "log lines"
    text = f"{count:,} {what} dropped: {stream} was not read."
    record = logging.LogRecord(LOGGER_NAME, logging.WARNING, "", 0, text, (), None)
    record.facts = {"event": "log_lines_dropped", "lines": count}
    return record


def _start_without_signals(start: Callable[[], None]) -> None:
    """A new thread inherits the mask: signals stay with the loop, and SIGTTOU does not stop it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _write(descriptor: int, line: bytes) -> None:
    try:
        while line:
            line = line[os.write(descriptor, line) :]
    except OSError:
        pass  # no reader, a full disk, a closed descriptor: there is no other place for a log

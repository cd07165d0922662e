"""The supervisor's log handler: lines in order, a reader that stops, and the count of drops."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

import pytest

from supervisor.logs.background import BackgroundHandler

if TYPE_CHECKING:
    from collections.abc import Iterator

LINE = "x" * 999
"""With its line break a kilobyte."""


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe without a reader so far: its ends."""
    reader, writer = os.pipe()
    yield reader, writer
    os.close(reader)


def logged(handler: BackgroundHandler, text: str) -> None:
    """Log one line."""
    handler.handle(logging.LogRecord("supervisor", logging.INFO, "", 0, text, (), None))


def fill(writer: int) -> int:
    """Fill the pipe; returns the bytes that it took."""
    taken = 0
    os.set_blocking(writer, False)
    try:
        while True:
            taken += os.write(writer, b"." * 4096)
    except BlockingIOError:
        os.set_blocking(writer, True)
    return taken


def read_to_end(reader: int) -> str:
    """All that comes until the last writer has closed."""
    with os.fdopen(os.dup(reader)) as file:
        return file.read()


def test_lines_are_written_in_order(pipe: tuple[int, int]) -> None:
    """Closing waits for them."""
    reader, writer = pipe
    handler = BackgroundHandler(writer)
    for number in range(20):
        logged(handler, f"line {number}")
    handler.close()
    os.close(writer)
    assert read_to_end(reader).splitlines() == [f"line {number}" for number in range(20)]


def test_a_full_pipe_does_not_block_and_dropped_lines_are_counted(pipe: tuple[int, int]) -> None:
    """Five of nine lines do not fit the queue; their number stands behind the four that do."""
    reader, writer = pipe
    taken = fill(writer)
    handler = BackgroundHandler(writer, room=4_000)
    for _ in range(9):
        logged(handler, LINE)  # returns at once: nothing reads the pipe
    while taken:
        taken -= len(os.read(reader, taken))
    handler.close()
    os.close(writer)
    assert read_to_end(reader).splitlines() == [
        *[LINE] * 4,
        "5 log lines dropped: standard error was not read.",
    ]


def test_closing_beside_a_full_pipe_ends(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines that no reader takes within the limit are left behind."""
    monkeypatch.setattr("supervisor.logs.background.CLOSING_SECONDS", 0.01)
    _reader, writer = pipe
    fill(writer)
    handler = BackgroundHandler(writer)
    logged(handler, LINE)
    handler.close()
    assert len(handler._lines) == 1
    os.close(writer)


def test_a_descriptor_that_takes_nothing_is_not_an_error() -> None:
    """Lines to a full disk are lost, and the handler goes on."""
    full = os.open("/dev/full", os.O_WRONLY)
    handler = BackgroundHandler(full)
    for _ in range(2):
        logged(handler, LINE)
    handler.close()
    assert not handler._lines
    os.close(full)

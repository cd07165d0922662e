"""Children's standard streams: a reader that stops, one that comes back, and every kind of file."""

from __future__ import annotations

import contextlib
import functools
import os
import pty
import re
import socket
import termios
from typing import TYPE_CHECKING

import pytest

from supervisor.logs import bounded_stream, nonblocking
from supervisor.logs.bounded_stream import BoundedWriter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow  # readers that do not read

LINE = b"x" * 999 + b"\n"

COUNT = re.compile("([0-9,]+) log lines? dropped: standard error was not read")

Ends = tuple[int, int]


def _socket_ends() -> Ends:
    ours, theirs = socket.socketpair()
    return ours.detach(), theirs.detach()


def _terminal_ends() -> Ends:
    ours, theirs = pty.openpty()
    mode = termios.tcgetattr(theirs)
    mode[1] &= ~termios.OPOST  # line breaks stay what they are
    termios.tcsetattr(theirs, termios.TCSANOW, mode)
    return ours, theirs


@pytest.fixture(params=[os.pipe, _socket_ends, _terminal_ends], ids=["pipe", "socket", "terminal"])
def ends(request: pytest.FixtureRequest) -> Iterator[Ends]:
    """The reading and the writing end of a file that has room for some lines."""
    reader, writer = request.param()
    yield reader, writer
    for each in (reader, writer):
        with contextlib.suppress(OSError):
            os.close(each)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_stream, "LONGEST_WAIT", 0.05)


def read_available(reader: int) -> bytes:
    """All that is there now."""
    os.set_blocking(reader, False)
    read = b""
    with contextlib.suppress(BlockingIOError):
        while more := os.read(reader, 65536):
            read += more
    return read


def check_drops(reader: int, stream: BoundedWriter) -> None:
    """Write without a reader, then read: all lines are whole, and the others are counted."""
    for _ in range(1000):
        stream.write(LINE)
    read = b""
    while more := read_available(reader):
        read += more
        stream.write(b"")
    stream.write(b"the next\n")
    text = (read + read_available(reader)).decode()
    whole = text.splitlines().count(LINE.decode().rstrip())
    dropped = sum(int(each.replace(",", "")) for each in COUNT.findall(text))
    assert whole + dropped == 1000
    assert text.endswith("dropped: standard error was not read.\nthe next\n")


def test_what_is_not_read_is_dropped_in_whole_lines_and_counted(ends: Ends) -> None:
    """The writes return, and the next line that can be written stands behind the count."""
    reader, writer = ends
    check_drops(reader, BoundedWriter(writer, "standard error"))
    assert os.get_blocking(writer)  # other processes share it


def test_a_pipe_that_cannot_be_opened_again_does_not_block_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another user's pipe takes whole lines while it has room."""

    def refuse(_descriptor: int) -> int:
        raise PermissionError

    monkeypatch.setattr(nonblocking, "_open_again", refuse)
    reader, writer = os.pipe()
    check_drops(reader, BoundedWriter(writer, "standard error"))
    os.close(reader)
    os.close(writer)


def test_a_forked_process_does_not_repeat_leftovers() -> None:
    """Its parent writes them."""
    reader, writer = os.pipe()
    stream = BoundedWriter(writer, "standard error")
    for _ in range(100):
        stream.write(LINE)
    stream.forget()
    read_available(reader)
    stream.write(b"the next\n")
    assert read_available(reader) == b"the next\n"
    os.close(reader)
    os.close(writer)


def test_a_file_without_room_and_a_pipe_without_reader_are_not_errors() -> None:
    """The lines are lost, and the writer goes on."""
    full = os.open("/dev/full", os.O_WRONLY)
    reader, writer = os.pipe()
    os.close(reader)
    for each in (full, writer):
        assert BoundedWriter(each, "standard error").write(LINE) == len(LINE)
        os.close(each)


def test_a_descriptor_that_a_task_redirects_is_followed(tmp_path: Path) -> None:
    """As with ``dup2`` around a noisy library."""
    reader, writer = os.pipe()
    stream = BoundedWriter(writer, "standard error")
    file = os.open(tmp_path / "noise", os.O_WRONLY | os.O_CREAT)
    os.dup2(file, writer)
    stream.write(b"noise\n")
    assert (tmp_path / "noise").read_bytes() == b"noise\n"
    for each in (reader, writer, file):
        os.close(each)


def test_a_living_reader_gets_every_line(tmp_path: Path) -> None:
    """A plain file always has room."""
    file = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
    write = functools.partial(BoundedWriter(file, "standard error").write, LINE)
    assert [write() for _ in range(100)] == [len(LINE)] * 100
    os.close(file)
    assert (tmp_path / "log").read_bytes() == LINE * 100


def test_a_connection_that_got_the_number_gets_no_line() -> None:
    """A task has closed the descriptor, and the next socket has its number."""
    reader, writer = os.pipe()
    stream = BoundedWriter(writer, "standard error")
    ours, theirs = socket.socketpair()
    with ours, theirs:
        os.dup2(ours.fileno(), writer)
        assert stream.write(b"noise\n") == len(b"noise\n")
        theirs.setblocking(False)  # noqa: FBT003 - the standard library has no keyword here
        with pytest.raises(BlockingIOError):
            theirs.recv(10)
    os.close(reader)
    os.close(writer)

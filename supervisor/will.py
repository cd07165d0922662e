"""The will: memory that a worker shares with the supervisor, read when the worker is dead.

Rules of this file:

1. The supervisor makes it, one for each worker, and its descriptor rides to the worker on the
   request to fork. The kernel keeps it for as long as one of them lives, whatever kills the other.
2. The worker writes without a call to anybody: it can neither block nor fail, and the supervisor is
   not woken. Only the stack comes by a system call, from ``faulthandler``, while the worker dies.
3. A death in mid-write leaves no half will: the answer's body is written first, its length last.
4. Its size is fixed and sealed. Pages that nobody wrote to cost no memory.

The parts, each in pages of its own: the head (begun, length of the answer, length of all lines so
far), tasks that wait, the answer, a ring of the last lines, the stacks.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
from dataclasses import dataclass

from supervisor.channel import PACKET_BYTES

_PAGE = mmap.PAGESIZE

WAITING = 2
"""Places for tasks that wait: one for each list that a process polls."""

WAITING_BYTES = _PAGE
"""Room for a task that waits: a token of 1,024 characters and ids of 320."""

ANSWER_BYTES = PACKET_BYTES
"""Room for an answer: what fits a message fits the will."""

LINES_BYTES = 2 * _PAGE
"""Room for the last lines: a long traceback, or a screen of log lines."""

STACKS_BYTES = 16 * _PAGE
"""Room for the stacks: those of the hundred threads that ``faulthandler`` shows at most."""

_WAITING_AT = _PAGE
_ANSWER_AT = _WAITING_AT + WAITING * WAITING_BYTES
_LINES_AT = _ANSWER_AT + ANSWER_BYTES
_STACKS_AT = _LINES_AT + LINES_BYTES
_SIZE = _STACKS_AT + STACKS_BYTES

_BEGUN = struct.Struct("=?")
_LENGTH = struct.Struct("=I")
_WRITTEN = struct.Struct("=Q")
_BEGUN_AT, _LENGTH_AT, _WRITTEN_AT = 0, 8, 16  # each in a word of its own: written at one go

_SEALS = fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL


def make() -> int:
    """A new, empty will; returns its descriptor. Raises ``OSError``."""
    descriptor = os.memfd_create("will", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.ftruncate(descriptor, _SIZE)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
        # Where ``faulthandler`` will write; the place belongs to the open file, so it travels too.
        os.lseek(descriptor, _STACKS_AT, os.SEEK_SET)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


class Will:
    """The worker's side.

    Args:
        descriptor: The will's, for ``faulthandler`` to write stacks to.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._memory = mmap.mmap(descriptor, _SIZE)
        self._written = 0

    def expect(self, place: int, task: bytes) -> None:
        """A task has come that waits while another is done; from any thread, each its place."""
        if _LENGTH.size + len(task) <= WAITING_BYTES:
            at = _WAITING_AT + place * WAITING_BYTES
            start = at + _LENGTH.size
            self._memory[start : start + len(task)] = task
            _LENGTH.pack_into(self._memory, at, len(task))

    def take_up(self, place: int) -> None:
        """The task that waited there is in hand now, and the supervisor knows it."""
        _LENGTH.pack_into(self._memory, _WAITING_AT + place * WAITING_BYTES, 0)

    def begin(self) -> None:
        """The task in hand is begun: from now on some of its code may have run."""
        if self._memory[_STACKS_AT]:  # of a crashed child of an earlier task
            clear_stacks(self.descriptor)
        _BEGUN.pack_into(self._memory, _BEGUN_AT, True)  # noqa: FBT003 - struct's interface

    def bequeath(self, answer: bytes) -> None:
        """Leave the answer to the task in hand, should SWF not accept it in our lifetime."""
        if len(answer) <= ANSWER_BYTES:
            self._memory[_ANSWER_AT : _ANSWER_AT + len(answer)] = answer
            _LENGTH.pack_into(self._memory, _LENGTH_AT, len(answer))

    def settle(self) -> None:
        """The task in hand is answered: there is nothing to leave."""
        _LENGTH.pack_into(self._memory, _LENGTH_AT, 0)
        _BEGUN.pack_into(self._memory, _BEGUN_AT, False)  # noqa: FBT003 - struct's interface

    def note(self, text: str) -> None:
        """Keep what was written to the standard error stream, over the oldest of it."""
        data = text.encode(errors="replace")[-LINES_BYTES:]
        start = self._written % LINES_BYTES
        head, tail = data[: LINES_BYTES - start], data[LINES_BYTES - start :]
        self._memory[_LINES_AT + start : _LINES_AT + start + len(head)] = head
        self._memory[_LINES_AT : _LINES_AT + len(tail)] = tail
        self._written += len(data)
        _WRITTEN.pack_into(self._memory, _WRITTEN_AT, self._written)


def clear_stacks(descriptor: int) -> None:
    """Make room for what ``faulthandler`` writes next. Raises ``OSError``."""
    os.pwrite(descriptor, bytes(STACKS_BYTES), _STACKS_AT)
    os.lseek(descriptor, _STACKS_AT, os.SEEK_SET)


@dataclass(frozen=True)
class Left:
    """What a will says.

    Attributes:
        begun: Whether the task in hand was begun.
        answer: Its answer, which the worker had and had not heard SWF accept.
        lines: What the worker last wrote to its standard error stream, in whole lines.
        stacks: What its threads were at, in ``faulthandler``'s words; empty if it could not tell.
        waiting: Tasks that it had been handed and had not taken up.
    """

    begun: bool = False
    answer: bytes | None = None
    lines: tuple[str, ...] = ()
    stacks: tuple[str, ...] = ()
    waiting: tuple[bytes, ...] = ()


def read(descriptor: int) -> Left:
    """What the will says now. Raises ``OSError``."""
    head = os.pread(descriptor, _PAGE, 0)
    (length,) = _LENGTH.unpack_from(head, _LENGTH_AT)
    (written,) = _WRITTEN.unpack_from(head, _WRITTEN_AT)
    stacks = os.pread(descriptor, STACKS_BYTES, _STACKS_AT).partition(b"\0")[0]
    return Left(
        begun=_BEGUN.unpack_from(head, _BEGUN_AT)[0],
        answer=os.pread(descriptor, min(length, ANSWER_BYTES), _ANSWER_AT) if length else None,
        lines=_last_lines(os.pread(descriptor, LINES_BYTES, _LINES_AT), written),
        stacks=_lines(stacks),
        waiting=tuple(filter(None, (_waiting(descriptor, place) for place in range(WAITING)))),
    )


def _waiting(descriptor: int, place: int) -> bytes:
    page = os.pread(descriptor, WAITING_BYTES, _WAITING_AT + place * WAITING_BYTES)
    (length,) = _LENGTH.unpack_from(page)
    return page[_LENGTH.size : _LENGTH.size + length]


def _last_lines(ring: bytes, written: int) -> tuple[str, ...]:
    if written <= LINES_BYTES:
        return _lines(ring[:written])
    start = written % LINES_BYTES
    oldest_first = ring[start:] + ring[:start]
    return _lines(oldest_first.partition(b"\n")[2])  # the oldest line has lost its beginning


def _lines(data: bytes) -> tuple[str, ...]:
    return tuple(data.decode(errors="replace").splitlines())

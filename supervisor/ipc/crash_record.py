"""The crash record: memory that a worker shares with the supervisor, read after the worker's death.

Rules of this file:

1. The supervisor makes one record for each worker; its descriptor travels with the request to fork.
   The kernel keeps the memory while either process lives, whatever kills the other.
2. The worker writes to mapped memory, without a system call: writing cannot block or fail, and it
   does not wake the supervisor. Only the stacks take system calls: ``faulthandler`` makes them, in
   C, while the worker dies.
3. A death in the middle of a write leaves no half answer: the body is written first, its length
   last.
4. Three bytes go the other way: the supervisor writes, and the worker reads, that it has to leave,
   that tasks which were not started are to be returned, and that its permit to poll is withdrawn. A
   task can make its worker deaf to signals, but not to these.
5. The size is fixed and sealed. Pages that were never written to cost no memory.
6. One part holds counts for metrics, see ``counter_table``. They are read of the living, too.

The parts, each in pages of its own: the head (started, length of the answer, length of all lines so
far), waiting tasks, the answer, a ring of the last lines, the counters, the stacks.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct

import msgspec

from supervisor.ipc import counter_table
from supervisor.ipc.channel import PACKET_BYTES

_PAGE = mmap.PAGESIZE

WAITING = 3
"""Places for waiting tasks: one for each list that a process polls."""

WAITING_BYTES = _PAGE
"""Room for one waiting task: a token of 1,024 characters and ids of 320."""

ANSWER_BYTES = PACKET_BYTES
"""Room for an answer: as much as fits a message."""

LINES_BYTES = 2 * _PAGE
"""Room for the last lines: a long traceback, or a screen of log lines."""

STACKS_BYTES = 16 * _PAGE
"""Room for the stacks: those of the hundred threads that ``faulthandler`` shows at most."""

COUNTERS_BYTES = 16 * _PAGE
"""Room for the counters: those of a decider whose flow has 250 task lists."""

_WAITING_AT = _PAGE
_ANSWER_AT = _WAITING_AT + WAITING * WAITING_BYTES
_LINES_AT = _ANSWER_AT + ANSWER_BYTES
_COUNTERS_AT = _LINES_AT + LINES_BYTES
_STACKS_AT = _COUNTERS_AT + COUNTERS_BYTES  # last: the seal refuses stacks that do not fit
_SIZE = _STACKS_AT + STACKS_BYTES

_STARTED = struct.Struct("=?")
_LENGTH = struct.Struct("=I")
_WRITTEN = struct.Struct("=Q")
# Each in a word of its own, so that one store writes it: a reader never sees half a number.
_STARTED_AT, _LENGTH_AT, _WRITTEN_AT, _RETURN_AT, _LEAVE_AT, _PARK_AT = 0, 8, 16, 24, 32, 40

# A task's code can reach the descriptor. Without the seals it could grow the file until the host's
# memory is full, or shrink it: the worker's next write to the mapping would then be a SIGBUS.
_SEALS = fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL


def make() -> int:
    """A new, empty crash record; returns its descriptor. Raises ``OSError``."""
    # A memfd, not a file: it needs no folder, no disk and no cleaning up, and it is gone with the
    # last process that holds it. Closed on exec, so that programs of a task do not inherit it.
    descriptor = os.memfd_create("crash-record", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.ftruncate(descriptor, _SIZE)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
        # ``faulthandler`` writes at the file offset. The offset belongs to the open file, which the
        # worker shares after the descriptor was sent, so it is set here for both.
        os.lseek(descriptor, _STACKS_AT, os.SEEK_SET)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


class CrashRecord:
    """The worker's side.

    Args:
        descriptor: Of the record; ``faulthandler`` writes stacks to it.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._memory = mmap.mmap(descriptor, _SIZE)
        self._written = 0

    def counters(self) -> counter_table.CounterTable:
        """The counters, all zero; to be made once."""
        part = memoryview(self._memory)[_COUNTERS_AT : _COUNTERS_AT + COUNTERS_BYTES]
        return counter_table.CounterTable(part)

    def record_waiting(self, index: int, task: bytes) -> None:
        """Record a task that was polled while another one is in progress.

        May be called from any thread: each list has an ``index`` of its own, below ``WAITING``.
        """
        if _LENGTH.size + len(task) <= WAITING_BYTES:
            at = _WAITING_AT + index * WAITING_BYTES
            start = at + _LENGTH.size
            self._memory[start : start + len(task)] = task
            _LENGTH.pack_into(self._memory, at, len(task))  # last: rule 3

    def clear_waiting(self, index: int) -> None:
        """The waiting task was started: from now on the supervisor knows it."""
        _LENGTH.pack_into(self._memory, _WAITING_AT + index * WAITING_BYTES, 0)

    def record_start(self) -> None:
        """The task in progress is started: some of its code may run from now on."""
        if self._memory[_STACKS_AT]:  # a child process of an earlier task crashed
            clear_stacks(self.descriptor)
        _STARTED.pack_into(self._memory, _STARTED_AT, True)  # noqa: FBT003 - struct's interface

    def record_answer(self, answer: bytes) -> None:
        """Record the answer to the task in progress, until SWF has accepted it."""
        if len(answer) <= ANSWER_BYTES:
            self._memory[_ANSWER_AT : _ANSWER_AT + len(answer)] = answer
            _LENGTH.pack_into(self._memory, _LENGTH_AT, len(answer))  # last: rule 3

    @property
    def returns_tasks(self) -> bool:
        """Whether the supervisor wants tasks that were not started to be returned to SWF."""
        return bool(self._memory[_RETURN_AT])

    @property
    def is_asked_to_leave(self) -> bool:
        """Whether the supervisor has asked the worker to leave; TERM says so as well."""
        return bool(self._memory[_LEAVE_AT])

    @property
    def is_permit_withdrawn(self) -> bool:
        """Whether the worker has to park before its next poll."""
        return bool(self._memory[_PARK_AT])

    def clear(self) -> None:
        """The task in progress is answered: the supervisor has nothing to report."""
        # A death between the two lines costs one report that SWF refuses: the task is closed.
        _LENGTH.pack_into(self._memory, _LENGTH_AT, 0)
        _STARTED.pack_into(self._memory, _STARTED_AT, False)  # noqa: FBT003 - struct's interface

    def record_stderr(self, text: str) -> None:
        """Record text of the standard error stream, over the oldest in the ring."""
        data = text.encode(errors="replace")[-LINES_BYTES:]
        start = self._written % LINES_BYTES
        head, tail = data[: LINES_BYTES - start], data[LINES_BYTES - start :]
        self._memory[_LINES_AT + start : _LINES_AT + start + len(head)] = head
        self._memory[_LINES_AT : _LINES_AT + len(tail)] = tail
        self._written += len(data)
        _WRITTEN.pack_into(self._memory, _WRITTEN_AT, self._written)


def request_return(descriptor: int) -> None:
    """Let the worker return the tasks that it has not started; the supervisor calls this.

    By memory and not by a message: a worker with a task does not read its channel. Raises
    ``OSError``.
    """
    os.pwrite(descriptor, b"\x01", _RETURN_AT)


def request_leave(descriptor: int) -> None:
    """Let the worker find the request to leave even if TERM does not reach it. See above."""
    os.pwrite(descriptor, b"\x01", _LEAVE_AT)


def withdraw_permit(descriptor: int) -> None:
    """Let the worker park after its task. By memory: no wake-up. Raises ``OSError``."""
    os.pwrite(descriptor, b"\x01", _PARK_AT)


def grant_permit(descriptor: int) -> None:
    """Let the worker go on polling after its tasks. Raises ``OSError``."""
    os.pwrite(descriptor, b"\x00", _PARK_AT)


def clear_stacks(descriptor: int) -> None:
    """Make room for the stacks that ``faulthandler`` writes next. Raises ``OSError``."""
    # ``pwrite`` leaves the shared offset alone, so zeros land before the offset moves back: stacks
    # that the worker writes in between land behind the zeros, and are cut off, never mixed up.
    os.pwrite(descriptor, bytes(STACKS_BYTES), _STACKS_AT)
    os.lseek(descriptor, _STACKS_AT, os.SEEK_SET)


class CrashReport(msgspec.Struct, frozen=True):
    """The contents of a crash record.

    Attributes:
        started: Whether the task in progress was started.
        answer: Its answer, if the worker had one that SWF was not seen to accept.
        lines: The last whole lines that the worker wrote to its standard error stream.
        stacks: The stacks of its threads as ``faulthandler`` writes them; empty if there are none.
        waiting: Tasks that SWF handed to the worker and that it had not started.
    """

    started: bool = False
    answer: bytes | None = None
    lines: tuple[str, ...] = ()
    stacks: tuple[str, ...] = ()
    waiting: tuple[bytes, ...] = ()


def read(descriptor: int) -> CrashReport:
    """The present contents. Raises ``OSError``."""
    head = os.pread(descriptor, _PAGE, 0)
    (length,) = _LENGTH.unpack_from(head, _LENGTH_AT)
    (written,) = _WRITTEN.unpack_from(head, _WRITTEN_AT)
    stacks = os.pread(descriptor, STACKS_BYTES, _STACKS_AT).partition(b"\0")[0]
    return CrashReport(
        started=_STARTED.unpack_from(head, _STARTED_AT)[0],
        answer=os.pread(descriptor, min(length, ANSWER_BYTES), _ANSWER_AT) if length else None,
        lines=_last_lines(os.pread(descriptor, LINES_BYTES, _LINES_AT), written),
        stacks=_lines(stacks),
        waiting=tuple(filter(None, (_waiting(descriptor, index) for index in range(WAITING)))),
    )


def read_counters(descriptor: int) -> counter_table.Counters:
    """The counts so far. Raises ``OSError``."""
    (length,) = _WRITTEN.unpack(os.pread(descriptor, _WRITTEN.size, _COUNTERS_AT))
    size = min(_WRITTEN.size + length, COUNTERS_BYTES)
    return counter_table.read(os.pread(descriptor, size, _COUNTERS_AT)) if length else {}


def _waiting(descriptor: int, index: int) -> bytes:
    page = os.pread(descriptor, WAITING_BYTES, _WAITING_AT + index * WAITING_BYTES)
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

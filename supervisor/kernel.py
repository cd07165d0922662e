"""The only file that asks the kernel for processes and signals.

Rules of this file:

1. Nothing is decided here; each function is one wish to the kernel.
2. A process that we spawn starts from a fresh interpreter: no lock, descriptor, handler or thread
   of ours reaches it but one channel, always under ``CHANNEL_DESCRIPTOR``.
3. Whoever loses its parent below us becomes our child (subreaper), so that one ``waitpid`` loop
   sees every death, and a pid stays ours until we have reaped it.
4. Signal handlers are empty. The signal's number arrives as a byte on the wake-up descriptor and
   waits there for the loop.
5. SIGTTOU is heard while the supervisor waits, and by no process below it. It has two meanings:
   somebody's wish, and a terminal's complaint about output from the background (``stty tostop``),
   which comes back at each try to write. A terminal lets those write who have it blocked.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import resource
import signal
import socket
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from supervisor import environment

if TYPE_CHECKING:
    import select
    from collections.abc import Callable, Iterator

    Send = Callable[[int], None]

CHANNEL_DESCRIPTOR = 3
"""Where a spawned process finds its channel: the first descriptor after the standard three."""

ZYGOTE = "supervisor.zygote"
"""The module that a zygote's process runs."""

_PR_SET_CHILD_SUBREAPER = 36  # <linux/prctl.h>

HEARD = (
    signal.SIGCHLD,
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGHUP,
    signal.SIGTTIN,
    signal.SIGTTOU,
)
"""The signals that the supervisor listens to."""

STACKS_SIGNAL = signal.SIGUSR1
"""What makes a worker write its stacks: C code does it, whether Python code runs or not."""


def become_subreaper() -> None:
    """Make every orphan below this process its child (prctl(2))."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl(PR_SET_CHILD_SUBREAPER): {os.strerror(number)}")


def forbid_core_dumps() -> None:
    """Let neither this process nor one below it leave a core file; it would hold credentials.

    One byte, not none: at none the kernel still hands the core to a program (``core_pattern`` with
    ``|``, core(5)); at one it takes it for that program's own crash and lets it be.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0 if hard == 0 else 1, hard))


def allow_core_dumps() -> None:
    """Take that back, as far as the host allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


def spawn(module: str) -> tuple[int, socket.socket]:
    """Start ``python -m module`` in a process group of its own; returns its pid and our end.

    Its end of the channel is under ``CHANNEL_DESCRIPTOR``. Ours does not block. Its standard input
    is empty: a terminal stops for good who reads from it in the background. Raises ``OSError``.
    """
    # An interpreter flag of ours (-W error) holds for our children as well.
    flags = [f"-W{each}" for each in sys.warnoptions]
    ours, theirs = socket_pair()
    with theirs:
        try:
            pid = os.posix_spawn(
                sys.executable,
                [sys.executable, *flags, "-m", module],
                environment.for_children(os.environ),
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, theirs.fileno(), CHANNEL_DESCRIPTOR),
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                ],
                setpgroup=0,
                setsigmask=[signal.SIGTTOU],
                setsigdef=HEARD,
            )
        except OSError:
            ours.close()
            raise
    return pid, ours


def socket_pair() -> tuple[socket.socket, socket.socket]:
    """The two ends of a channel: ours, which never blocks, and a child's, which does."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)  # noqa: FBT003 - the standard library has no keyword here
    return ours, theirs


@dataclass(frozen=True)
class Ended:
    """A process that was collected.

    Attributes:
        pid: Its number, free for somebody else from now on.
        status: Its exit code, or minus the number of the signal that killed it.
        core_dumped: Whether it left a core file.
        peak_memory: The most memory that it held at once, in bytes (``getrusage(2)``).
    """

    pid: int
    status: int
    core_dumped: bool = False
    peak_memory: int = 0


def reap(is_ours: Callable[[int], bool]) -> list[Ended]:
    """Collect everybody who died.

    What one of ours leaves in its own group dies with it, before its pid is given back: as long as
    it is not reaped, the group's number cannot mean anybody else. A stray's group is not touched:
    it may be that of a daemon, which a task has started through a process that ended at once.
    """
    dead = []
    with contextlib.suppress(ChildProcessError):
        while found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if is_ours(found.si_pid):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(found.si_pid, signal.SIGKILL)
            dead.append(_collect(found.si_pid))
    return dead


def _collect(pid: int) -> Ended:
    _, status, used = os.wait4(pid, 0)
    return Ended(
        pid,
        os.waitstatus_to_exitcode(status),
        core_dumped=os.WIFSIGNALED(status) and os.WCOREDUMP(status),
        peak_memory=used.ru_maxrss * 1024,  # the kernel tells KiB
    )


def terminate(pid: int) -> None:
    """Ask this one process to leave. Its children are its own business."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)


def dump_stacks(pid: int) -> None:
    """Ask a worker to write its threads' stacks into its will (``worker`` listens)."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, STACKS_SIGNAL)


def kill_group(pid: int) -> None:
    """End the process and all that it started (its process group)."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    # A process that has not yet made its group is not reached by the group's number.
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def end_own_group() -> None:
    """End this process and all that it started, if it leads a group of its own."""
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)


_NO_TERMINAL = {errno.ENXIO, errno.EIO, errno.ENODEV, errno.ENOENT}
"""What the kernel says of a terminal that is not there; of a want of descriptors it says others."""


def is_hung_up() -> bool:
    """Whether this process has no controlling terminal, or none that is still there (tty(4))."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError as error:
        return error.errno in _NO_TERMINAL
    return False


def _nothing(_number: int, _frame: object) -> None:
    """The byte on the wake-up descriptor says all."""


@contextlib.contextmanager
def wake_up() -> Iterator[int]:
    """A descriptor on which the ``HEARD`` signals arrive as bytes; restores what it replaced."""
    reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
    before = {each: signal.signal(each, _nothing) for each in HEARD}
    old = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    try:
        yield reader
    finally:
        signal.set_wakeup_fd(old)
        for each, handler in before.items():
            signal.signal(each, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        os.close(reader)
        os.close(writer)


def wait(poll: select.poll, milliseconds: int | None = None) -> None:
    """Wait until something happens, and hear all signals meanwhile; ``None`` is without end."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTTOU})
    try:
        poll.poll(milliseconds)  # a signal that came before it has left its byte
    finally:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})


def drain_bytes(reader: int) -> bytes:
    """All signals that arrived on the wake-up descriptor, one byte each."""
    try:
        return os.read(reader, 4096)
    except BlockingIOError:
        return b""

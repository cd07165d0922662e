"""The kernel: processes, signals, time and waiting, for the supervising process.

Rules of this file:

1. It is the only file that spawns, signals and reaps processes. It decides nothing: each method is
   one request to the kernel.
2. A spawned process starts from a fresh interpreter. Of the supervisor's locks, handlers, threads
   and descriptors it inherits one channel, always under ``CHANNEL_DESCRIPTOR``.
3. Orphans below the supervisor become its children (subreaper). So one ``waitid`` loop sees every
   death, and a pid cannot be given to another process before the supervisor has reaped it.
4. A signal to a process that is dead, or that belongs to another user, is not an error: the death
   is reaped in a later turn.
5. It imports little: the first zygote is spawned before anything else is imported (``__main__``).
"""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import signal
import sys
import time
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from supervisor.ipc import signal_wakeup
from supervisor.ipc.conventions import (
    CHANNEL_DESCRIPTOR,
    MEANINGLESS_SIGNALS,
    SERVING_CHANNEL,
    STACKS_SIGNAL,
    SUPERVISOR_SIGNALS,
    socket_pair,
)

if TYPE_CHECKING:
    import select
    import socket
    from collections.abc import Callable, Iterable, Mapping
    from contextlib import AbstractContextManager

ZYGOTE = "supervisor.child.zygote"
"""The module that a zygote's process runs."""

NOT_INHERITED = frozenset({"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", SERVING_CHANNEL})
"""systemd's variables for the main process of a service (systemd.exec(5), sd_notify(3)), and the
one of retired code.

A child that used them could report to systemd that all is well. All other variables are inherited:
they may be the flow's own settings, proxies, certificates or credentials.
"""

MOST_DESCRIPTORS = 65_536
"""More than the largest pool needs: two a worker, twice that during a restart."""

_PR_SET_CHILD_SUBREAPER = 36  # <linux/prctl.h>

_NO_TERMINAL = {errno.ENXIO, errno.EIO, errno.ENODEV, errno.ENOENT}
"""Errors of a terminal that is not there; EMFILE and the like say nothing about the terminal."""


class DeadProcess(NamedTuple):
    """A process that was reaped.

    Attributes:
        pid: Its number; the kernel may give it to another process from now on.
        status: Its exit code, or minus the number of the signal that killed it.
        core_dumped: Whether it left a core file.
        peak_memory: The most resident memory that it had, in bytes (``getrusage(2)``).
    """

    pid: int
    status: int
    core_dumped: bool = False
    peak_memory: int = 0


class Kernel:
    """The Linux kernel, as one object, so that tests of the shell can replace it."""

    def __init__(self) -> None:
        self._descriptors_of_children: int | None = None  # the soft limit before it was raised

    # --- time, signals, waiting

    def now(self) -> float:
        """Seconds on a clock that never goes back."""
        return time.monotonic()

    def wake_up(self) -> AbstractContextManager[int]:
        """A descriptor that becomes readable when a signal arrives."""
        return signal_wakeup.wake_up()

    def wait(self, poll: select.poll, seconds: float) -> None:
        """Wait for a descriptor or a signal, this long at most; ``inf`` waits without limit."""
        # Rounded up to milliseconds: a loop that wakes up before its deadline only waits again.
        whole = None if seconds == inf else int(seconds * 1000) + 1 if seconds > 0 else 0
        signal_wakeup.wait(poll, whole)

    def take_signals(self, wake_up: int) -> bytes:
        """The signals that have arrived on the wake-up descriptor, one byte each."""
        return signal_wakeup.drain_bytes(wake_up)

    def has_lost_terminal(self) -> bool:
        """Whether this process has no controlling terminal, or one that is closed (tty(4))."""
        try:
            os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
        except OSError as error:
            return error.errno in _NO_TERMINAL
        return False

    # --- descriptors

    def raise_descriptor_limit(self) -> None:
        """Allow this process as many descriptors as the hard limit, up to ``MOST_DESCRIPTORS``.

        Children keep the old limit: in them ``select()`` fails for numbers from 1,024 on.
        """
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
        self._descriptors_of_children = soft
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))

    def descriptor_limit(self) -> int:
        """The number of descriptors that this process may have."""
        return resource.getrlimit(resource.RLIMIT_NOFILE)[0]

    def _lower_descriptor_limit(self, pid: int) -> None:
        """Give a new child the limit that this process had at its start.

        Lowered in the child: with a lowered limit of its own, this process could not name
        descriptors above it to ``posix_spawn`` (glibc answers EBADF).
        """
        if (soft := self._descriptors_of_children) is not None:
            # It has ended already, or the hard limit was lowered since the start (prlimit(1)).
            with contextlib.suppress(ProcessLookupError, ValueError):
                _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
                resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))

    # --- starts

    def become_subreaper(self) -> None:
        """Adopt every orphan below this process (prctl(2)). Raises ``OSError``."""
        import ctypes  # noqa: PLC0415 - beside the zygote's import

        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
            number = ctypes.get_errno()
            raise OSError(number, f"prctl(PR_SET_CHILD_SUBREAPER): {os.strerror(number)}")

    def spawn(
        self,
        module: str,
        *words: str,
        python: str = "",
        variables: Mapping[str, str] | None = None,
    ) -> tuple[int, socket.socket]:
        """Start ``python -m module``; returns its pid and our end of its channel.

        ``variables`` are in place of this process's own. Our end does not block. Raises ``OSError``
        if the kernel has no process or descriptor left.
        """
        python = python or sys.executable
        ours, theirs = socket_pair()
        with theirs:
            try:
                pid = os.posix_spawn(
                    python,
                    [python, *interpreter_flags(), "-m", module, *words],
                    environment_of_children(os.environ) if variables is None else variables,
                    file_actions=[
                        # ``dup2`` also clears close-on-exec, which all our descriptors have.
                        (os.POSIX_SPAWN_DUP2, theirs.fileno(), CHANNEL_DESCRIPTOR),
                        # A terminal stops a background process that reads from it (SIGTTIN).
                        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    ],
                    setpgroup=0,  # a group of its own: Ctrl-C reaches the supervisor alone
                    # It may write to the terminal (signal_wakeup). The others wait until it has
                    # handlers for them: they would end a process that still imports.
                    setsigmask=[signal.SIGTTOU, *MEANINGLESS_SIGNALS],
                    setsigdef=SUPERVISOR_SIGNALS,  # an ignored signal stays ignored over an exec
                )
            except OSError:
                ours.close()
                raise
        self._lower_descriptor_limit(pid)
        return pid, ours

    # --- deaths

    def reap(self, is_ours: Callable[[int], bool]) -> list[DeadProcess]:
        """Collect every dead process; what one of ours has started in its group is killed."""
        dead = []
        with contextlib.suppress(ChildProcessError):  # no child is left at all
            # WNOWAIT looks without collecting: until it is collected, the pid stays reserved, and
            # with it the number of the group.
            while found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                if is_ours(found.si_pid):
                    # Not the group of a stray: it may be that of a daemon, which a task has started
                    # through a process that ended at once.
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.killpg(found.si_pid, signal.SIGKILL)
                dead.append(_collect(found.si_pid))
        return dead

    def terminate(self, pid: int) -> None:
        """Ask this process to leave; it takes care of its own children."""
        _signal(os.kill, pid, signal.SIGTERM)

    def quit(self, pid: int) -> None:
        """Tell retired code to stop now, and to abandon its tasks."""
        _signal(os.kill, pid, signal.SIGQUIT)

    def dump_stacks(self, pid: int) -> None:
        """Ask a worker to write the stacks of its threads into its crash record."""
        _signal(os.kill, pid, STACKS_SIGNAL)

    def kill_group(self, pid: int) -> None:
        """Kill the process and everything in its process group."""
        _signal(os.killpg, pid, signal.SIGKILL)
        # A worker makes its group after its fork: before that, the group's number reaches nothing.
        _signal(os.kill, pid, signal.SIGKILL)


def keep_inherited_descriptors() -> None:
    """Pass no descriptor on that this process was started with, but the standard streams.

    Children would hold it open, and outlive this process with it: a program that waits for the end
    of a pipe or the release of a lock would wait for a worker's last task. systemd's
    descriptors (LISTEN_FDS) and NOTIFY_SOCKET are for this process alone; it keeps them.
    """
    with contextlib.suppress(OSError):  # no /proc
        for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - quick
            if int(name) >= CHANNEL_DESCRIPTOR:
                with contextlib.suppress(OSError):  # the folder's own is closed again
                    os.set_inheritable(int(name), False)  # noqa: FBT003 - no keyword there


def environment_of_children(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that spawned processes inherit; ``docs/security.md`` lists what is read."""
    return {name: value for name, value in environ.items() if name not in NOT_INHERITED}


_FLAGS = (
    *(("isolated", "I"), ("ignore_environment", "E"), ("no_user_site", "s"), ("safe_path", "P")),
    *(("no_site", "S"), ("dont_write_bytecode", "B"), ("bytes_warning", "b"), ("optimize", "O")),
)
"""Flags of the interpreter that hold for its children as well, by their names in ``sys.flags``."""


def interpreter_flags() -> list[str]:
    """The options that this interpreter was started with, as far as they concern the code it runs.

    PYTHON variables are inherited by themselves.
    """
    counts = ((letter, int(getattr(sys.flags, name))) for name, letter in _FLAGS)
    letters = [f"-{letter * count}" for letter, count in counts if count]
    named = [f"-X{name}" if value is True else f"-X{name}={value}" for name, value in _x_options()]
    return [*letters, *named, *(f"-W{each}" for each in sys.warnoptions)]


def _x_options() -> Iterable[tuple[str, str | bool]]:
    return sys._xoptions.items()  # noqa: SLF001 - documented for CPython


def _collect(pid: int) -> DeadProcess:
    _, status, used = os.wait4(pid, 0)
    return DeadProcess(
        pid,
        os.waitstatus_to_exitcode(status),
        core_dumped=os.WIFSIGNALED(status) and os.WCOREDUMP(status),
        peak_memory=used.ru_maxrss * 1024,  # the kernel counts in KiB
    )


def _signal(send: Callable[[int, int], None], pid: int, number: int) -> None:
    try:
        send(pid, number)
    except ProcessLookupError:
        pass  # rule 4
    except PermissionError:
        from supervisor.logs import log  # noqa: PLC0415 - not at the start, where time counts

        log.LOGGER.warning(
            "The kernel does not let the supervisor send signal %d to process %d: it runs as"
            " another user. Signal it as that user or as root.",
            number,
            pid,
        )

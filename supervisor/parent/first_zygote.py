"""The first zygote: a fork of the supervisor at a moment when it has imported and opened nothing.

A new interpreter would need as long again to start as this one did, and the first poll would wait
for it. Every later zygote is a program of its own (``Kernel.spawn``), because by then this process
has threads, handlers and descriptors. The flow meets the same process in both: arguments,
descriptors, signals, variables and ``__main__`` are those of ``python -m supervisor.child.zygote``.
"""

from __future__ import annotations

import contextlib
import os
import runpy
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

from supervisor.ipc.conventions import (
    CHANNEL_DESCRIPTOR,
    MEANINGLESS_SIGNALS,
    SUPERVISOR_SIGNALS,
    socket_pair,
)
from supervisor.parent.os_processes import NOT_INHERITED, ZYGOTE, interpreter_flags

if TYPE_CHECKING:
    import socket


def fork_first_zygote() -> tuple[int, socket.socket]:
    """Fork it; returns its pid and our end of its channel, as ``Kernel.spawn`` does.

    In the child it raises ``SystemExit`` at the zygote's end, so that exit handlers run as in any
    program. Raises ``OSError`` if the kernel has no process or descriptor left.
    """
    ours, theirs = socket_pair()
    # Until the child has a group of its own, Ctrl-C would reach it.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        pid = os.fork()
        if pid == 0:
            _live(theirs.detach(), ours.detach())
    except OSError:
        ours.close()
        raise
    finally:
        theirs.close()
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    return pid, ours


def _live(channel: int, supervisors_end: int) -> NoReturn:
    """Be the zygote; whatever happens, never return into the supervisor's code."""
    try:
        os.setpgid(0, 0)
        _keep_descriptors(channel, supervisors_end)
        _restore_program()
        runpy.run_module(ZYGOTE, run_name="__main__", alter_sys=True)
    except SystemExit:
        raise
    except BaseException:  # noqa: BLE001 - the edge of this program
        sys.excepthook(*sys.exc_info())
        sys.exit(1)
    sys.exit(0)


def _keep_descriptors(channel: int, supervisors_end: int) -> None:
    """Close all but standard output, standard error and the channel; standard input is empty."""
    os.close(supervisors_end)
    os.dup2(channel, CHANNEL_DESCRIPTOR)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - quick
        if int(name) > CHANNEL_DESCRIPTOR:
            with contextlib.suppress(OSError):  # the folder's own is closed again
                os.close(int(name))


def _restore_program() -> None:
    """Signals, variables and arguments of a new program."""
    for number in SUPERVISOR_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, (signal.SIGTTOU, *MEANINGLESS_SIGNALS))
    for name in NOT_INHERITED:
        os.environ.pop(name, None)
    sys.orig_argv[:] = [sys.executable, *interpreter_flags(), "-m", ZYGOTE]
    del sys.argv[1:]

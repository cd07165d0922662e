"""Agreements between a supervisor and its child processes: a channel, and signals."""

import signal
import socket

CHANNEL_DESCRIPTOR = 3
"""The channel of a spawned process: the first descriptor after the standard three."""

SUPERVISOR_SIGNALS = (
    signal.SIGCHLD,
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGHUP,
    signal.SIGTTIN,
    signal.SIGTTOU,
)
"""The signals that the supervisor handles; a child resets them to its own handling."""

MEANINGLESS_SIGNALS = (
    *(signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF),
    *(signal.SIGIO, signal.SIGPWR, signal.SIGSTKFLT),
    *range(signal.SIGRTMIN, signal.SIGRTMAX + 1),
)
"""Signals that ask for nothing here, and that would end a process which does not handle them.

Other programs use them: a logrotate script written for another server sends SIGUSR1.
"""

SERVING_CHANNEL = "GARCON_SERVING_CHANNEL"
"""The variable of retired code with its name as a sidecar; its channel leads to the supervisor that
serves the newer code."""

STACKS_SIGNAL = signal.SIGUSR1
"""Makes a worker write its stacks: ``faulthandler`` does it in C, even while Python code hangs."""


def socket_pair() -> tuple[socket.socket, socket.socket]:
    """A channel's sockets: the supervisor's, which never blocks, and a child's, which does."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)  # noqa: FBT003 - the standard library has no keyword here
    return ours, theirs

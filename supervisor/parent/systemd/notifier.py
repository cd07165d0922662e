"""The time of notifications: when the service manager gets the pool's state and a watchdog ping.

Rules of this file:

1. The loop that watches the workers calls it at the end of each turn; nothing else does. So
   ``WATCHDOG=1`` means that this loop turns; if it is blocked, the pings stop.
2. A ping is due every third of ``$WATCHDOG_USEC``, so two may be late. Only pings, and datagrams
   that the manager had no room for, wake the program up by themselves.
3. A change of the pool is sent in the turn of the change: that is when the core's rules ran. The
   number of tasks is sent at most once a second, in a turn that happens anyway: in a line for
   people it may be as old as an empty poll.
4. Without ``$NOTIFY_SOCKET`` nothing is done.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from supervisor.parent.systemd import rules
from supervisor.parent.systemd.sender import Sender

if TYPE_CHECKING:
    from collections.abc import Mapping

    from supervisor.core import Core

VIEW_INTERVAL = 1.0
"""Seconds between two views for changes of tasks alone: a view visits every worker."""

RETRY_INTERVAL = 1.0
"""Seconds until what the manager had no room for is sent again."""

PINGS = 3
"""Pings within the time that the manager waits for one."""


class Notifier:
    """Sends the service manager the state of the pool.

    Args:
        environ: Has ``NOTIFY_SOCKET``, ``WATCHDOG_USEC`` and ``WATCHDOG_PID``, or not.
        pid: Of this process.
    """

    def __init__(self, environ: Mapping[str, str], pid: int) -> None:
        address = environ.get("NOTIFY_SOCKET")
        self._sender = Sender(address) if address else None
        self._ping_interval = ping_interval(environ, pid) if address else inf
        self._ping_at = 0.0 if self._ping_interval < inf else inf
        self._retry_at = inf
        self._viewed_at = -inf
        self._runs = 0  # of the core's rules, at the last view
        self._notified = rules.LastNotified()

    def next_call(self) -> float:
        """Time to call ``notify`` if nothing happens: in monotonic seconds, ``inf`` for never."""
        return min(self._ping_at, self._retry_at)

    def notify(self, core: Core, now: float, *, had_events: bool) -> None:
        """Send what is due after a turn; ``had_events`` is whether the core had any events."""
        if self._sender is None:
            return
        fields = self._state_fields(core, now, had_events=had_events)
        if now >= self._ping_at:
            self._ping_at = now + self._ping_interval
            fields.append("WATCHDOG=1")
        if fields:
            self._sender.send(fields)
        elif now >= self._retry_at:
            self._sender.flush()
        self._retry_at = now + RETRY_INTERVAL if self._sender.is_behind else inf

    def refuse_reload(self, why: str, now: float) -> None:
        """Answer the service manager's reload, which was refused; the status line follows."""
        if self._sender is None:
            return
        self._notified, datagrams = rules.refuse_reload(self._notified, why, now)
        for fields in datagrams:
            self._sender.send(fields)
        self._runs = -1  # the status has changed, though no rule of the core ran

    def _state_fields(self, core: Core, now: float, *, had_events: bool) -> list[str]:
        is_due = had_events and now >= self._viewed_at + VIEW_INTERVAL
        if core.runs == self._runs and not is_due:
            return []
        self._viewed_at, self._runs = now, core.runs
        self._notified, fields = rules.notify(self._notified, core.service(now), now)
        return fields


def ping_interval(environ: Mapping[str, str], pid: int) -> float:
    """Seconds between two pings (sd_watchdog_enabled(3)); ``inf`` if the manager wants none.

    ``WATCHDOG_PID`` names the process that is meant, if that is not the reader itself.
    """
    meant, usec = environ.get("WATCHDOG_PID", str(pid)), environ.get("WATCHDOG_USEC", "")
    if meant != str(pid) or not usec.isdecimal() or int(usec) == 0:
        return inf
    return int(usec) / 1_000_000 / PINGS

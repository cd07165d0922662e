"""The shell's side of the service manager: when to look at the pool, and when to say we live.

Rules of this file:

1. It is called by the loop that watches the workers, at the end of each turn, and from nowhere
   else. So ``WATCHDOG=1`` means that this loop turns; where it is blocked, the signs stop.
2. A sign of life is due every third of ``$WATCHDOG_USEC``: two may be late. It alone wakes the
   program up, and only where the manager asks for it; that, and what the manager had no room for.
3. What becomes of the pool is told in the turn in which it happens: that is when the core's rules
   ran. Tasks that come and go are told at most once a second, in a turn that something else makes:
   a count in a line for people may be old by as much as an empty poll lasts.
4. Without ``$NOTIFY_SOCKET`` nothing is looked at.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from supervisor.systemd import rules
from supervisor.systemd.sender import Sender

if TYPE_CHECKING:
    from collections.abc import Mapping

    from supervisor.core import Core

BETWEEN_LOOKS = 1.0
"""Seconds between two looks for the sake of tasks alone: a look asks every worker."""

BETWEEN_TRIES = 1.0
"""Seconds until what the manager had no room for is sent again: it is busy."""

SIGNS = 3
"""Signs of life within the time that the manager waits for one."""


class Manager:
    """Tells the service manager how the pool does.

    Args:
        environ: Where ``NOTIFY_SOCKET``, ``WATCHDOG_USEC`` and ``WATCHDOG_PID`` may be.
        pid: Our own.
    """

    def __init__(self, environ: Mapping[str, str], pid: int) -> None:
        address = environ.get("NOTIFY_SOCKET")
        self._sender = Sender(address) if address else None
        self._every = watchdog_interval(environ, pid) if address else inf
        self._sign_at = 0.0 if self._every < inf else inf
        self._try_again_at = inf
        self._looked_at = -inf
        self._runs = 0  # of the core's rules, at the last look
        self._told = rules.Told()

    def next_look(self) -> float:
        """When to be called again, if nothing happens: in monotonic seconds, ``inf`` for never."""
        return min(self._sign_at, self._try_again_at)

    def look(self, core: Core, now: float, *, heard: bool) -> None:
        """Tell what is to be told after a turn; ``heard`` is whether the core was told anything."""
        if self._sender is None:
            return
        fields: list[str] = []
        if core.runs != self._runs or (heard and now >= self._looked_at + BETWEEN_LOOKS):
            self._looked_at, self._runs = now, core.runs
            self._told, fields = rules.tell(self._told, core.service(now), now)
        if now >= self._sign_at:
            self._sign_at = now + self._every
            fields.append("WATCHDOG=1")
        if fields:
            self._sender.send(fields)
        elif now >= self._try_again_at:
            self._sender.flush()
        self._try_again_at = now + BETWEEN_TRIES if self._sender.is_behind else inf


def watchdog_interval(environ: Mapping[str, str], pid: int) -> float:
    """Seconds between two signs of life (sd_watchdog_enabled(3)); ``inf`` if none are asked of us.

    ``WATCHDOG_PID`` names the process that is meant, where it is not whoever reads it.
    """
    meant, patience = environ.get("WATCHDOG_PID", str(pid)), environ.get("WATCHDOG_USEC", "")
    if meant != str(pid) or not patience.isdecimal() or int(patience) == 0:
        return inf
    return int(patience) / 1_000_000 / SIGNS

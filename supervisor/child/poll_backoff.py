"""Backoff while calls to SWF fail: the wait before the next call, and the log lines that are due.

Rules:

1. One line when an outage begins, one a minute while it lasts, one when it ends. The workers of a
   task list share these lines: the first to meet the outage logs it (``OutageLog``).
2. An outage that comes and goes, such as a throttle now and then, is logged at most once a minute.
3. A worker on a list with permits parks after a failed poll, and the supervisor decides when the
   next one is made and by whom. So any worker of the list may log the end of the outage.
4. Waits and due lines are computed from the time and the source of chance that the caller passes;
   what the workers share is memory.
"""

from __future__ import annotations

import mmap
import struct
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from garcon import client, utils
from garcon.aws.backoff import Backoff
from garcon.utils import error_code
from supervisor.ipc import messages
from supervisor.logs import log

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable

BACKOFF = Backoff(first=0.25, factor=2.0, cap=24.0)
"""A quarter of a second costs little after a hiccup. At 24 s, 64 workers fail fewer than four polls
a second, each 2.4 ms of CPU with cold caches: under 1% of a core. And all poll again within 24 s of
the end of an outage."""

LINE_EVERY = 60.0
"""Seconds between lines while an outage lasts."""

_STATE = struct.Struct("=dd?")
"""When the last line was written; when the outage began, 0 without one; whether a line of its end
is due."""


class OutageLog:
    """The lines that several processes write about one outage.

    The memory has no lock: a race between two processes costs a second line at most.

    Args:
        memory: ``OutageLog.BYTES`` of it, zeros at first.
    """

    BYTES = 24

    def __init__(self, memory: memoryview | bytearray | None = None) -> None:
        self._memory = bytearray(self.BYTES) if memory is None else memory

    def claim_failure(self, now: float) -> bool:
        """Whether the caller has to log the outage that it has met."""
        logged_at, began_at, end_due = _STATE.unpack_from(self._memory)
        due = not logged_at or now - logged_at >= LINE_EVERY
        _STATE.pack_into(
            self._memory, 0, now if due else logged_at, began_at or now, due or end_due
        )
        return bool(due)

    def claim_recovery(self, now: float) -> float | None:
        """The seconds of an outage whose end the caller has to log; ``None`` if there is none.

        An end is never logged twice, nor that of an unlogged outage.
        """
        logged_at, began_at, due = _STATE.unpack_from(self._memory)
        if not began_at:
            return None
        _STATE.pack_into(self._memory, 0, logged_at, 0.0, False)  # noqa: FBT003 - struct's interface
        return now - began_at if due else None


def shared_outage_logs(names: Iterable[str]) -> dict[str, OutageLog]:
    """One outage log for each name, in memory that every process forked from this one shares."""
    keys = list(names)
    memory = memoryview(mmap.mmap(-1, OutageLog.BYTES * max(1, len(keys))))  # anonymous, shared
    return {
        key: OutageLog(memory[place * OutageLog.BYTES : (place + 1) * OutageLog.BYTES])
        for place, key in enumerate(keys)
    }


def retry_logger(doing: str, outage_log: OutageLog) -> Callable[[Exception, float], None]:
    """A hook for ``call_until_accepted`` that logs the failures for which a line is due."""

    def log_retry(error: Exception, _wait: float) -> None:
        if outage_log.claim_failure(time.monotonic()):
            problem = client.explain(error, doing)
            log.LOGGER.warning("%s Trying again.", problem.sentence)

    return log_retry


@dataclass
class PollBackoff:
    """One process's failing polls in a row."""

    jitter: random.Random
    outage_log: OutageLog = field(default_factory=OutageLog)
    _failures: int = field(default=0, init=False)

    def failed(self, now: float) -> tuple[float, bool]:
        """A call failed: the seconds to wait, and whether a line about it is due."""
        self._failures += 1
        return BACKOFF.wait_after(self._failures, self.jitter), self.outage_log.claim_failure(now)

    def recovered(self, now: float) -> float | None:
        """A call succeeded: the seconds of the outage, if there was one and a line is due."""
        self._failures = 0
        return self.outage_log.claim_recovery(now)


def poll_end(error: Exception) -> messages.PollEnd:
    """The end of a poll that raised this error."""
    match error_code(error):
        case "LimitExceededFault":
            return messages.PollEnd.LIMITED
        case utils.THROTTLE:
            return messages.PollEnd.THROTTLED
        case _:
            return messages.PollEnd.FAILED

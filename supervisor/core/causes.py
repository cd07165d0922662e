"""Causes of deaths: in words for the log and for SWF, and as a kind that is counted.

Rules:

1. A signal that a process brings on itself (SIGSEGV and the like) is a crash. Any other signal is a
   kill from outside: by the kernel for lack of memory, by a person, or by the supervisor.
2. For the supervisor's own kills the reason counts, not the signal.
"""

from __future__ import annotations

import enum
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from supervisor.ipc.messages import PostMortem


class DeathKind(enum.StrEnum):
    """The kinds of deaths that ``status`` counts."""

    CRASHED = "crashed"
    EXITED = "exited"
    KILLED = "killed"
    OUT_OF_MEMORY = "out of memory"
    NOT_FORKED = "not forked"
    LATE = "late"  # killed by the supervisor: past a deadline
    STALE = "stale"  # killed by the supervisor: it went on with a task that SWF no longer wanted
    TOO_BIG = "too big"  # killed by the supervisor: over the hard memory limit
    INTERRUPTED = "interrupted"  # killed by the supervisor: a drain's limit or a stop


@dataclass(frozen=True, slots=True)
class Cause:
    """The cause of one death."""

    kind: DeathKind
    text: str  # "killed by SIGKILL, out of memory"

    @property
    def as_predicate(self) -> str:
        """The text after a subject: ``was killed by SIGKILL``, ``crashed: SIGSEGV``."""
        match self.kind:
            case DeathKind.CRASHED:
                return f"crashed: {self.text}"
            case DeathKind.EXITED | DeathKind.NOT_FORKED:
                return self.text
            case _:
                return f"was {self.text}"


_CRASHES = frozenset(
    {
        signal.SIGSEGV,
        signal.SIGBUS,
        signal.SIGFPE,
        signal.SIGILL,
        signal.SIGABRT,
        signal.SIGSYS,
        signal.SIGTRAP,
    }
)


def cause_of(status: int, post: PostMortem | None) -> Cause:
    """The cause of a death that the supervisor did not bring about."""
    if status >= 0:
        return Cause(DeathKind.EXITED, how_ended(status))
    if post and post.out_of_memory:
        return Cause(DeathKind.OUT_OF_MEMORY, f"{how_ended(status)}, out of memory")
    if -status in _CRASHES:
        core = ", core dumped" if post and post.core_dumped else ""
        return Cause(DeathKind.CRASHED, signal_name(-status) + core)
    return Cause(DeathKind.KILLED, how_ended(status))


def how_ended(status: int) -> str:
    """``killed by SIGKILL`` or ``exited 3``."""
    return f"killed by {signal_name(-status)}" if status < 0 else f"exited {status}"


def signal_name(number: int) -> str:
    """``SIGKILL``, or ``signal 40`` where it has no name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"

"""What a worker died of: in words for the log and for SWF, and as a kind that is counted.

1. A signal that a process brings on itself (SIGSEGV and its kin) is a crash; any other one is a
   kill by somebody: the kernel for want of memory, a person, or us.
2. Of our own kills the reason counts, not the signal.
"""

from __future__ import annotations

import enum
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from supervisor.messages import PostMortem


class Kind(enum.StrEnum):
    """The kinds of deaths, as they are counted."""

    CRASHED = "crashed"
    EXITED = "exited"
    KILLED = "killed"
    OUT_OF_MEMORY = "out of memory"
    NOT_FORKED = "not forked"
    LATE = "late"  # ours: past a deadline
    STALE = "stale"  # ours: it went on with a task that SWF no longer wanted
    TOO_BIG = "too big"  # ours: over the hard limit of memory
    INTERRUPTED = "interrupted"  # ours: a drain or a stop cut it short


@dataclass(frozen=True, slots=True)
class Cause:
    """What a worker died of."""

    kind: Kind
    text: str  # "killed by SIGKILL, out of memory"


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
    """The cause that the kernel tells of a worker that we did not kill."""
    if status >= 0:
        return Cause(Kind.EXITED, how_ended(status))
    if post and post.out_of_memory:
        return Cause(Kind.OUT_OF_MEMORY, f"{how_ended(status)}, out of memory")
    if -status in _CRASHES:
        core = ", core dumped" if post and post.core_dumped else ""
        return Cause(Kind.CRASHED, signal_name(-status) + core)
    return Cause(Kind.KILLED, how_ended(status))


def how_ended(status: int) -> str:
    """``killed by SIGKILL`` or ``exited 3``."""
    return f"killed by {signal_name(-status)}" if status < 0 else f"exited {status}"


def signal_name(number: int) -> str:
    """``SIGKILL``, or ``signal 40`` where it has no name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"

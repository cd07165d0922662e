"""When SWF does not answer: how long to rest, and which lines to write.

Rules of this file:

1. Rests grow and are jittered, so that a fleet that lost its endpoint does not come back as one
   wave; the cap is small enough that all are polling again within seconds of its return.
2. One line when the trouble begins, one a minute while it lasts, one when it ends: of all workers
   of a task list, whoever comes first speaks for the others (``Voice``).
3. Trouble that comes and goes, such as a throttle now and then, begins at most once a minute.
4. Pure: the clock and the dice are given; what the workers share is a piece of memory.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable

FIRST_REST = 0.25
"""Seconds: a hiccup costs little, and a worker that fails at once still makes few calls."""

LONGEST_REST = 24.0
"""Seconds: 64 workers then fail fewer than four polls a second, each 2.4 ms of CPU, for its caches
are cold: under 1% of a core. And all are back within 24 seconds."""

LINE_EVERY = 60.0
"""Seconds between lines while trouble lasts."""

_SAID = struct.Struct("=d?")  # when the last line was written; whether an end is to follow it


class Voice:
    """Which of those who share the memory speaks. A race between two costs a second line at most.

    Args:
        memory: ``Voice.BYTES`` of it, zeros at first.
    """

    BYTES = 16

    def __init__(self, memory: memoryview | bytearray | None = None) -> None:
        self._memory = bytearray(self.BYTES) if memory is None else memory

    def begins(self, now: float) -> bool:
        """Trouble was met: whether to write a line, having written it then."""
        at, _ = _SAID.unpack_from(self._memory)
        due = not at or now - at >= LINE_EVERY
        if due:
            _SAID.pack_into(self._memory, 0, now, True)  # noqa: FBT003 - struct's interface
        return due

    def ends(self) -> bool:
        """Trouble is over: whether to write a line, having written it then."""
        at, told = _SAID.unpack_from(self._memory)
        if told:
            _SAID.pack_into(self._memory, 0, at, False)  # noqa: FBT003 - struct's interface
        return bool(told)


def voices(task_lists: Iterable[str]) -> dict[str, Voice]:
    """A voice for each task list, in memory that every process forked from this one shares."""
    names = list(task_lists)
    memory = memoryview(mmap.mmap(-1, Voice.BYTES * max(1, len(names))))
    return {
        name: Voice(memory[place * Voice.BYTES : (place + 1) * Voice.BYTES])
        for place, name in enumerate(names)
    }


@dataclass
class Outage:
    """One worker's view of a stretch of failing calls."""

    dice: random.Random
    voice: Voice = field(default_factory=Voice)
    began: float | None = field(default=None, init=False)
    _fails: int = field(default=0, init=False)

    def failed(self, now: float) -> tuple[float, bool]:
        """A call failed: seconds to rest, and whether to write a line about it."""
        if self.began is None:
            self.began = now
        rest = min(LONGEST_REST, FIRST_REST * 2.0 ** min(self._fails, 16))
        self._fails += 1
        # Half of it is dice: enough to spread a fleet, and never a rest near zero.
        return rest * self.dice.uniform(0.5, 1.0), self.voice.begins(now)

    def over(self, now: float) -> float | None:
        """A call succeeded: seconds that the trouble lasted, if there was one and a line is due."""
        if self.began is None:
            return None
        lasted = now - self.began
        self.began, self._fails = None, 0
        return lasted if self.voice.ends() else None

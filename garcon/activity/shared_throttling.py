"""Throttled heartbeats, as all workers of a host know them: how much SWF throttles, and log lines.

Rules:

1. The buckets that heartbeats are taken from are the account's, so a refusal that one worker meets
   concerns every other. The memory is shared by all processes that are forked from the one that
   imported this module: the workers of a zygote.
2. Each throttled heartbeat raises the throttling by a quarter of what is missing to 1. It halves in
   two minutes, so that each host finds out again what the account can take.
3. A line about refused heartbeats is due once a minute for each task list; so is one about answers
   that are sent again.
4. The memory has no lock: a race between two processes costs a count, or a second line.
"""

import mmap
import struct
import zlib

STEP = 0.25
"""Share of what is missing to full throttling by which a refusal raises it."""

HALF_LIFE = 120.0
"""Seconds in which the throttling halves."""

LINE_EVERY = 60.0
"""Seconds between two log lines about a list."""

LISTS = 255
"""Lists with a line of their own. More share some: a flow has a few dozen."""

_THROTTLING = struct.Struct("=dd")  # the throttling, and when it was so
_LINE = struct.Struct("=dQ")  # when the list's last line was written, and its refusals since then


class SharedThrottling:
    """Throttling and due lines; times are monotonic seconds, which all processes of a host share.

    Args:
        memory: ``SharedThrottling.BYTES`` of it, zeros at first; private memory if not given.
    """

    BYTES = _THROTTLING.size + LISTS * _LINE.size

    def __init__(self, memory: "mmap.mmap | bytearray | None" = None) -> None:
        self._memory = bytearray(self.BYTES) if memory is None else memory

    def level(self, now: float) -> float:
        """The share of heartbeats that SWF throttles, from 0 to 1."""
        level, at = _THROTTLING.unpack_from(self._memory)
        return float(level * 0.5 ** (max(0.0, now - at) / HALF_LIFE))

    def note_throttled(self, now: float) -> None:
        """SWF has throttled a heartbeat."""
        level = self.level(now)
        _THROTTLING.pack_into(self._memory, 0, level + STEP * (1.0 - level), now)

    def claim_line(self, task_list: str, now: float) -> int | None:
        """Count a refusal: those since the last line, if the caller has to write one.

        Args:
            task_list: The list of the task whose heartbeat was refused.
            now: The time.
        """
        place = _THROTTLING.size + zlib.crc32(task_list.encode()) % LISTS * _LINE.size
        logged_at, refused = _LINE.unpack_from(self._memory, place)
        if logged_at and now - logged_at < LINE_EVERY:
            _LINE.pack_into(self._memory, place, logged_at, refused + 1)
            return None
        _LINE.pack_into(self._memory, place, now, 0)
        return int(refused) + 1


HOST = SharedThrottling(mmap.mmap(-1, SharedThrottling.BYTES))  # anonymous, shared with forks

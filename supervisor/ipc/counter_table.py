"""Counters in memory that a child shares with the supervisor: no message, and no count is lost.

Rules of this file:

1. One process writes. The supervisor reads when it is asked for metrics, and once more after the
   process's death: what a killed worker has counted is there.
2. A counter is a row: its key, and numbers that grow (``put`` is for others). Rows are appended,
   their size fixed by their first use. The total length is written last, so a reader never sees
   half a row.
3. A number is one word, so one store writes it. To add is to read and to store without a call in
   between: the interpreter switches no threads there, so threads of the process lose no count.
4. Memory is bounded. Rows that find no room are not counted.

A row: length of the key, count of the numbers, key padded to words, numbers.
"""

from __future__ import annotations

import struct
import threading
from math import isfinite
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmap import mmap

Key = tuple[str, ...]
Counters = dict[Key, tuple[float, ...]]

WORD = 8
_USED = struct.Struct("=Q")  # bytes of all rows so far
_HEAD = struct.Struct("=II")
_SEPARATOR = "\0"  # in no name of SWF


class CounterTable:
    """The writer's side.

    Args:
        memory: Zeros at first, on a border of words.
    """

    def __init__(self, memory: mmap | bytearray | memoryview) -> None:
        self._bytes = memoryview(memory)
        self._numbers = self._bytes.cast("d")
        self._rows: dict[Key, int | None] = {}  # the place of the first number
        self._lock = threading.Lock()

    def add(self, key: Key, amount: float = 1.0) -> None:
        """Add to a counter of one number."""
        if (place := self._place(key, 1)) is not None:
            self._numbers[place] += amount

    def put(self, key: Key, value: float) -> None:
        """Set a number that holds for this moment."""
        if (place := self._place(key, 1)) is not None:
            self._numbers[place] = value

    def observe(self, key: Key, size: int, position: int, amount: float) -> None:
        """Add 1 to a number of a row of this size, and an amount to the row's last."""
        if (place := self._place(key, size)) is not None:
            self._numbers[place + position] += 1.0
            self._numbers[place + size - 1] += amount

    def _place(self, key: Key, size: int) -> int | None:
        place = self._rows.get(key, -1)
        return self._append(key, size) if place == -1 else place

    def _append(self, key: Key, size: int) -> int | None:
        with self._lock:  # two threads may meet a key for the first time together
            if key in self._rows:
                return self._rows[key]
            name = _SEPARATOR.join(key).encode(errors="replace")
            used: int = _USED.unpack_from(self._bytes)[0]
            start = _USED.size + used + _HEAD.size
            numbers = start + _padded(len(name))
            end = numbers + WORD * size
            if end > len(self._bytes):
                self._rows[key] = None
                return None
            _HEAD.pack_into(self._bytes, start - _HEAD.size, len(name), size)
            self._bytes[start : start + len(name)] = name
            _USED.pack_into(self._bytes, 0, end - _USED.size)  # last: rule 2
            self._rows[key] = numbers // WORD
            return numbers // WORD


def read(data: bytes) -> Counters:
    """The counters in a copy of the memory; none from the place on where it is not a table."""
    found: Counters = {}
    at, end = _USED.size, _USED.size + _USED.unpack_from(data)[0]
    try:
        while at < end:
            length, size = _HEAD.unpack_from(data, at)
            at += _HEAD.size
            key = data[at : at + length].decode(errors="replace")
            at += _padded(length)
            numbers = struct.unpack_from(f"={size}d", data, at)
            at += WORD * size
            if all(map(isfinite, numbers)):
                found[tuple(key.split(_SEPARATOR))] = numbers
    except (struct.error, MemoryError):  # a task can write to the memory, too
        pass
    return found


def add_up(total: Counters, more: Counters) -> None:
    """Add counters to others, row by row."""
    for key, numbers in more.items():
        known = total.get(key)
        if known is None or len(known) != len(numbers):
            total[key] = numbers
        else:
            total[key] = tuple(map(float.__add__, known, numbers))


def _padded(length: int) -> int:
    return -(-length // WORD) * WORD

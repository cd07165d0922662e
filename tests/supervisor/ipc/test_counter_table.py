"""Counters in shared memory: what the writer adds, the reader finds, and nothing else."""

from __future__ import annotations

import os
import threading
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.ipc import crash_record
from supervisor.ipc.counter_table import Counters, CounterTable, add_up, read

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)
KEYS = st.lists(NAMES, min_size=1, max_size=3).map(tuple)


@given(st.lists(st.tuples(KEYS, st.integers(0, 1000))))
def test_the_reader_finds_the_sums(added: list[tuple[tuple[str, ...], int]]) -> None:
    """Each key has the sum of what was added to it."""
    memory = bytearray(1 << 16)
    table, expected = CounterTable(memory), Counter[tuple[str, ...]]()
    for key, amount in added:
        table.add(key, amount)
        expected[key] += amount
    assert read(bytes(memory)) == {key: (float(total),) for key, total in expected.items()}


def test_a_row_of_several_numbers_has_one_class_and_the_sum() -> None:
    """An observation adds 1 to its class, and its amount to the last number."""
    memory = bytearray(4096)
    table = CounterTable(memory)
    table.observe(("waits", "album"), 4, 1, 2.5)
    table.observe(("waits", "album"), 4, 0, 0.5)
    assert read(bytes(memory)) == {("waits", "album"): (1.0, 1.0, 0.0, 3.0)}


@given(st.binary(max_size=256))
def test_memory_that_is_not_a_table_is_read_without_an_error(garbage: bytes) -> None:
    """A task can write to the memory, too: what is found has finite numbers."""
    read(bytes(8) + garbage)
    assert isinstance(read((garbage + bytes(8))[:8] + garbage), dict)


def test_rows_that_find_no_room_are_not_counted() -> None:
    """The others go on."""
    memory = bytearray(64)
    table = CounterTable(memory)
    for _ in range(2):
        table.add(("first",))
        table.add(("second" * 10,))
    assert read(bytes(memory)) == {("first",): (2.0,)}


def test_threads_lose_no_count() -> None:
    """Heartbeats and polls are counted by threads of their own."""
    memory = bytearray(4096)
    table = CounterTable(memory)

    def count() -> None:
        for _ in range(20_000):
            table.add(("calls",))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert read(bytes(memory)) == {("calls",): (80_000.0,)}


def test_rows_are_added_up_by_key() -> None:
    """Numbers of the same key are added one by one."""
    total: Counters = {("a",): (1.0, 2.0)}
    add_up(total, {("a",): (3.0, 4.0), ("b",): (5.0,)})
    assert total == {("a",): (4.0, 6.0), ("b",): (5.0,)}


def test_counts_outlive_the_process_that_counted() -> None:
    """The supervisor reads them from the crash record of a killed process."""
    descriptor = crash_record.make()
    assert crash_record.read_counters(descriptor) == {}
    pid = os.fork()
    if pid == 0:
        crash_record.CrashRecord(descriptor).counters().add(("calls",))
        os.kill(os.getpid(), 9)
    os.waitpid(pid, 0)
    assert crash_record.read_counters(descriptor) == {("calls",): (1.0,)}
    os.close(descriptor)


@pytest.mark.parametrize("filled", [0, crash_record.COUNTERS_BYTES])
def test_counters_and_stacks_have_rooms_of_their_own(filled: int) -> None:
    """A full table of counters changes no other part of the record."""
    descriptor = crash_record.make()
    table = crash_record.CrashRecord(descriptor).counters()
    for number in range(filled // 32):
        table.add((f"{number:08}",))
    report = crash_record.read(descriptor)
    os.close(descriptor)
    assert (report.stacks, report.lines, report.answer) == ((), (), None)

"""The crash record: the supervisor reads what a worker wrote, whenever the worker died."""

from __future__ import annotations

import faulthandler
import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.ipc import crash_record
from supervisor.ipc.crash_record import CrashRecord, CrashReport

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def descriptor() -> Iterator[int]:
    """A new crash record."""
    made = crash_record.make()
    yield made
    os.close(made)


def test_a_new_record_is_empty(descriptor: int) -> None:
    """A worker that died at once had started nothing and left nothing."""
    assert crash_record.read(descriptor) == CrashReport()


def test_an_answer_stays_until_the_task_is_cleared(descriptor: int) -> None:
    """Start and answer are read as written, and are gone after clear."""
    worker = CrashRecord(descriptor)
    worker.record_start()
    assert crash_record.read(descriptor) == CrashReport(started=True)
    worker.record_answer(b"the answer")
    assert crash_record.read(descriptor) == CrashReport(started=True, answer=b"the answer")
    worker.clear()
    assert crash_record.read(descriptor) == CrashReport()


def test_a_shorter_answer_has_nothing_of_a_longer_one(descriptor: int) -> None:
    """The recorded length ends the answer, whatever the memory held before."""
    worker = CrashRecord(descriptor)
    worker.record_answer(b"x" * crash_record.ANSWER_BYTES)
    worker.clear()
    worker.record_answer(b"short")
    assert crash_record.read(descriptor).answer == b"short"


def test_an_answer_that_is_too_long_is_not_recorded(descriptor: int) -> None:
    """Not even its beginning."""
    CrashRecord(descriptor).record_answer(b"x" * (crash_record.ANSWER_BYTES + 1))
    assert crash_record.read(descriptor).answer is None


def test_a_waiting_task_stays_until_it_is_cleared(descriptor: int) -> None:
    """One for each list; a task that is too long is not recorded."""
    worker = CrashRecord(descriptor)
    worker.record_waiting(0, b"one")
    worker.record_waiting(1, b"other")
    assert crash_record.read(descriptor).waiting == (b"one", b"other")
    worker.clear_waiting(0)
    assert crash_record.read(descriptor).waiting == (b"other",)
    worker.clear_waiting(1)
    worker.record_waiting(1, b"x" * crash_record.WAITING_BYTES)
    assert crash_record.read(descriptor) == CrashReport()


def test_waiting_tasks_leave_the_other_parts_alone(descriptor: int) -> None:
    """The longest ones touch neither the head nor the answer."""
    worker = CrashRecord(descriptor)
    worker.record_start()
    worker.record_answer(b"answer")
    largest = b"x" * (crash_record.WAITING_BYTES - 4)
    for place in range(crash_record.WAITING):
        worker.record_waiting(place, largest)
    assert crash_record.read(descriptor) == CrashReport(
        started=True, answer=b"answer", waiting=(largest,) * crash_record.WAITING
    )


def test_a_killed_writer_leaves_its_record(descriptor: int) -> None:
    """Everything written before a SIGKILL is read after it."""
    child = os.fork()
    if child == 0:
        worker = CrashRecord(descriptor)
        worker.record_start()
        worker.record_answer(b"done")
        worker.record_stderr("last words\n")
        os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    assert crash_record.read(descriptor) == CrashReport(
        started=True, answer=b"done", lines=("last words",)
    )


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
LONG_TEXTS = st.builds(lambda text, times: f"{text}\n" * times, TEXTS, st.integers(0, 500))


@given(st.lists(TEXTS | LONG_TEXTS))
def test_the_last_lines_are_kept_whole(texts: list[str]) -> None:
    """The lines read are the last ones written, each whole, as many as there is room for."""
    made = crash_record.make()
    worker = CrashRecord(made)
    for each in texts:
        worker.record_stderr(each)
    read = crash_record.read(made).lines
    os.close(made)
    data = "".join(texts).encode()
    kept = data[-crash_record.LINES_BYTES :]
    if len(data) > crash_record.LINES_BYTES:
        kept = kept.partition(b"\n")[2]
    assert read == tuple(kept.decode(errors="replace").splitlines())


def test_stacks_of_faulthandler_are_read(descriptor: int) -> None:
    """The record's descriptor is all that faulthandler needs."""
    faulthandler.dump_traceback(descriptor)
    read = "\n".join(crash_record.read(descriptor).stacks)
    assert "test_stacks_of_faulthandler_are_read" in read


def test_stacks_of_an_earlier_task_are_cleared(descriptor: int) -> None:
    """Stacks written before a task started are not taken for its own; later ones are read."""
    worker = CrashRecord(descriptor)
    os.write(descriptor, b"a child of the task before crashed\n")
    worker.record_start()
    assert crash_record.read(descriptor).stacks == ()
    os.write(descriptor, b"this one\n")
    assert crash_record.read(descriptor).stacks == ("this one",)


def test_a_record_does_not_grow(descriptor: int) -> None:
    """The kernel refuses stacks that do not fit; those that do are read."""
    os.write(descriptor, b"x" * crash_record.STACKS_BYTES)
    with pytest.raises(PermissionError):
        os.write(descriptor, b"y")
    assert crash_record.read(descriptor).stacks == ("x" * crash_record.STACKS_BYTES,)


def test_the_requests_to_a_worker_are_apart() -> None:
    """The supervisor asks it to leave, or to return its tasks, or both."""
    descriptor = crash_record.make()
    record = crash_record.CrashRecord(descriptor)
    assert (record.is_asked_to_leave, record.returns_tasks) == (False, False)
    crash_record.request_leave(descriptor)
    assert (record.is_asked_to_leave, record.returns_tasks) == (True, False)
    crash_record.request_return(descriptor)
    assert (record.is_asked_to_leave, record.returns_tasks) == (True, True)
    os.close(descriptor)

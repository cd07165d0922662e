"""What a worker leaves in its will is what the supervisor reads, whenever the worker died."""

from __future__ import annotations

import faulthandler
import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor import will
from supervisor.will import Left, Will

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def descriptor() -> Iterator[int]:
    """A new will, closed afterwards."""
    made = will.make()
    yield made
    os.close(made)


def test_a_new_will_leaves_nothing(descriptor: int) -> None:
    """A worker that died at once had begun nothing and left nothing."""
    assert will.read(descriptor) == Left()


def test_the_answer_is_left_until_settled(descriptor: int) -> None:
    """Begun and answer are read as they were written, and gone once the task is settled."""
    worker = Will(descriptor)
    worker.begin()
    assert will.read(descriptor) == Left(begun=True)
    worker.bequeath(b"the answer")
    assert will.read(descriptor) == Left(begun=True, answer=b"the answer")
    worker.settle()
    assert will.read(descriptor) == Left()


def test_a_shorter_answer_has_nothing_of_a_longer_one(descriptor: int) -> None:
    """The length says where the answer ends, whatever was there before."""
    worker = Will(descriptor)
    worker.bequeath(b"x" * will.ANSWER_BYTES)
    worker.settle()
    worker.bequeath(b"short")
    assert will.read(descriptor).answer == b"short"


def test_an_answer_without_room_is_not_left(descriptor: int) -> None:
    """Of an answer that does not fit nothing is left, rather than its beginning."""
    Will(descriptor).bequeath(b"x" * (will.ANSWER_BYTES + 1))
    assert will.read(descriptor).answer is None


def test_tasks_that_wait_are_left_until_taken_up(descriptor: int) -> None:
    """One of each list; what was taken up waits no more, and one without room is not left."""
    worker = Will(descriptor)
    worker.expect(0, b"one")
    worker.expect(1, b"other")
    assert will.read(descriptor).waiting == (b"one", b"other")
    worker.take_up(0)
    assert will.read(descriptor).waiting == (b"other",)
    worker.take_up(1)
    worker.expect(1, b"x" * will.WAITING_BYTES)
    assert will.read(descriptor) == Left()


def test_tasks_that_wait_leave_the_rest_alone(descriptor: int) -> None:
    """The largest of them touches neither the head nor the answer."""
    worker = Will(descriptor)
    worker.begin()
    worker.bequeath(b"answer")
    largest = b"x" * (will.WAITING_BYTES - 4)
    for place in range(will.WAITING):
        worker.expect(place, largest)
    assert will.read(descriptor) == Left(begun=True, answer=b"answer", waiting=(largest, largest))


def test_a_dead_writer_leaves_its_will(descriptor: int) -> None:
    """What a process wrote before SIGKILL is there after its death."""
    child = os.fork()
    if child == 0:
        worker = Will(descriptor)
        worker.begin()
        worker.bequeath(b"done")
        worker.note("last words\n")
        os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    assert will.read(descriptor) == Left(begun=True, answer=b"done", lines=("last words",))


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=3000)))
def test_the_last_lines_are_kept_whole(texts: list[str]) -> None:
    """Read are the last lines written, each whole, as many as there is room for."""
    made = will.make()
    worker = Will(made)
    for each in texts:
        worker.note(each)
    read = will.read(made).lines
    os.close(made)
    data = "".join(texts).encode()
    kept = data[-will.LINES_BYTES :]
    if len(data) > will.LINES_BYTES:
        kept = kept.partition(b"\n")[2]
    assert read == tuple(kept.decode(errors="replace").splitlines())


def test_stacks_go_where_they_are_read(descriptor: int) -> None:
    """What faulthandler writes to the descriptor is read as the stacks."""
    faulthandler.dump_traceback(descriptor)
    read = "\n".join(will.read(descriptor).stacks)
    assert "test_stacks_go_where_they_are_read" in read


def test_stacks_of_an_earlier_task_are_forgotten(descriptor: int) -> None:
    """What was written before a task began is not taken for its stacks; what comes then is read."""
    worker = Will(descriptor)
    os.write(descriptor, b"a child of the task before crashed\n")
    worker.begin()
    assert will.read(descriptor).stacks == ()
    os.write(descriptor, b"this one\n")
    assert will.read(descriptor).stacks == ("this one",)


def test_a_will_does_not_grow(descriptor: int) -> None:
    """Stacks for which there is no room are refused by the kernel; what is there is read."""
    os.write(descriptor, b"x" * will.STACKS_BYTES)
    with pytest.raises(PermissionError):
        os.write(descriptor, b"y")
    assert will.read(descriptor).stacks == ("x" * will.STACKS_BYTES,)

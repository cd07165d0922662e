"""Two long polls side by side, and their tasks one at a time."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import Any

import pytest

from garcon.decider.sticky.poll_threads import PollThreads

LIMIT = 20  # seconds; reaching it means that something hangs


class List:
    """A task list whose polls wait for a task."""

    def __init__(self) -> None:
        self.tasks: SimpleQueue[Any] = SimpleQueue()
        self.polled: SimpleQueue[str] = SimpleQueue()

    def poll(self) -> Any:
        """One long poll."""
        self.polled.put(threading.current_thread().name)
        task = self.tasks.get(timeout=LIMIT)
        if isinstance(task, Exception):
            raise task
        return task


def two() -> tuple[PollThreads[Any], List, List, dict[str, Any]]:
    """Two lists, and a poll of each."""
    one, other = List(), List()
    return PollThreads(), one, other, {"one": one.poll, "other": other.poll}


def test_a_task_of_either_list_is_returned_while_the_other_waits() -> None:
    """Neither list waits for the other list's poll."""
    polls, one, other, both = two()
    other.tasks.put("b")
    assert polls.next(both) == "b"
    one.tasks.put("a")
    assert polls.next(both) == "a"
    other.tasks.put("b2")
    assert polls.next(both) == "b2"


def test_a_list_has_one_poll_at_a_time() -> None:
    """An open poll outlives results of the other list; each list has its own thread."""
    polls, one, other, both = two()
    for task in range(3):
        other.tasks.put(task)
        assert polls.next(both) == task
    assert one.polled.get(timeout=LIMIT) == "one"
    assert one.polled.empty()
    assert other.polled.qsize() == 3


def test_a_full_list_does_not_starve_the_other() -> None:
    """Results are returned in the order of their arrival."""
    polls, one, other, both = two()
    for number in range(50):
        one.tasks.put(number)
    other.tasks.put("other")
    given = [polls.next(both) for _ in range(51)]
    assert [each for each in given if each != "other"] == list(range(50))
    assert "other" in given


def test_a_leaving_caller_receives_the_results_of_open_polls() -> None:
    """No result is lost, and no new poll is opened."""
    polls, one, other, both = two()
    one.tasks.put("a")
    polls.next(both)
    assert polls.is_open
    other.tasks.put("late")
    assert polls.wait() == "late"
    assert not polls.is_open


def test_a_single_list_is_polled_in_the_calling_thread() -> None:
    """Until another list is polled, there is nothing to wait for beside it."""
    polls, one, other, both = two()
    one.tasks.put("a")
    assert polls.next({"one": one.poll}) == "a"
    assert one.polled.get(timeout=LIMIT) == threading.current_thread().name
    assert not polls.is_open
    other.tasks.put("b")
    assert polls.next(both) == "b"
    one.tasks.put("c")
    assert polls.next({"other": other.poll}) == "c"
    assert other.polled.get(timeout=LIMIT) == "other"


def test_an_error_of_a_poll_is_raised_and_the_other_poll_stays_open() -> None:
    """The error comes in its turn, and the list can be polled again."""
    polls, one, other, both = two()
    one.tasks.put(ConnectionError("reset"))
    with pytest.raises(ConnectionError):
        polls.next(both)
    other.tasks.put("b")
    assert polls.next(both) == "b"
    one.tasks.put("a")
    assert polls.next(both) == "a"

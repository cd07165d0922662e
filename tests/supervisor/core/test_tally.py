"""Running counts of tasks and log entries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.core.tally import RunningTally
from supervisor.ipc.messages import Role, TaskList
from supervisor.ipc.messages.tallies import BOUNDS

RESIZE = TaskList("album_resize", Role.ACTIVITY, "resize")


@given(st.lists(st.floats(0, 10_000)))
def test_each_task_is_in_one_class(durations: list[float]) -> None:
    """The classes hold every task once, at or below their bound, and the sum is theirs."""
    tally = RunningTally()
    for seconds in durations:
        tally.add_task(RESIZE, "completed", seconds)
    tasks = tally.snapshot().tasks
    if not durations:
        assert tasks == ()
        return
    (counted,) = tasks
    assert sum(counted.classes) == len(durations)
    assert counted.seconds == pytest.approx(sum(durations))
    for position, bound in enumerate(BOUNDS):
        within = sum(seconds <= bound for seconds in durations)
        assert sum(counted.classes[: position + 1]) == within


def test_results_and_lists_are_counted_apart() -> None:
    """A list's completed and failed tasks have a count each."""
    tally = RunningTally()
    tally.add_task(RESIZE, "completed", 0.2)
    tally.add_task(RESIZE, "failed", 0.2)
    assert {each.result for each in tally.snapshot().tasks} == {"completed", "failed"}

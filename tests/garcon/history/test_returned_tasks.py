"""Decision tasks that a host returned because it lacks something."""

from __future__ import annotations

import pytest

from garcon.history import returned_tasks
from garcon.history.returned_tasks import ReturnedTask
from tests.garcon.histories import History


def answered(*contexts: str) -> History:
    """A history with answers that carry these texts."""
    history = History()
    for context in contexts:
        history.add(
            "DecisionTaskCompleted", scheduledEventId=0, startedEventId=0, executionContext=context
        )
    return history


def test_each_return_in_a_row_waits_longer() -> None:
    """From 5 s to 10 min; an answer of another kind starts over."""
    history, waits = answered(), []
    for _ in range(9):
        returned = returned_tasks.another(reversed(history.events), "no store")
        waits.append(returned.wait)
        history = answered(str(returned))
    assert waits == [5, 10, 20, 40, 80, 160, 320, 600, 600]
    over = answered(str(ReturnedTask(9, "no store", 600)), "{}")
    assert returned_tasks.another(reversed(over.events), "x") == ReturnedTask(1, "x", 5)


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "x", '{"returned": "1", "wait": 1}', '{"returned": true, "wait": 1}'),
        *('{"returned": 1e999, "wait": 1}', '{"returned": 0, "wait": 1}', '{"returned": 1}'),
    ],
)
def test_another_s_text_is_no_return(text: str) -> None:
    """``executionContext`` may hold anything."""
    assert returned_tasks.read(text) is None

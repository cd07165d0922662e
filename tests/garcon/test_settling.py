"""What is sent of what is wanted."""

from __future__ import annotations

from typing import Any

import pytest

from garcon import decider, event
from garcon.decider.settling import NothingPermitted, is_stuck, settle
from tests.garcon.flows import reason
from tests.garcon.histories import History

DONE = [decider.complete_workflow()]


def wish(number: int, size: int = 10) -> list[dict[str, Any]]:
    """So many activities to schedule."""
    return [
        {
            "decisionType": "ScheduleActivityTask",
            "scheduleActivityTaskDecisionAttributes": {"activityId": str(i), "input": "x" * size},
        }
        for i in range(number)
    ]


def sent(decisions: list[dict[str, Any]], history: History) -> list[dict[str, Any]]:
    """What is sent after this history."""
    return settle(decisions, event.History(history.events))


def wait_of(decisions: list[dict[str, Any]]) -> int:
    """How long the timer is."""
    attributes = decisions[-1]["startTimerDecisionAttributes"]
    assert attributes["timerId"] == "garcon-wait"
    return int(attributes["startToFireTimeout"])


def test_what_fits_is_sent_as_it_is() -> None:
    """Nothing is added to an ordinary turn."""
    assert sent(wish(3), History()) == wish(3)
    assert sent(DONE, History()) == DONE
    assert sent([], History()) == []


def test_no_more_are_scheduled_than_may_be_open() -> None:
    """The rest follows when some have ended; their end brings the next decision."""
    history = History()
    for number in range(990):
        history.scheduled("a", f"a-{number}")
    assert len(sent(wish(50), history)) == 10


def test_held_back_activities_are_waited_for_longer_each_time() -> None:
    """One timer, whose longest wait doubles up to five minutes; half of it is the shortest."""
    history, waits = History(), []
    for _ in range(10):
        history.refused("a", "ACTIVITY_CREATION_RATE_EXCEEDED")
        waits.append(wait_of(sent([], history)))
        history.timer_started()
        assert sent([], history) == []
        history.timer_fired()
    longest = [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert all(most / 2 <= wait <= most for wait, most in zip(waits, longest, strict=True))
    assert waits != longest


def test_the_same_history_waits_the_same_time() -> None:
    """Jitter spreads executions, and does not make one decision contradict the next."""
    waits = set()
    for second in range(40):
        history = History()
        for _ in range(9):
            history.refused("a", "ACTIVITY_CREATION_RATE_EXCEEDED")
        history.events[-1]["eventTimestamp"] = float(second)
        assert wait_of(sent([], history)) == wait_of(sent([], history))
        waits.add(wait_of(sent([], history)))
    assert len(waits) > 10


def test_without_a_timer_a_running_activity_is_waited_for() -> None:
    """SWF refused both; the activity that runs brings the next decision."""
    history = History()
    history.scheduled("b")
    history.refused("a", "OPEN_ACTIVITIES_LIMIT_EXCEEDED")
    history.timer_refused("TIMER_CREATION_RATE_EXCEEDED")
    assert sent([], history) == []


def test_with_nothing_to_wait_for_the_workflow_fails() -> None:
    """SWF refused both and nothing runs: better a sentence than to hang."""
    history = History()
    history.refused("a", "OPEN_ACTIVITIES_LIMIT_EXCEEDED")
    history.timer_refused("OPERATION_NOT_PERMITTED")
    why = reason(sent([], history))
    assert "OPEN_ACTIVITIES_LIMIT_EXCEEDED" in why
    assert "OPERATION_NOT_PERMITTED" in why


def test_what_can_be_scheduled_is_not_given_up() -> None:
    """SWF refused one activity and the timer, but others go on."""
    history = History()
    history.refused("a", "OPEN_ACTIVITIES_LIMIT_EXCEEDED")
    history.timer_refused("TIMER_CREATION_RATE_EXCEEDED")
    assert sent(wish(1), history) == wish(1)


def test_closing_that_is_not_permitted_does_not_spin() -> None:
    """It is tried again after a wait, which grows."""
    history = History()
    history.not_closed("OPERATION_NOT_PERMITTED")
    assert 1 <= wait_of(sent(DONE, history)) <= 2
    history.timer_started()
    assert sent(DONE, history) == []
    history.timer_fired()
    assert sent(DONE, history) == DONE
    history.not_closed("OPERATION_NOT_PERMITTED", "FailWorkflowExecutionFailed")
    assert 2 <= wait_of(sent(DONE, history)) <= 4


def test_neither_closing_nor_waiting_is_no_answer() -> None:
    """The task times out, which is a wait, and then closing is tried again."""
    history = History()
    history.not_closed("OPERATION_NOT_PERMITTED")
    history.timer_refused("OPERATION_NOT_PERMITTED")
    with pytest.raises(NothingPermitted, match="policy"):
        sent(DONE, history)
    history.add("DecisionTaskTimedOut", scheduledEventId=1, timeoutType="START_TO_CLOSE")
    assert sent(DONE, history) == DONE


def test_unhandled_decisions_are_decided_again_at_once() -> None:
    """More had happened; the new decision knows it."""
    history = History()
    history.not_closed("UNHANDLED_DECISION")
    assert sent(DONE, history) == DONE


def test_stuck_is_when_nothing_will_happen() -> None:
    """No decision, nothing running, nothing waited for."""
    history = History()
    assert is_stuck([], event.History(history.events))
    assert not is_stuck(DONE, event.History(history.events))
    history.scheduled("a")
    assert not is_stuck([], event.History(history.events))
    history.completed("a-1")
    history.timer_started("any")
    assert not is_stuck([], event.History(history.events))

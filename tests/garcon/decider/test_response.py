"""The response to a decision task: the decisions that are sent of those desired."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garcon import decider, event
from garcon.decider.response import (
    FITTING_DECISIONS,
    MOST_CHARACTERS,
    MOST_DECISIONS,
    NothingPermitted,
    first_batch,
    is_stuck,
    permitted,
)
from garcon.history.reserved_timers import MORE_TIMER
from garcon.local import LocalSWF
from tests.garcon.decider.sticky_deciders import Office, count
from tests.garcon.flows import flow, kinds, make, reason
from tests.garcon.histories import History

DONE = [decider.complete_workflow()]


def to_schedule(number: int, size: int = 10) -> list[dict[str, Any]]:
    """Decisions to schedule so many activities."""
    return [
        {
            "decisionType": "ScheduleActivityTask",
            "scheduleActivityTaskDecisionAttributes": {"activityId": str(i), "input": "x" * size},
        }
        for i in range(number)
    ]


def sent(decisions: list[dict[str, Any]], history: History) -> list[dict[str, Any]]:
    """The decisions that are sent after a history."""
    return permitted(decisions, event.History(history.events))


def wait_of(decisions: list[dict[str, Any]]) -> int:
    """The seconds of the wait timer."""
    attributes = decisions[-1]["startTimerDecisionAttributes"]
    assert attributes["timerId"] == "garcon-wait"
    return int(attributes["startToFireTimeout"])


def test_permitted_decisions_are_sent_unchanged() -> None:
    """Nothing is added to an ordinary response."""
    assert sent(to_schedule(3), History()) == to_schedule(3)
    assert sent(DONE, History()) == DONE
    assert sent([], History()) == []


def test_no_more_are_scheduled_than_may_be_open() -> None:
    """The rest follows when open activities have ended."""
    history = History()
    for number in range(990):
        history.scheduled("a", f"a-{number}")
    assert len(sent(to_schedule(50), history)) == 10


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
    """The jitter differs between executions, and not between two decisions of one history."""
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
    """SWF refused both; the end of the running activity brings the next decision."""
    history = History()
    history.scheduled("b")
    history.refused("a", "OPEN_ACTIVITIES_LIMIT_EXCEEDED")
    history.timer_refused("TIMER_CREATION_RATE_EXCEEDED")
    assert sent([], history) == []


def test_with_nothing_to_wait_for_the_workflow_fails() -> None:
    """SWF refused both and nothing runs: a sentence is better than a hang."""
    history = History()
    history.refused("a", "OPEN_ACTIVITIES_LIMIT_EXCEEDED")
    history.timer_refused("OPERATION_NOT_PERMITTED")
    why = reason(sent([], history))
    assert "OPEN_ACTIVITIES_LIMIT_EXCEEDED" in why
    assert "OPERATION_NOT_PERMITTED" in why


def test_a_flow_with_other_activities_is_not_given_up() -> None:
    """SWF refused one activity and the timer, but others go on."""
    history = History()
    history.refused("a", "OPEN_ACTIVITIES_LIMIT_EXCEEDED")
    history.timer_refused("TIMER_CREATION_RATE_EXCEEDED")
    assert sent(to_schedule(1), history) == to_schedule(1)


def test_refused_closing_is_attempted_again_after_a_growing_wait() -> None:
    """The decider does not spin."""
    history = History()
    history.not_closed("OPERATION_NOT_PERMITTED")
    assert 1 <= wait_of(sent(DONE, history)) <= 2
    history.timer_started()
    assert sent(DONE, history) == []
    history.timer_fired()
    assert sent(DONE, history) == DONE
    history.not_closed("OPERATION_NOT_PERMITTED", "FailWorkflowExecutionFailed")
    assert 2 <= wait_of(sent(DONE, history)) <= 4


def test_without_closing_and_waiting_the_task_is_not_answered() -> None:
    """The task times out, which is a wait, and then closing is attempted again."""
    history = History()
    history.not_closed("OPERATION_NOT_PERMITTED")
    history.timer_refused("OPERATION_NOT_PERMITTED")
    with pytest.raises(NothingPermitted, match="policy"):
        sent(DONE, history)
    history.add("DecisionTaskTimedOut", scheduledEventId=1, timeoutType="START_TO_CLOSE")
    assert sent(DONE, history) == DONE


def test_unhandled_decisions_are_decided_again_at_once() -> None:
    """More had happened, and the new decision knows it."""
    history = History()
    history.not_closed("UNHANDLED_DECISION")
    assert sent(DONE, history) == DONE


def test_an_execution_is_stuck_when_nothing_will_happen() -> None:
    """There is no decision, nothing runs, and nothing is waited for."""
    history = History()
    assert is_stuck([], event.History(history.events))
    assert not is_stuck(DONE, event.History(history.events))
    history.scheduled("a")
    assert not is_stuck([], event.History(history.events))
    history.completed("a-1")
    history.timer_started("any")
    assert not is_stuck([], event.History(history.events))


def marker(number: int, size: int = 1) -> dict[str, Any]:
    """A decision of some size."""
    attributes = {"markerName": str(number), "details": "x" * size}
    return {"decisionType": "RecordMarker", "recordMarkerDecisionAttributes": attributes}


def test_a_batch_that_fits_is_sent_whole() -> None:
    """A hundred decisions, of which the last one closes."""
    decisions = [*map(marker, range(99)), decider.complete_workflow()]
    assert first_batch(decisions, event.History()) == decisions


def test_decisions_that_are_not_measured_fit() -> None:
    """The longest texts that SWF takes, in their longest encoding."""
    longest = decider.fail_workflow("\N{FIRE}" * 255, "\N{FIRE}" * 32_768)
    assert len(json.dumps(longest)) * FITTING_DECISIONS <= MOST_CHARACTERS


def test_a_timer_brings_the_rest_of_a_batch() -> None:
    """The first 99 decisions are sent in their order, with a timer of no seconds."""
    decisions = [*map(marker, range(150))]
    sent = first_batch(decisions, event.History())
    assert sent[:-1] == decisions[:99]
    assert sent[-1]["startTimerDecisionAttributes"] == {
        "timerId": MORE_TIMER,
        "startToFireTimeout": "0",
    }


def test_the_timer_is_started_once() -> None:
    """A timer that runs already brings the next task."""
    history = History()
    history.timer_started(MORE_TIMER)
    assert kinds(first_batch([*map(marker, range(150))], event.History(history.events))) == (
        ["RecordMarker"] * 100
    )


@given(
    st.lists(st.integers(1, 32_000) | st.just(32_000), min_size=1, max_size=10),
    st.integers(0, 130),
)
def test_no_response_is_larger_than_swf_takes(sizes: list[int], number: int) -> None:
    """It is bounded by count and size, makes progress, and keeps the order."""
    turns = itertools.islice(itertools.cycle(sizes), number)
    decisions = [marker(place, size) for place, size in enumerate(turns)]
    sent = first_batch(decisions, event.History())
    assert len(sent) <= MOST_DECISIONS
    assert sum(len(json.dumps(each)) for each in sent) <= MOST_CHARACTERS + 200
    markers = [each for each in sent if each["decisionType"] == "RecordMarker"]
    assert markers == decisions[: len(markers)]
    assert bool(markers) == bool(decisions)
    assert len(markers) == len(decisions) or kinds(sent)[-1] == "StartTimer"


@pytest.mark.slow
def test_a_wide_fan_is_scheduled_in_several_responses() -> None:
    """All of 250 are scheduled, without waiting for one of them to end."""
    fan = make("fan", generators=[lambda _: [{"n": n} for n in range(250)]])
    with LocalSWF() as swf:
        office = Office(swf, flow(a=fan))
        office.decider()
        office.start()
        office.run_until(lambda: count(swf.history("workflow"), "ActivityTaskScheduled") == 250)
        assert count(swf.history("workflow"), "ActivityTaskStarted") == 0
        assert count(swf.history("workflow"), "DecisionTaskCompleted") == 3
        assert office.run()[-1]["eventType"] == "WorkflowExecutionCompleted"

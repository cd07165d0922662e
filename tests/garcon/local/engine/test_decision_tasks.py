"""Decision tasks: batching, timeouts, and responses."""

import pytest

from garcon.local.engine import Fault, Waiting
from tests.garcon.local.engine.account import (
    CANCEL,
    COMPLETE,
    DECISIONS,
    FAIL,
    Account,
    Body,
    attributes,
    decision,
    schedule,
    timer,
)


def test_a_start_schedules_the_first_decision_task() -> None:
    """A new execution has two events, its start and a decision task, with all attributes."""
    account = Account()
    run = account.start(input="in", tagList=["x"])
    started, scheduled = account.history(run)
    assert attributes(started) == {
        "childPolicy": "TERMINATE",
        "executionStartToCloseTimeout": "3600",
        "input": "in",
        "parentInitiatedEventId": 0,
        "tagList": ["x"],
        "taskList": {"name": DECISIONS},
        "taskStartToCloseTimeout": "10",
        "workflowType": {"name": "wf", "version": "1.0"},
    }
    assert attributes(scheduled) == {
        "taskList": {"name": DECISIONS},
        "startToCloseTimeout": "10",
        "scheduleToStartTimeout": "NONE",
    }


def test_events_are_batched_into_one_decision_task() -> None:
    """While a decision task waits, events add no second one."""
    account = Account()
    run = account.start()
    account.signal()
    account.signal()
    assert account.types(run).count("DecisionTaskScheduled") == 1
    task = account.poll_decision()
    assert [event["eventType"] for event in task["events"]][-1] == "DecisionTaskStarted"
    assert isinstance(account.wait("Decision", DECISIONS), Waiting)


def test_an_event_during_a_decision_schedules_the_next_task_at_once() -> None:
    """The order is that of recorded histories, and further events join the task."""
    account = Account()
    run = account.start()
    account.decide(schedule("a"), schedule("b"))
    first, second = account.poll_activity(), account.poll_activity()
    account.signal()
    task = account.poll_decision()
    account.complete(first)
    account.complete(second)
    assert isinstance(account.wait("Decision", "elsewhere"), Waiting)
    account.respond(task)
    account.poll_decision()
    assert account.types(run)[-6:] == [
        "DecisionTaskStarted",
        "ActivityTaskCompleted",
        "DecisionTaskScheduled",
        "ActivityTaskCompleted",
        "DecisionTaskCompleted",
        "DecisionTaskStarted",
    ]


def test_the_early_task_cannot_be_polled_before_the_first_ends() -> None:
    """At most one decision task of an execution is open."""
    account = Account()
    run = account.start()
    task = account.poll_decision()
    account.signal()
    assert account.describe(run)["openCounts"]["openDecisionTasks"] == 1
    assert account.pending("Decision", DECISIONS) == 0
    poll = account.wait("Decision", DECISIONS)
    assert isinstance(poll, Waiting)
    account.respond(task)
    (wakeup,) = account.engine.take_wakeups()
    assert wakeup.poll_id == poll.poll_id


def test_an_empty_response_means_wait() -> None:
    """The response is the last event, no task follows, and the latest context is kept."""
    account = Account()
    run = account.start()
    account.decide(executionContext="ctx")
    assert account.types(run)[-1] == "DecisionTaskCompleted"
    assert account.last(run, "DecisionTaskCompleted") == {
        "executionContext": "ctx",
        "scheduledEventId": 2,
        "startedEventId": 3,
    }
    account.signal()
    account.decide()
    assert account.describe(run)["latestExecutionContext"] == "ctx"
    assert account.describe(run)["openCounts"]["openDecisionTasks"] == 0


def test_a_late_decision_is_timed_out_and_another_task_follows() -> None:
    """The token of the late one is stale, and its decisions have no effect."""
    account = Account()
    run = account.start()
    late = account.poll_decision()
    account.after(10)
    assert account.types(run)[-2:] == ["DecisionTaskTimedOut", "DecisionTaskScheduled"]
    assert account.last(run, "DecisionTaskTimedOut") == {
        "timeoutType": "START_TO_CLOSE",
        "scheduledEventId": 2,
        "startedEventId": 3,
    }
    with pytest.raises(Fault, match=r"UnknownResourceFault: Unknown decision task"):
        account.respond(late, COMPLETE)
    task = account.decide(COMPLETE)
    assert task["previousStartedEventId"] == 0


def test_events_during_a_late_decision_do_not_double_the_next_task() -> None:
    """The task that was scheduled early is used after the timeout."""
    account = Account()
    run = account.start()
    account.poll_decision()
    account.signal()
    account.after(10)
    assert account.types(run)[-3:] == [
        "WorkflowExecutionSignaled",
        "DecisionTaskScheduled",
        "DecisionTaskTimedOut",
    ]
    account.decide()


def test_a_decision_timeout_of_none_never_ends() -> None:
    """NONE is unlimited, within the timeout of the execution."""
    account = Account()
    run = account.start(taskStartToCloseTimeout="NONE")
    task = account.poll_decision()
    account.after(3000)
    account.respond(task)
    assert account.types(run)[-2:] == ["DecisionTaskStarted", "DecisionTaskCompleted"]


@pytest.mark.parametrize(
    "closing",
    [COMPLETE, FAIL, CANCEL, decision("ContinueAsNewWorkflowExecution")],
    ids=lambda each: each["decisionType"],
)
def test_closing_fails_with_unseen_events(closing: Body) -> None:
    """UNHANDLED_DECISION, and the next task has the events; then closing succeeds."""
    account = Account()
    run = account.start()
    task = account.poll_decision()
    account.signal()
    account.respond(task, closing)
    assert account.last(run, f"{closing['decisionType']}Failed") == {
        "cause": "UNHANDLED_DECISION",
        "decisionTaskCompletedEventId": 6,
    }
    task = account.decide(closing)
    assert "WorkflowExecutionSignaled" in [event["eventType"] for event in task["events"]]
    assert account.describe(run)["executionInfo"]["executionStatus"] == "CLOSED"


def test_closing_succeeds_after_a_decision_that_failed_in_the_same_response() -> None:
    """Only events that were added during the decision count as unseen."""
    account = Account()
    run = account.start()
    account.decide(decision("CancelTimer", timerId="none"), COMPLETE)
    assert account.types(run)[-2:] == ["CancelTimerFailed", "WorkflowExecutionCompleted"]


def test_a_failed_decision_leads_to_another_task() -> None:
    """The other decisions are carried out, and one task follows them all."""
    account = Account()
    run = account.start()
    account.decide(
        decision("CancelTimer", timerId="x"), timer(), decision("CancelTimer", timerId="y")
    )
    assert account.types(run)[-4:] == [
        "CancelTimerFailed",
        "TimerStarted",
        "CancelTimerFailed",
        "DecisionTaskScheduled",
    ]


def test_markers_are_recorded() -> None:
    """A marker's details may be absent; no task follows it."""
    account = Account()
    run = account.start()
    account.decide(
        decision("RecordMarker", markerName="m", details="d"),
        decision("RecordMarker", markerName="n"),
    )
    first, second = account.history(run)[-2:]
    assert attributes(first) == {
        "markerName": "m",
        "details": "d",
        "decisionTaskCompletedEventId": 4,
    }
    assert attributes(second) == {"markerName": "n", "decisionTaskCompletedEventId": 4}


def test_an_invalid_response_changes_nothing() -> None:
    """A closing decision that is not last, or one without attributes, is refused as a whole."""
    account = Account()
    run = account.start()
    task = account.poll_decision()
    with pytest.raises(Fault, match="Close must be last decision in list"):
        account.respond(task, timer(), COMPLETE, timer("u"))
    with pytest.raises(Fault, match=r"decisions\.2\.member\.startTimerDecisionAttributes"):
        account.respond(task, timer(), {"decisionType": "StartTimer"})
    assert account.types(run)[-1] == "DecisionTaskStarted"
    account.respond(task, {"decisionType": "CompleteWorkflowExecution"})
    assert account.types(run)[-1] == "WorkflowExecutionCompleted"


def test_tokens_are_for_one_kind_of_task() -> None:
    """An activity token is refused for a decision task, and a random text for both."""
    account = Account()
    account.start()
    account.decide(schedule())
    activity = account.poll_activity()
    with pytest.raises(Fault, match="UnknownResourceFault"):
        account.respond(activity)
    with pytest.raises(Fault, match="ValidationException: Invalid token"):
        account.respond({"taskToken": "nonsense"})

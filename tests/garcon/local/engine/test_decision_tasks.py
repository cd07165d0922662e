"""Decision tasks: batching, timeouts, sticky lists, and the history that comes with them."""

import pytest

from garcon.local.engine import Fault, Waiting
from tests.garcon.local.engine.account import (
    CANCEL,
    COMPLETE,
    DECISIONS,
    DOMAIN,
    FAIL,
    Account,
    Body,
    attributes,
    decision,
    schedule,
    timer,
)


def ids(task: Body) -> list[int]:
    """The ids of the events that came with a task."""
    return [event["eventId"] for event in task["events"]]


def test_a_start_schedules_the_first_decision_task() -> None:
    """The history of a new execution is its start and a decision task, told in full."""
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
    """While a decision task waits, what happens adds no second one."""
    account = Account()
    run = account.start()
    account.signal()
    account.signal()
    assert account.types(run).count("DecisionTaskScheduled") == 1
    task = account.poll_decision()
    assert [event["eventType"] for event in task["events"]][-1] == "DecisionTaskStarted"
    assert isinstance(account.wait("Decision", DECISIONS), Waiting)


def test_an_event_during_a_decision_schedules_the_next_task_at_once() -> None:
    """The order of recorded histories, and further events join without another task."""
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
    """No decisions, no events but the response, no further task."""
    account = Account()
    run = account.start()
    account.decide(executionContext="ctx")
    assert account.types(run)[-1] == "DecisionTaskCompleted"
    assert account.last(run, "DecisionTaskCompleted") == {
        "executionContext": "ctx",
        "scheduledEventId": 2,
        "startedEventId": 3,
    }
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
    """The task that was scheduled early serves after the timeout."""
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
    """NONE is unlimited, up to the life of the execution."""
    account = Account()
    account.start(taskStartToCloseTimeout="NONE")
    task = account.poll_decision()
    account.after(3000)
    account.respond(task)


@pytest.mark.parametrize(
    "closing",
    [COMPLETE, FAIL, CANCEL, decision("ContinueAsNewWorkflowExecution")],
    ids=lambda each: each["decisionType"],
)
def test_closing_fails_while_something_is_unseen(closing: Body) -> None:
    """UNHANDLED_DECISION, and the next task shows what it was; then closing succeeds."""
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
    """Only what was added while the decider worked counts as unseen."""
    account = Account()
    run = account.start()
    account.decide(decision("CancelTimer", timerId="none"), COMPLETE)
    assert account.types(run)[-2:] == ["CancelTimerFailed", "WorkflowExecutionCompleted"]


def test_a_failed_decision_calls_for_another_task_at_the_end() -> None:
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


def test_previous_started_event_is_that_of_the_last_completed_task() -> None:
    """It is 0 at first, and a task that timed out does not count."""
    account = Account()
    run = account.start()
    assert account.decide()["previousStartedEventId"] == 0
    account.signal()
    account.poll_decision()
    account.after(10)
    task = account.decide()
    assert task["previousStartedEventId"] == 3
    account.signal()
    assert account.decide()["previousStartedEventId"] == task["startedEventId"]
    assert account.types(run)[2] == "DecisionTaskStarted"


def test_the_history_can_begin_at_the_previous_start() -> None:
    """Asking for that leaves out what happened before that moment, by timestamp."""
    account = Account()
    account.start()
    account.after(1)
    account.decide()
    account.after(1)
    account.signal()
    account.after(1)
    task = account.poll_decision(startAtPreviousStartedEvent=True)
    assert ids(task) == [3, 4, 5, 6, 7]
    assert task["previousStartedEventId"] == 3


def test_the_first_task_has_no_previous_start_to_begin_at() -> None:
    """Then the history begins at its beginning."""
    account = Account()
    account.start()
    assert ids(account.poll_decision(startAtPreviousStartedEvent=True)) == [1, 2, 3]


def test_a_long_history_comes_in_pages() -> None:
    """Every page names the same task; later events stay out; no other task is taken."""
    account = Account()
    account.start()
    for _ in range(5):
        account.signal()
    account.start("other")
    task = account.poll_decision(maximumPageSize=3)
    account.signal()
    shown, page = ids(task), task
    while "nextPageToken" in page:
        page = account.poll_decision(maximumPageSize=3, nextPageToken=page["nextPageToken"])
        assert page["taskToken"] == task["taskToken"]
        assert page["startedEventId"] == task["startedEventId"]
        shown += ids(page)
    assert shown == list(range(1, 9))
    account.respond(page)
    assert account.poll_decision()["workflowExecution"]["workflowId"] == "other"


def test_a_long_history_comes_backwards_in_pages() -> None:
    """With reverseOrder the event that started the task comes first."""
    account = Account()
    account.start()
    account.signal()
    task = account.poll_decision(maximumPageSize=3, reverseOrder=True)
    token = task["nextPageToken"]
    rest = account.poll_decision(maximumPageSize=3, reverseOrder=True, nextPageToken=token)
    assert ids(task) + ids(rest) == [4, 3, 2, 1]
    assert "nextPageToken" not in rest


def test_a_page_token_is_good_for_its_own_listing_and_a_day() -> None:
    """Another task list, another operation, or tomorrow: refused."""
    account = Account()
    run = account.start()
    token = account.poll_decision(maximumPageSize=1)["nextPageToken"]
    with pytest.raises(Fault, match="Invalid token"):
        account.poll_decision("elsewhere", nextPageToken=token)
    with pytest.raises(Fault, match="Invalid token"):
        account.call(
            "GetWorkflowExecutionHistory",
            domain=DOMAIN,
            execution={"workflowId": "w", "runId": run},
            nextPageToken=token,
        )
    with pytest.raises(Fault, match="Invalid token"):
        account.poll_decision(nextPageToken="garbage")
    account.after(24 * 3600 + 1)
    with pytest.raises(Fault, match="exceeded its maximum lifetime"):
        account.poll_decision(nextPageToken=token)


def test_a_sticky_list_serves_future_tasks() -> None:
    """The override is told in the response's event, and its timeout in the task's."""
    account = Account()
    run = account.start()
    account.decide(taskList={"name": "mine"}, taskListScheduleToStartTimeout="5")
    assert account.last(run, "DecisionTaskCompleted") == {
        "scheduledEventId": 2,
        "startedEventId": 3,
        "taskList": {"name": "mine"},
        "taskListScheduleToStartTimeout": "5",
    }
    for _ in range(2):
        account.signal()
        assert account.last(run, "DecisionTaskScheduled") == {
            "taskList": {"name": "mine"},
            "startToCloseTimeout": "10",
            "scheduleToStartTimeout": "5",
        }
        account.decide(task_list="mine")


def test_a_sticky_task_that_is_not_started_goes_back() -> None:
    """SCHEDULE_TO_START with startedEventId 0, then a task on the original list, for good."""
    account = Account()
    run = account.start()
    account.decide(taskList={"name": "mine"}, taskListScheduleToStartTimeout="5")
    account.signal()
    account.after(5)
    assert account.last(run, "DecisionTaskTimedOut") == {
        "timeoutType": "SCHEDULE_TO_START",
        "scheduledEventId": 6,
        "startedEventId": 0,
    }
    assert isinstance(account.wait("Decision", "mine"), Waiting)
    account.decide()
    account.signal()
    assert account.last(run, "DecisionTaskScheduled")["taskList"] == {"name": DECISIONS}


def test_a_sticky_task_that_is_not_completed_goes_back() -> None:
    """A started one that is late ends the override as well."""
    account = Account()
    run = account.start()
    account.decide(taskList={"name": "mine"}, taskListScheduleToStartTimeout="5")
    account.signal()
    account.poll_decision("mine")
    account.after(10)
    assert account.last(run, "DecisionTaskTimedOut")["timeoutType"] == "START_TO_CLOSE"
    assert account.last(run, "DecisionTaskScheduled")["taskList"] == {"name": DECISIONS}


def test_an_override_without_a_timeout_is_permanent() -> None:
    """It outlives a task that was late, and it is the list that is described."""
    account = Account()
    run = account.start()
    account.decide(taskList={"name": "mine"})
    account.signal()
    account.poll_decision("mine")
    account.after(10)
    assert account.last(run, "DecisionTaskScheduled")["taskList"] == {"name": "mine"}
    assert account.describe(run)["executionConfiguration"]["taskList"] == {"name": "mine"}


def test_a_temporary_override_is_not_the_execution_s_list() -> None:
    """What is described is the list of the start."""
    account = Account()
    run = account.start()
    account.decide(taskList={"name": "mine"}, taskListScheduleToStartTimeout="5")
    assert account.describe(run)["executionConfiguration"]["taskList"] == {"name": DECISIONS}


def test_a_task_scheduled_before_an_override_keeps_its_list() -> None:
    """The event has said where it is; only later tasks go to the new list."""
    account = Account()
    account.start()
    task = account.poll_decision()
    account.signal()
    account.respond(task, taskList={"name": "mine"}, taskListScheduleToStartTimeout="5")
    account.decide()
    account.signal()
    account.decide(task_list="mine")


def test_a_sticky_clock_runs_from_when_the_task_can_be_polled() -> None:
    """A task that was scheduled early is not late before the decider has answered."""
    account = Account()
    run = account.start()
    account.decide(taskList={"name": "mine"}, taskListScheduleToStartTimeout="5")
    account.signal()
    task = account.poll_decision("mine")
    account.signal()
    account.after(9)
    account.respond(task)
    account.after(4)
    assert "DecisionTaskTimedOut" not in account.types(run)
    account.after(1)
    assert account.last(run, "DecisionTaskTimedOut")["timeoutType"] == "SCHEDULE_TO_START"


def test_a_bad_response_changes_nothing() -> None:
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
    """An activity token does not answer a decision task, and nonsense is no token."""
    account = Account()
    account.start()
    account.decide(schedule())
    activity = account.poll_activity()
    with pytest.raises(Fault, match="UnknownResourceFault"):
        account.respond(activity)
    with pytest.raises(Fault, match="ValidationException: Invalid token"):
        account.respond({"taskToken": "nonsense"})

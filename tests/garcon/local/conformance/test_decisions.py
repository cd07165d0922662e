"""Polls, and decision tasks with their history: one test a rule, through boto3."""

from __future__ import annotations

from tests.garcon.local.conformance.account import (
    ACTIVITY,
    DECISIONS,
    WORKFLOW,
    Account,
    TimedAccount,
    attributes_of,
    background,
    complete,
    decision,
    refused,
    schedule,
)

# Polling.


def test_a_poll_without_work_ends_empty(account: Account) -> None:
    """At the end of its window a poll gets no token and an event id of 0."""
    task = account.poll_activity()
    assert not task.get("taskToken")
    assert task["startedEventId"] == 0


def test_a_poll_is_held_for_a_minute(timed: TimedAccount) -> None:
    """A poll waits for work for exactly a minute."""
    before = timed.swf.now
    assert not timed.poll_activity().get("taskToken")
    assert timed.swf.now == before + 60


def test_a_waiting_poll_gets_work_when_it_arrives(timed: TimedAccount) -> None:
    """A poll that was made before there was work is answered with it."""
    with timed.swf.hold(), background(timed.poll_decision) as tasks:
        timed.start()
    assert tasks[0]["workflowExecution"]["workflowId"] == "w"


def test_an_activity_task_has_its_input(account: Account) -> None:
    """An activity task has its id, type, input and execution."""
    run_id = account.start()
    account.decide(schedule(input="beans"))
    task = account.activity_task(identity="me")
    assert (task["activityId"], task["activityType"], task["input"]) == ("a", ACTIVITY, "beans")
    assert task["workflowExecution"] == {"workflowId": "w", "runId": run_id}
    assert account.last("ActivityTaskStarted")["identity"] == "me"


def test_a_higher_priority_is_served_first(account: Account) -> None:
    """Of the tasks on a list the one with the highest priority is given out first."""
    account.start()
    account.decide(schedule("low", taskPriority="-1"), schedule("high", taskPriority="10"))
    assert account.activity_task()["activityId"] == "high"


def test_an_urgent_execution_is_decided_first(timed: TimedAccount) -> None:
    """The priority comes from the start or from the type, of a child and a continuation too."""
    urgent = {"name": "urgent", "version": "1"}
    defaults = {"defaultTaskPriority": "3", "defaultChildPolicy": "ABANDON"}
    times = ("defaultTaskStartToCloseTimeout", "defaultExecutionStartToCloseTimeout")
    timed.in_domain(
        "register_workflow_type",
        **urgent,
        **defaults,
        **dict.fromkeys(times, "60"),
        defaultTaskList=DECISIONS,
    )
    timed.start("plain")
    timed.start("by type", workflowType=urgent)
    timed.start("by start", taskPriority="9")
    child = {"workflowId": "child", "workflowType": WORKFLOW, "taskPriority": "10"}
    timed.decide(decision("StartChildWorkflowExecution", **child))
    timed.decide(decision("ContinueAsNewWorkflowExecution", taskPriority="8"))
    order = [timed.decide()["workflowExecution"]["workflowId"] for _ in range(4)]
    assert order == ["by start", "child", "by type", "plain"]


def test_equal_priorities_are_served_in_turn(account: Account) -> None:
    """Of tasks with the same priority the one scheduled first is given out first."""
    account.start()
    account.decide(schedule("first"), schedule("second"))
    assert account.activity_task()["activityId"] == "first"


# Decision tasks and their history.


def test_a_decision_task_holds_the_history(account: Account) -> None:
    """The first decision task has the start of the execution, and previousStartedEventId 0."""
    account.start(input="espresso")
    task = account.decision_task()
    kinds = [event["eventType"] for event in task["events"]]
    assert kinds == ["WorkflowExecutionStarted", "DecisionTaskScheduled", "DecisionTaskStarted"]
    assert attributes_of(task["events"][0])["input"] == "espresso"
    assert (task["startedEventId"], task["previousStartedEventId"]) == (3, 0)
    assert task["workflowType"] == WORKFLOW


def test_the_previous_decision_is_marked(account: Account) -> None:
    """A decision task names the start of the one before, so that new events are known."""
    account.start()
    first = account.decide()
    account.signal("go")
    assert account.decision_task()["previousStartedEventId"] == first["startedEventId"]


def test_the_history_comes_in_pages(account: Account) -> None:
    """Further pages of a decision task's history come by polls with the token, without a task."""
    account.start()
    task = account.decision_task(maximumPageSize=2)
    rest = account.poll_decision(maximumPageSize=2, nextPageToken=task["nextPageToken"])
    assert [event["eventId"] for event in task["events"] + rest["events"]] == [1, 2, 3]
    assert rest["taskToken"] == task["taskToken"]
    assert "nextPageToken" not in rest


def test_a_page_token_of_a_poll_is_for_polls(account: Account) -> None:
    """GetWorkflowExecutionHistory refuses the page token of a decision task."""
    run_id = account.start()
    token = account.decision_task(maximumPageSize=2)["nextPageToken"]
    with refused("ValidationException"):
        account.history(run_id=run_id, nextPageToken=token)


def test_a_page_token_is_valid_for_a_day(timed: TimedAccount) -> None:
    """After a day it is refused in the words of the documentation."""
    timed.start(taskStartToCloseTimeout="NONE", executionStartToCloseTimeout="999999")
    token = timed.decision_task(maximumPageSize=2)["nextPageToken"]
    timed.after(24 * 3600)
    assert timed.poll_decision(nextPageToken=token)["events"]
    timed.after(1)
    with refused("ValidationException", "Specified token has exceeded its maximum lifetime"):
        timed.poll_decision(nextPageToken=token)


def test_the_history_can_be_read_backwards(account: Account) -> None:
    """With reverseOrder the newest event comes first, in polls and in histories."""
    account.start()
    task = account.decision_task(reverseOrder=True)
    assert [event["eventId"] for event in task["events"]] == [3, 2, 1]
    assert [event["eventId"] for event in account.history(reverseOrder=True)] == [3, 2, 1]


def test_a_poll_may_ask_for_what_is_new(timed: TimedAccount) -> None:
    """With startAtPreviousStartedEvent the history begins where the task before was started."""
    timed.start()
    timed.after(1)
    first = timed.decide()
    timed.after(1)
    timed.signal("go")
    task = timed.decision_task(startAtPreviousStartedEvent=True)
    assert task["events"][0]["eventId"] == first["startedEventId"]


def test_one_decision_task_at_a_time(account: Account) -> None:
    """While a decision task is started, no other one of the execution is given out."""
    account.start(taskStartToCloseTimeout="1000")
    account.decision_task()
    account.signal("go")
    assert not account.poll_decision().get("taskToken")


def test_events_during_a_decision_lead_to_one_task(account: Account) -> None:
    """Events during a decision schedule one further task at once, and all of them join it."""
    account.start()
    task = account.decision_task()
    for name in ("one", "two"):
        account.signal(name)
    account.respond(task)
    assert account.kinds()[3:] == [
        "WorkflowExecutionSignaled",
        "DecisionTaskScheduled",
        "WorkflowExecutionSignaled",
        "DecisionTaskCompleted",
    ]
    names = [
        attributes_of(event)["signalName"]
        for event in account.decision_task()["events"]
        if event["eventType"] == "WorkflowExecutionSignaled"
    ]
    assert names == ["one", "two"]


def test_no_decision_means_wait(account: Account) -> None:
    """An empty list of decisions is accepted, and no task follows until the next event."""
    account.start()
    account.decide()
    assert account.kinds()[-1] == "DecisionTaskCompleted"
    assert not account.poll_decision().get("taskToken")


def test_a_closing_decision_is_the_last(account: Account) -> None:
    """Decisions after the one that closes the execution are refused as a whole."""
    account.start()
    task = account.decision_task()
    with refused("ValidationException"):
        account.respond(task, complete(), schedule())


def test_a_close_with_unseen_events_fails(account: Account) -> None:
    """After an event during the decision, closing fails and a new task follows."""
    account.start()
    task = account.decision_task()
    account.signal("late")
    account.respond(task, complete())
    assert account.last("CompleteWorkflowExecutionFailed")["cause"] == "UNHANDLED_DECISION"
    assert account.decision_task()["taskToken"]


def test_a_late_decision_is_refused(timed: TimedAccount) -> None:
    """A decision task that takes too long times out and is given out again; its response is
    refused.
    """
    timed.start()
    task = timed.decision_task()
    timed.after(11)
    assert timed.last("DecisionTaskTimedOut")["timeoutType"] == "START_TO_CLOSE"
    with refused("UnknownResourceFault"):
        timed.respond(task)
    assert timed.decision_task()["taskToken"] != task["taskToken"]


def test_the_execution_context_is_kept(account: Account) -> None:
    """The execution context of a decider is in the event and in the description."""
    account.start()
    account.decide(executionContext="half way")
    assert account.last("DecisionTaskCompleted")["executionContext"] == "half way"
    assert account.describe()["latestExecutionContext"] == "half way"


def test_a_private_list_takes_over(timed: TimedAccount) -> None:
    """A decider may have further tasks sent to its own list; tasks not polled for come back."""
    timed.start()
    timed.decide(taskList={"name": "mine"}, taskListScheduleToStartTimeout="5")
    timed.signal("go")
    pending = timed.in_domain("count_pending_decision_tasks", taskList={"name": "mine"})
    assert pending["count"] == 1
    timed.after(6)
    assert timed.last("DecisionTaskTimedOut")["timeoutType"] == "SCHEDULE_TO_START"
    assert timed.decision_task()["taskToken"]


def test_a_late_decider_loses_its_private_list(timed: TimedAccount) -> None:
    """A task of a private list that is not completed in time comes back to the execution's list."""
    timed.start()
    timed.decide(taskList={"name": "mine"}, taskListScheduleToStartTimeout="5")
    timed.signal("go")
    assert timed.poll_decision(taskList={"name": "mine"})["taskToken"]
    timed.after(10)
    assert timed.last("DecisionTaskTimedOut")["timeoutType"] == "START_TO_CLOSE"
    assert timed.decision_task()["taskToken"]


def test_a_list_without_a_timeout_is_permanent(timed: TimedAccount) -> None:
    """Later tasks stay on it, even after a timeout."""
    timed.start()
    timed.decide(taskList={"name": "mine"})
    timed.signal("go")
    assert timed.poll_decision(taskList={"name": "mine"})["taskToken"]
    timed.after(10)
    assert timed.last("DecisionTaskScheduled")["taskList"] == {"name": "mine"}

"""Polling, decision tasks, activity tasks: one test a rule, through boto3."""

from __future__ import annotations

from typing import Any

import pytest

from garcon.local import LocalSWF, Settings
from tests.garcon.local.conformance import (
    ACTIVITY,
    DECISIONS,
    WORKFLOW,
    Account,
    Timed,
    attributes_of,
    background,
    complete,
    decision,
    refused,
    schedule,
)

RESPONSES = (
    "respond_activity_task_completed",
    "respond_activity_task_failed",
    "respond_activity_task_canceled",
    "record_activity_task_heartbeat",
)


# Polling.


def test_a_poll_without_work_ends_empty(account: Account) -> None:
    """At the end of its window a poll gets an empty token and no event."""
    task = account.poll_activity()
    assert not task.get("taskToken")
    assert task["startedEventId"] == 0


def test_a_waiting_poll_gets_work_when_it_arrives(timed: Timed) -> None:
    """A poll that was made before there was work is answered with it."""
    with timed.swf.hold(), background(timed.poll_decision) as tasks:
        timed.start()
    assert tasks[0]["workflowExecution"]["workflowId"] == "w"


def test_an_activity_task_tells_what_to_do(account: Account) -> None:
    """An activity task holds its id, type, input and execution."""
    run_id = account.start()
    account.decide(schedule(input="beans"))
    task = account.activity_task(identity="me")
    assert (task["activityId"], task["activityType"], task["input"]) == ("a", ACTIVITY, "beans")
    assert task["workflowExecution"] == {"workflowId": "w", "runId": run_id}
    assert account.last("ActivityTaskStarted")["identity"] == "me"


def test_a_higher_priority_is_served_first(account: Account) -> None:
    """Of the tasks on a list the one with the highest priority is handed out first."""
    account.start()
    account.decide(schedule("low", taskPriority="-1"), schedule("high", taskPriority="10"))
    assert account.activity_task()["activityId"] == "high"


def test_equal_priorities_are_served_in_turn(account: Account) -> None:
    """Of tasks with the same priority the one scheduled first is handed out first."""
    account.start()
    account.decide(schedule("first"), schedule("second"))
    assert account.activity_task()["activityId"] == "first"


# Decision tasks and their history.


def test_a_decision_task_holds_the_history(account: Account) -> None:
    """The first decision task tells the start of the execution, and that nothing came before."""
    account.start(input="espresso")
    task = account.decision_task()
    kinds = [event["eventType"] for event in task["events"]]
    assert kinds == ["WorkflowExecutionStarted", "DecisionTaskScheduled", "DecisionTaskStarted"]
    assert attributes_of(task["events"][0])["input"] == "espresso"
    assert (task["startedEventId"], task["previousStartedEventId"]) == (3, 0)
    assert task["workflowType"] == WORKFLOW


def test_the_previous_decision_is_marked(account: Account) -> None:
    """A decision task tells which event started the one before, so that what is new is known."""
    account.start()
    first = account.decide()
    account.signal("go")
    assert account.decision_task()["previousStartedEventId"] == first["startedEventId"]


def test_the_history_comes_in_pages(account: Account) -> None:
    """Further pages of a decision task's history come by polling with the token, taking no task."""
    account.start()
    task = account.decision_task(maximumPageSize=2)
    rest = account.poll_decision(maximumPageSize=2, nextPageToken=task["nextPageToken"])
    assert [event["eventId"] for event in task["events"] + rest["events"]] == [1, 2, 3]
    assert rest["taskToken"] == task["taskToken"]
    assert "nextPageToken" not in rest


def test_a_page_token_of_a_poll_is_for_polls(account: Account) -> None:
    """A decision task's page token is of no use to GetWorkflowExecutionHistory."""
    run_id = account.start()
    token = account.decision_task(maximumPageSize=2)["nextPageToken"]
    with refused("ValidationException"):
        account.history(run_id=run_id, nextPageToken=token)


def test_the_history_can_be_read_backwards(account: Account) -> None:
    """With reverseOrder the newest event comes first, in polls and in histories."""
    account.start()
    task = account.decision_task(reverseOrder=True)
    assert [event["eventId"] for event in task["events"]] == [3, 2, 1]
    assert [event["eventId"] for event in account.history(reverseOrder=True)] == [3, 2, 1]


def test_a_poll_may_ask_for_what_is_new(timed: Timed) -> None:
    """With startAtPreviousStartedEvent the history begins where the task before was started."""
    timed.start()
    timed.after(1)
    first = timed.decide()
    timed.after(1)
    timed.signal("go")
    task = timed.decision_task(startAtPreviousStartedEvent=True)
    assert task["events"][0]["eventId"] == first["startedEventId"]


def test_one_decision_task_at_a_time(account: Account) -> None:
    """While a decision task is started no other is handed out for the execution."""
    account.start(taskStartToCloseTimeout="1000")
    account.decision_task()
    account.signal("go")
    assert not account.poll_decision().get("taskToken")


def test_what_happens_meanwhile_is_one_further_task(account: Account) -> None:
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
    """An empty list of decisions is taken, and no task follows until something happens."""
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


def test_a_close_that_has_not_seen_all_fails(account: Account) -> None:
    """If something happened during the decision, closing fails and a new task follows."""
    account.start()
    task = account.decision_task()
    account.signal("late")
    account.respond(task, complete())
    assert account.last("CompleteWorkflowExecutionFailed")["cause"] == "UNHANDLED_DECISION"
    assert account.decision_task()["taskToken"]


def test_a_late_decision_finds_its_task_gone(timed: Timed) -> None:
    """A decision task that takes too long times out, is given out again, and its answer refused."""
    timed.start()
    task = timed.decision_task()
    timed.after(11)
    assert timed.last("DecisionTaskTimedOut")["timeoutType"] == "START_TO_CLOSE"
    with refused("UnknownResourceFault"):
        timed.respond(task)
    assert timed.decision_task()["taskToken"] != task["taskToken"]


def test_the_execution_context_is_kept(account: Account) -> None:
    """What a decider leaves as execution context is told by the event and the description."""
    account.start()
    account.decide(executionContext="half way")
    assert account.last("DecisionTaskCompleted")["executionContext"] == "half way"
    assert account.describe()["latestExecutionContext"] == "half way"


def test_a_private_list_takes_over(timed: Timed) -> None:
    """A decider may have further tasks sent to a list of its own; unserved they come back."""
    timed.start()
    timed.decide(taskList={"name": "mine"}, taskListScheduleToStartTimeout="5")
    timed.signal("go")
    pending = timed.in_domain("count_pending_decision_tasks", taskList={"name": "mine"})
    assert pending["count"] == 1
    timed.after(6)
    assert timed.last("DecisionTaskTimedOut")["timeoutType"] == "SCHEDULE_TO_START"
    assert timed.decision_task()["taskToken"]


# Activity tasks.


def test_a_completed_activity_gives_its_result(account: Account) -> None:
    """The result of an activity is in the history, with the events of its start and schedule."""
    account.start()
    account.decide(schedule())
    account.complete_activity(result="cup")
    assert account.last("ActivityTaskCompleted") == {
        "result": "cup",
        "scheduledEventId": 5,
        "startedEventId": 6,
    }
    assert account.decision_task()["taskToken"]


def test_a_failed_activity_gives_its_reason(account: Account) -> None:
    """Reason and details of a failure are in the history."""
    account.start()
    account.decide(schedule())
    token = account.activity_task()["taskToken"]
    account.call("respond_activity_task_failed", taskToken=token, reason="dry", details="no water")
    told = account.last("ActivityTaskFailed")
    assert (told["reason"], told["details"]) == ("dry", "no water")


def test_a_scheduled_activity_repeats_its_timeouts(account: Account) -> None:
    """All four timeouts are in the event as text, wherever they came from."""
    account.start()
    account.decide(schedule(startToCloseTimeout="7", control="c"))
    told = account.last("ActivityTaskScheduled")
    assert told["startToCloseTimeout"] == "7"
    assert told["scheduleToStartTimeout"] == "100"
    assert told["scheduleToCloseTimeout"] == "200"
    assert told["heartbeatTimeout"] == "NONE"
    assert (told["control"], told["taskList"]) == ("c", {"name": "work"})


@pytest.mark.parametrize(
    ("attributes", "cause"),
    [
        ({"activityType": {"name": "none", "version": "1"}}, "ACTIVITY_TYPE_DOES_NOT_EXIST"),
        ({"activityType": {"name": "old", "version": "1"}}, "ACTIVITY_TYPE_DEPRECATED"),
        (
            {
                "activityType": {"name": "bare", "version": "1"},
                "startToCloseTimeout": "1",
                "scheduleToStartTimeout": "1",
                "scheduleToCloseTimeout": "1",
                "heartbeatTimeout": "1",
            },
            "DEFAULT_TASK_LIST_UNDEFINED",
        ),
        ({"activityId": "open"}, "ACTIVITY_ID_ALREADY_IN_USE"),
    ],
)
def test_a_refused_activity_is_an_event(
    account: Account, attributes: dict[str, Any], cause: str
) -> None:
    """An activity that cannot be scheduled is told by an event with the cause, and a new task."""
    account.in_domain("register_activity_type", name="bare", version="1")
    account.in_domain("register_activity_type", name="old", version="1")
    account.in_domain("deprecate_activity_type", activityType={"name": "old", "version": "1"})
    account.start()
    wanted = {"activityId": "a", "activityType": ACTIVITY, **attributes}
    account.decide(schedule("open"), decision("ScheduleActivityTask", **wanted))
    told = account.last("ScheduleActivityTaskFailed")
    assert (told["cause"], told["activityId"]) == (cause, wanted["activityId"])
    assert account.decision_task()["taskToken"]


@pytest.mark.parametrize(
    ("missing", "cause"),
    [
        ("startToCloseTimeout", "DEFAULT_START_TO_CLOSE_TIMEOUT_UNDEFINED"),
        ("scheduleToCloseTimeout", "DEFAULT_SCHEDULE_TO_CLOSE_TIMEOUT_UNDEFINED"),
        ("scheduleToStartTimeout", "DEFAULT_SCHEDULE_TO_START_TIMEOUT_UNDEFINED"),
        ("heartbeatTimeout", "DEFAULT_HEARTBEAT_TIMEOUT_UNDEFINED"),
    ],
)
def test_a_timeout_that_nobody_gives_is_refused(account: Account, missing: str, cause: str) -> None:
    """Each timeout must come from the decision or the type."""
    account.in_domain("register_activity_type", name="bare", version="1")
    account.start()
    timeouts = {
        "startToCloseTimeout": "9",
        "scheduleToCloseTimeout": "9",
        "scheduleToStartTimeout": "9",
        "heartbeatTimeout": "9",
    }
    del timeouts[missing]
    bare = {"name": "bare", "version": "1"}
    account.decide(
        decision(
            "ScheduleActivityTask",
            activityId="a",
            activityType=bare,
            taskList={"name": "work"},
            **timeouts,
        )
    )
    assert account.last("ScheduleActivityTaskFailed")["cause"] == cause


def test_an_activity_id_is_free_again_after_its_end(account: Account) -> None:
    """The id of a closed activity may be used for another."""
    account.start()
    account.decide(schedule("same"))
    account.complete_activity()
    account.decide(schedule("same"))
    assert account.activity_task()["activityId"] == "same"


@pytest.mark.parametrize(
    ("attributes", "seconds", "kind"),
    [
        ({"scheduleToStartTimeout": "5"}, 6, "SCHEDULE_TO_START"),
        ({"scheduleToCloseTimeout": "5", "scheduleToStartTimeout": "9"}, 6, "SCHEDULE_TO_CLOSE"),
    ],
)
def test_an_activity_that_nobody_takes_times_out(
    timed: Timed, attributes: dict[str, str], seconds: float, kind: str
) -> None:
    """What bounds the wait for a worker ends it."""
    timed.start()
    timed.decide(schedule(**attributes))
    timed.after(seconds)
    told = timed.last("ActivityTaskTimedOut")
    assert (told["timeoutType"], told["startedEventId"]) == (kind, 0)
    assert not timed.poll_activity().get("taskToken")


@pytest.mark.parametrize(
    ("attributes", "kind"),
    [
        ({"startToCloseTimeout": "5"}, "START_TO_CLOSE"),
        ({"heartbeatTimeout": "5"}, "HEARTBEAT"),
        ({"scheduleToCloseTimeout": "5"}, "SCHEDULE_TO_CLOSE"),
    ],
)
def test_an_activity_that_takes_too_long_times_out(
    timed: Timed, attributes: dict[str, str], kind: str
) -> None:
    """What bounds the work ends it, at its second and not before; a new decision task follows."""
    timed.start()
    timed.decide(schedule(**attributes))
    timed.activity_task()
    timed.after(4.9)
    assert "ActivityTaskTimedOut" not in timed.kinds()
    timed.after(0.2)
    assert timed.last("ActivityTaskTimedOut")["timeoutType"] == kind
    assert timed.decision_task()["taskToken"]


def test_heartbeats_keep_a_task_alive_and_leave_no_event(timed: Timed) -> None:
    """A heartbeat resets the heartbeat's clock only; its details come back in the timeout."""
    timed.start()
    timed.decide(schedule(heartbeatTimeout="10", startToCloseTimeout="25"))
    token = timed.activity_task()["taskToken"]
    before = timed.kinds()
    for number in range(3):
        timed.after(8)
        told = timed.call("record_activity_task_heartbeat", taskToken=token, details=f"{number}")
        assert told["cancelRequested"] is False
    assert timed.kinds() == before
    timed.after(2)
    told = timed.last("ActivityTaskTimedOut")
    assert (told["timeoutType"], told["details"]) == ("START_TO_CLOSE", "2")


def test_none_never_times_out(timed: Timed) -> None:
    """A timeout of NONE leaves an activity open for as long as its execution."""
    timed.start(executionStartToCloseTimeout="31536000")
    forever = dict.fromkeys(
        (
            "startToCloseTimeout",
            "scheduleToCloseTimeout",
            "scheduleToStartTimeout",
            "heartbeatTimeout",
        ),
        "NONE",
    )
    timed.decide(schedule(**forever))
    timed.after(300 * 24 * 3600)
    timed.complete_activity()


@pytest.mark.parametrize("response", RESPONSES)
def test_a_task_that_timed_out_is_unknown(timed: Timed, response: str) -> None:
    """Whoever answers for a task that has timed out is told that it is unknown."""
    timed.start()
    timed.decide(schedule())
    token = timed.activity_task()["taskToken"]
    timed.after(61)
    with refused("UnknownResourceFault", "Unknown activity"):
        timed.call(response, taskToken=token)


@pytest.mark.parametrize("response", RESPONSES)
def test_a_task_of_a_closed_execution_is_unknown(account: Account, response: str) -> None:
    """Whoever answers for a task of a closed execution is told that the execution is unknown."""
    account.start()
    account.decide(schedule())
    token = account.activity_task()["taskToken"]
    account.in_domain("terminate_workflow_execution", workflowId="w")
    with refused("UnknownResourceFault", "Unknown execution"):
        account.call(response, taskToken=token)


def test_a_task_is_answered_once(account: Account) -> None:
    """A second answer for a task is refused."""
    account.start()
    account.decide(schedule())
    token = account.activity_task()["taskToken"]
    account.call("respond_activity_task_completed", taskToken=token)
    with refused("UnknownResourceFault"):
        account.call("respond_activity_task_completed", taskToken=token)


def test_a_token_that_is_none_is_refused(account: Account) -> None:
    """A token that no service gave is invalid."""
    with refused("ValidationException"):
        account.call("respond_activity_task_completed", taskToken="made up")


def test_canceling_a_waiting_activity_closes_it(account: Account) -> None:
    """An activity that nobody has started is canceled by the request itself."""
    account.start()
    account.decide(schedule("a"), decision("RequestCancelActivityTask", activityId="a"))
    assert account.last("ActivityTaskCanceled")["startedEventId"] == 0
    assert not account.poll_activity().get("taskToken")


def test_canceling_a_started_activity_asks_its_worker(account: Account) -> None:
    """The worker of a started activity is told by its heartbeat, and agrees or not."""
    account.start()
    account.decide(schedule("a"))
    token = account.activity_task()["taskToken"]
    account.signal("stop")
    account.decide(decision("RequestCancelActivityTask", activityId="a"))
    told = account.call("record_activity_task_heartbeat", taskToken=token)
    assert told["cancelRequested"] is True
    account.call("respond_activity_task_canceled", taskToken=token, details="stopped")
    assert account.last("ActivityTaskCanceled")["details"] == "stopped"


def test_canceling_an_unknown_activity_fails(account: Account) -> None:
    """A request to cancel what is not open is told by an event."""
    account.start()
    account.decide(decision("RequestCancelActivityTask", activityId="none"))
    assert account.last("RequestCancelActivityTaskFailed")["cause"] == "ACTIVITY_ID_UNKNOWN"


# Limits and rates.


def test_the_event_limit_ends_an_execution() -> None:
    """The event that would go beyond the limit is the end of the execution."""
    with LocalSWF(Settings(event_limit=10)) as swf:
        account = Timed(swf)
        account.start()
        with refused("UnknownResourceFault"):
            for _ in range(10):
                account.signal("more")
        assert account.last("WorkflowExecutionTerminated")["cause"] == "EVENT_LIMIT_EXCEEDED"
        assert len(account.kinds()) == 10


def test_open_activities_are_limited() -> None:
    """One activity more than may be open is refused by an event."""
    with LocalSWF(Settings(open_activities=2)) as swf:
        account = Timed(swf)
        account.start()
        account.decide(*(schedule(f"a-{number}") for number in range(3)))
        told = account.last("ScheduleActivityTaskFailed")
        assert told["cause"] == "OPEN_ACTIVITIES_LIMIT_EXCEEDED"


def test_pollers_of_a_list_are_limited() -> None:
    """A poller too many on one list is refused with LimitExceededFault."""
    with LocalSWF(Settings(pollers=0)) as swf:
        account = Timed(swf)
        with refused("LimitExceededFault"):
            account.poll_activity()


def test_rates_are_enforced_when_asked_for() -> None:
    """With quotas, a call beyond the bucket of its operation is throttled, until it refills."""
    with LocalSWF(Settings(quotas=True)) as swf:
        account = Timed(swf)
        for _ in range(99):
            account.call("list_domains", registrationStatus="REGISTERED")
        with refused("ThrottlingException", "Rate exceeded"):
            for _ in range(2):
                account.call("list_domains", registrationStatus="REGISTERED")
        account.after(1)
        account.call("list_domains", registrationStatus="REGISTERED")


@pytest.mark.parametrize(
    ("operation", "params", "member"),
    [
        ("start", {"workflow_id": "w" * 257}, "workflowId"),
        ("start", {"tagList": ["t"] * 6}, "tagList"),
        ("start", {"input": "i" * 32_769}, "input"),
        ("poll_activity", {"identity": "i" * 257}, "identity"),
        ("poll_decision", {"maximumPageSize": 1001, "taskList": DECISIONS}, "maximumPageSize"),
    ],
)
def test_lengths_are_those_of_the_model(
    timed: Timed, operation: str, params: dict[str, Any], member: str
) -> None:
    """A member beyond the model's length is refused by name."""
    with refused("ValidationException", f"'{member}'"):
        getattr(timed, operation)(**params)

"""Activity tasks: their four outcomes, their four clocks, cancelling, and refusals."""

from typing import Any

import pytest

from garcon.local.engine import Fault, Waiting
from tests.garcon.local.engine.account import (
    ACTIVITIES,
    ACTIVITY,
    COMPLETE,
    DOMAIN,
    START,
    Account,
    Body,
    decision,
    schedule,
)

CANCEL_A = decision("RequestCancelActivityTask", activityId="a")


def with_task(**attributes: Any) -> tuple[Account, str, Body]:
    """An execution with one started activity task: account, run id, task."""
    account = Account()
    run = account.start()
    account.decide(schedule(**attributes))
    return account, run, account.poll_activity(identity="me")


def test_a_scheduled_task_repeats_its_settings() -> None:
    """All four timeouts are in the event, from the decision or from the type."""
    account = Account()
    run = account.start()
    account.decide(
        schedule(
            input="in", control="c", taskPriority="4", heartbeatTimeout="9", taskList={"name": "x"}
        )
    )
    assert account.last(run, "ActivityTaskScheduled") == {
        "activityId": "a",
        "activityType": ACTIVITY,
        "input": "in",
        "control": "c",
        "taskPriority": "4",
        "taskList": {"name": "x"},
        "scheduleToStartTimeout": "100",
        "scheduleToCloseTimeout": "200",
        "startToCloseTimeout": "60",
        "heartbeatTimeout": "9",
        "decisionTaskCompletedEventId": 4,
    }
    assert account.describe(run)["latestActivityTaskTimestamp"] == START


def test_a_poller_gets_token_ids_type_and_input() -> None:
    """The control text stays with the decider."""
    _, run, task = with_task(input="in", control="c")
    assert len(task.pop("taskToken")) > 20
    assert task == {
        "activityId": "a",
        "activityType": ACTIVITY,
        "input": "in",
        "startedEventId": 6,
        "workflowExecution": {"workflowId": "w", "runId": run},
    }


def test_a_start_records_the_identity_of_the_poller() -> None:
    """The event has the member only if the poll had it."""
    account, run, _ = with_task()
    started = account.last(run, "ActivityTaskStarted")
    assert started == {"identity": "me", "scheduledEventId": 5}


@pytest.mark.parametrize(
    ("operation", "event", "members"),
    [
        ("RespondActivityTaskCompleted", "ActivityTaskCompleted", {"result": "r"}),
        ("RespondActivityTaskFailed", "ActivityTaskFailed", {"reason": "r", "details": "d"}),
        ("RespondActivityTaskCanceled", "ActivityTaskCanceled", {"details": "d"}),
    ],
)
def test_a_worker_closes_a_task(operation: str, event: str, members: Body) -> None:
    """The event repeats the members of the response, and a decision task follows."""
    account, run, task = with_task()
    account.call(operation, taskToken=task["taskToken"], **members)
    assert account.types(run)[-2:] == [event, "DecisionTaskScheduled"]
    assert account.last(run, event) == {**members, "scheduledEventId": 5, "startedEventId": 6}


def test_a_task_closes_once() -> None:
    """Its token is stale afterwards, for every operation."""
    account, _, task = with_task()
    account.complete(task)
    for operation in (
        "RespondActivityTaskCompleted",
        "RespondActivityTaskFailed",
        "RespondActivityTaskCanceled",
        "RecordActivityTaskHeartbeat",
    ):
        with pytest.raises(Fault, match=r"UnknownResourceFault: Unknown activity"):
            account.call(operation, taskToken=task["taskToken"])


def test_a_token_of_a_closed_execution_is_stale() -> None:
    """The message names the execution as unknown."""
    account, _, task = with_task()
    account.signal()
    account.decide(COMPLETE)
    with pytest.raises(Fault, match=r"UnknownResourceFault: Unknown execution"):
        account.complete(task)


@pytest.mark.parametrize(
    ("timeouts", "after", "timeout_type", "started"),
    [
        ({"scheduleToStartTimeout": "7"}, 7, "SCHEDULE_TO_START", False),
        ({"scheduleToCloseTimeout": "7"}, 7, "SCHEDULE_TO_CLOSE", False),
        ({"scheduleToCloseTimeout": "7"}, 7, "SCHEDULE_TO_CLOSE", True),
        ({"startToCloseTimeout": "7"}, 7, "START_TO_CLOSE", True),
        ({"heartbeatTimeout": "7"}, 7, "HEARTBEAT", True),
    ],
)
def test_each_clock_times_a_task_out(
    timeouts: Body, after: int, timeout_type: str, *, started: bool
) -> None:
    """At its own time and not before; startedEventId is 0 if the task was never started."""
    account = Account()
    run = account.start()
    account.decide(schedule(**timeouts))
    if started:
        account.poll_activity()
    account.after(after - 0.001)
    assert account.describe(run)["openCounts"]["openActivityTasks"] == 1
    account.after(0.001)
    assert account.last(run, "ActivityTaskTimedOut") == {
        "timeoutType": timeout_type,
        "scheduledEventId": 5,
        "startedEventId": 6 if started else 0,
    }
    assert account.types(run)[-1] == "DecisionTaskScheduled"
    assert account.engine.counters.timeouts == {f"ActivityTaskTimedOut {timeout_type}": 1}


def test_a_task_that_timed_out_is_not_given_out() -> None:
    """A late poller finds no task."""
    account = Account()
    account.start()
    account.decide(schedule(scheduleToStartTimeout="7"))
    account.after(7)
    assert account.pending("Activity", ACTIVITIES) == 0
    assert isinstance(account.wait("Activity", ACTIVITIES), Waiting)


def test_none_never_times_out() -> None:
    """NONE is unlimited."""
    account = Account()
    run = account.start(executionStartToCloseTimeout="31536000")
    names = ("scheduleToStart", "scheduleToClose", "startToClose", "heartbeat")
    account.decide(schedule(**{f"{name}Timeout": "NONE" for name in names}))
    account.after(10_000_000)
    task = account.poll_activity()
    account.after(10_000_000)
    account.complete(task)
    assert "ActivityTaskTimedOut" not in account.types(run)


def test_a_heartbeat_resets_its_own_clock_only() -> None:
    """It writes no event, and start-to-close is never extended."""
    account, run, task = with_task(heartbeatTimeout="7", startToCloseTimeout="20")
    length = len(account.history(run))
    for _ in range(3):
        account.after(6)
        account.call("RecordActivityTaskHeartbeat", taskToken=task["taskToken"])
    assert len(account.history(run)) == length
    account.after(2)
    assert account.last(run, "ActivityTaskTimedOut")["timeoutType"] == "START_TO_CLOSE"


def test_the_last_heartbeat_details_are_in_the_timeout() -> None:
    """The details of earlier heartbeats are forgotten."""
    account, run, task = with_task(heartbeatTimeout="7")
    token = task["taskToken"]
    account.call("RecordActivityTaskHeartbeat", taskToken=token, details="10%")
    account.call("RecordActivityTaskHeartbeat", taskToken=token, details="20%")
    account.after(7)
    assert account.last(run, "ActivityTaskTimedOut") == {
        "timeoutType": "HEARTBEAT",
        "scheduledEventId": 5,
        "startedEventId": 6,
        "details": "20%",
    }


def test_a_last_heartbeat_without_details_leaves_none_in_the_timeout() -> None:
    """The timeout has the details of the last call, not the last details."""
    account, run, task = with_task(heartbeatTimeout="7")
    account.call("RecordActivityTaskHeartbeat", taskToken=task["taskToken"], details="10%")
    account.call("RecordActivityTaskHeartbeat", taskToken=task["taskToken"])
    account.after(7)
    assert "details" not in account.last(run, "ActivityTaskTimedOut")


def test_cancelling_a_task_that_is_not_started_closes_it() -> None:
    """It is cancelled at once, leaves its list, and a decision task follows."""
    account = Account()
    run = account.start()
    account.decide(schedule())
    account.signal()
    account.decide(CANCEL_A)
    assert account.types(run)[-3:] == [
        "ActivityTaskCancelRequested",
        "ActivityTaskCanceled",
        "DecisionTaskScheduled",
    ]
    requested = len(account.types(run)) - 2
    assert account.last(run, "ActivityTaskCanceled") == {
        "scheduledEventId": 5,
        "startedEventId": 0,
        "latestCancelRequestedEventId": requested,
    }
    assert isinstance(account.wait("Activity", ACTIVITIES), Waiting)


def test_a_started_task_gets_its_cancel_request_by_heartbeat() -> None:
    """The task stays open until the worker agrees; the event names the latest request."""
    account, run, task = with_task()
    token = task["taskToken"]
    beat = account.call("RecordActivityTaskHeartbeat", taskToken=token)
    assert beat == {"cancelRequested": False}
    for _ in range(2):
        account.signal()
        account.decide(CANCEL_A)
    assert account.types(run)[-1] == "ActivityTaskCancelRequested"
    latest = len(account.types(run))
    beat = account.call("RecordActivityTaskHeartbeat", taskToken=token)
    assert beat == {"cancelRequested": True}
    account.call("RespondActivityTaskCanceled", taskToken=token, details="ok")
    assert account.last(run, "ActivityTaskCanceled") == {
        "details": "ok",
        "scheduledEventId": 5,
        "startedEventId": 6,
        "latestCancelRequestedEventId": latest,
    }


def test_a_worker_may_complete_a_task_after_a_cancel_request() -> None:
    """A request to cancel does not change the rules for a response."""
    account, run, task = with_task()
    account.signal()
    account.decide(CANCEL_A)
    account.complete(task)
    assert account.types(run)[-2] == "ActivityTaskCompleted"


def test_cancelling_an_activity_that_is_not_open_fails() -> None:
    """The event has ACTIVITY_ID_UNKNOWN, and repeats the id."""
    account = Account()
    run = account.start()
    account.decide(CANCEL_A)
    assert account.last(run, "RequestCancelActivityTaskFailed") == {
        "activityId": "a",
        "cause": "ACTIVITY_ID_UNKNOWN",
        "decisionTaskCompletedEventId": 4,
    }


def test_an_activity_id_is_unique_among_open_tasks_only() -> None:
    """A second task of an open id is refused; after the close the id is free."""
    account = Account()
    run = account.start()
    account.decide(schedule(), schedule())
    assert account.last(run, "ScheduleActivityTaskFailed") == {
        "activityId": "a",
        "activityType": ACTIVITY,
        "cause": "ACTIVITY_ID_ALREADY_IN_USE",
        "decisionTaskCompletedEventId": 4,
    }
    account.complete(account.poll_activity())
    account.decide(schedule())
    assert account.types(run)[-1] == "ActivityTaskScheduled"


@pytest.mark.parametrize(
    ("default", "cause"),
    [
        ("defaultTaskList", "DEFAULT_TASK_LIST_UNDEFINED"),
        ("defaultTaskScheduleToStartTimeout", "DEFAULT_SCHEDULE_TO_START_TIMEOUT_UNDEFINED"),
        ("defaultTaskScheduleToCloseTimeout", "DEFAULT_SCHEDULE_TO_CLOSE_TIMEOUT_UNDEFINED"),
        ("defaultTaskStartToCloseTimeout", "DEFAULT_START_TO_CLOSE_TIMEOUT_UNDEFINED"),
        ("defaultTaskHeartbeatTimeout", "DEFAULT_HEARTBEAT_TIMEOUT_UNDEFINED"),
    ],
)
def test_a_setting_without_any_value_is_undefined(default: str, cause: str) -> None:
    """There is no built-in default for any setting of an activity."""
    account = Account()
    account.register_activity(version="2.0", **{default: None})
    run = account.start()
    account.decide(schedule(activityType=ACTIVITY | {"version": "2.0"}))
    assert account.last(run, "ScheduleActivityTaskFailed")["cause"] == cause


def test_a_type_must_exist_and_not_be_deprecated() -> None:
    """The two cases have different causes."""
    account = Account()
    run = account.start()
    account.decide(schedule(activityType={"name": "act", "version": "9"}))
    cause = account.last(run, "ScheduleActivityTaskFailed")["cause"]
    assert cause == "ACTIVITY_TYPE_DOES_NOT_EXIST"
    account.call("DeprecateActivityType", domain=DOMAIN, activityType=ACTIVITY)
    account.decide(schedule())
    cause = account.last(run, "ScheduleActivityTaskFailed")["cause"]
    assert cause == "ACTIVITY_TYPE_DEPRECATED"


def test_open_tasks_have_a_limit() -> None:
    """One task too many is refused; started ones count."""
    account = Account(open_activities=2)
    run = account.start()
    account.decide(schedule("a"))
    account.poll_activity()
    account.signal()
    account.decide(schedule("b"), schedule("c"))
    failed = account.last(run, "ScheduleActivityTaskFailed")
    assert (failed["activityId"], failed["cause"]) == ("c", "OPEN_ACTIVITIES_LIMIT_EXCEEDED")

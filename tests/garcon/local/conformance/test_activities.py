"""Activity tasks: one test a rule, through boto3."""

from __future__ import annotations

from typing import Any

import pytest

from tests.garcon.local.conformance.account import (
    ACTIVITY,
    Account,
    TimedAccount,
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
    event = account.last("ActivityTaskFailed")
    assert (event["reason"], event["details"]) == ("dry", "no water")


def test_a_scheduled_activity_repeats_its_timeouts(account: Account) -> None:
    """All four timeouts are in the event as text, from the decision or from the type."""
    account.start()
    account.decide(schedule(startToCloseTimeout="7", control="c"))
    event = account.last("ActivityTaskScheduled")
    assert event["startToCloseTimeout"] == "7"
    assert event["scheduleToStartTimeout"] == "100"
    assert event["scheduleToCloseTimeout"] == "200"
    assert event["heartbeatTimeout"] == "NONE"
    assert (event["control"], event["taskList"]) == ("c", {"name": "work"})


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
def test_a_failed_schedule_is_an_event(
    account: Account, attributes: dict[str, Any], cause: str
) -> None:
    """An activity that cannot be scheduled leaves an event with the cause, and a decision task."""
    account.in_domain("register_activity_type", name="bare", version="1")
    account.in_domain("register_activity_type", name="old", version="1")
    account.in_domain("deprecate_activity_type", activityType={"name": "old", "version": "1"})
    account.start()
    wanted = {"activityId": "a", "activityType": ACTIVITY, **attributes}
    account.decide(schedule("open"), decision("ScheduleActivityTask", **wanted))
    event = account.last("ScheduleActivityTaskFailed")
    assert (event["cause"], event["activityId"]) == (cause, wanted["activityId"])
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
def test_a_timeout_without_any_value_is_refused(account: Account, missing: str, cause: str) -> None:
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
def test_an_activity_that_is_never_started_times_out(
    timed: TimedAccount, attributes: dict[str, str], seconds: float, kind: str
) -> None:
    """The timeouts on the wait for a worker end it."""
    timed.start()
    timed.decide(schedule(**attributes))
    timed.after(seconds)
    event = timed.last("ActivityTaskTimedOut")
    assert (event["timeoutType"], event["startedEventId"]) == (kind, 0)
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
    timed: TimedAccount, attributes: dict[str, str], kind: str
) -> None:
    """The timeouts on the work end it at their second and not before; a decision task follows."""
    timed.start()
    timed.decide(schedule(**attributes))
    timed.activity_task()
    timed.after(4.9)
    assert "ActivityTaskTimedOut" not in timed.kinds()
    timed.after(0.2)
    assert timed.last("ActivityTaskTimedOut")["timeoutType"] == kind
    assert timed.decision_task()["taskToken"]


def test_heartbeats_keep_a_task_alive_and_leave_no_event(timed: TimedAccount) -> None:
    """A heartbeat resets the heartbeat's clock only; its details come back in the timeout."""
    timed.start()
    timed.decide(schedule(heartbeatTimeout="10", startToCloseTimeout="25"))
    token = timed.activity_task()["taskToken"]
    before = timed.kinds()
    for number in range(3):
        timed.after(8)
        event = timed.call("record_activity_task_heartbeat", taskToken=token, details=f"{number}")
        assert event["cancelRequested"] is False
    assert timed.kinds() == before
    timed.after(2)
    event = timed.last("ActivityTaskTimedOut")
    assert (event["timeoutType"], event["details"]) == ("START_TO_CLOSE", "2")


def test_a_timeout_has_the_details_of_the_last_heartbeat(timed: TimedAccount) -> None:
    """A last heartbeat without details leaves none."""
    timed.start()
    timed.decide(schedule(heartbeatTimeout="10"))
    token = timed.activity_task()["taskToken"]
    timed.call("record_activity_task_heartbeat", taskToken=token, details="half")
    timed.call("record_activity_task_heartbeat", taskToken=token)
    timed.after(10)
    event = timed.last("ActivityTaskTimedOut")
    assert (event["timeoutType"], event.get("details")) == ("HEARTBEAT", None)


def test_none_never_times_out(timed: TimedAccount) -> None:
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
    assert timed.kinds()[-2:] == ["ActivityTaskCompleted", "DecisionTaskScheduled"]


@pytest.mark.parametrize("response", RESPONSES)
def test_a_task_that_timed_out_is_unknown(timed: TimedAccount, response: str) -> None:
    """A response to a task that has timed out is refused as an unknown activity."""
    timed.start()
    timed.decide(schedule())
    token = timed.activity_task()["taskToken"]
    timed.after(61)
    with refused("UnknownResourceFault", "Unknown activity"):
        timed.call(response, taskToken=token)


@pytest.mark.parametrize("response", RESPONSES)
def test_a_task_of_a_closed_execution_is_unknown(account: Account, response: str) -> None:
    """A response to a task of a closed execution is refused as an unknown execution."""
    account.start()
    account.decide(schedule())
    token = account.activity_task()["taskToken"]
    account.in_domain("terminate_workflow_execution", workflowId="w")
    with refused("UnknownResourceFault", "Unknown execution"):
        account.call(response, taskToken=token)


def test_a_task_is_answered_once(account: Account) -> None:
    """A second response to a task is refused."""
    account.start()
    account.decide(schedule())
    token = account.activity_task()["taskToken"]
    account.call("respond_activity_task_completed", taskToken=token)
    with refused("UnknownResourceFault"):
        account.call("respond_activity_task_completed", taskToken=token)


def test_an_invalid_token_is_refused(account: Account) -> None:
    """A token that is not the service's is invalid."""
    with refused("ValidationException"):
        account.call("respond_activity_task_completed", taskToken="made up")


def test_canceling_a_waiting_activity_closes_it(account: Account) -> None:
    """An activity that is not started is canceled by the request itself."""
    account.start()
    account.decide(schedule("a"), decision("RequestCancelActivityTask", activityId="a"))
    assert account.last("ActivityTaskCanceled")["startedEventId"] == 0
    assert not account.poll_activity().get("taskToken")


def test_canceling_a_started_activity_asks_its_worker(account: Account) -> None:
    """The worker of a started activity gets the request by its heartbeat, and may accept it."""
    account.start()
    account.decide(schedule("a"))
    token = account.activity_task()["taskToken"]
    account.signal("stop")
    account.decide(decision("RequestCancelActivityTask", activityId="a"))
    answer = account.call("record_activity_task_heartbeat", taskToken=token)
    assert answer["cancelRequested"] is True
    account.call("respond_activity_task_canceled", taskToken=token, details="stopped")
    assert account.last("ActivityTaskCanceled")["details"] == "stopped"


def test_canceling_an_unknown_activity_fails(account: Account) -> None:
    """A request to cancel an activity that is not open leaves an event with the cause."""
    account.start()
    account.decide(decision("RequestCancelActivityTask", activityId="none"))
    assert account.last("RequestCancelActivityTaskFailed")["cause"] == "ACTIVITY_ID_UNKNOWN"

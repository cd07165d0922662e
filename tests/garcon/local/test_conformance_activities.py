"""Activity tasks: one test a rule, through boto3."""

from __future__ import annotations

from typing import Any

import pytest

from tests.garcon.local.conformance import (
    ACTIVITY,
    Account,
    Timed,
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


def test_a_timeout_tells_the_details_of_the_last_heartbeat(timed: Timed) -> None:
    """If that one had none, there are none."""
    timed.start()
    timed.decide(schedule(heartbeatTimeout="10"))
    token = timed.activity_task()["taskToken"]
    timed.call("record_activity_task_heartbeat", taskToken=token, details="half")
    timed.call("record_activity_task_heartbeat", taskToken=token)
    timed.after(10)
    told = timed.last("ActivityTaskTimedOut")
    assert (told["timeoutType"], told.get("details")) == ("HEARTBEAT", None)


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
    assert timed.kinds()[-2:] == ["ActivityTaskCompleted", "DecisionTaskScheduled"]


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

"""Sticky lists: a decider names a list for future decision tasks."""

from garcon.local.engine import Waiting
from tests.garcon.local.engine.account import DECISIONS, Account, attributes


def test_a_sticky_list_serves_future_tasks() -> None:
    """The override is in the response's event, and its timeout in the task's."""
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
    """SCHEDULE_TO_START with startedEventId 0; later tasks are on the original list."""
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
    """A started task that times out ends the override as well."""
    account = Account()
    run = account.start()
    account.decide(taskList={"name": "mine"}, taskListScheduleToStartTimeout="5")
    account.signal()
    account.poll_decision("mine")
    account.after(10)
    assert account.last(run, "DecisionTaskTimedOut")["timeoutType"] == "START_TO_CLOSE"
    assert account.last(run, "DecisionTaskScheduled")["taskList"] == {"name": DECISIONS}


def test_an_override_without_a_timeout_is_permanent() -> None:
    """It outlives a task that timed out, and the description has its list."""
    account = Account()
    run = account.start()
    account.decide(taskList={"name": "mine"})
    account.signal()
    account.poll_decision("mine")
    account.after(10)
    assert account.last(run, "DecisionTaskScheduled")["taskList"] == {"name": "mine"}
    assert account.describe(run)["executionConfiguration"]["taskList"] == {"name": "mine"}


def test_a_temporary_override_is_not_the_execution_s_list() -> None:
    """The description has the list of the start."""
    account = Account()
    run = account.start()
    account.decide(taskList={"name": "mine"}, taskListScheduleToStartTimeout="5")
    assert account.describe(run)["executionConfiguration"]["taskList"] == {"name": DECISIONS}


def test_a_task_scheduled_before_an_override_keeps_its_list() -> None:
    """Its event has the list already; only later tasks go to the new one."""
    account = Account()
    run = account.start()
    task = account.poll_decision()
    account.signal()
    account.respond(task, taskList={"name": "mine"}, taskListScheduleToStartTimeout="5")
    account.decide()
    account.signal()
    account.decide(task_list="mine")
    events = [
        event for event in account.history(run) if event["eventType"] == "DecisionTaskScheduled"
    ]
    lists = [attributes(event)["taskList"]["name"] for event in events]
    assert lists == [DECISIONS, DECISIONS, "mine"]


def test_a_sticky_clock_runs_from_when_the_task_can_be_polled() -> None:
    """A task that was scheduled early does not time out before the decider has responded."""
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

"""Timers, markers, signals, children, closing: one test a rule, through boto3."""

from __future__ import annotations

from typing import Any

import pytest

from garcon.local import LocalSWF
from garcon.local.service.clock import IDLE_WINDOWS
from tests.garcon.local.conformance.account import (
    DECISIONS,
    WORKFLOW,
    Account,
    TimedAccount,
    attributes_of,
    complete,
    decision,
    refused,
    schedule,
)

NURSERY = {"name": "nursery"}
YEAR = 365 * 24 * 3600


def child(workflow_id: str = "child", **attributes: Any) -> dict[str, Any]:
    """The decision to start a child, whose decision tasks are on a list of their own."""
    wanted = {"workflowType": WORKFLOW, "taskList": NURSERY, **attributes}
    return decision("StartChildWorkflowExecution", workflowId=workflow_id, **wanted)


def parent_with_child(account: Account, **attributes: Any) -> None:
    """Start a parent that starts a child."""
    account.start("parent")
    account.decide(child(**attributes))


# Timers and markers.


def test_a_timer_fires_at_its_time(timed: TimedAccount) -> None:
    """A timer fires at its time and not before, and a decision task follows."""
    timed.start()
    timed.decide(decision("StartTimer", timerId="t", startToFireTimeout="60", control="c"))
    timed.after(59.9)
    assert "TimerFired" not in timed.kinds()
    timed.after(0.2)
    assert timed.last("TimerFired") == {"timerId": "t", "startedEventId": 5}
    assert timed.decision_task()["taskToken"]


def test_a_timer_of_a_year_takes_no_time_in_virtual_time(timed: TimedAccount) -> None:
    """A client that only polls reaches the timer after a few empty polls."""
    timed.start(executionStartToCloseTimeout=str(YEAR))
    before = timed.swf.now
    wait = str(YEAR - 1)
    timed.decide(decision("StartTimer", timerId="t", startToFireTimeout=wait))
    polls = [timed.poll_decision() for _ in range(IDLE_WINDOWS + 2)]
    tasks = [task for task in polls if task.get("taskToken")]
    assert tasks[0]["events"][-3]["eventType"] == "TimerFired"
    assert timed.swf.now - before == pytest.approx(YEAR - 1)


def test_a_canceled_timer_does_not_fire(timed: TimedAccount) -> None:
    """A timer that was canceled has one event, and never fires."""
    timed.start()
    timed.decide(decision("StartTimer", timerId="t", startToFireTimeout="60"))
    timed.signal("go")
    timed.decide(decision("CancelTimer", timerId="t"))
    timed.after(100)
    assert timed.last("TimerCanceled")["timerId"] == "t"
    assert "TimerFired" not in timed.kinds()


def test_a_timer_id_is_unique_among_open_timers(account: Account) -> None:
    """A second timer of one id, or the cancelling of an unknown one, leaves an event with the
    cause.
    """
    account.start()
    timer = decision("StartTimer", timerId="t", startToFireTimeout="60")
    account.decide(timer, timer, decision("CancelTimer", timerId="none"))
    assert account.last("StartTimerFailed")["cause"] == "TIMER_ID_ALREADY_IN_USE"
    assert account.last("CancelTimerFailed")["cause"] == "TIMER_ID_UNKNOWN"


def test_a_marker_is_recorded(account: Account) -> None:
    """A marker is an event with its details, and no decision task follows."""
    account.start()
    account.decide(decision("RecordMarker", markerName="m", details="half"))
    event = account.last("MarkerRecorded")
    assert (event["markerName"], event["details"]) == ("m", "half")
    assert not account.poll_decision().get("taskToken")


# Signals and requests to cancel.


def test_a_signal_leads_to_a_decision_task(account: Account) -> None:
    """A signal is an event with its input; from outside it refers to no sender."""
    account.start()
    account.decide()
    account.in_domain("signal_workflow_execution", workflowId="w", signalName="go", input="now")
    event = account.last("WorkflowExecutionSignaled")
    assert event == {"signalName": "go", "input": "now", "externalInitiatedEventId": 0}
    assert account.decision_task()["taskToken"]


def test_a_closed_execution_takes_no_signal(account: Account) -> None:
    """A signal to an execution that is not open is refused."""
    account.start()
    account.decide(complete())
    with refused("UnknownResourceFault"):
        account.signal("go")


def test_an_execution_signals_another(account: Account) -> None:
    """A signal from an execution is in both histories, each with the other's event."""
    account.start("sender")
    account.decide(
        decision("SignalExternalWorkflowExecution", workflowId="none", signalName="lost")
    )
    failed = account.last("SignalExternalWorkflowExecutionFailed", "sender")
    assert failed["cause"] == "UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION"
    account.decide(
        decision("SignalExternalWorkflowExecution", workflowId="sender", signalName="self")
    )
    event = account.last("WorkflowExecutionSignaled", "sender")
    assert event["externalWorkflowExecution"]["workflowId"] == "sender"
    assert (
        account.last("ExternalWorkflowExecutionSignaled", "sender")["initiatedEventId"]
        == (event["externalInitiatedEventId"])
    )


def test_an_execution_requests_the_cancel_of_another(account: Account) -> None:
    """The request is in both histories, each with the other's event."""
    account.start("asker")
    for target in ("none", "asker"):
        account.decide(decision("RequestCancelExternalWorkflowExecution", workflowId=target))
    failed = account.last("RequestCancelExternalWorkflowExecutionFailed", "asker")
    assert failed["cause"] == "UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION"
    received = account.last("WorkflowExecutionCancelRequested", "asker")
    assert received["externalWorkflowExecution"]["workflowId"] == "asker"
    sent = account.last("ExternalWorkflowExecutionCancelRequested", "asker")
    assert sent["initiatedEventId"] == received["externalInitiatedEventId"]


def test_a_request_to_cancel_is_for_the_decider(account: Account) -> None:
    """A request to cancel is an event and a flag; the execution ends by its decider's decision."""
    account.start()
    account.decide()
    account.in_domain("request_cancel_workflow_execution", workflowId="w")
    assert account.describe()["executionInfo"]["cancelRequested"] is True
    account.decide(decision("CancelWorkflowExecution", details="as you wish"))
    assert account.last("WorkflowExecutionCanceled")["details"] == "as you wish"
    assert account.describe()["executionInfo"]["closeStatus"] == "CANCELED"


# Closing.


@pytest.mark.parametrize(
    ("closing", "status"),
    [
        (complete(result="done"), "COMPLETED"),
        (decision("FailWorkflowExecution", reason="why"), "FAILED"),
        (decision("CancelWorkflowExecution"), "CANCELED"),
    ],
)
def test_a_decider_closes_its_execution(
    account: Account, closing: dict[str, Any], status: str
) -> None:
    """Each closing decision closes the execution with its status."""
    account.start()
    account.decide(closing)
    assert account.describe()["executionInfo"]["closeStatus"] == status
    assert not account.poll_decision().get("taskToken")


def test_an_execution_times_out(timed: TimedAccount) -> None:
    """An execution that is open for too long is closed, with all its open items."""
    timed.start(executionStartToCloseTimeout="100")
    timed.decide(schedule(scheduleToStartTimeout="1000", scheduleToCloseTimeout="1000"))
    timed.after(101)
    assert timed.last("WorkflowExecutionTimedOut")["timeoutType"] == "START_TO_CLOSE"
    assert timed.describe()["executionInfo"]["closeStatus"] == "TIMED_OUT"
    assert not timed.poll_activity().get("taskToken")


def test_an_execution_is_terminated(account: Account) -> None:
    """A termination closes the execution at once, with its reason and cause."""
    account.start()
    account.in_domain(
        "terminate_workflow_execution", workflowId="w", reason="enough", details="really"
    )
    event = account.last("WorkflowExecutionTerminated")
    assert (event["reason"], event["details"]) == ("enough", "really")
    assert event["cause"] == "OPERATOR_INITIATED"
    assert not account.poll_decision().get("taskToken")


def test_an_execution_continues_as_new(account: Account) -> None:
    """The run closes, and another run of the same id begins that names the first."""
    first = account.start()
    account.decide(decision("ContinueAsNewWorkflowExecution", input="more"))
    second = account.run_id("w")
    assert second != first
    event = attributes_of(account.history(run_id=first)[-1])
    assert event["newExecutionRunId"] == second
    begun = account.last("WorkflowExecutionStarted")
    assert (begun["continuedExecutionRunId"], begun["input"]) == (first, "more")


def test_the_first_event_has_the_settings(account: Account) -> None:
    """The first event has the settings; without a parent, parentInitiatedEventId is 0."""
    account.start(input="in", tagList=["t"])
    event = account.last("WorkflowExecutionStarted")
    assert event["parentInitiatedEventId"] == 0
    assert (event["input"], event["tagList"]) == ("in", ["t"])
    assert (event["taskStartToCloseTimeout"], event["executionStartToCloseTimeout"]) == (
        "10",
        "3600",
    )
    assert (event["childPolicy"], event["taskList"]) == ("TERMINATE", DECISIONS)


# Children.


def test_a_child_is_in_its_parents_history(account: Account) -> None:
    """A child's start and end are events of its parent, and the child names its parent."""
    parent_with_child(account, input="c")
    begun = account.last("WorkflowExecutionStarted", "child")
    assert begun["parentWorkflowExecution"]["workflowId"] == "parent"
    account.respond(account.decision_task(taskList=NURSERY), complete(result="grown"))
    kinds = account.kinds("parent")
    assert "StartChildWorkflowExecutionInitiated" in kinds
    assert "ChildWorkflowExecutionStarted" in kinds
    assert account.last("ChildWorkflowExecutionCompleted", "parent")["result"] == "grown"


@pytest.mark.parametrize(
    ("attributes", "cause"),
    [
        ({"workflowType": {"name": "none", "version": "1"}}, "WORKFLOW_TYPE_DOES_NOT_EXIST"),
        ({"workflow_id": "parent"}, "WORKFLOW_ALREADY_RUNNING"),
    ],
)
def test_a_child_that_cannot_start_is_an_event(
    account: Account, attributes: dict[str, Any], cause: str
) -> None:
    """A child that cannot be started leaves an event with the cause."""
    account.start("parent")
    account.decide(child(**attributes))
    assert account.last("StartChildWorkflowExecutionFailed", "parent")["cause"] == cause


@pytest.mark.parametrize(
    ("policy", "kind"),
    [
        ("TERMINATE", "WorkflowExecutionTerminated"),
        ("REQUEST_CANCEL", "WorkflowExecutionCancelRequested"),
        ("ABANDON", None),
    ],
)
def test_a_terminated_parent_applies_its_child_policy(
    account: Account, policy: str, kind: str | None
) -> None:
    """The child policy decides on the children of a terminated execution."""
    parent_with_child(account)
    account.in_domain("terminate_workflow_execution", workflowId="parent", childPolicy=policy)
    kinds = account.kinds("child")
    endings = {"WorkflowExecutionTerminated", "WorkflowExecutionCancelRequested"} & set(kinds)
    assert endings == ({kind} if kind else set())
    if kind:
        assert account.last(kind, "child")["cause"] == "CHILD_POLICY_APPLIED"


def test_a_parent_that_times_out_applies_its_child_policy(timed: TimedAccount) -> None:
    """The policy is that of its start."""
    timed.start("parent", executionStartToCloseTimeout="50", childPolicy="TERMINATE")
    timed.decide(child())
    timed.after(50)
    event = timed.last("WorkflowExecutionTerminated", "child")
    assert event == {"childPolicy": "TERMINATE", "cause": "CHILD_POLICY_APPLIED"}


@pytest.mark.parametrize(
    ("missing", "cause"),
    [
        ("taskList", "DEFAULT_TASK_LIST_UNDEFINED"),
        ("childPolicy", "DEFAULT_CHILD_POLICY_UNDEFINED"),
        ("taskStartToCloseTimeout", "DEFAULT_TASK_START_TO_CLOSE_TIMEOUT_UNDEFINED"),
        ("executionStartToCloseTimeout", "DEFAULT_EXECUTION_START_TO_CLOSE_TIMEOUT_UNDEFINED"),
    ],
)
def test_a_missing_setting_of_a_child_or_continuation_is_an_event(
    timed: TimedAccount, missing: str, cause: str
) -> None:
    """Both have the same cause, and the execution goes on."""
    bare = {"name": "order", "version": "bare"}
    timed.in_domain("register_workflow_type", **bare)
    settings: dict[str, Any] = {
        "taskList": NURSERY,
        "childPolicy": "ABANDON",
        "taskStartToCloseTimeout": "9",
        "executionStartToCloseTimeout": "9",
    }
    timed.start(workflowType=bare, **settings | {"taskList": DECISIONS})
    del settings[missing]
    begun = {"workflowId": "c", "workflowType": bare}
    timed.decide(
        decision("StartChildWorkflowExecution", **begun, **settings),
        decision("ContinueAsNewWorkflowExecution", **settings),
    )
    assert timed.last("StartChildWorkflowExecutionFailed")["cause"] == cause
    assert timed.last("ContinueAsNewWorkflowExecutionFailed")["cause"] == cause
    assert timed.decision_task()["taskToken"]


# Lambda functions.


def lambda_workflow(swf: LocalSWF) -> TimedAccount:
    """An account with an open execution whose decider schedules a lambda function."""
    account = TimedAccount(swf)
    account.start(lambdaRole="arn:aws:iam::000000000000:role/any")
    account.decide(decision("ScheduleLambdaFunction", id="l", name="double", input="21"))
    return account


def test_a_lambda_function_gives_its_result() -> None:
    """A function of the test is run, with the input read and the result written as JSON."""
    with LocalSWF(lambdas={"double": lambda number: number * 2}) as swf:
        account = lambda_workflow(swf)
        assert account.last("LambdaFunctionCompleted")["result"] == "42"


def test_a_lambda_function_that_raises_fails(caplog: pytest.LogCaptureFixture) -> None:
    """The function's exception is the failure in the history, and its traceback is logged."""
    with LocalSWF(lambdas={"double": lambda number: number.nothing}) as swf:
        account = lambda_workflow(swf)
        assert account.last("LambdaFunctionFailed")["reason"] == "AttributeError"
    assert "double failed" in caplog.text


def test_without_functions_a_lambda_cannot_start() -> None:
    """Without functions to run, lambda functions fail to start, as without a role."""
    with LocalSWF() as swf:
        account = lambda_workflow(swf)
        assert account.last("StartLambdaFunctionFailed")["cause"] == "ASSUME_ROLE_FAILED"


def test_without_a_role_a_lambda_cannot_start() -> None:
    """The execution needs a role, even if there is a function."""
    with LocalSWF(lambdas={"double": lambda number: number * 2}) as swf:
        account = TimedAccount(swf)
        account.start()
        account.decide(decision("ScheduleLambdaFunction", id="l", name="double", input="21"))
        assert account.last("StartLambdaFunctionFailed")["cause"] == "ASSUME_ROLE_FAILED"


def test_a_lambda_function_has_fifteen_minutes_at_most(timed: TimedAccount) -> None:
    """The timeout is between 1 and 900 seconds, by default 900."""
    timed.start()
    task = timed.decision_task()
    for seconds in ("0", "901", "NONE"):
        made = decision("ScheduleLambdaFunction", id="l", name="n", startToCloseTimeout=seconds)
        with refused("ValidationException", "startToCloseTimeout"):
            timed.respond(task, made)
    timed.respond(task, decision("ScheduleLambdaFunction", id="l", name="n"))
    assert timed.last("LambdaFunctionScheduled")["startToCloseTimeout"] == "900"

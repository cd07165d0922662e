"""Executions: their beginning and their close."""

from typing import Any

import pytest

from garcon.local.engine import Fault, Waiting
from tests.garcon.local.engine.account import (
    CANCEL,
    COMPLETE,
    DECISIONS,
    DOMAIN,
    FAIL,
    START,
    WORKFLOW,
    Account,
    Body,
    attributes,
    child,
    decision,
    schedule,
    timer,
)


def terminate(account: Account, **params: Any) -> None:
    account.call("TerminateWorkflowExecution", domain=DOMAIN, workflowId="w", **params)


def test_a_run_id_is_46_characters_of_base64() -> None:
    """The form is the service's, and no id is repeated."""
    account = Account()
    runs = {account.start(str(number)) for number in range(100)}
    assert len(runs) == 100
    assert all(len(run) == 46 and run.endswith("=") for run in runs)


def test_two_executions_of_one_workflow_id_are_never_open_at_once() -> None:
    """The second start is refused; after the close it succeeds."""
    account = Account()
    account.start()
    with pytest.raises(Fault, match="WorkflowExecutionAlreadyStartedFault"):
        account.start()
    account.decide(COMPLETE)
    account.start()


@pytest.mark.parametrize(
    ("member", "default"),
    [
        ("taskList", "defaultTaskList"),
        ("taskStartToCloseTimeout", "defaultTaskStartToCloseTimeout"),
        ("executionStartToCloseTimeout", "defaultExecutionStartToCloseTimeout"),
        ("childPolicy", "defaultChildPolicy"),
    ],
)
def test_a_required_setting_without_a_value_is_undefined(member: str, default: str) -> None:
    """DefaultUndefinedFault names the member; a start with the member succeeds."""
    account = Account()
    account.register_workflow(version="2.0", **{default: None})
    bare = WORKFLOW | {"version": "2.0"}
    with pytest.raises(Fault) as caught:
        account.start(workflowType=bare)
    assert (caught.value.code, caught.value.message) == ("DefaultUndefinedFault", member)
    values: Body = {"taskList": {"name": "x"}, "childPolicy": "ABANDON"}
    account.start(workflowType=bare, **{member: values.get(member, "5")})


def test_a_type_must_exist_and_not_be_deprecated() -> None:
    """An unknown type and a deprecated one are refused with different faults."""
    account = Account()
    with pytest.raises(Fault, match=r"Unknown type: WorkflowType=\[name=wf, version=9\]"):
        account.start(workflowType={"name": "wf", "version": "9"})
    account.call("DeprecateWorkflowType", domain=DOMAIN, workflowType=WORKFLOW)
    with pytest.raises(Fault, match="TypeDeprecatedFault"):
        account.start()


def test_open_executions_have_a_limit() -> None:
    """One execution too many is refused, for starts and for children."""
    account = Account(open_executions=1)
    run = account.start("a")
    with pytest.raises(Fault, match="LimitExceededFault"):
        account.start("b")
    account.decide(decision("StartChildWorkflowExecution", workflowId="c", workflowType=WORKFLOW))
    cause = account.last(run, "StartChildWorkflowExecutionFailed")["cause"]
    assert cause == "OPEN_WORKFLOWS_LIMIT_EXCEEDED"


@pytest.mark.parametrize(
    ("closing", "status", "event", "members"),
    [
        (COMPLETE, "COMPLETED", "WorkflowExecutionCompleted", {"result": "done"}),
        (FAIL, "FAILED", "WorkflowExecutionFailed", {"reason": "why", "details": "more"}),
        (CANCEL, "CANCELED", "WorkflowExecutionCanceled", {"details": "stopped"}),
    ],
)
def test_a_decider_closes_an_execution(
    closing: Body, status: str, event: str, members: Body
) -> None:
    """The last event and the description have the close status."""
    account = Account()
    run = account.start()
    account.after(3)
    account.decide(closing)
    assert account.types(run)[-1] == event
    assert account.last(run, event) == {**members, "decisionTaskCompletedEventId": 4}
    info = account.describe(run)["executionInfo"]
    assert info["closeStatus"] == status
    assert info["closeTimestamp"] == START + 3


def test_nothing_happens_in_a_closed_execution() -> None:
    """Its timers do not fire, its tasks are not given out, it takes no signals."""
    account = Account()
    run = account.start()
    account.decide(timer(), schedule())
    account.signal()
    account.decide(COMPLETE)
    length = len(account.history(run))
    account.after(1000)
    with pytest.raises(Fault, match="UnknownResourceFault"):
        account.signal()
    assert account.pending("Activity", "work") == 0
    assert len(account.history(run)) == length
    assert account.engine.next_deadline() == float("inf")


def test_an_execution_times_out() -> None:
    """It is closed at its start-to-close timeout, with its child policy."""
    account = Account()
    run = account.start(executionStartToCloseTimeout="50", childPolicy="ABANDON")
    account.after(50)
    assert account.last(run, "WorkflowExecutionTimedOut") == {
        "timeoutType": "START_TO_CLOSE",
        "childPolicy": "ABANDON",
    }
    assert account.describe(run)["executionInfo"]["closeStatus"] == "TIMED_OUT"


def test_no_execution_lasts_longer_than_a_year() -> None:
    """A longer timeout is cut to a year."""
    account = Account()
    run = account.start(executionStartToCloseTimeout="99999999")
    account.after(365 * 24 * 3600 - 1)
    assert account.describe(run)["executionInfo"]["executionStatus"] == "OPEN"
    account.after(1)
    assert account.describe(run)["executionInfo"]["closeStatus"] == "TIMED_OUT"


def test_an_operator_terminates_an_execution() -> None:
    """It is closed at once, with reason and details, with all its open items."""
    account = Account()
    run = account.start()
    task = account.poll_decision()
    terminate(account, reason="r", details="d")
    assert account.last(run, "WorkflowExecutionTerminated") == {
        "reason": "r",
        "details": "d",
        "childPolicy": "TERMINATE",
        "cause": "OPERATOR_INITIATED",
    }
    with pytest.raises(Fault, match="Unknown execution"):
        account.respond(task)
    with pytest.raises(Fault, match="UnknownResourceFault"):
        terminate(account)


def test_a_signal_from_outside_is_recorded() -> None:
    """The event has externalInitiatedEventId 0, and a decision task follows."""
    account = Account()
    run = account.start()
    account.decide()
    account.signal(input="in")
    assert account.types(run)[-2:] == ["WorkflowExecutionSignaled", "DecisionTaskScheduled"]
    assert account.last(run, "WorkflowExecutionSignaled") == {
        "signalName": "s",
        "input": "in",
        "externalInitiatedEventId": 0,
    }


def test_a_request_to_cancel_is_recorded() -> None:
    """It closes nothing, and the description has it."""
    account = Account()
    run = account.start()
    account.decide()
    assert account.describe(run)["executionInfo"]["cancelRequested"] is False
    account.call("RequestCancelWorkflowExecution", domain=DOMAIN, workflowId="w", runId=run)
    assert account.types(run)[-1] == "DecisionTaskScheduled"
    cancel = account.last(run, "WorkflowExecutionCancelRequested")
    assert cancel == {"externalInitiatedEventId": 0}
    assert account.describe(run)["executionInfo"]["cancelRequested"] is True


@pytest.mark.parametrize(
    "operation",
    ["SignalWorkflowExecution", "RequestCancelWorkflowExecution", "TerminateWorkflowExecution"],
)
def test_a_run_id_must_be_that_of_the_open_run(operation: str) -> None:
    """A closed run is unknown, even if another run of the workflowId is open."""
    account = Account()
    old = account.start()
    account.decide(COMPLETE)
    new = account.start()
    extra = {"signalName": "s"} if operation.startswith("Signal") else {}
    params = {"domain": DOMAIN, "workflowId": "w", **extra}
    with pytest.raises(Fault, match="UnknownResourceFault: Unknown execution"):
        account.call(operation, runId=old, **params)
    account.call(operation, runId=new, **params)


def test_a_continued_execution_is_a_new_run() -> None:
    """The workflowId is the same, and each of the two histories names the other's run."""
    account = Account()
    account.register_workflow(version="2.0", defaultTaskPriority="3")
    old = account.start(tagList=["t"], input="old")
    account.decide(
        decision(
            "ContinueAsNewWorkflowExecution",
            input="new",
            workflowTypeVersion="2.0",
            taskStartToCloseTimeout="77",
            tagList=["u"],
        )
    )
    closing = account.last(old, "WorkflowExecutionContinuedAsNew")
    new = closing["newExecutionRunId"]
    common = {
        "input": "new",
        "executionStartToCloseTimeout": "3600",
        "taskStartToCloseTimeout": "77",
        "taskList": {"name": DECISIONS},
        "taskPriority": "3",
        "childPolicy": "TERMINATE",
        "workflowType": {"name": "wf", "version": "2.0"},
        "tagList": ["u"],
    }
    assert closing == {
        **common,
        "newExecutionRunId": new,
        "decisionTaskCompletedEventId": 4,
    }
    assert attributes(account.history(new)[0]) == {
        **common,
        "continuedExecutionRunId": old,
        "parentInitiatedEventId": 0,
    }
    assert account.describe(old)["executionInfo"]["closeStatus"] == "CONTINUED_AS_NEW"
    assert account.describe(new)["executionInfo"]["executionStatus"] == "OPEN"
    account.decide(COMPLETE)


@pytest.mark.parametrize(
    ("attributes", "cause"),
    [
        ({"workflowTypeVersion": "9"}, "WORKFLOW_TYPE_DOES_NOT_EXIST"),
        ({"workflowTypeVersion": "old"}, "WORKFLOW_TYPE_DEPRECATED"),
        ({"workflowTypeVersion": "bare"}, "DEFAULT_EXECUTION_START_TO_CLOSE_TIMEOUT_UNDEFINED"),
    ],
)
def test_a_continuation_can_fail(attributes: Body, cause: str) -> None:
    """The execution stays open, and another decision task follows."""
    account = Account()
    account.register_workflow(version="old")
    old = {"name": "wf", "version": "old"}
    account.call("DeprecateWorkflowType", domain=DOMAIN, workflowType=old)
    account.register_workflow(version="bare", defaultExecutionStartToCloseTimeout=None)
    run = account.start()
    account.decide(decision("ContinueAsNewWorkflowExecution", **attributes))
    assert account.last(run, "ContinueAsNewWorkflowExecutionFailed")["cause"] == cause
    account.decide(COMPLETE)


def test_a_full_history_terminates_the_execution() -> None:
    """The last of the allowed events is the termination, with its own cause."""
    account = Account(event_limit=10)
    run = account.start()
    for _ in range(7):
        account.signal()
    assert len(account.history(run)) == 9
    account.signal()
    assert len(account.history(run)) == 10
    assert account.last(run, "WorkflowExecutionTerminated") == {
        "cause": "EVENT_LIMIT_EXCEEDED",
        "childPolicy": "TERMINATE",
    }


def test_a_closing_event_may_be_the_last_that_fits() -> None:
    """An execution may close by its decider with the event that reaches the limit."""
    account = Account(event_limit=5)
    run = account.start()
    account.decide(COMPLETE)
    assert account.types(run)[-1] == "WorkflowExecutionCompleted"


def test_decisions_are_dropped_when_the_history_is_full() -> None:
    """A response with too many decisions does not pass the limit."""
    account = Account(event_limit=8)
    run = account.start()
    account.decide(*(timer(str(number)) for number in range(20)), COMPLETE)
    assert account.types(run)[4:] == ["TimerStarted"] * 3 + ["WorkflowExecutionTerminated"]


@pytest.mark.parametrize(
    "made",
    [
        child("c", taskList={"name": "kids"}),
        decision("SignalExternalWorkflowExecution", workflowId="other", signalName="s"),
        decision("RequestCancelExternalWorkflowExecution", workflowId="other"),
        decision("ScheduleLambdaFunction", id="f", name="n"),
    ],
    ids=lambda each: each["decisionType"],
)
def test_an_event_without_room_has_no_effect(made: Body) -> None:
    """Nothing reaches other executions, or is run, without an event that announces it."""
    account = Account(event_limit=5, lambda_available=True)
    other = account.start("other", taskList={"name": "elsewhere"})
    run = account.start(lambdaRole="any")
    account.decide(made)
    assert account.types(run)[4:] == ["WorkflowExecutionTerminated"]
    assert account.types(other) == ["WorkflowExecutionStarted", "DecisionTaskScheduled"]
    assert len(list(account.engine.executions())) == 2
    assert account.engine.take_invocations() == []


def test_a_function_whose_start_has_no_room_is_not_run() -> None:
    """The limit may be reached between the scheduling of a function and its start."""
    account = Account(event_limit=6, lambda_available=True)
    run = account.start(lambdaRole="any")
    account.decide(decision("ScheduleLambdaFunction", id="f", name="n"))
    assert account.types(run)[4:] == ["LambdaFunctionScheduled", "WorkflowExecutionTerminated"]
    assert account.engine.take_invocations() == []


def test_a_full_history_gives_out_no_task() -> None:
    """A poll that would have been given a task waits on."""
    account = Account(event_limit=6)
    run = account.start()
    account.decide(schedule())
    assert isinstance(account.wait("Activity", "work"), Waiting)
    assert account.types(run)[-1] == "WorkflowExecutionTerminated"
    assert account.engine.started_tasks == 0


@pytest.mark.parametrize("days", ["0", "NONE"])
def test_without_retention_an_execution_is_gone_at_its_close(days: str) -> None:
    """Record and history are deleted as soon as it closes."""
    account = Account()
    account.call("RegisterDomain", name="short", workflowExecutionRetentionPeriodInDays=days)
    key = {"name": "wf", "version": "1"}
    account.call("RegisterWorkflowType", domain="short", **key)
    run = account.call(
        "StartWorkflowExecution",
        domain="short",
        workflowId="w",
        workflowType=key,
        taskList={"name": "l"},
        taskStartToCloseTimeout="5",
        executionStartToCloseTimeout="5",
        childPolicy="ABANDON",
    )["runId"]
    account.after(5)
    with pytest.raises(Fault, match="Unknown execution"):
        account.call(
            "DescribeWorkflowExecution",
            domain="short",
            execution={"workflowId": "w", "runId": run},
        )


def test_a_closed_execution_is_kept_for_its_retention_period() -> None:
    """Then it is forgotten everywhere, and no deadline waits for that moment."""
    account = Account()
    run = account.start()
    task = account.poll_decision()
    account.respond(task, COMPLETE)
    account.after(30 * 24 * 3600 - 1)
    assert account.describe(run)["executionInfo"]["closeStatus"] == "COMPLETED"
    assert account.engine.next_deadline() == float("inf")
    account.after(1)
    with pytest.raises(Fault, match="Unknown execution"):
        account.describe(run)
    with pytest.raises(Fault, match="Unknown execution"):
        account.respond(task)
    assert list(account.engine.executions()) == []

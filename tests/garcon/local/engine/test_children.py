"""Parents and children."""

from typing import Any

import pytest

from tests.garcon.local.engine.account import (
    CANCEL,
    COMPLETE,
    DECISIONS,
    DOMAIN,
    FAIL,
    WORKFLOW,
    Account,
    Body,
    attributes,
    child,
    decision,
)


def family(**settings: Any) -> tuple[Account, str, str]:
    """A parent that has seen its child start: account, run of the parent, run of the child.

    The child's decision task waits on the list "kids".
    """
    account = Account(**settings)
    parent = account.start("p")
    account.decide(child(taskList={"name": "kids"}))
    account.decide()
    run: str = account.last(parent, "ChildWorkflowExecutionStarted")["workflowExecution"]["runId"]
    return account, parent, run


def test_a_child_is_announced_and_then_begins() -> None:
    """Initiated with the response, started after it, with a decision task for the parent."""
    account = Account()
    parent = account.start("p")
    account.decide(child(input="in", control="c", tagList=["t"], lambdaRole="role"))
    assert account.types(parent)[4:] == [
        "StartChildWorkflowExecutionInitiated",
        "ChildWorkflowExecutionStarted",
        "DecisionTaskScheduled",
    ]
    settings = {
        "input": "in",
        "executionStartToCloseTimeout": "3600",
        "taskStartToCloseTimeout": "10",
        "taskList": {"name": DECISIONS},
        "childPolicy": "TERMINATE",
        "workflowType": WORKFLOW,
        "tagList": ["t"],
        "lambdaRole": "role",
    }
    assert account.last(parent, "StartChildWorkflowExecutionInitiated") == {
        **settings,
        "workflowId": "c",
        "control": "c",
        "decisionTaskCompletedEventId": 4,
    }
    started = account.last(parent, "ChildWorkflowExecutionStarted")
    run = started["workflowExecution"]["runId"]
    assert started == {
        "workflowExecution": {"workflowId": "c", "runId": run},
        "workflowType": WORKFLOW,
        "initiatedEventId": 5,
    }
    assert attributes(account.history(run)[0]) == {
        **settings,
        "parentWorkflowExecution": {"workflowId": "p", "runId": parent},
        "parentInitiatedEventId": 5,
    }


def test_parent_and_child_are_described_as_such() -> None:
    """The child names its parent, the parent counts its child."""
    account, parent, run = family()
    info = account.describe(run, "c")["executionInfo"]
    assert info["parent"] == {"workflowId": "p", "runId": parent}
    assert account.describe(parent, "p")["openCounts"]["openChildWorkflowExecutions"] == 1


@pytest.mark.parametrize(
    ("closing", "word", "members"),
    [
        (COMPLETE, "Completed", {"result": "done"}),
        (FAIL, "Failed", {"reason": "why", "details": "more"}),
        (CANCEL, "Canceled", {"details": "stopped"}),
    ],
)
def test_a_parent_gets_the_close_of_its_child(closing: Body, word: str, members: Body) -> None:
    """The event repeats the child's result or reason, and a decision task follows."""
    account, parent, run = family()
    account.decide(closing, task_list="kids")
    event = f"ChildWorkflowExecution{word}"
    assert account.types(parent)[-2:] == [event, "DecisionTaskScheduled"]
    assert account.last(parent, event) == {
        **members,
        "workflowExecution": {"workflowId": "c", "runId": run},
        "workflowType": WORKFLOW,
        "initiatedEventId": 5,
        "startedEventId": 6,
    }
    assert account.describe(parent, "p")["openCounts"]["openChildWorkflowExecutions"] == 0


def test_a_parent_gets_the_termination_or_timeout_of_its_child() -> None:
    """Reason and details of a termination are not repeated; a timeout has its type."""
    account, parent, _ = family()
    params = {"domain": DOMAIN, "workflowId": "c"}
    account.call("TerminateWorkflowExecution", reason="r", details="d", **params)
    event = account.last(parent, "ChildWorkflowExecutionTerminated")
    assert set(event) == {
        "workflowExecution",
        "workflowType",
        "initiatedEventId",
        "startedEventId",
    }
    account.decide(child(executionStartToCloseTimeout="9", taskList={"name": "kids"}))
    account.after(9)
    timed_out = account.last(parent, "ChildWorkflowExecutionTimedOut")
    assert timed_out["timeoutType"] == "START_TO_CLOSE"


def test_a_continued_child_remains_a_child() -> None:
    """The parent gets no event until the newest run closes."""
    account, parent, run = family()
    length = len(account.history(parent))
    account.decide(
        decision("ContinueAsNewWorkflowExecution", taskList={"name": "kids"}), task_list="kids"
    )
    assert len(account.history(parent)) == length
    new = account.last(run, "WorkflowExecutionContinuedAsNew")["newExecutionRunId"]
    first = attributes(account.history(new)[0])
    assert first["parentWorkflowExecution"] == {"workflowId": "p", "runId": parent}
    account.decide(COMPLETE, task_list="kids")
    event = account.last(parent, "ChildWorkflowExecutionCompleted")
    assert event["workflowExecution"]["runId"] == new


def test_a_child_policy_reaches_the_newest_run_of_a_child() -> None:
    """A continued child is terminated with its parent."""
    account, _, run = family()
    account.decide(
        decision("ContinueAsNewWorkflowExecution", taskList={"name": "kids"}), task_list="kids"
    )
    new = account.last(run, "WorkflowExecutionContinuedAsNew")["newExecutionRunId"]
    account.call("TerminateWorkflowExecution", domain=DOMAIN, workflowId="p")
    assert account.types(new)[-1] == "WorkflowExecutionTerminated"


@pytest.mark.parametrize(
    ("attributes", "cause"),
    [
        ({"workflowType": {"name": "wf", "version": "9"}}, "WORKFLOW_TYPE_DOES_NOT_EXIST"),
        ({"workflowType": {"name": "wf", "version": "old"}}, "WORKFLOW_TYPE_DEPRECATED"),
        (
            {"workflowType": {"name": "wf", "version": "bare"}},
            "DEFAULT_EXECUTION_START_TO_CLOSE_TIMEOUT_UNDEFINED",
        ),
        (
            {
                "workflowType": {"name": "wf", "version": "bare"},
                "executionStartToCloseTimeout": "5",
            },
            "DEFAULT_TASK_LIST_UNDEFINED",
        ),
        (
            {
                "workflowType": {"name": "wf", "version": "bare"},
                "executionStartToCloseTimeout": "5",
                "taskList": {"name": "x"},
            },
            "DEFAULT_TASK_START_TO_CLOSE_TIMEOUT_UNDEFINED",
        ),
        (
            {
                "workflowType": {"name": "wf", "version": "bare"},
                "executionStartToCloseTimeout": "5",
                "taskList": {"name": "x"},
                "taskStartToCloseTimeout": "5",
            },
            "DEFAULT_CHILD_POLICY_UNDEFINED",
        ),
    ],
)
def test_an_invalid_child_is_refused_at_once(attributes: Body, cause: str) -> None:
    """The event refers to 0, since no child was initiated."""
    account = Account()
    account.register_workflow(version="old")
    old = {"name": "wf", "version": "old"}
    account.call("DeprecateWorkflowType", domain=DOMAIN, workflowType=old)
    bare = {"domain": DOMAIN, "name": "wf", "version": "bare"}
    account.call("RegisterWorkflowType", **bare)
    parent = account.start("p")
    account.decide(child(control="c", **attributes))
    assert account.last(parent, "StartChildWorkflowExecutionFailed") == {
        "workflowId": "c",
        "workflowType": attributes["workflowType"],
        "control": "c",
        "cause": cause,
        "initiatedEventId": 0,
        "decisionTaskCompletedEventId": 4,
    }


def test_a_child_whose_id_is_in_use_fails_after_it_was_initiated() -> None:
    """WORKFLOW_ALREADY_RUNNING refers to the Initiated event, and a decision task follows."""
    account = Account()
    account.start("c", taskList={"name": "elsewhere"})
    parent = account.start("p")
    account.decide(child(control="x"))
    assert account.types(parent)[4:] == [
        "StartChildWorkflowExecutionInitiated",
        "StartChildWorkflowExecutionFailed",
        "DecisionTaskScheduled",
    ]
    assert account.last(parent, "StartChildWorkflowExecutionFailed") == {
        "workflowId": "c",
        "workflowType": WORKFLOW,
        "control": "x",
        "cause": "WORKFLOW_ALREADY_RUNNING",
        "initiatedEventId": 5,
        "decisionTaskCompletedEventId": 4,
    }
    assert account.describe(parent, "p")["openCounts"]["openChildWorkflowExecutions"] == 0


def test_open_children_have_a_limit() -> None:
    """One child too many is refused."""
    account = Account(open_children=1)
    parent = account.start("p")
    account.decide(child("a"), child("b"))
    cause = account.last(parent, "StartChildWorkflowExecutionFailed")["cause"]
    assert cause == "OPEN_CHILDREN_LIMIT_EXCEEDED"


@pytest.mark.parametrize(
    "made", [child(), decision("ContinueAsNewWorkflowExecution")], ids=["child", "continuation"]
)
def test_nothing_begins_in_a_deprecated_domain(made: Body) -> None:
    """Neither a child nor a continuation begins, even of a type that was undeprecated."""
    account = Account()
    run = account.start("p")
    account.call("DeprecateDomain", name=DOMAIN)
    account.call("UndeprecateWorkflowType", domain=DOMAIN, workflowType=WORKFLOW)
    account.decide(made)
    failed = account.last(run, f"{made['decisionType']}Failed")
    assert failed["cause"] == "WORKFLOW_TYPE_DEPRECATED"
    assert len(list(account.engine.executions())) == 1


def test_announced_children_count_as_open_executions() -> None:
    """One response cannot start more of them than the domain has room for."""
    account = Account(open_executions=3)
    parent = account.start("p")
    account.decide(*(child(name, taskList={"name": "kids"}) for name in "abc"))
    failed = account.last(parent, "StartChildWorkflowExecutionFailed")
    assert (failed["workflowId"], failed["cause"]) == ("c", "OPEN_WORKFLOWS_LIMIT_EXCEEDED")
    assert len(list(account.engine.executions())) == 3


def test_a_child_begins_though_its_parent_closes() -> None:
    """The child was announced; the closed parent's history does not grow."""
    account = Account()
    parent = account.start("p")
    account.decide(child(), COMPLETE)
    assert account.types(parent)[-1] == "WorkflowExecutionCompleted"
    task = account.decide(COMPLETE)
    assert task["workflowExecution"]["workflowId"] == "c"
    assert account.types(parent)[-1] == "WorkflowExecutionCompleted"


def test_a_child_may_have_no_timeout() -> None:
    """NONE is documented for a child's own timeout: then the year is its only limit."""
    account = Account()
    parent = account.start("p", childPolicy="ABANDON")
    account.decide(child(executionStartToCloseTimeout="NONE"))
    started = account.last(parent, "ChildWorkflowExecutionStarted")
    account.after(365 * 24 * 3600)
    run = started["workflowExecution"]["runId"]
    assert account.types(run)[-1] == "WorkflowExecutionTimedOut"


def test_completing_a_parent_leaves_its_children_alone() -> None:
    """The child policy is for termination and timeout only."""
    account, _, run = family()
    account.signal("p")
    account.decide(COMPLETE)
    assert account.types(run)[-1] == "DecisionTaskScheduled"
    account.decide(COMPLETE, task_list="kids")


@pytest.mark.parametrize("how", ["terminate", "time out"])
@pytest.mark.parametrize("policy", ["TERMINATE", "REQUEST_CANCEL", "ABANDON"])
def test_a_child_policy_is_applied(policy: str, how: str) -> None:
    """It is applied at a termination, where the call may override it, and at a timeout."""
    account = Account()
    account.start("p", childPolicy="ABANDON" if how == "terminate" else policy)
    account.decide(child(executionStartToCloseTimeout="9000", taskList={"name": "kids"}))
    (run,) = [each.run_id for each in account.engine.executions() if each.workflow_id == "c"]
    account.decide(task_list="kids")
    if how == "terminate":
        params = {"domain": DOMAIN, "workflowId": "p", "childPolicy": policy}
        account.call("TerminateWorkflowExecution", **params)
    else:
        account.after(3600)
    if policy == "TERMINATE":
        event = account.last(run, "WorkflowExecutionTerminated")
        assert event == {"childPolicy": "TERMINATE", "cause": "CHILD_POLICY_APPLIED"}
    elif policy == "REQUEST_CANCEL":
        event = account.last(run, "WorkflowExecutionCancelRequested")
        assert event == {"externalInitiatedEventId": 0, "cause": "CHILD_POLICY_APPLIED"}
        assert account.types(run)[-1] == "DecisionTaskScheduled"
    else:
        assert account.types(run)[-1] == "DecisionTaskCompleted"


def test_a_terminated_child_applies_its_own_policy() -> None:
    """The termination of its parent does not change the policy of the child."""
    account = Account()
    account.start("p")
    account.decide(child("c", childPolicy="ABANDON", taskList={"name": "c"}))
    account.decide(child("grandchild", taskList={"name": "g"}), task_list="c")
    params = {"domain": DOMAIN, "workflowId": "p", "childPolicy": "TERMINATE"}
    account.call("TerminateWorkflowExecution", **params)
    status = {each.workflow_id: each.status for each in account.engine.executions()}
    assert status == {"p": "TERMINATED", "c": "TERMINATED", "grandchild": "OPEN"}


def test_a_terminated_child_terminates_its_children() -> None:
    """The policy is applied in every generation."""
    account = Account()
    account.start("0", taskList={"name": "0"})
    for generation in range(300):
        name = str(generation + 1)
        account.decide(child(name, taskList={"name": name}), task_list=str(generation))
    account.call("TerminateWorkflowExecution", domain=DOMAIN, workflowId="0")
    statuses = [each.status for each in account.engine.executions()]
    assert statuses == ["TERMINATED"] * 301

"""Lists, counts and histories."""

from typing import Any

import pytest

from garcon.local.engine import Fault
from tests.garcon.local.engine.account import (
    COMPLETE,
    DOMAIN,
    FAIL,
    START,
    WORKFLOW,
    Account,
    Body,
    child,
    decision,
    schedule,
    timer,
)

EVER = {"oldestDate": 0.0}


def several() -> Account:
    """Four executions, a second apart: a and b open, c completed, d failed before c closed."""
    account = Account()
    for name in "abcd":
        account.start(name, tagList=[f"tag-{name}", "all"], taskList={"name": name})
        account.after(1)
    account.decide(FAIL, task_list="d")
    account.after(1)
    account.decide(COMPLETE, task_list="c")
    return account


def listed(account: Account, what: str, **params: Any) -> list[str]:
    """The workflowIds of a list, all its pages, each of one execution."""
    operation = f"List{what}WorkflowExecutions"
    pages = account.pages(operation, domain=DOMAIN, maximumPageSize=1, **params)
    return [each["execution"]["workflowId"] for page in pages for each in page["executionInfos"]]


def test_open_executions_are_listed_latest_first() -> None:
    """The order is by start, or in reverse."""
    account = several()
    assert listed(account, "Open", startTimeFilter=EVER) == ["b", "a"]
    assert listed(account, "Open", startTimeFilter=EVER, reverseOrder=True) == ["a", "b"]


def test_closed_executions_are_listed_by_start_or_by_close() -> None:
    """The filter in the request decides the order."""
    account = several()
    assert listed(account, "Closed", startTimeFilter=EVER) == ["d", "c"]
    assert listed(account, "Closed", closeTimeFilter=EVER) == ["c", "d"]
    assert listed(account, "Closed", closeTimeFilter=EVER, reverseOrder=True) == ["d", "c"]


def test_a_list_goes_on_though_executions_have_closed() -> None:
    """An execution that closes between two pages neither repeats nor skips the others."""
    account = Account()
    for name in "abcd":
        account.start(name, taskList={"name": name})
    params = {"domain": DOMAIN, "startTimeFilter": EVER, "maximumPageSize": 2}
    page = account.call("ListOpenWorkflowExecutions", **params)
    assert [each["execution"]["workflowId"] for each in page["executionInfos"]] == ["d", "c"]
    account.decide(COMPLETE, task_list="c")
    token = page["nextPageToken"]
    page = account.call("ListOpenWorkflowExecutions", nextPageToken=token, **params)
    assert [each["execution"]["workflowId"] for each in page["executionInfos"]] == ["b", "a"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"executionFilter": {"workflowId": "a"}}, ["a"]),
        ({"tagFilter": {"tag": "tag-b"}}, ["b"]),
        ({"tagFilter": {"tag": "all"}}, ["b", "a"]),
        ({"typeFilter": {"name": "wf"}}, ["b", "a"]),
        ({"typeFilter": {"name": "wf", "version": "1.0"}}, ["b", "a"]),
        ({"typeFilter": {"name": "wf", "version": "2.0"}}, []),
    ],
)
def test_filters_select_open_executions(filters: Body, expected: list[str]) -> None:
    """Each filter lists its matches, and the count agrees."""
    account = several()
    assert listed(account, "Open", startTimeFilter=EVER, **filters) == expected
    params = {"domain": DOMAIN, "startTimeFilter": EVER, **filters}
    count = account.call("CountOpenWorkflowExecutions", **params)
    assert count == {"count": len(expected), "truncated": False}


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"closeStatusFilter": {"status": "FAILED"}}, ["d"]),
        ({"executionFilter": {"workflowId": "c"}}, ["c"]),
        ({"tagFilter": {"tag": "tag-a"}}, []),
    ],
)
def test_filters_select_closed_executions(filters: Body, expected: list[str]) -> None:
    """Each filter lists its matches, and the count agrees."""
    account = several()
    assert listed(account, "Closed", closeTimeFilter=EVER, **filters) == expected
    params = {"domain": DOMAIN, "closeTimeFilter": EVER, **filters}
    count = account.call("CountClosedWorkflowExecutions", **params)
    assert count["count"] == len(expected)


def test_time_filters_include_their_ends() -> None:
    """Both dates belong to the span."""
    account = several()
    span = {"oldestDate": START + 1, "latestDate": START + 1}
    assert listed(account, "Open", startTimeFilter=span) == ["b"]
    span = {"oldestDate": START + 4, "latestDate": START + 4}
    assert listed(account, "Closed", closeTimeFilter=span) == ["d"]


def test_filters_that_exclude_each_other_are_refused() -> None:
    """One time filter for closed executions, and one other filter at most."""
    account = several()
    for times in ({}, {"startTimeFilter": EVER, "closeTimeFilter": EVER}):
        with pytest.raises(Fault, match="exactly one of startTimeFilter and closeTimeFilter"):
            account.call("ListClosedWorkflowExecutions", domain=DOMAIN, **times)
    with pytest.raises(Fault, match="at most one of"):
        account.call(
            "CountOpenWorkflowExecutions",
            domain=DOMAIN,
            startTimeFilter=EVER,
            tagFilter={"tag": "x"},
            typeFilter={"name": "x"},
        )


def test_a_list_has_the_properties_of_an_execution() -> None:
    """Tags, type, times and status are there; empty members are left out."""
    account = several()
    params = {"domain": DOMAIN, "closeTimeFilter": EVER}
    newest = account.call("ListClosedWorkflowExecutions", **params)["executionInfos"][0]
    assert len(newest["execution"].pop("runId")) == 46
    assert newest == {
        "execution": {"workflowId": "c"},
        "workflowType": WORKFLOW,
        "startTimestamp": START + 2,
        "closeTimestamp": START + 5,
        "executionStatus": "CLOSED",
        "closeStatus": "COMPLETED",
        "cancelRequested": False,
        "tagList": ["tag-c", "all"],
    }


def test_a_history_comes_in_pages_of_either_order() -> None:
    """Each event comes once, with any page size."""
    account = Account()
    run = account.start()
    for _ in range(4):
        account.signal()

    def ids(**params: Any) -> list[int]:
        execution = {"workflowId": "w", "runId": run}
        operation = "GetWorkflowExecutionHistory"
        pages = account.pages(operation, domain=DOMAIN, execution=execution, **params)
        return [event["eventId"] for page in pages for event in page["events"]]

    assert ids() == ids(maximumPageSize=4) == ids(maximumPageSize=0) == [1, 2, 3, 4, 5, 6]
    assert ids(maximumPageSize=4, reverseOrder=True) == [6, 5, 4, 3, 2, 1]


def test_a_page_is_never_longer_than_the_settings_allow() -> None:
    """A larger maximumPageSize gives a page of the limit."""
    account = Account(page_size=3)
    run = account.start()
    for _ in range(4):
        account.signal()
    page = account.call(
        "GetWorkflowExecutionHistory",
        domain=DOMAIN,
        execution={"workflowId": "w", "runId": run},
        maximumPageSize=1000,
    )
    assert len(page["events"]) == 3


def test_an_execution_counts_its_open_items() -> None:
    """Each kind is counted; of a closed execution as it was at the close."""
    account = Account(lambda_available=True)
    run = account.start(lambdaRole="any")
    functions = [decision("ScheduleLambdaFunction", id=each, name="n") for each in "abcd"]
    children = [child(each, taskList={"name": "kids"}) for each in "abc"]
    account.decide(schedule(), timer("a"), timer("b"), *children, *functions)
    counts = {
        "openActivityTasks": 1,
        "openDecisionTasks": 1,
        "openTimers": 2,
        "openChildWorkflowExecutions": 3,
        "openLambdaFunctions": 4,
    }
    assert account.describe(run)["openCounts"] == counts
    account.decide(COMPLETE)
    assert account.describe(run)["openCounts"] == counts | {"openDecisionTasks": 0}
    account.after(1000)
    assert account.describe(run)["openCounts"] == counts | {"openDecisionTasks": 0}


def test_an_execution_is_found_by_both_its_ids() -> None:
    """A run id with another workflowId is unknown."""
    account = Account()
    run = account.start()
    for operation in ("DescribeWorkflowExecution", "GetWorkflowExecutionHistory"):
        with pytest.raises(Fault, match=r"Unknown execution: WorkflowExecution=\[workflowId=x"):
            account.call(operation, domain=DOMAIN, execution={"workflowId": "x", "runId": run})


def test_summaries_have_the_columns_of_the_page() -> None:
    """The latest comes first, with status and length of the history."""
    account = several()
    shown = list(account.engine.executions())
    assert [each.workflow_id for each in shown] == ["d", "c", "b", "a"]
    assert [each.status for each in shown] == ["FAILED", "COMPLETED", "OPEN", "OPEN"]
    assert shown[1].closed_at == START + 5
    assert shown[3].closed_at is None
    assert shown[3].events == 2
    assert account.engine.history("unknown") == []

"""The service's rates, enforced with `Settings.quotas`."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garcon.local.engine import Fault
from garcon.local.engine.entities import TokenBucket
from garcon.local.engine.throttle import ACCOUNT, DECISIONS, EXECUTION, TASKS, Rate, take
from tests.garcon.local.engine.account import (
    ACTIVITIES,
    DOMAIN,
    Account,
    Body,
    child,
    decision,
    schedule,
    timer,
)
from tests.garcon.local.shapes import model


def throttled(account: Account, operation: str, **params: Any) -> None:
    with pytest.raises(Fault) as caught:
        account.call(operation, **params)
    assert (caught.value.code, caught.value.message) == ("ThrottlingException", "Rate exceeded")


def empty(account: Account, bucket: str) -> None:
    """Leave less than a token in a bucket, as after a burst of calls."""
    account.engine._world.buckets[bucket] = TokenBucket(0.5, account.now)


PUBLISHED = {
    (2000, 200): "PollForActivityTask PollForDecisionTask RespondActivityTaskCompleted "
    "RespondActivityTaskFailed RespondActivityTaskCanceled RespondDecisionTaskCompleted "
    "StartWorkflowExecution",
    (2000, 160): "RecordActivityTaskHeartbeat",
    (2000, 60): "GetWorkflowExecutionHistory TerminateWorkflowExecution",
    (2000, 30): "SignalWorkflowExecution RequestCancelWorkflowExecution",
    (2000, 6): "CountOpenWorkflowExecutions CountClosedWorkflowExecutions DescribeActivityType "
    "DescribeWorkflowType DescribeWorkflowExecution",
    (200, 60): "RegisterActivityType RegisterWorkflowType",
    (200, 48): "ListOpenWorkflowExecutions",
    (200, 6): "CountPendingActivityTasks CountPendingDecisionTasks ListClosedWorkflowExecutions "
    "ListActivityTypes ListWorkflowTypes DescribeDomain DeprecateActivityType "
    "DeprecateWorkflowType UndeprecateActivityType UndeprecateWorkflowType DeleteActivityType "
    "DeleteWorkflowType",
    (100, 6): "RegisterDomain ListDomains DeprecateDomain UndeprecateDomain",
    (50, 30): "TagResource UntagResource ListTagsForResource",
}
"""Bucket and refill a second of each operation: "Amazon SWF Quotas", its lines in its order."""

PUBLISHED_OF_DECISIONS = {
    "ScheduleActivityTask": (1000, 200),
    "StartTimer": (2000, 200),
    "SignalExternalWorkflowExecution": (1200, 120),
    "RequestCancelExternalWorkflowExecution": (1200, 120),
    "StartChildWorkflowExecution": (500, 12),
}
PUBLISHED_OF_EXECUTIONS = {
    "GetWorkflowExecutionHistory": (400, 200),
    "SignalWorkflowExecution": (1000, 1000),
    "RecordActivityTaskHeartbeat": (1000, 1000),
    "RequestCancelWorkflowExecution": (200, 200),
}


def test_every_operation_has_its_published_rate() -> None:
    """The table covers the model, and every figure is the service's."""
    assert set(ACCOUNT) == set(model().operation_names)
    for rate, operations in PUBLISHED.items():
        assert {ACCOUNT[operation] for operation in operations.split()} == {rate}
    assert sum(len(operations.split()) for operations in PUBLISHED.values()) == len(ACCOUNT)


def test_decisions_and_executions_have_their_published_rates() -> None:
    """The rate of a task list is 2,000 activity tasks a second."""
    assert EXECUTION == PUBLISHED_OF_EXECUTIONS
    assert DECISIONS | PUBLISHED_OF_DECISIONS == DECISIONS
    assert TASKS == (2000, 2000)


def test_rates_are_off_by_default() -> None:
    """A test may call at any rate."""
    account = Account()
    for _ in range(500):
        account.call("DescribeDomain", name=DOMAIN)
    assert account.engine.counters.throttled == {}


def test_a_call_beyond_the_bucket_is_refused_until_it_fills() -> None:
    """200 calls in a moment, then six a second; other operations have their own buckets."""
    account = Account(quotas=True)
    for _ in range(200):
        account.call("DescribeDomain", name=DOMAIN)
    throttled(account, "DescribeDomain", name=DOMAIN)
    account.call("ListDomains", registrationStatus="REGISTERED")
    account.after(1)
    for _ in range(6):
        account.call("DescribeDomain", name=DOMAIN)
    throttled(account, "DescribeDomain", name=DOMAIN)
    assert account.engine.counters.throttled == {"DescribeDomain": 2}


def test_an_execution_has_rates_of_its_own() -> None:
    """Its history may be read 400 times in a moment; another execution's still can be."""
    account = Account(quotas=True)
    first, second = account.start("a"), account.start("b")
    params = {"domain": DOMAIN, "execution": {"workflowId": "a", "runId": first}}
    for _ in range(400):
        account.call("GetWorkflowExecutionHistory", **params)
    throttled(account, "GetWorkflowExecutionHistory", **params)
    params["execution"] = {"workflowId": "b", "runId": second}
    account.call("GetWorkflowExecutionHistory", **params)


@pytest.mark.parametrize(
    ("made", "cause"),
    [
        (schedule(), "ACTIVITY_CREATION_RATE_EXCEEDED"),
        (timer(), "TIMER_CREATION_RATE_EXCEEDED"),
        (child(), "CHILD_CREATION_RATE_EXCEEDED"),
        (
            decision("SignalExternalWorkflowExecution", workflowId="x", signalName="s"),
            "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_RATE_EXCEEDED",
        ),
        (
            decision("RequestCancelExternalWorkflowExecution", workflowId="x"),
            "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_RATE_EXCEEDED",
        ),
        (
            decision("ContinueAsNewWorkflowExecution"),
            "CONTINUE_AS_NEW_WORKFLOW_EXECUTION_RATE_EXCEEDED",
        ),
        (
            decision("ScheduleLambdaFunction", id="f", name="n"),
            "LAMBDA_FUNCTION_CREATION_RATE_EXCEEDED",
        ),
    ],
    ids=lambda each: each["decisionType"] if isinstance(each, dict) else "",
)
def test_a_decision_beyond_its_rate_fails_with_its_own_cause(made: Body, cause: str) -> None:
    """The response is accepted, and an event has the cause."""
    account = Account(quotas=True)
    run = account.start()
    name = made["decisionType"]
    empty(account, f"decision {name}")
    account.decide(made)
    assert account.last(run, f"{name}Failed")["cause"] == cause
    assert name in DECISIONS


def test_activity_tasks_have_a_rate_for_each_list() -> None:
    """Too many on one list are refused; those on another list are not."""
    account = Account(quotas=True)
    run = account.start()
    empty(account, f"tasks {DOMAIN} {ACTIVITIES}")
    account.decide(schedule("a"), schedule("b", taskList={"name": "other"}))
    failed = account.last(run, "ScheduleActivityTaskFailed")
    assert (failed["activityId"], failed["cause"]) == ("a", "ACTIVITY_CREATION_RATE_EXCEEDED")
    assert account.last(run, "ActivityTaskScheduled")["activityId"] == "b"


def test_a_new_bucket_is_full() -> None:
    """The first attempts succeed, one for each token of the bucket's size."""
    bucket, taken = None, []
    for _ in range(5):
        bucket, success = take(bucket, Rate(3, 1), 100.0)
        taken.append(success)
    assert taken == [True, True, True, False, False]


def test_an_empty_bucket_fills_with_time() -> None:
    """After a second it has the refill of a second."""
    bucket, success = take(TokenBucket(0, 100.0), Rate(10, 2), 101.0)
    assert success
    assert bucket == TokenBucket(1, 101.0)


@given(st.lists(st.floats(0, 0.3) | st.floats(0, 3), max_size=100))
def test_no_span_admits_more_than_size_and_refill(gaps: list[float]) -> None:
    """In any time at most size + refill x time attempts succeed."""
    rate, bucket, now, successes = Rate(4, 2), None, 0.0, 0
    for gap in gaps:
        now += gap
        bucket, success = take(bucket, rate, now)
        successes += success
        assert 0 <= bucket.level <= rate.size
    assert successes <= rate.size + rate.refill * now + 1e-6

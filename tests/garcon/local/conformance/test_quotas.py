"""The published quotas: their figures, and the behaviour at each, through boto3.

A quota of thousands is lowered, so that it is reached quickly; another test compares its default
with the published figure.
"""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from garcon.local import LocalSWF, Settings
from tests.garcon.local.conformance.account import (
    MOMENT,
    WORKFLOW,
    TimedAccount,
    complete,
    decision,
    refused,
    schedule,
)

pytestmark = pytest.mark.slow  # thousands of calls

YEAR = 365 * 24 * 3_600
PUBLISHED = {
    "domains": 100,
    "types": 10_000,
    "tags": 50,
    "open_executions": 100_000,
    "execution_limit": YEAR,
    "event_limit": 25_000,
    "open_children": 1_000,
    "open_activities": 1_000,
    "open_timers": 1_000,
    "pollers": 1_000,
    "poll_window": 60,
    "page_size": 1_000,
    "page_token_life": 24 * 3_600,
}


def limited(**settings: Any) -> TimedAccount:
    """An account with a low quota."""
    return TimedAccount(LocalSWF(Settings(**settings), start=MOMENT))


@pytest.mark.parametrize(("name", "figure"), PUBLISHED.items())
def test_a_quota_has_the_published_figure(name: str, figure: float) -> None:
    """Without settings, the limits are the service's own."""
    assert getattr(Settings(), name) == figure


def test_domains_are_limited() -> None:
    """One domain too many is refused; a deprecated one counts."""
    account = limited(domains=1)
    account.call("deprecate_domain", name=account.domain)
    with refused("LimitExceededFault"):
        account.call("register_domain", name="x", workflowExecutionRetentionPeriodInDays="1")


@pytest.mark.parametrize("kind", ["activity", "workflow"])
def test_types_are_limited(kind: str) -> None:
    """One type too many is refused; deprecated ones count, deleted ones do not."""
    account = limited(types=2)
    key = {"name": "n", "version": "1"}
    account.in_domain(f"register_{kind}_type", **key)
    account.in_domain(f"deprecate_{kind}_type", **{f"{kind}Type": key})
    with refused("LimitExceededFault"):
        account.in_domain(f"register_{kind}_type", name="n", version="2")
    account.in_domain(f"delete_{kind}_type", **{f"{kind}Type": key})
    account.in_domain(f"register_{kind}_type", name="n", version="2")


def test_a_domain_has_fifty_tags() -> None:
    """One tag too many is refused, at the registration and later."""
    account = limited()
    tags = [{"key": str(number), "value": ""} for number in range(51)]
    retention = {"workflowExecutionRetentionPeriodInDays": "1"}
    with refused("TooManyTagsFault"):
        account.call("register_domain", name="tagged", tags=tags, **retention)
    account.call("register_domain", name="tagged", tags=tags[:50], **retention)
    arn = account.call("describe_domain", name="tagged")["domainInfo"]["arn"]
    with refused("TooManyTagsFault"):
        account.call("tag_resource", resourceArn=arn, tags=tags[50:])


def test_open_executions_are_limited() -> None:
    """One execution too many is refused; for a child there is an event."""
    account = limited(open_executions=1)
    account.start()
    with refused("LimitExceededFault"):
        account.start("other")
    account.decide(decision("StartChildWorkflowExecution", workflowId="c", workflowType=WORKFLOW))
    event = account.last("StartChildWorkflowExecutionFailed")
    assert (event["cause"], event["initiatedEventId"]) == ("OPEN_WORKFLOWS_LIMIT_EXCEEDED", 0)


@pytest.mark.parametrize(
    ("setting", "made", "cause"),
    [
        ("open_activities", schedule, "OPEN_ACTIVITIES_LIMIT_EXCEEDED"),
        (
            "open_timers",
            lambda name: decision("StartTimer", timerId=name, startToFireTimeout="9"),
            "OPEN_TIMERS_LIMIT_EXCEEDED",
        ),
        (
            "open_children",
            lambda name: decision(
                "StartChildWorkflowExecution", workflowId=name, workflowType=WORKFLOW
            ),
            "OPEN_CHILDREN_LIMIT_EXCEEDED",
        ),
        (
            "open_lambdas",
            lambda name: decision("ScheduleLambdaFunction", id=name, name="f"),
            "OPEN_LAMBDA_FUNCTIONS_LIMIT_EXCEEDED",
        ),
    ],
)
def test_open_items_of_an_execution_are_limited(setting: str, made: Any, cause: str) -> None:
    """One item too many leaves an event with the cause."""
    account = limited(**{setting: 2})
    account.start()
    account.decide(*(made(name) for name in "abc"))
    assert account.last(f"{made('a')['decisionType']}Failed")["cause"] == cause


def test_no_execution_is_open_for_longer_than_a_year() -> None:
    """A longer timeout is cut to a year."""
    account = limited()
    account.start(executionStartToCloseTimeout="99999999")
    account.after(YEAR - 1)
    assert account.describe()["executionInfo"]["executionStatus"] == "OPEN"
    account.after(1)
    assert account.last("WorkflowExecutionTimedOut")["timeoutType"] == "START_TO_CLOSE"


def test_the_event_limit_ends_an_execution() -> None:
    """The event that reaches the limit is the termination of the execution."""
    account = limited(event_limit=10)
    account.start()
    for _ in range(8):
        account.signal("more")
    with refused("UnknownResourceFault"):
        account.signal("more")
    assert account.last("WorkflowExecutionTerminated")["cause"] == "EVENT_LIMIT_EXCEEDED"
    assert len(account.kinds()) == 10


def test_an_execution_may_end_with_the_last_event_that_fits() -> None:
    """The closing event may be the one that reaches the limit."""
    account = limited(event_limit=5)
    account.start()
    account.decide(complete())
    assert account.describe()["executionInfo"]["closeStatus"] == "COMPLETED"


def test_pollers_of_a_list_are_limited() -> None:
    """One poller too many on a list is refused."""
    account = limited(pollers=0)
    with refused("LimitExceededFault"):
        account.poll_activity()


# Rates.


def test_a_bucket_refills() -> None:
    """A call beyond the bucket of its operation is throttled until the bucket has a token again."""
    account = limited(quotas=True)
    for _ in range(100):
        account.call("list_domains", registrationStatus="REGISTERED")
    with refused("ThrottlingException"):
        account.call("list_domains", registrationStatus="REGISTERED")
    account.after(1)
    for _ in range(6):
        account.call("list_domains", registrationStatus="REGISTERED")
    with refused("ThrottlingException"):
        account.call("list_domains", registrationStatus="REGISTERED")


def test_a_throttled_call_is_a_bad_request() -> None:
    """The status is 400, the code ThrottlingException, the message "Rate exceeded"."""
    account = limited(quotas=True)
    for _ in range(200):
        account.in_domain("count_pending_activity_tasks", taskList={"name": "x"})
    with pytest.raises(ClientError) as caught:
        account.in_domain("count_pending_activity_tasks", taskList={"name": "x"})
    answer = caught.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert answer["Error"] == {"Code": "ThrottlingException", "Message": "Rate exceeded"}


def test_pages_of_a_decision_tasks_history_spend_the_polls_bucket() -> None:
    """Such pages are fetched by polls, and count as polls."""
    account = limited(quotas=True)
    account.start()
    task = account.decision_task(maximumPageSize=1)
    token = {"nextPageToken": task["nextPageToken"], "maximumPageSize": 1}
    for _ in range(1_999):
        account.poll_decision(**token)
    with refused("ThrottlingException"):
        account.poll_decision(**token)


def test_an_execution_has_a_rate_of_its_own() -> None:
    """200 requests to cancel one execution in a moment; those for another one still succeed."""
    account = limited(quotas=True)
    account.start("w")
    account.start("other")
    for _ in range(200):
        account.in_domain("request_cancel_workflow_execution", workflowId="w")
    with refused("ThrottlingException", "Rate exceeded"):
        account.in_domain("request_cancel_workflow_execution", workflowId="w")
    account.in_domain("request_cancel_workflow_execution", workflowId="other")


def test_decisions_have_rates() -> None:
    """500 children in a moment, then 12 a second; the response is accepted, the event has the
    cause.
    """
    account = limited(quotas=True)
    account.start("parent", taskList={"name": "parents"})

    def decide(*names: int) -> None:
        task = account.decision_task(taskList={"name": "parents"})
        children = (
            decision("StartChildWorkflowExecution", workflowId=f"{name}", workflowType=WORKFLOW)
            for name in names
        )
        account.respond(task, *children)

    decide(*range(501))
    event = account.last("StartChildWorkflowExecutionFailed", "parent")
    assert (event["workflowId"], event["cause"]) == ("500", "CHILD_CREATION_RATE_EXCEEDED")
    account.after(1)
    decide(*range(500, 513))
    assert account.describe("parent")["openCounts"]["openChildWorkflowExecutions"] == 512

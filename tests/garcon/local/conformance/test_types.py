"""Domains, types, starting, visibility: one test a rule, through boto3."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import pytest

from tests.garcon.local.conformance.account import (
    ACTIVITY,
    DECISIONS,
    WORKFLOW,
    Account,
    TimedAccount,
    complete,
    refused,
)

LONG_AGO = {"oldestDate": datetime.fromisoformat("2000-01-01T00:00:00+00:00")}


def test_a_domain_is_registered_once(account: Account) -> None:
    """A second registration of a domain is refused."""
    with refused("DomainAlreadyExistsFault"):
        account.call(
            "register_domain", name=account.domain, workflowExecutionRetentionPeriodInDays="1"
        )


def test_an_unknown_domain_is_an_unknown_resource(account: Account) -> None:
    """A call for an unknown domain is refused with the name of the domain."""
    with refused("UnknownResourceFault", "nowhere"):
        account.call("describe_domain", name="nowhere")


def test_a_domain_has_a_status_and_an_arn(account: Account) -> None:
    """A domain is described with its name, status, ARN and retention."""
    answer = account.call("describe_domain", name=account.domain)
    assert answer["domainInfo"]["status"] == "REGISTERED"
    assert re.fullmatch(r"arn:aws:swf:us-east-1:\d{12}:/domain/.+", answer["domainInfo"]["arn"])
    assert answer["configuration"]["workflowExecutionRetentionPeriodInDays"] == "30"


def test_a_deprecated_domain_starts_nothing(account: Account) -> None:
    """A deprecated domain refuses new executions, and is deprecated once."""
    account.call("deprecate_domain", name=account.domain)
    with refused("DomainDeprecatedFault"):
        account.call("deprecate_domain", name=account.domain)
    with refused("UnknownResourceFault"):
        account.start()


def test_deprecating_a_domain_deprecates_its_types(account: Account) -> None:
    """The types of a domain are deprecated with it, and stay deprecated when it is undeprecated."""
    account.call("deprecate_domain", name=account.domain)
    account.call("undeprecate_domain", name=account.domain)
    with refused("TypeDeprecatedFault"):
        account.start()


def test_a_type_is_registered_once(account: Account) -> None:
    """A second registration of the same name and version is refused."""
    with refused("TypeAlreadyExistsFault"):
        account.in_domain("register_workflow_type", **WORKFLOW)
    with refused("TypeAlreadyExistsFault"):
        account.in_domain("register_activity_type", **ACTIVITY)


def test_a_deprecated_type_starts_nothing(account: Account) -> None:
    """An execution of a deprecated workflow type is refused until it is undeprecated."""
    account.in_domain("deprecate_workflow_type", workflowType=WORKFLOW)
    with refused("TypeDeprecatedFault"):
        account.start()
    account.in_domain("undeprecate_workflow_type", workflowType=WORKFLOW)
    account.start()


def test_only_a_deprecated_type_is_deleted(account: Account) -> None:
    """A type must be deprecated first; afterwards it is unknown."""
    with refused("TypeNotDeprecatedFault"):
        account.in_domain("delete_activity_type", activityType=ACTIVITY)
    account.in_domain("deprecate_activity_type", activityType=ACTIVITY)
    account.in_domain("delete_activity_type", activityType=ACTIVITY)
    with refused("UnknownResourceFault"):
        account.in_domain("describe_activity_type", activityType=ACTIVITY)


def test_a_type_is_described_with_its_defaults(account: Account) -> None:
    """The defaults of the registration are in the description."""
    answer = account.in_domain("describe_activity_type", activityType=ACTIVITY)
    assert answer["typeInfo"]["status"] == "REGISTERED"
    assert answer["configuration"]["defaultTaskHeartbeatTimeout"] == "NONE"
    assert answer["configuration"]["defaultTaskStartToCloseTimeout"] == "60"


def test_types_are_listed_by_status(account: Account) -> None:
    """A list of types has those of the status in the request."""

    def names(status: str) -> list[str]:
        answer = account.in_domain("list_workflow_types", registrationStatus=status)
        return [each["workflowType"]["name"] for each in answer["typeInfos"]]

    assert (names("REGISTERED"), names("DEPRECATED")) == (["order"], [])
    account.in_domain("deprecate_workflow_type", workflowType=WORKFLOW)
    assert (names("REGISTERED"), names("DEPRECATED")) == ([], ["order"])


def test_an_unknown_type_starts_nothing(account: Account) -> None:
    """An execution of a type that is not registered is refused."""
    with refused("UnknownResourceFault"):
        account.start(workflowType={"name": "other", "version": "1.0"})


def test_a_start_without_a_required_setting_is_refused(account: Account) -> None:
    """A setting that is neither in the type nor in the call prevents the start."""
    account.in_domain("register_workflow_type", name="bare", version="1")
    with refused("DefaultUndefinedFault"):
        account.start(workflowType={"name": "bare", "version": "1"})


def test_a_workflow_id_is_unique_among_open_executions(account: Account) -> None:
    """A second open execution of a workflow id is refused; a closed one does not matter."""
    first = account.start()
    with refused("WorkflowExecutionAlreadyStartedFault"):
        account.start()
    account.decide(complete())
    assert account.start() != first


def test_a_run_id_has_46_characters(account: Account) -> None:
    """A run id is 46 characters of base64."""
    assert re.fullmatch(r"[A-Za-z0-9+/]{45}=", account.start())


def test_executions_are_counted_and_listed(account: Account) -> None:
    """Open and closed executions are counted and listed apart, with the close status."""
    account.start("open")
    account.start("closed")
    account.in_domain("terminate_workflow_execution", workflowId="closed")
    opened = account.in_domain("count_open_workflow_executions", startTimeFilter=LONG_AGO)
    assert opened["count"] == 1
    closed = account.in_domain("list_closed_workflow_executions", startTimeFilter=LONG_AGO)
    info = closed["executionInfos"][0]
    assert (info["executionStatus"], info["closeStatus"]) == ("CLOSED", "TERMINATED")


def test_executions_are_listed_by_workflow_id(account: Account) -> None:
    """An execution filter lists and counts the executions of one workflow id."""
    account.start("one")
    account.start("other")
    for closed in (False, True):
        if closed:
            for workflow_id in ("one", "other"):
                account.in_domain("terminate_workflow_execution", workflowId=workflow_id)
        answer = account.in_domain(
            f"list_{'closed' if closed else 'open'}_workflow_executions",
            startTimeFilter=LONG_AGO,
            executionFilter={"workflowId": "one"},
        )
        ids = [each["execution"]["workflowId"] for each in answer["executionInfos"]]
        assert ids == ["one"]


def test_executions_are_listed_by_tag(account: Account) -> None:
    """A tag filter lists the executions with the tag."""
    account.start("plain")
    account.start("tagged", tagList=["urgent"])
    answer = account.in_domain(
        "list_open_workflow_executions", startTimeFilter=LONG_AGO, tagFilter={"tag": "urgent"}
    )
    assert [each["execution"]["workflowId"] for each in answer["executionInfos"]] == ["tagged"]


def test_lists_come_in_pages(account: Account) -> None:
    """A list longer than a page goes on at its token, and the last page has none."""
    for number in range(5):
        account.start(f"w-{number}")
    seen = []
    page: Any = {"nextPageToken": None}
    while "nextPageToken" in page:
        token = {"nextPageToken": page["nextPageToken"]} if page["nextPageToken"] else {}
        page = account.in_domain(
            "list_open_workflow_executions", startTimeFilter=LONG_AGO, maximumPageSize=2, **token
        )
        seen += [each["execution"]["workflowId"] for each in page["executionInfos"]]
    assert sorted(seen) == [f"w-{number}" for number in range(5)]


def test_a_resource_carries_tags(account: Account) -> None:
    """Tags of a domain are set, listed and removed by its ARN."""
    arn = account.call("describe_domain", name=account.domain)["domainInfo"]["arn"]
    account.call("tag_resource", resourceArn=arn, tags=[{"key": "team", "value": "bar"}])
    assert account.call("list_tags_for_resource", resourceArn=arn)["tags"] == [
        {"key": "team", "value": "bar"}
    ]
    account.call("untag_resource", resourceArn=arn, tagKeys=["team"])
    assert account.call("list_tags_for_resource", resourceArn=arn)["tags"] == []


def test_an_execution_is_described_with_its_open_counts(account: Account) -> None:
    """A description has the configuration and the number of open items."""
    account.start()
    answer = account.describe()
    assert answer["executionConfiguration"]["childPolicy"] == "TERMINATE"
    assert answer["openCounts"]["openDecisionTasks"] == 1
    assert answer["executionInfo"]["cancelRequested"] is False


def test_pending_tasks_are_counted(account: Account) -> None:
    """Waiting tasks of a list are counted; a started one is not."""

    def pending() -> int:
        answer = account.in_domain("count_pending_decision_tasks", taskList=DECISIONS)
        return int(answer["count"])

    account.start()
    assert pending() == 1
    account.decision_task()
    assert pending() == 0


def test_a_closed_execution_is_gone_after_its_retention(timed: TimedAccount) -> None:
    """After the domain's retention period, a closed execution is unknown."""
    run_id = timed.start()
    timed.decide(complete())
    timed.after(31 * 24 * 3600)
    with refused("UnknownResourceFault"):
        timed.history(run_id=run_id)


@pytest.mark.parametrize("days", ["0", "NONE"])
def test_without_retention_an_execution_is_gone_at_its_close(
    timed: TimedAccount, days: str
) -> None:
    """Its history is deleted as soon as it ends."""
    timed.domain = "forgetful"
    timed.call("register_domain", name=timed.domain, workflowExecutionRetentionPeriodInDays=days)
    timed.in_domain("register_workflow_type", **WORKFLOW)
    run_id = timed.start(
        taskList=DECISIONS,
        taskStartToCloseTimeout="9",
        executionStartToCloseTimeout="9",
        childPolicy="ABANDON",
    )
    timed.decide(complete())
    with refused("UnknownResourceFault"):
        timed.history(run_id=run_id)


@pytest.mark.parametrize("name", ["a:b", "a/b", "a|b", " a", "a ", "arn", "a\x00b"])
def test_names_follow_the_documented_rule(timed: TimedAccount, name: str) -> None:
    """A name with a reserved character, outer space, or that is "arn" is refused."""
    with refused("ValidationException"):
        timed.start(name)

"""Limits and rates: one test a rule, through boto3."""

from __future__ import annotations

from typing import Any

import pytest

from garcon.local import LocalSWF, Settings
from tests.garcon.local.conformance import (
    DECISIONS,
    Timed,
    refused,
    schedule,
)


def test_the_event_limit_ends_an_execution() -> None:
    """The event that would go beyond the limit is the end of the execution."""
    with LocalSWF(Settings(event_limit=10)) as swf:
        account = Timed(swf)
        account.start()
        with refused("UnknownResourceFault"):
            for _ in range(10):
                account.signal("more")
        assert account.last("WorkflowExecutionTerminated")["cause"] == "EVENT_LIMIT_EXCEEDED"
        assert len(account.kinds()) == 10


def test_open_activities_are_limited() -> None:
    """One activity more than may be open is refused by an event."""
    with LocalSWF(Settings(open_activities=2)) as swf:
        account = Timed(swf)
        account.start()
        account.decide(*(schedule(f"a-{number}") for number in range(3)))
        told = account.last("ScheduleActivityTaskFailed")
        assert told["cause"] == "OPEN_ACTIVITIES_LIMIT_EXCEEDED"


def test_pollers_of_a_list_are_limited() -> None:
    """A poller too many on one list is refused with LimitExceededFault."""
    with LocalSWF(Settings(pollers=0)) as swf:
        account = Timed(swf)
        with refused("LimitExceededFault"):
            account.poll_activity()


def test_rates_are_enforced_when_asked_for() -> None:
    """With quotas, a call beyond the bucket of its operation is throttled, until it refills."""
    with LocalSWF(Settings(quotas=True)) as swf:
        account = Timed(swf)
        for _ in range(99):
            account.call("list_domains", registrationStatus="REGISTERED")
        with refused("ThrottlingException", "Rate exceeded"):
            for _ in range(2):
                account.call("list_domains", registrationStatus="REGISTERED")
        account.after(1)
        account.call("list_domains", registrationStatus="REGISTERED")


@pytest.mark.parametrize(
    ("operation", "params", "member"),
    [
        ("start", {"workflow_id": "w" * 257}, "workflowId"),
        ("start", {"tagList": ["t"] * 6}, "tagList"),
        ("start", {"input": "i" * 32_769}, "input"),
        ("poll_activity", {"identity": "i" * 257}, "identity"),
        ("poll_decision", {"maximumPageSize": 1001, "taskList": DECISIONS}, "maximumPageSize"),
    ],
)
def test_lengths_are_those_of_the_model(
    timed: Timed, operation: str, params: dict[str, Any], member: str
) -> None:
    """A member beyond the model's length is refused by name."""
    with refused("ValidationException", f"'{member}'"):
        getattr(timed, operation)(**params)

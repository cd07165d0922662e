"""The history that comes with a decision task."""

import base64

import pytest

from garcon.local.engine import Fault
from tests.garcon.local.engine.account import (
    DECISIONS,
    DOMAIN,
    Account,
    Body,
)


def ids(task: Body) -> list[int]:
    """The ids of the events that came with a task."""
    return [event["eventId"] for event in task["events"]]


def test_previous_started_event_is_that_of_the_last_completed_task() -> None:
    """It is 0 at first, and a task that timed out does not count."""
    account = Account()
    run = account.start()
    assert account.decide()["previousStartedEventId"] == 0
    account.signal()
    account.poll_decision()
    account.after(10)
    task = account.decide()
    assert task["previousStartedEventId"] == 3
    account.signal()
    assert account.decide()["previousStartedEventId"] == task["startedEventId"]
    assert account.types(run)[2] == "DecisionTaskStarted"


def test_the_history_can_begin_at_the_previous_start() -> None:
    """The option leaves out the events before that moment, by timestamp."""
    account = Account()
    account.start()
    account.after(1)
    account.decide()
    account.after(1)
    account.signal()
    account.after(1)
    task = account.poll_decision(startAtPreviousStartedEvent=True)
    assert ids(task) == [3, 4, 5, 6, 7]
    assert task["previousStartedEventId"] == 3


def test_the_first_task_has_no_previous_start_to_begin_at() -> None:
    """With the option its history begins at the first event."""
    account = Account()
    account.start()
    assert ids(account.poll_decision(startAtPreviousStartedEvent=True)) == [1, 2, 3]


def test_a_long_history_comes_in_pages() -> None:
    """Every page names the same task; later events stay out; no other task is taken."""
    account = Account()
    account.start()
    for _ in range(5):
        account.signal()
    account.start("other")
    pages = account.pages(
        "PollForDecisionTask", domain=DOMAIN, taskList={"name": DECISIONS}, maximumPageSize=3
    )
    task = next(pages)
    account.signal()
    shown = ids(task)
    for page in pages:
        assert page["taskToken"] == task["taskToken"]
        assert page["startedEventId"] == task["startedEventId"]
        shown += ids(page)
    assert shown == list(range(1, 9))
    account.respond(task)
    assert account.poll_decision()["workflowExecution"]["workflowId"] == "other"


def test_a_long_history_comes_backwards_in_pages() -> None:
    """With reverseOrder the event that started the task comes first."""
    account = Account()
    account.start()
    account.signal()
    task = account.poll_decision(maximumPageSize=3, reverseOrder=True)
    token = task["nextPageToken"]
    rest = account.poll_decision(maximumPageSize=3, reverseOrder=True, nextPageToken=token)
    assert ids(task) + ids(rest) == [4, 3, 2, 1]
    assert "nextPageToken" not in rest


def test_a_page_may_be_fetched_again() -> None:
    """A token is not used up: after a lost answer the client gets the same page."""
    account = Account()
    account.start()
    token = account.poll_decision(maximumPageSize=1)["nextPageToken"]
    again = [account.poll_decision(maximumPageSize=1, nextPageToken=token) for _ in range(2)]
    assert ids(again[0]) == [2]
    assert again[0] == again[1]


@pytest.mark.parametrize(
    "text", ["[" * 1500, "[1]", "5", '{"a": 1, "b": 2, "c": 3}', "[null, null, null]", "\xff"]
)
def test_a_foreign_page_token_is_refused(text: str) -> None:
    """Any text, however deeply nested, is an invalid token."""
    account = Account()
    token = base64.b64encode(text.encode("latin-1")).decode()
    with pytest.raises(Fault, match="Invalid token"):
        account.call("ListDomains", registrationStatus="REGISTERED", nextPageToken=token)


def test_a_page_token_is_no_longer_than_the_model_allows() -> None:
    """The length does not depend on the length or script of the names in a listing."""
    account = Account(bare=True)
    name, version = "\U0001f600" * 256, "\U0001f600" * 64
    domain = {"workflowExecutionRetentionPeriodInDays": "1"}
    for place in ("a", "b"):
        account.call("RegisterDomain", name=place + name[1:], **domain)
        key = {"name": name, "version": place + version[1:]}
        account.call("RegisterWorkflowType", domain="a" + name[1:], **key)
    status = {"registrationStatus": "REGISTERED", "maximumPageSize": 1}
    assert len(list(account.pages("ListDomains", **status))) == 2
    types = account.pages("ListWorkflowTypes", domain="a" + name[1:], **status)
    assert len(list(types)) == 2
    account.call(
        "StartWorkflowExecution",
        domain="a" + name[1:],
        workflowId=name,
        workflowType={"name": name, "version": "a" + version[1:]},
        taskList={"name": name},
        taskStartToCloseTimeout="9",
        executionStartToCloseTimeout="9",
        childPolicy="ABANDON",
    )
    where = {"domain": "a" + name[1:], "taskList": {"name": name}}
    assert len(list(account.pages("PollForDecisionTask", maximumPageSize=1, **where))) == 3


def test_a_page_token_is_valid_for_its_own_listing_and_a_day() -> None:
    """Another task list, another operation, or the next day is refused."""
    account = Account()
    run = account.start()
    token = account.poll_decision(maximumPageSize=1)["nextPageToken"]
    with pytest.raises(Fault, match="Invalid token"):
        account.poll_decision("elsewhere", nextPageToken=token)
    with pytest.raises(Fault, match="Invalid token"):
        account.call(
            "GetWorkflowExecutionHistory",
            domain=DOMAIN,
            execution={"workflowId": "w", "runId": run},
            nextPageToken=token,
        )
    with pytest.raises(Fault, match="Invalid token"):
        account.poll_decision(nextPageToken="garbage")
    account.after(24 * 3600 + 1)
    with pytest.raises(Fault, match="exceeded its maximum lifetime"):
        account.poll_decision(nextPageToken=token)

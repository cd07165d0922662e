"""The rules of the model for requests, and the messages of refusals."""

from __future__ import annotations

import json
from typing import Any

import pytest

from garcon.local.engine import Fault
from garcon.local.service.request_validation import checks, read_request
from tests.garcon.local.shapes import model


def refusal(operation: str, **members: Any) -> Fault:
    """The fault with which a request is refused."""
    with pytest.raises(Fault) as caught:
        read_request(operation, json.dumps(members).encode())
    return caught.value


POLL = {"domain": "d", "taskList": {"name": "l"}}


def test_every_operation_of_the_model_has_a_check() -> None:
    """All 39 operations are known."""
    assert set(checks()) == set(model().operation_names)
    assert len(checks()) == 39


def test_a_request_is_returned_as_its_members() -> None:
    """A valid request comes back unchanged."""
    assert read_request("PollForActivityTask", json.dumps(POLL).encode()) == POLL


def test_unknown_members_and_nulls_are_dropped() -> None:
    """A member that is not in the model, and one that is null, are ignored."""
    answer = read_request(
        "PollForActivityTask", json.dumps({**POLL, "color": "red", "identity": None}).encode()
    )
    assert answer == POLL


def test_an_empty_body_is_an_empty_request() -> None:
    """An empty body has no members, so the required ones are missing."""
    with pytest.raises(Fault, match="'domain' failed"):
        read_request("CountPendingDecisionTasks", b"")


def test_an_unknown_operation_is_refused() -> None:
    """An operation that is not in the model is an UnknownOperationException."""
    assert refusal("BrewCoffee").code == "UnknownOperationException"


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b'"text"', b"[]"])
def test_a_body_that_is_not_an_object_is_refused(body: bytes) -> None:
    """A body that is not a JSON object is a SerializationException."""
    with pytest.raises(Fault) as caught:
        read_request("ListDomains", body)
    assert caught.value.code == "SerializationException"


def test_missing_members_are_all_named() -> None:
    """Every missing required member is named in one message."""
    fault = refusal("StartWorkflowExecution", domain="d")
    assert fault.code == "ValidationException"
    assert fault.message == (
        "2 validation errors detected: Value null at 'workflowId' failed to satisfy constraint: "
        "Member must not be null; Value null at 'workflowType' failed to satisfy constraint: "
        "Member must not be null"
    )


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"domain": 5}, "NUMBER_VALUE can not be converted to a String"),
        ({"domain": {}}, "Start of structure or list found"),
        ({"maximumPageSize": "9"}, "STRING_VALUE can not be converted to a Integer"),
        ({"maximumPageSize": True}, "can not be converted to a Integer"),
        ({"reverseOrder": 1}, "NUMBER_VALUE can not be converted to a Boolean"),
        ({"taskList": "l"}, "STRING_VALUE can not be converted to a TaskList"),
    ],
)
def test_a_member_of_the_wrong_type_cannot_be_read(members: dict[str, Any], words: str) -> None:
    """A member of another JSON type is a SerializationException that names both types."""
    fault = refusal("PollForDecisionTask", **{**POLL, **members})
    assert (fault.code, words in fault.message) == ("SerializationException", True)


@pytest.mark.parametrize(
    ("members", "rule"),
    [
        ({"domain": ""}, "'domain' failed to satisfy constraint: Member must have length greater"),
        ({"domain": "d" * 257}, "Member must have length less than or equal to 256"),
        ({"taskList": {"name": ""}}, "'taskList.name' failed"),
        ({"maximumPageSize": -1}, "Member must have value greater than or equal to 0"),
        ({"maximumPageSize": 1001}, "Member must have value less than or equal to 1000"),
    ],
)
def test_bounds_are_those_of_the_model(members: dict[str, Any], rule: str) -> None:
    """A value out of the model's bounds is a ValidationException with the bound."""
    fault = refusal("PollForDecisionTask", **{**POLL, **members})
    assert (fault.code, rule in fault.message) == ("ValidationException", True)


def test_the_place_in_a_list_is_named_from_one() -> None:
    """An item of a list is named by its place, as the service does."""
    fault = refusal(
        "RespondDecisionTaskCompleted",
        taskToken="t",
        decisions=[{"decisionType": "StartTimer"}, {"decisionType": "Nap"}],
    )
    assert "'decisions.2.member.decisionType'" in fault.message
    assert "Member must satisfy enum value set: [ScheduleActivityTask, " in fault.message


def test_a_long_value_is_shown_in_part() -> None:
    """A message stays readable with an invalid value of any length."""
    assert len(refusal("RespondActivityTaskCompleted", taskToken="t" * 30_000).message) < 500

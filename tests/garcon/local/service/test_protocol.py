"""JSON 1.0: targets, answers, refusals."""

from __future__ import annotations

import json

import pytest

from garcon.local.engine import Answer, Fault
from garcon.local.service import protocol


def test_the_target_names_the_operation() -> None:
    """The text after the service's name in X-Amz-Target is the operation."""
    assert protocol.operation_of("SimpleWorkflowService.ListDomains") == "ListDomains"


def test_the_services_long_name_is_known_too() -> None:
    """Clients before botocore send the longer name of the developer guide."""
    long = "com.amazonaws.swf.service.model.SimpleWorkflowService.ListDomains"
    assert protocol.operation_of(long) == "ListDomains"


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("", "X-Amz-Target is missing; SWF calls send for instance"),
        ("ListDomains", "X-Amz-Target is 'ListDomains'; SWF calls send"),
        ("DynamoDB_20120810.ListTables", "is 'DynamoDB_20120810.ListTables'; SWF calls"),
    ],
)
def test_another_services_target_is_refused(target: str, words: str) -> None:
    """A target that is not of SWF is refused with an example."""
    with pytest.raises(Fault, match=words) as caught:
        protocol.operation_of(target)
    assert caught.value.code == "UnknownOperationException"


def test_an_empty_answer_is_an_empty_body() -> None:
    """An operation without a result is answered with a 200 and an empty body."""
    assert protocol.success(Answer({})) == protocol.Reply(200, b"")


def test_an_answer_is_json() -> None:
    """A result is answered as JSON."""
    assert protocol.success(Answer({"count": 1})) == protocol.Reply(200, b'{"count":1}')


@pytest.mark.parametrize(
    ("code", "status", "sent"),
    [
        ("UnknownResourceFault", 400, "com.amazonaws.swf.base.model#UnknownResourceFault"),
        ("ValidationException", 400, "com.amazon.coral.validate#ValidationException"),
        ("ThrottlingException", 400, "com.amazon.coral.availability#ThrottlingException"),
        ("InternalFailure", 500, "com.amazon.coral.service#InternalFailure"),
        ("RequestEntityTooLarge", 413, "com.amazon.coral.service#RequestEntityTooLarge"),
    ],
)
def test_a_refusal_has_its_status_and_type(code: str, status: int, sent: str) -> None:
    """A fault is sent with its namespace, its message and the status of its kind."""
    reply = protocol.refusal(Fault(code, "why"))
    assert reply.status == status
    assert json.loads(reply.body) == {"__type": sent, "message": "why"}


def test_a_request_beyond_a_megabyte_is_refused() -> None:
    """The largest request passes, and one byte more does not."""
    protocol.check_size(b"x" * protocol.LARGEST_REQUEST)
    with pytest.raises(Fault, match="more than 1048576"):
        protocol.check_size(b"x" * (protocol.LARGEST_REQUEST + 1))

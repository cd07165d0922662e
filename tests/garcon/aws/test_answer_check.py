"""Answers that are not SWF's are transient errors, and those of stand-ins pass."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError

from garcon import client as clients
from garcon.aws import isolation
from garcon.aws.answer_check import NotSwf
from garcon.aws.aws_errors import is_transient

HTML = b"<html><body>Welcome to the hotel. Please sign in.</body></html>"
TASK = {"domain": "d", "taskList": {"name": "l"}}
EXECUTION = {"workflowId": "w", "runId": "r"}
CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "poll": ("poll_for_activity_task", TASK),
    "decide": ("poll_for_decision_task", TASK),
    "complete": ("respond_activity_task_completed", {"taskToken": "t"}),
    "answer": ("respond_decision_task_completed", {"taskToken": "t"}),
    "heartbeat": ("record_activity_task_heartbeat", {"taskToken": "t"}),
    "register": ("register_domain", {"name": "d", "workflowExecutionRetentionPeriodInDays": "1"}),
    "describe": ("describe_domain", {"name": "d"}),
    "list": ("list_workflow_types", {"domain": "d", "registrationStatus": "REGISTERED"}),
    "history": ("get_workflow_execution_history", {"domain": "d", "execution": EXECUTION}),
    "start": (
        "start_workflow_execution",
        {"domain": "d", "workflowId": "w", "workflowType": {"name": "n", "version": "1"}},
    ),
}


def make_client() -> Any:
    """A flow's own client, without retries that would wait."""
    session = boto3.session.Session(botocore_session=isolation.session())
    address = {"endpoint_url": "http://127.0.0.1:1", "region_name": "us-east-1"}
    return session.client("swf", **address, **isolation.CREDENTIALS)  # type: ignore[call-overload]


@pytest.fixture(scope="module")
def own() -> Any:
    """One client for all calls: making one takes a tenth of a second."""
    return make_client()


class _Body:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self) -> Any:
        yield self._body


def answer_with(own: Any, body: bytes, status: int = 200) -> list[str]:
    """Answer all calls of this client in place of the network; returns the addresses called."""
    seen: list[str] = []

    def answer(request: Any, **_: Any) -> AWSResponse:
        seen.append(request.url)
        headers = HTTPHeaders()
        headers["Content-Type"] = "text/html; charset=utf-8"
        return AWSResponse(request.url, status, headers, _Body(body))

    own.meta.events.register_first("before-send.swf", answer, unique_id="test")
    return seen


def call(own: Any, name: str, body: bytes, status: int = 200) -> Any:
    """Make the call through a flow's own client; the network answers with ``body``."""
    answer_with(own, body, status)
    method, arguments = CALLS[name]
    try:
        return getattr(clients.calling(own), method)(**arguments)
    finally:
        own.meta.events.unregister("before-send.swf", unique_id="test")


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    "body", [HTML, b"[]", b"null", b'"ok"', b"7", b"{", b"\xff", b'{"message": "sign in"}']
)
def test_another_servers_success_is_a_transient_error(own: Any, name: str, body: bytes) -> None:
    """No call takes it for accepted, for an empty poll, or for a result without members."""
    with pytest.raises(NotSwf, match="not one of SWF's") as raised:
        call(own, name, body)
    assert is_transient(raised.value)


def test_a_member_whose_name_is_no_text_is_a_transient_error(own: Any) -> None:
    """Also in an answer that is whole otherwise: botocore cannot read it."""
    with pytest.raises(NotSwf, match="not one of SWF's"):
        call(own, "history", b'{"\xff": 1, "events": []}')


@pytest.mark.parametrize("name", ["heartbeat", "describe", "list", "history", "start"])
@pytest.mark.parametrize("body", [b"", b"{}"])
def test_a_missing_member_is_a_transient_error(own: Any, name: str, body: bytes) -> None:
    """An answer without what SWF always sends is not SWF's."""
    with pytest.raises(NotSwf, match=r"is missing|is empty"):
        call(own, name, body)


@pytest.mark.parametrize(
    "body", [b'{"events": {}}', b'{"events": 5}', b'{"events": [], "nextPageToken": 1}']
)
def test_a_member_of_another_type_is_a_transient_error(own: Any, body: bytes) -> None:
    """Botocore would fail on it with an error of its own."""
    with pytest.raises(NotSwf, match="Expected"):
        call(own, "history", body)


EVENT = {"eventId": 1, "eventType": "WorkflowExecutionStarted", "eventTimestamp": 1.5}
ATTRIBUTES = "workflowExecutionStartedEventAttributes"
DECISION = {
    "taskToken": "t",
    "startedEventId": 3,
    "previousStartedEventId": 0,
    "workflowExecution": EXECUTION,
    "workflowType": {"name": "n", "version": "1"},
    "events": [EVENT],
}


@pytest.mark.parametrize(
    "wrong",
    [
        {"taskToken": 5},
        {"startedEventId": "3"},
        {"workflowExecution": {}},
        {"workflowExecution": {"workflowId": 5, "runId": "r"}},
        {"workflowType": []},
        {"nextPageToken": 5},
        {"events": [5]},
        {"events": [None]},
        {"events": [{}]},
        {"events": [{**EVENT, "eventId": "one"}]},
        {"events": [{**EVENT, "eventType": 7}]},
        {"events": [{**EVENT, "eventTimestamp": float("inf")}]},
        {"events": [{**EVENT, "eventTimestamp": float("nan")}]},
        {"events": [{**EVENT, "eventTimestamp": 1e300}]},
        {"events": [{**EVENT, "eventTimestamp": "soon"}]},
        {"events": [{**EVENT, ATTRIBUTES: 5}]},
        {"events": [{**EVENT, ATTRIBUTES: {"input": {}}}]},
    ],
)
def test_what_is_wrong_inside_a_task_is_a_transient_error(own: Any, wrong: dict[str, Any]) -> None:
    """Neither botocore's parser nor the decider meets it: it would end the worker."""
    body = json.dumps({**DECISION, **wrong}).replace("Infinity", "1e999").encode()
    with pytest.raises(NotSwf, match="not one of SWF's"):
        call(own, "decide", body)


@pytest.mark.parametrize("time", [0, 1732881600, 1732881600.123, "2026-11-29T12:00:00Z"], ids=str)
def test_a_task_of_a_stand_in_passes(own: Any, time: Any) -> None:
    """With times as numbers or texts, missing and unknown attributes, and nulls."""
    attributes = {"input": None, "novelty": 1, "tagList": ["a"]}
    event = {**EVENT, "eventTimestamp": time, "novelty": 2, ATTRIBUTES: attributes}
    answer = call(own, "decide", json.dumps({**DECISION, "events": [event]}).encode())
    assert answer["events"][0]["eventId"] == 1


@pytest.mark.parametrize(("status", "body"), [(302, b""), (307, HTML), (403, HTML), (404, HTML)])
def test_an_error_page_is_a_transient_error(own: Any, status: int, body: bytes) -> None:
    """A proxy's refusal says nothing about the task or the type."""
    with pytest.raises(NotSwf):
        call(own, "complete", body, status)


@pytest.mark.parametrize("status", [400, 403, 500, 503])
@pytest.mark.parametrize("body", [b"[]", b"5", b"null", b'"x"', b"\xff", b'{"__type": 5}', b"NaN"])
def test_an_error_that_botocore_cannot_read_is_a_transient_error(
    own: Any, status: int, body: bytes
) -> None:
    """Its parser would raise an error of its own, which ends a worker."""
    with pytest.raises(NotSwf, match="not one of SWF's"):
        call(own, "poll", body, status)


@pytest.mark.parametrize("body", [b"", HTML, b"{", b'{"__type": null}', b'{"message": []}'])
def test_a_server_error_is_transient_by_its_status(own: Any, body: bytes) -> None:
    """So botocore retries it, which it does not do with an answer that is not SWF's."""
    with pytest.raises(ClientError) as raised:
        call(own, "poll", body, 502)
    assert is_transient(raised.value)


def test_errors_of_swf_pass(own: Any) -> None:
    """Their code decides what happens, whatever the content type."""
    body = json.dumps({"__type": "com.amazonaws.swf.base.model#UnknownResourceFault"}).encode()
    with pytest.raises(Exception, match="UnknownResourceFault"):
        call(own, "complete", body, 400)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("poll", b""),
        ("poll", b"{}"),
        ("poll", b'{"startedEventId": 0}'),
        ("poll", b'{"taskToken": null}'),
        ("decide", b'{"previousStartedEventId": 0, "startedEventId": 0}'),
        ("complete", b""),
        ("answer", b"{}"),
        ("register", b" {} "),
        ("heartbeat", b'{"cancelRequested": false, "novelty": [1]}'),
        ("start", b'{"runId": "r"}'),
        ("history", b'{"events": [], "nextPageToken": "\\ud800"}'),
    ],
)
def test_wellformed_answers_pass_under_any_content_type(own: Any, name: str, body: bytes) -> None:
    """Stand-ins for SWF answer JSON objects as text/html, and nothing where there is no result."""
    assert call(own, name, body)["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_every_client_of_garcon_is_checked_once() -> None:
    """The process's and the polling one made from a flow's own, too; a mock stays as it is."""
    own = make_client()
    mock = object()
    assert clients.polling(mock) is mock
    for client in (clients.polling(own), clients.calling(own), clients.calling(own)):
        seen = answer_with(client, HTML)
        with pytest.raises(NotSwf):
            client.poll_for_activity_task(domain="d", taskList={"name": "l"})
        assert len(seen) == 1, "not sent again by botocore"
        client.meta.events.unregister("before-send.swf", unique_id="test")

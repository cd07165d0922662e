"""Calls are counted at the client, each attempt with what came of it."""

from __future__ import annotations

import contextlib
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import EndpointConnectionError

from garcon import client as clients
from garcon.aws import usage
from tests.garcon.counting import Counting


@pytest.fixture
def meter(monkeypatch: pytest.MonkeyPatch) -> Counting:
    """The process's meter."""
    made = Counting()
    monkeypatch.setattr(usage, "meter", made)
    return made


class _Body:
    def __init__(self, text: bytes) -> None:
        self._text = text

    def stream(self) -> Any:
        yield self._text


def answering(*answers: tuple[int, bytes] | Exception) -> Any:
    """A client whose attempts are answered so, one after the other, before they are sent."""
    own = boto3.client(
        "swf",
        region_name="us-east-1",
        aws_access_key_id="none",
        aws_secret_access_key="none",  # noqa: S106 - not a secret
    )
    left = list(answers)

    def answer(request: Any, **_: Any) -> AWSResponse:
        now = left.pop(0)
        if isinstance(now, Exception):
            raise now
        return AWSResponse(request.url, now[0], HTTPHeaders(), _Body(now[1]))

    events: Any = own.meta.events
    events.register_first("before-send.swf", answer)
    return clients.calling(own)


THROTTLE = b'{"__type":"com.amazon.coral.availability#ThrottlingException","message":"Rate"}'
UNKNOWN = b'{"__type":"com.amazonaws.swf.base.model#UnknownResourceFault","message":"Unknown"}'


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        ((200, b'{"cancelRequested": false}'), "accepted"),
        ((400, UNKNOWN), "refused"),
        ((200, b"<html>sign in</html>"), "failed"),
    ],
)
def test_a_call_counts_with_its_result(
    meter: Counting, answer: tuple[int, bytes], result: str
) -> None:
    """SWF's answers and others' are distinguished; an answer that is not SWF's is a failure."""
    with contextlib.suppress(*clients.ERRORS):
        answering(answer).record_activity_task_heartbeat(taskToken="token")
    assert meter.calls == {("RecordActivityTaskHeartbeat", result): 1}


def test_each_attempt_of_botocore_counts(meter: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    """SWF takes retries from the budget, too."""
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    lost = EndpointConnectionError(endpoint_url="http://127.0.0.1:9")
    swf = answering((400, THROTTLE), lost, (200, b'{"count": 3}'))
    assert swf.count_pending_activity_tasks(domain="d", taskList={"name": "l"})["count"] == 3
    operation = "CountPendingActivityTasks"
    assert meter.calls == {
        (operation, "throttled"): 1,
        (operation, "failed"): 1,
        (operation, "accepted"): 1,
    }


def test_nothing_is_counted_without_a_meter() -> None:
    """A program with workers of its own makes calls as before."""
    assert usage.meter is None
    assert answering((200, b'{"count": 3}')).count_pending_activity_tasks(
        domain="d", taskList={"name": "l"}
    )

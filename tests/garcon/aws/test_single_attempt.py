"""Calls that botocore attempts once."""

from __future__ import annotations

from typing import Any
from unittest.mock import MagicMock

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError, ConnectionClosedError

from garcon.aws import isolation
from garcon.aws.single_attempt import single_attempt

pytestmark = pytest.mark.slow  # new clients for each test


class Body:
    """A throttled answer, in the form of urllib3."""

    def stream(self) -> Any:
        yield b'{"__type": "com.amazon.coral.availability#ThrottlingException"}'


@pytest.fixture(params=["legacy", "standard", "adaptive"])
def client(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client of botocore that retries in this mode, without waiting."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    session = isolation.session()
    session.set_config_variable("retry_mode", request.param)
    session.set_credentials("local", "local")
    return session.create_client("swf", region_name="us-east-1")


@pytest.mark.parametrize("failure", ["throttled", "lost"])
def test_a_call_is_attempted_once_within_the_block_only(client: Any, failure: str) -> None:
    """This holds in each retry mode, for refused calls and for lost connections."""
    calls = []

    def answer(request: Any, **_: Any) -> Any:
        calls.append(request)
        if failure == "lost":
            raise ConnectionClosedError(endpoint_url="http://x")
        return AWSResponse(request.url, 400, HTTPHeaders(), Body())

    client.meta.events.register("before-send.swf", answer)
    errors = (ClientError, ConnectionClosedError)
    for _ in range(2):
        with single_attempt(client), pytest.raises(errors):
            client.record_activity_task_heartbeat(taskToken="t")
    assert len(calls) == 2
    if failure == "throttled":  # botocore reads an exception of a hook as no lost connection
        with pytest.raises(errors):
            client.record_activity_task_heartbeat(taskToken="t")
        assert len(calls) > 3


def test_a_mock_is_left_alone() -> None:
    """Nothing is installed in it."""
    mock = MagicMock()
    with single_attempt(mock):
        mock.record_activity_task_heartbeat(taskToken="t")
    assert [name for name, _, _ in mock.mock_calls] == ["record_activity_task_heartbeat"]

"""Requests leave in one send."""

from __future__ import annotations

import http.client
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import EndpointConnectionError

from garcon import client
from garcon.aws import one_send

if TYPE_CHECKING:
    from collections.abc import Iterator

SEND = http.client.HTTPConnection.send


@pytest.fixture(autouse=True)
def chosen_swf() -> Iterator[None]:
    """The choice of each test, undone after it."""
    yield
    client.configure()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What connections send, piece by piece."""
    pieces: list[bytes] = []

    def send(connection: http.client.HTTPConnection, data: bytes) -> None:
        pieces.append(data)
        SEND(connection, data)

    monkeypatch.setattr(http.client.HTTPConnection, "send", send)
    return pieces


def test_head_and_body_leave_together(local_swf_endpoint: str, sent: list[bytes]) -> None:
    """One piece for each request, also on a connection that is used again."""
    client.configure(endpoint_url=local_swf_endpoint, isolated=True)
    for _ in range(2):
        client.calling().list_domains(registrationStatus="REGISTERED")
    assert len(sent) == 2
    for piece in sent:
        head, _, body = piece.partition(b"\r\n\r\n")
        assert head.startswith(b"POST / HTTP/1.1\r\n")
        assert body == b'{"registrationStatus": "REGISTERED"}'


def test_a_server_that_is_not_there_is_that_error() -> None:
    """The connection is made when the request is sent; its error is botocore's."""
    client.configure(endpoint_url="http://127.0.0.1:9", isolated=True)
    with client.without_reconnecting(), pytest.raises(EndpointConnectionError):
        client.calling().list_domains(registrationStatus="REGISTERED")


def test_a_client_without_private_members_is_left_as_it_is() -> None:
    """A later botocore may keep its connections elsewhere: then they send as they do."""
    other: Any = SimpleNamespace()
    one_send.install(other)
    assert other == SimpleNamespace()

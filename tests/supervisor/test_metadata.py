"""The tests' own metadata service: as strict as the real one, and gone when it is told to be."""

from __future__ import annotations

import http.client
import json
import time

import pytest

from tests import metadata
from tests.metadata import ID, INSTANCE, PUT_TOKEN, SPOT, TOKEN, TTL, Metadata


def ask(service: Metadata, method: str, path: str, **headers: str) -> tuple[int, str]:
    """One request."""
    connection = http.client.HTTPConnection(service.url.removeprefix("http://"), timeout=10)
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    connection.request(method, f"/latest/{path}", headers=named)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def token(service: Metadata, ttl: str = "60") -> dict[str, str]:
    """A new token, as a header."""
    status, text = ask(service, "PUT", PUT_TOKEN, **{TTL: ttl})
    assert status == 200
    return {TOKEN: text}


def test_a_token_opens_what_is_there(service: Metadata) -> None:
    """With one there is an instance id, and no notice."""
    mine = token(service)
    assert ask(service, "GET", ID, **mine) == (200, INSTANCE)
    assert ask(service, "GET", SPOT, **mine) == (404, "")


@pytest.mark.parametrize("headers", [{}, {TOKEN: "guessed"}])
def test_nothing_is_told_without_a_token(service: Metadata, headers: dict[str, str]) -> None:
    """Version 1 is not answered."""
    assert ask(service, "GET", ID, **headers) == (401, "")


@pytest.mark.parametrize("ttl", ["0", "21601"])
def test_a_token_needs_a_life(service: Metadata, ttl: str) -> None:
    """Between a second and six hours, and it must be said."""
    assert ask(service, "PUT", PUT_TOKEN, **{TTL: ttl})[0] == 400
    assert ask(service, "PUT", PUT_TOKEN)[0] == 400


def test_tokens_can_be_forgotten(service: Metadata) -> None:
    """What was good is answered 401."""
    mine = token(service)
    service.forget_tokens()
    assert ask(service, "GET", ID, **mine)[0] == 401


def test_a_token_ends(service: Metadata) -> None:
    """After its life it is answered 401."""
    mine = token(service, "1")
    by = time.monotonic() + metadata.LIMIT
    while ask(service, "GET", ID, **mine)[0] == 200:
        assert time.monotonic() < by
    assert ask(service, "GET", ID, **mine)[0] == 401


def test_what_is_put_is_there_until_it_is_withdrawn(service: Metadata) -> None:
    """A notice is as EC2 writes it."""
    mine = token(service)
    service.notice(1505722920.0)
    status, text = ask(service, "GET", SPOT, **mine)
    assert (status, json.loads(text)) == (
        200,
        {"action": "terminate", "time": "2017-09-18T08:22:00Z"},
    )
    service.withdraw(SPOT)
    assert ask(service, "GET", SPOT, **mine)[0] == 404


def test_it_fails_as_often_as_it_is_told(service: Metadata) -> None:
    """Tokens included; all is written down."""
    mine = token(service)
    service.fail(503, 2)
    statuses = [ask(service, "GET", ID, **mine)[0], ask(service, "PUT", PUT_TOKEN, **{TTL: "9"})[0]]
    assert statuses == [503, 503]
    assert ask(service, "GET", ID, **mine)[0] == 200
    assert service.asked == [(PUT_TOKEN, 200), (ID, 503), (PUT_TOKEN, 503), (ID, 200)]
    assert service.count(ID) == service.count(ID, 503) == 1


def test_it_goes_and_comes_back(service: Metadata) -> None:
    """Gone it refuses connections; back it has the same address and knows its tokens."""
    mine = token(service)
    service.go()
    with pytest.raises(OSError, match="refused"):
        ask(service, "GET", ID, **mine)
    service.come_back()
    assert ask(service, "GET", ID, **mine)[0] == 200

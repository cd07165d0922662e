"""The fake metadata service is as strict as the real one, and fails on demand."""

from __future__ import annotations

import http.client
import json

import pytest

from tests.fakes.metadata_service import ID, INSTANCE, PUT_TOKEN, SPOT, TOKEN, TTL, Metadata


def ask(service: Metadata, method: str, path: str, **headers: str) -> tuple[int, str]:
    """Status and text of one request."""
    connection = http.client.HTTPConnection(service.url.removeprefix("http://"), timeout=10)
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    connection.request(method, f"/latest/{path}", headers=named)
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, text


def token(service: Metadata, ttl: str = "60") -> dict[str, str]:
    """A new token, as a header."""
    status, text = ask(service, "PUT", PUT_TOKEN, **{TTL: ttl})
    assert status == 200
    return {TOKEN: text}


def test_a_token_gives_access_to_the_items(service: Metadata) -> None:
    """At first there is an instance id and no notice."""
    mine = token(service)
    assert ask(service, "GET", ID, **mine) == (200, INSTANCE)
    assert ask(service, "GET", SPOT, **mine) == (404, "")


@pytest.mark.parametrize("headers", [{}, {TOKEN: "guessed"}])
def test_no_item_is_given_without_a_token(service: Metadata, headers: dict[str, str]) -> None:
    """Version 1 gets status 401."""
    assert ask(service, "GET", ID, **headers) == (401, "")


@pytest.mark.parametrize("ttl", ["0", "21601"])
def test_a_token_needs_a_life(service: Metadata, ttl: str) -> None:
    """A time to live between a second and six hours is required."""
    assert ask(service, "PUT", PUT_TOKEN, **{TTL: ttl})[0] == 400
    assert ask(service, "PUT", PUT_TOKEN)[0] == 400


def test_tokens_can_be_made_invalid(service: Metadata) -> None:
    """A token that was valid is answered 401."""
    mine = token(service)
    service.forget_tokens()
    assert ask(service, "GET", ID, **mine)[0] == 401


def test_a_token_expires(service: Metadata) -> None:
    """After its time to live it is answered 401."""
    service.now = lambda: 1000.0
    mine = token(service, "60")
    service.now = lambda: 1059.9
    assert ask(service, "GET", ID, **mine)[0] == 200
    service.now = lambda: 1060.0
    assert ask(service, "GET", ID, **mine)[0] == 401


def test_an_item_is_there_until_it_is_withdrawn(service: Metadata) -> None:
    """A notice has EC2's format."""
    mine = token(service)
    service.notice(1505722920.0)
    status, text = ask(service, "GET", SPOT, **mine)
    assert (status, json.loads(text)) == (
        200,
        {"action": "terminate", "time": "2017-09-18T08:22:00Z"},
    )
    service.withdraw(SPOT)
    assert ask(service, "GET", SPOT, **mine)[0] == 404


def test_it_fails_as_often_as_ordered(service: Metadata) -> None:
    """Requests for tokens fail too, and all are recorded."""
    mine = token(service)
    service.fail(503, 2)
    statuses = [ask(service, "GET", ID, **mine)[0], ask(service, "PUT", PUT_TOKEN, **{TTL: "9"})[0]]
    assert statuses == [503, 503]
    assert ask(service, "GET", ID, **mine)[0] == 200
    assert service.requests == [(PUT_TOKEN, 200), (ID, 503), (PUT_TOKEN, 503), (ID, 200)]
    assert service.count(ID) == service.count(ID, 503) == 1


def test_it_stops_and_starts(service: Metadata) -> None:
    """Stopped it refuses connections; started it has the same address and tokens."""
    mine = token(service)
    service.stop()
    with pytest.raises(OSError, match="refused"):
        ask(service, "GET", ID, **mine)
    service.start()
    assert ask(service, "GET", ID, **mine)[0] == 200

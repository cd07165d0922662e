"""Requests without an SDK, and the state of a server: for tests of the connection."""

from __future__ import annotations

import http.client
import json
import socket
from typing import Any
from urllib.parse import urlsplit

from tests.processes.harness import Program, until

LIMIT = 20.0
"""Seconds after which a wait has failed."""


def ask(
    endpoint: str, method: str, path: str, body: str = "", **headers: str
) -> tuple[int, bytes, dict[str, str]]:
    """One HTTP request; returns status, body and headers."""
    connection = http.client.HTTPConnection(urlsplit(endpoint).netloc, timeout=LIMIT)
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response.status, response.read(), {k.lower(): v for k, v in response.getheaders()}
    finally:
        connection.close()


def state(endpoint: str) -> Any:
    """The data of the page."""
    return json.loads(ask(endpoint, "GET", "/api/state")[1])


def pollers(endpoint: str) -> list[str]:
    """The labels of all waiting polls."""
    return [label for each in state(endpoint)["lists"] for label in each["pollers"]]


def connect(endpoint: str) -> socket.socket:
    """A connection without a request."""
    place = urlsplit(endpoint)
    return socket.create_connection((str(place.hostname), int(place.port or 0)), LIMIT)


def half_a_poll(endpoint: str, waiting: int = 1) -> socket.socket:
    """A connection that polls, with the identity "lost", and does not wait for the answer.

    Returns when as many such polls wait.
    """
    body = json.dumps({"domain": "dom", "taskList": {"name": "decide"}, "identity": "lost"})
    connection = connect(endpoint)
    head = (
        f"POST / HTTP/1.1\r\nHost: {urlsplit(endpoint).netloc}\r\nContent-Length: {len(body)}\r\n"
        "X-Amz-Target: SimpleWorkflowService.PollForDecisionTask\r\n\r\n"
    )
    connection.sendall((head + body).encode())
    until(lambda: pollers(endpoint) == ["lost"] * waiting, "the poll waits")
    return connection


def listening(*argv: str) -> tuple[Program, str]:
    """The program, started, and its endpoint."""
    made = Program("-m", "garcon.local", "--port", "0", *argv)
    line = made.out.wait_for(lambda line: "http://127.0.0.1:" in line, "the endpoint")
    return made, line[line.index("http://") :]

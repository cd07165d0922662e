"""A proxy of an endpoint: hands every request on, and records it.

It can also strike members out of requests, and so stand for a service that does not know them, and
hold answers of polls, so that a poll lasts as long as a test needs it.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    Unknown = Mapping[str, Collection[str]]

TIMEOUT = 90
"""Seconds for an answer: longer than any poll."""


@dataclass
class Call:
    """One call, and its answer once there is one."""

    operation: str
    request: dict[str, Any]
    answer: dict[str, Any] = field(default_factory=dict)

    @property
    def task_list(self) -> str:
        """The list that it names."""
        return str(self.request.get("taskList", {}).get("name", ""))


class Witness(ThreadingHTTPServer):
    """A proxy of one endpoint."""

    daemon_threads = True

    def __init__(self, endpoint: str, unknown: Unknown) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.calls: list[Call] = []
        self.held: list[Call] = []  # the polls whose answers were held, in order
        self._holds = ""
        self._holds_empty = False
        self._released = threading.Event()
        self._to = urlsplit(endpoint).netloc
        self._unknown = unknown

    @property
    def url(self) -> str:
        """The address at which it listens."""
        return f"http://127.0.0.1:{self.server_port}"

    def hold(self, polls: str, *, empty: bool = False) -> None:
        """Hold the answers of these polls that bring a task, until ``release``.

        Args:
            polls: How their operations begin.
            empty: Whether answers without a task are held as well.
        """
        self._holds, self._holds_empty = polls, empty

    def release(self) -> None:
        """Give the held answers, and hold none from now on."""
        self._holds = ""
        self._released.set()

    def hand_on(self, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """The endpoint's answer to a request."""
        operation = headers["X-Amz-Target"].rpartition(".")[2]
        told, unknown = json.loads(body), self._unknown.get(operation, ())
        call = Call(operation, told)
        self.calls.append(call)
        kept = {name: value for name, value in told.items() if name not in unknown}
        there = http.client.HTTPConnection(self._to, timeout=TIMEOUT)
        with contextlib.closing(there):
            there.request("POST", "/", json.dumps(kept), headers)
            response = there.getresponse()
            content = response.read()
        call.answer = json.loads(content or b"{}")
        if self._is_held(call):
            self.held.append(call)
            self._released.wait(TIMEOUT)
        return response.status, content

    def _is_held(self, call: Call) -> bool:
        if not self._holds or not call.operation.startswith(self._holds):
            return False
        return self._holds_empty or bool(call.answer.get("taskToken"))

    def of(self, operation: str) -> list[Call]:
        """The calls of one operation so far."""
        return [each for each in list(self.calls) if each.operation == operation]

    def tasks(self, operation: str) -> list[Call]:
        """The polls that brought a task."""
        return [each for each in self.of(operation) if each.answer.get("taskToken")]

    def counts(self) -> Counter[str]:
        """The number of calls by operation; of polls, those that brought a task."""
        kept = (each for each in list(self.calls) if not _is_idle(each))
        return Counter(each.operation for each in kept)


def _is_idle(call: Call) -> bool:
    return call.operation.startswith("Poll") and not call.answer.get("taskToken")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Witness

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        kept = ("X-Amz-Target", "Content-Type")
        with contextlib.suppress(ConnectionError):  # one of the two was ended meanwhile
            status, content = self.server.hand_on({name: self.headers[name] for name in kept}, body)
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing: calls are recorded, not logged."""


@contextlib.contextmanager
def before(endpoint: str, unknown: Unknown | None = None) -> Iterator[Witness]:
    """A witness in front of this endpoint.

    Args:
        endpoint: Where the service is.
        unknown: Members of requests that the service is not to see, by operation.
    """
    with Witness(endpoint, unknown or {}) as witness:
        thread = threading.Thread(target=witness.serve_forever, daemon=True)
        thread.start()
        try:
            yield witness
        finally:
            witness.release()
            witness.shutdown()
            thread.join()

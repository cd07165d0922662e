"""An instance metadata service (IMDSv2) of the tests' own, on loopback; ``test_metadata`` tests it.

It is as strict as the real one where only version 2 is allowed: a token is had by PUT with a time
to live, lasts as long, and every GET without a valid one is answered 401.
"""

from __future__ import annotations

import http.server
import json
import threading
import time
from typing import Any, ClassVar, Self

LIMIT = 40.0
"""Seconds after which a wait has failed."""

TTL = "X-aws-ec2-metadata-token-ttl-seconds"
TOKEN = "X-aws-ec2-metadata-token"  # noqa: S105 - a header's name
PUT_TOKEN = "api/token"  # noqa: S105 - a path
ID = "meta-data/instance-id"
SPOT = "meta-data/spot/instance-action"
REBALANCE = "meta-data/events/recommendations/rebalance"
TARGET = "meta-data/autoscaling/target-lifecycle-state"
MAINTENANCE = "meta-data/events/maintenance/scheduled"

INSTANCE = "i-0123456789abcdef0"


class Metadata:
    """One instance's; leaving the block ends it."""

    def __init__(self, life_cycle: str = "spot") -> None:
        self.asked: list[tuple[str, int]] = []  # path and status, in order
        self._texts = {
            ID: INSTANCE,
            "meta-data/instance-life-cycle": life_cycle,
            "meta-data/placement/availability-zone": "eu-west-1a",
            "meta-data/placement/region": "us-east-1",
        }
        self._tokens: dict[str, float] = {}  # and when each ends
        self._failures: list[int] = []  # statuses of the next answers
        self._change = threading.Condition()
        self._server = _Server(("127.0.0.1", 0), self)
        self._port = self._server.server_address[1]
        self._serve()

    @property
    def url(self) -> str:
        """Its address, for ``AWS_EC2_METADATA_SERVICE_ENDPOINT``."""
        return f"http://127.0.0.1:{self._port}"

    # --- what it says

    def put(self, path: str, text: str) -> None:
        """From now on there is this."""
        with self._change:
            self._texts[path] = text

    def withdraw(self, path: str) -> None:
        """From now on there is nothing."""
        with self._change:
            del self._texts[path]

    def notice(self, at: float, action: str = "terminate") -> None:
        """A spot instance's end, at a time in seconds since the epoch."""
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
        self.put(SPOT, json.dumps({"action": action, "time": stamp}))

    # --- how it fails

    def fail(self, status: int, times: int) -> None:
        """Answer the next requests, tokens included, with this."""
        with self._change:
            self._failures += [status] * times

    def forget_tokens(self) -> None:
        """No token that was given out is good any more."""
        with self._change:
            self._tokens.clear()

    def go(self) -> None:
        """Be gone: connections are refused."""
        self._server.shutdown()
        self._server.server_close()

    def come_back(self) -> None:
        """Answer again, at the same address."""
        self._server = _Server(("127.0.0.1", self._port), self)
        self._serve()

    # --- what it was asked

    def count(self, path: str, status: int = 200) -> int:
        """How often a path was asked and answered so."""
        with self._change:
            return self.asked.count((path, status))

    def wait_for(self, path: str, status: int, more: int = 1) -> None:
        """Wait until a path was asked and answered so, so many times from now on."""
        with self._change:
            wanted = self.asked.count((path, status)) + more
            enough = self._change.wait_for(
                lambda: self.asked.count((path, status)) >= wanted, LIMIT
            )
            assert enough, f"{path} was not answered {status} {more} times: {self.asked[-20:]}"

    # --- answering

    def answer(self, method: str, path: str, headers: Any) -> tuple[int, str]:
        """What a request gets, written down."""
        with self._change:
            status, text = self._answer(method, path.removeprefix("/latest/"), headers)
            self.asked.append((path.removeprefix("/latest/"), status))
            self._change.notify_all()
            return status, text

    def _answer(self, method: str, path: str, headers: Any) -> tuple[int, str]:
        if self._failures:
            return self._failures.pop(0), "trouble"
        if (method, path) == ("PUT", PUT_TOKEN):
            return self._give_token(headers.get(TTL))
        if self._tokens.get(headers.get(TOKEN, ""), 0.0) <= time.monotonic():
            return 401, ""
        return (200, self._texts[path]) if path in self._texts else (404, "")

    def _give_token(self, ttl: str | None) -> tuple[int, str]:
        if ttl is None or not 1 <= int(ttl) <= 21600:
            return 400, ""
        token = f"token-{len(self.asked)}"
        self._tokens[token] = time.monotonic() + int(ttl)
        return 200, token

    def _serve(self) -> None:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.go()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], metadata: Metadata) -> None:
        self.metadata = metadata
        super().__init__(address, _Handler)


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server
    timeout: ClassVar[float] = 10  # seconds; the base class has None

    def do_GET(self) -> None:
        self._reply("GET")

    def do_PUT(self) -> None:
        self._reply("PUT")

    def _reply(self, method: str) -> None:
        status, text = self.server.metadata.answer(method, self.path, self.headers)
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """The tests read ``asked``."""

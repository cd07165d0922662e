"""An instance metadata service (IMDSv2) on loopback; ``test_metadata_service`` tests it.

It is as strict as the real one that allows version 2 only: a PUT with a time to live gives a token
for so long, and every GET without a valid token is answered 401.
"""

from __future__ import annotations

import http.server
import json
import socket
import threading
import time
from typing import TYPE_CHECKING, Any, ClassVar, Self

if TYPE_CHECKING:
    from collections.abc import Callable

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
    """The service of one instance; leaving the block ends it.

    Attributes:
        now: The time by which tokens expire, in seconds.
    """

    def __init__(self, life_cycle: str = "spot") -> None:
        self.now: Callable[[], float] = time.monotonic
        self.requests: list[tuple[str, int]] = []  # path and status, in order
        self._texts = {
            ID: INSTANCE,
            "meta-data/instance-life-cycle": life_cycle,
            "meta-data/placement/availability-zone": "eu-west-1a",
            "meta-data/placement/region": "us-east-1",
        }
        self._tokens: dict[str, float] = {}  # and the time when each expires
        self._failures: list[int] = []  # statuses of the next responses
        self._change = threading.Condition()
        # Bound and never listening: while the service is stopped, no other program gets the port.
        self._place = socket.socket()
        self._place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._place.bind(("127.0.0.1", 0))
        self._port = self._place.getsockname()[1]
        self._server = _Server(("127.0.0.1", self._port), self)
        self._serve()

    @property
    def url(self) -> str:
        """The address, for ``AWS_EC2_METADATA_SERVICE_ENDPOINT``."""
        return f"http://127.0.0.1:{self._port}"

    # --- items

    def put(self, path: str, text: str) -> None:
        """Set an item."""
        with self._change:
            self._texts[path] = text

    def withdraw(self, path: str) -> None:
        """Remove an item."""
        with self._change:
            del self._texts[path]

    def notice(self, at: float, action: str = "terminate") -> None:
        """Set a spot notice for a time in seconds since the epoch."""
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
        self.put(SPOT, json.dumps({"action": action, "time": stamp}))

    # --- failures

    def fail(self, status: int, times: int) -> None:
        """Answer the next requests, those for tokens included, with this status."""
        with self._change:
            self._failures += [status] * times

    def forget_tokens(self) -> None:
        """Make all tokens invalid."""
        with self._change:
            self._tokens.clear()

    def stop(self) -> None:
        """Refuse connections."""
        self._server.shutdown()
        self._server.server_close()

    def start(self) -> None:
        """Serve again, at the same address."""
        self._server = _Server(("127.0.0.1", self._port), self)
        self._serve()

    # --- received requests

    def count(self, path: str, status: int = 200) -> int:
        """The number of requests for a path that got this status."""
        with self._change:
            return self.requests.count((path, status))

    def wait_for(self, path: str, status: int, more: int = 1) -> None:
        """Wait for so many further requests for a path that get this status."""
        with self._change:
            desired = self.requests.count((path, status)) + more
            enough = self._change.wait_for(
                lambda: self.requests.count((path, status)) >= desired, LIMIT
            )
            assert enough, f"{path} was not answered {status} {more} times: {self.requests[-20:]}"

    # --- responses

    def answer(self, method: str, path: str, headers: Any) -> tuple[int, str]:
        """Status and text for a request, which is recorded."""
        with self._change:
            status, text = self._answer(method, path.removeprefix("/latest/"), headers)
            self.requests.append((path.removeprefix("/latest/"), status))
            self._change.notify_all()
            return status, text

    def _answer(self, method: str, path: str, headers: Any) -> tuple[int, str]:
        if self._failures:
            return self._failures.pop(0), "trouble"
        if (method, path) == ("PUT", PUT_TOKEN):
            return self._give_token(headers.get(TTL))
        if self._tokens.get(headers.get(TOKEN, ""), 0.0) <= self.now():
            return 401, ""
        return (200, self._texts[path]) if path in self._texts else (404, "")

    def _give_token(self, ttl: str | None) -> tuple[int, str]:
        if ttl is None or not 1 <= int(ttl) <= 21600:
            return 400, ""
        token = f"token-{len(self.requests)}"
        self._tokens[token] = self.now() + int(ttl)
        return 200, token

    def _serve(self) -> None:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._place.close()


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
        """Nothing: the tests read ``requests``."""

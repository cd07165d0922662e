"""The guard of the monitor's server: access, and changes of the pool."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from supervisor.config.setting_types import HttpAddress
from supervisor.sidecars.monitor.pool_actions import PoolActions
from supervisor.sidecars.monitor.routes import LARGEST_ACTION, NO_ACTIONS, application
from supervisor.sidecars.observation import NO_SOCKET, Source

if TYPE_CHECKING:
    from pathlib import Path

NOTHING_TO_READ = Source("", "album")
"""A supervisor without a control socket: each request that is served is answered with 503."""


Answer = tuple[int, str, dict[str, str]]
"""Status, body and headers."""


def answer(
    address: str,
    headers: dict[str, str],
    actions: PoolActions | None = None,
    request: tuple[str, str, bytes] = ("GET", "/live", b""),
) -> Answer:
    """The answer to a request: method, path and body."""
    method, path, body = request
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    host, _, port = address.rpartition(":")
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "server": (host, int(port)),
    }

    async def serve() -> None:
        app = application(NOTHING_TO_READ, HttpAddress.parse(address), actions)
        await app(scope, receive, send)

    asyncio.run(serve())
    start, *bodies = sent
    found = {name.decode(): value.decode() for name, value in start["headers"]}
    return start["status"], b"".join(each["body"] for each in bodies).decode(), found


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1:9102", {"host": "localhost:9102"}, 503),
        ("127.0.0.1:9102", {"host": "pool.example.org"}, 403),
        ("127.0.0.1:9102", {"host": "localhost:9102", "origin": "http://pool.example.org"}, 403),
        ("0.0.0.0:9102", {"host": "10.0.0.7:9102"}, 503),
        ("0.0.0.0:9102", {"host": "10.0.0.7:9102", "origin": "http://10.0.0.7:9102"}, 503),
        ("0.0.0.0:9102", {"host": "10.0.0.7:9102", "origin": "http://pool.example.org"}, 403),
    ],
)
def test_only_own_pages_are_served(address: str, headers: dict[str, str], status: int) -> None:
    """On a loopback address the Host is this machine; elsewhere only the Origin counts."""
    found, body, safety = answer(address, headers)
    assert found == status
    assert "frame-ancestors 'none'" in safety["content-security-policy"]
    assert (body.strip() == NO_SOCKET) == (status == 503)


# --- changes --------------------------------------------------------------------------------------

ADDRESS = "127.0.0.1:9102"

RESTART = b'{"v": 1, "request": "restart"}'


class RecordedActions(PoolActions):
    """Knows its key, and notes what it is asked for.

    Args:
        folder: For the key's file.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(str(folder / "control.sock"))
        self.publish_key()
        self.key = self.key_file.read_text(encoding="ascii").strip()
        self.done: list[bytes] = []

    def carry_out(self, body: bytes) -> str:
        """Only note it."""
        self.done.append(body)
        return "Done."


@pytest.fixture
def actions(tmp_path: Path) -> RecordedActions:
    """The changes of a pool."""
    return RecordedActions(tmp_path)


def post(actions: PoolActions | None, headers: dict[str, str]) -> Answer:
    """The answer to a change; the headers are those of its page, but for these."""
    own = {"host": ADDRESS, "origin": f"http://{ADDRESS}", "content-length": str(len(RESTART))}
    return answer(ADDRESS, own | headers, actions, ("POST", "/api/actions", RESTART))


def test_the_page_with_the_key_changes_the_pool(actions: RecordedActions) -> None:
    """A program without an Origin may, too, if it has the key."""
    status, body, _ = post(actions, {"x-garcon-token": actions.key})
    assert (status, json.loads(body)) == (200, {"done": "Done."})
    assert post(actions, {"x-garcon-token": actions.key, "origin": ""})[0] == 200
    assert actions.done == [RESTART, RESTART]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"x-garcon-token": "guess"}, 403),
        ({"x-garcon-token": ""}, 403),
        ({"x-garcon-token": "KEY", "origin": "http://pool.example.org"}, 403),
        ({"x-garcon-token": "KEY", "origin": "null"}, 403),
        ({"x-garcon-token": "KEY", "origin": "http://127.0.0.1:8000"}, 403),
        ({"x-garcon-token": "KEY", "origin": f"https://{ADDRESS}"}, 403),
        ({"x-garcon-token": "KEY", "host": "pool.example.org"}, 403),
        ({"x-garcon-token": "KEY", "host": "pool.example.org:9102"}, 403),
        ({"x-garcon-token": "KEY", "host": "127.0.0.1:8000"}, 403),
        ({"x-garcon-token": "KEY", "content-length": str(LARGEST_ACTION + 1)}, 413),
        ({"x-garcon-token": "KEY", "content-length": ""}, 413),
    ],
)
def test_nothing_else_changes_it(
    actions: RecordedActions, headers: dict[str, str], status: int
) -> None:
    """No request without the key, of another page, by another name, or of any size."""
    filled = {name: actions.key if value == "KEY" else value for name, value in headers.items()}
    assert post(actions, filled)[0] == status
    assert actions.done == []


def test_without_the_option_there_are_no_changes(actions: RecordedActions) -> None:
    """The sentence names the option; a GET changes nothing either way."""
    status, body, _ = post(None, {"x-garcon-token": actions.key})
    assert (status, json.loads(body)) == (403, {"error": NO_ACTIONS})
    got = answer(ADDRESS, {"host": ADDRESS}, actions, ("GET", "/api/actions", b""))
    assert (got[0], actions.done) == (405, [])

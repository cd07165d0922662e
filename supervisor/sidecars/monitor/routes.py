"""The HTTP interface of the monitor.

Rules:

1. All of it is read-only, but for ``/api/actions``: a POST with the key (``pool_actions``).
2. On a loopback address the Host must be a name of this machine, so that no page of the web can
   read the pool through a name of its own (DNS rebinding). An Origin must be this server's. A
   change needs the Host's port, too: another server of this machine may be behind another one.
3. ``/live`` answers as long as the supervisor does; ``/ready`` as ``status --healthy``.
4. The page loads nothing from elsewhere, and text of the pool is never markup.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from garcon.page import own_origin, page_files
from supervisor.ipc import health
from supervisor.ipc.control_client import NO_SUPERVISOR, CommandFailed
from supervisor.ipc.messages.control_protocol import InvalidRequest
from supervisor.sidecars.monitor.exposition import registry
from supervisor.sidecars.observation import NoAnswer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from supervisor.config.setting_types import HttpAddress
    from supervisor.sidecars.monitor.pool_actions import PoolActions
    from supervisor.sidecars.observation import Source

SITE = Path(__file__).parent / "site"

LIVE_SECONDS = 1.0
"""Seconds between two states of a page that is open."""

_SAFETY_HEADERS = [(name.encode(), value.encode()) for name, value in page_files.SAFETY_HEADERS]

NOTES = 30
"""The latest log entries that the page shows."""

LARGEST_ACTION = 4096
"""Bytes of a request for a change: a name of a task list has 256 characters at most."""

NO_ACTIONS = "This page changes nothing: start the supervisor with --http-actions."

_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript"}
_FILES = {
    "/": "pool.html",
    **{f"/{name}": name for name in ("pool.css", "pool.js", "changes.js")},
}
_COMMON_FILES = ("answers.js", "command_dialog.js", "element.js", "presentation.js")
"""Scripts of the page of executions that this one uses, too."""


def application(
    source: Source, address: HttpAddress, actions: PoolActions | None = None
) -> ASGIApp:
    """The ASGI application.

    Args:
        source: The pool.
        address: The address that it is served at.
        actions: Makes changes; ``None`` if they are not allowed.
    """
    routes = Routes(source, actions)
    app = Starlette(
        routes=[
            *(Route(path, routes.file) for path in _FILES),
            *(Route(f"/{name}", routes.common_file) for name in _COMMON_FILES),
            Route("/metrics", routes.metrics),
            Route("/live", routes.live),
            Route("/ready", routes.ready),
            Route("/api/pool", routes.pool),
            Route("/api/live", routes.live_pool),
            Route("/api/actions", routes.act, methods=["POST"]),
        ]
    )
    return OwnPageGuard(app, is_loopback=address.is_local and not address.path)


class OwnPageGuard:
    """Refuses requests of foreign pages, and adds the headers that bind a browser.

    Args:
        app: Serves the others.
        is_loopback: Whether the address is a port for this machine only.
    """

    def __init__(self, app: ASGIApp, *, is_loopback: bool) -> None:
        self._app = app
        self._is_loopback = is_loopback

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve or refuse."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_safely(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_SAFETY_HEADERS]
            await send(message)

        refused = self._refusal(scope)
        answer = PlainTextResponse(f"{refused}\n", 403) if refused else self._app
        await answer(scope, receive, send_safely)

    def _refusal(self, scope: Scope) -> str:
        if self._is_loopback:
            return own_origin.refusal(scope, own_port=scope["method"] == "POST")
        return own_origin.foreign_page(dict(scope["headers"]))


class Routes:
    """The answers."""

    def __init__(self, source: Source, actions: PoolActions | None) -> None:
        self._source = source
        self._actions = actions

    def file(self, request: Request) -> Response:
        """A file of the page."""
        name = _FILES[request.url.path]
        kind = _TYPES[name.rpartition(".")[2]]
        return Response((SITE / name).read_bytes(), media_type=kind)

    def common_file(self, request: Request) -> Response:
        """A file that this page has in common with that of executions."""
        body, kind = page_files.content(request.url.path.removeprefix("/"))
        return Response(body, headers={"content-type": kind})

    def metrics(self, request: Request) -> Response:
        """The metrics in Prometheus' or OpenMetrics' form, as the scraper accepts."""
        try:
            seen = self._source.observe()
        except NoAnswer as error:
            return _unavailable(error)
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry(seen)), headers={"content-type": content_type})

    def live(self, _request: Request) -> Response:
        """200 if the supervisor answers, else 503."""
        try:
            self._source.status()
        except NoAnswer as error:
            return _unavailable(error)
        return PlainTextResponse("alive\n")

    def ready(self, _request: Request) -> Response:
        """200 if the host serves, else 503 with the reasons."""
        try:
            problems = tuple(health.problems(self._source.status()))
        except NoAnswer as error:
            return _unavailable(error)
        if problems:
            return PlainTextResponse("\n".join(problems) + "\n", 503)
        return PlainTextResponse("ready\n")

    def pool(self, _request: Request) -> Response:
        """The state of the pool as JSON."""
        try:
            return JSONResponse(self._state())
        except NoAnswer as error:
            return _unavailable(error)

    async def act(self, request: Request) -> Response:
        """Make a change."""
        if self._actions is None:
            return _refused(403, NO_ACTIONS)
        if not self._actions.takes(request.headers.get("x-garcon-token", "")):
            return _refused(403, f"The key is not the one in {self._actions.key_file}.")
        if int(request.headers.get("content-length") or LARGEST_ACTION + 1) > LARGEST_ACTION:
            return _refused(413, "The action is too large.")
        try:
            done = await run_in_threadpool(self._actions.carry_out, await request.body())
        except InvalidRequest as error:
            return _refused(400, str(error))
        except CommandFailed as error:
            return _refused(503 if error.code == NO_SUPERVISOR else 409, str(error))
        return JSONResponse({"done": done})

    async def live_pool(self, request: Request) -> Response:
        """The state of the pool, again and again, as server-sent events."""

        async def states() -> AsyncIterator[str]:
            while not await request.is_disconnected():
                try:
                    state = await run_in_threadpool(self._state)
                except NoAnswer as error:
                    state = {"error": str(error)}
                yield f"data: {json.dumps(state)}\n\n"
                await asyncio.sleep(LIVE_SECONDS)

        return StreamingResponse(states(), media_type="text/event-stream")

    def _state(self) -> dict[str, Any]:
        seen, notes = self._source.observe_with_notes()
        members: dict[str, Any] = msgspec.to_builtins(seen.status)
        for worker in members["workers"]:
            worker["memory_unique"] = seen.memory.get(worker["pid"])
        return {
            "flow": self._source.flow,
            "control": self._source.control,
            "key_file": str(self._actions.key_file) if self._actions else "",
            "problems": list(health.problems(seen.status)),
            "status": members,
            "notes": msgspec.to_builtins(notes[-NOTES:]),
        }


def _refused(status: int, why: str) -> Response:
    return JSONResponse({"error": why}, status)


def _unavailable(error: NoAnswer) -> Response:
    return PlainTextResponse(f"{error}\n", 503)

"""The ASGI application: HTTP requests for SWF, for injected faults, and for the web UI.

- Only for this machine and its own page, see ``own_origin``. Faults are injected by requests to the
  server's own port only.
- POST / with an X-Amz-Target header is SWF; paths under /api/ serve the page and tests.
- A long poll waits for its answer and for the end of its connection, whichever comes first. A poll
  whose connection is gone is abandoned at once.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, MutableMapping
from enum import Enum
from typing import Any, TypeAlias

from garcon.local.engine import Answer, Fault
from garcon.local.http.async_service import AsyncService, HttpPoll
from garcon.local.http.web_ui import WebResponse, WebUI
from garcon.local.service import protocol
from garcon.local.service.fault_injection import FaultInjector, FaultKind, InjectedFault
from garcon.local.service.protocol import Reply
from garcon.local.service.service import Request
from garcon.page import own_origin
from garcon.page.page_files import SAFETY_HEADERS

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]

READ_METHODS = ("GET", "HEAD")

ABORT = "garcon.abort"
"""The ASGI extension of `http.server` by which the application resets a connection."""


class NoReply(Enum):
    """Reasons for a request without a response."""

    RESET = "a fault resets the connection"
    GONE = "the client's connection is gone"


class App:
    """The application.

    Args:
        service: carries out the calls of SWF.
        injector: the injected faults.
        web_ui: answers all other requests.
    """

    def __init__(self, service: AsyncService, injector: FaultInjector, web_ui: WebUI) -> None:
        self._service = service
        self._injector = injector
        self._web_ui = web_ui
        self._serial = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = dict(scope["headers"])
        body = await _read_body(receive)
        if body is None:
            return  # the connection ended within the request
        is_call = scope["method"] == "POST" and scope["path"] == "/"
        changes = not is_call and scope["method"] not in READ_METHODS
        if refused := own_origin.refusal(scope, own_port=changes):
            await _send_web(send, WebResponse(403, "text/plain", refused.encode()))
        elif is_call:
            await self._serve(headers, body, scope, receive, send)
        else:
            method, path, query = scope["method"], scope["path"], scope["query_string"]
            await _send_web(send, self._web_ui.answer(method, path, query, body))

    async def _serve(
        self,
        headers: dict[bytes, bytes],
        body: bytes,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        try:
            operation = protocol.operation_of(own_origin.text(headers, b"x-amz-target"))
            region = protocol.region_of(own_origin.text(headers, b"authorization"))
            fault = self._injector.draw(operation)
            client = scope.get("client") or ("", 0)
            request = Request(operation, body, region)
            reply = await self._carry_out(request, fault, receive, f"{client[0]}:{client[1]}")
        except Fault as refusal:
            reply = protocol.refusal(refusal)
        if isinstance(reply, Reply):
            await self._send(send, reply)
        elif reply is NoReply.RESET:
            await _reset(scope, receive)

    async def _carry_out(
        self, request: Request, fault: InjectedFault | None, receive: Receive, poller: str
    ) -> Reply | NoReply:
        """The response, or the reason for none."""
        if fault and fault.reply:
            return fault.reply
        if fault and fault.kind is FaultKind.RESET_BEFORE:
            return NoReply.RESET
        if fault and fault.kind is FaultKind.DELAY and not await self._service.pause(fault.seconds):
            return NoReply.RESET
        outcome = self._service.start(request, poller)
        answer = await self._wait(outcome, receive) if isinstance(outcome, HttpPoll) else outcome
        if answer is None:
            return NoReply.GONE
        if fault and fault.kind is FaultKind.RESET_AFTER:
            return NoReply.RESET
        return protocol.success(answer)

    async def _wait(self, poll: HttpPoll, receive: Receive) -> Answer | None:
        """The answer of a long poll; None if its connection is gone."""
        disconnect = asyncio.ensure_future(receive())
        disconnect.add_done_callback(lambda _: self._service.abandon(poll))
        try:
            return await poll.answer
        except asyncio.CancelledError:
            self._service.abandon(poll)
            return None
        finally:
            disconnect.cancel()

    async def _send(self, send: Send, reply: Reply) -> None:
        headers = [
            (b"content-type", protocol.CONTENT_TYPE.encode()),
            (b"content-length", str(len(reply.body)).encode()),
            (b"x-amzn-requestid", b"00000000-0000-4000-8000-%012x" % next(self._serial)),
        ]
        await _respond(send, reply.status, headers, reply.body)


async def _read_body(receive: Receive) -> bytes | None:
    """A request's body, cut off beyond the size limit; None if the connection ended within it."""
    body = b""
    while (message := await receive())["type"] != "http.disconnect":
        if len(body) <= protocol.LARGEST_REQUEST:
            body += message.get("body", b"")
        if not message.get("more_body"):
            return body
    return None


async def _reset(scope: Scope, receive: Receive) -> None:
    """Reset the connection and wait for its end: to return earlier is an error in uvicorn."""
    abort = scope.get("extensions", {}).get(ABORT)
    if abort:
        abort()
        while (await receive())["type"] != "http.disconnect":
            pass


async def _send_web(send: Send, response: WebResponse) -> None:
    headers = [
        (b"content-type", response.content_type.encode()),
        (b"content-length", str(len(response.body)).encode()),
        *((name.encode(), value.encode()) for name, value in SAFETY_HEADERS),
    ]
    await _respond(send, response.status, headers, response.body)


async def _respond(
    send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes
) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

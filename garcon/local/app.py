"""The ASGI application: HTTP requests to SWF, orders of faults, and the page.

- Only for this machine: the address asked must be a loopback address, and the names in Host and
  Origin must be this machine's, so that no page of the web can speak to the service through a
  browser (by a name that leads to 127.0.0.1, or by a form).
- POST / with an X-Amz-Target header is SWF; what begins with /api/ serves the page and tests.
- A long poll waits for its answer and for the end of its connection, whichever comes first; who
  has gone is given up at that moment, so that no answer is made for nobody.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, MutableMapping
from enum import Enum
from typing import Any, TypeAlias

from garcon.local import protocol
from garcon.local.engine import Answer, Fault
from garcon.local.exchange import Exchange, Poll
from garcon.local.injection import Injected, Injector, Kind
from garcon.local.protocol import Reply
from garcon.local.service import Request
from garcon.local.site import Page, Site

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]

HERE = frozenset({"127.0.0.1", "localhost", "[::1]"})
"""How this machine may be called."""

LOOPBACK = ("127.", "::1")
"""How the addresses begin that only this machine can speak to."""

ABORT = "garcon.abort"
"""The ASGI extension by which the server lets us reset a connection, see `garcon.local.server`."""


class End(Enum):
    """Why a request is not answered."""

    RESET = "a fault was ordered"
    GONE = "its client has gone"


class App:
    """The application.

    Args:
        exchange: where calls of SWF go.
        injector: the faults that were ordered.
        site: what GET answers.
    """

    def __init__(self, exchange: Exchange, injector: Injector, site: Site) -> None:
        self._exchange = exchange
        self._injector = injector
        self._site = site
        self._serial = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = dict(scope["headers"])
        body = await _body(receive)
        if body is None:
            return  # the client has gone before it had said all
        if refused := _stranger(scope, headers):
            await _send_page(send, Page(403, "text/plain", refused.encode()))
        elif scope["method"] == "POST" and scope["path"] == "/":
            await self._serve(headers, body, scope, receive, send)
        else:
            page = self._site.answer(scope["method"], scope["path"], scope["query_string"], body)
            await _send_page(send, page)

    async def _serve(
        self,
        headers: dict[bytes, bytes],
        body: bytes,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        try:
            operation = protocol.operation_of(headers.get(b"x-amz-target", b"").decode("latin-1"))
            order = self._injector.draw(operation)
            client = scope.get("client") or ("", 0)
            request = Request(operation, body)
            reply = await self._carry_out(request, order, receive, f"{client[0]}:{client[1]}")
        except Fault as fault:
            order, reply = None, protocol.refusal(fault)
        if isinstance(reply, Reply):
            await self._send(send, reply)
        elif reply is End.RESET:
            await _reset(scope, receive)

    async def _carry_out(
        self, request: Request, order: Injected | None, receive: Receive, poller: str
    ) -> Reply | End:
        """What to answer, or why nothing."""
        if order and order.reply:
            return order.reply
        if order and order.kind is Kind.RESET_BEFORE:
            return End.RESET
        if order and order.kind is Kind.DELAY and not await self._exchange.pause(order.seconds):
            return End.RESET
        outcome = self._exchange.start(request, poller)
        answer = await self._wait(outcome, receive) if isinstance(outcome, Poll) else outcome
        if answer is None:
            return End.GONE
        if order and order.kind is Kind.RESET_AFTER:
            return End.RESET
        return protocol.success(answer)

    async def _wait(self, poll: Poll, receive: Receive) -> Answer | None:
        """The answer of a long poll; None if the client has gone."""
        listening = asyncio.ensure_future(receive())
        listening.add_done_callback(lambda _: self._exchange.abandon(poll))
        try:
            return await poll.answer
        except asyncio.CancelledError:
            self._exchange.abandon(poll)
            return None
        finally:
            listening.cancel()

    async def _send(self, send: Send, reply: Reply) -> None:
        headers = [
            (b"content-type", protocol.CONTENT_TYPE.encode()),
            (b"content-length", str(len(reply.body)).encode()),
            (b"x-amzn-requestid", b"00000000-0000-4000-8000-%012x" % next(self._serial)),
        ]
        await _respond(send, reply.status, headers, reply.body)


def _stranger(scope: Scope, headers: dict[bytes, bytes]) -> str:
    """Why a request is none of this machine's; empty if it is."""
    server = scope.get("server") or ("", 0)
    if not server[0].startswith(LOOPBACK):
        return f"This service is for its own machine; it was asked at {server[0]}."
    host = headers.get(b"host", b"").decode("latin-1")
    if _name(host) not in HERE:
        return f"The header Host says {host!r}; this service is http://127.0.0.1:{server[1]}."
    origin = headers.get(b"origin", b"").decode("latin-1")
    if origin and _name(origin.partition("://")[2]) not in HERE:
        return f"A page of {origin} may not speak to this service."
    return ""


def _name(host: str) -> str:
    """The host without its port."""
    name, colon, port = host.rpartition(":")
    return name.lower() if colon and port.isdigit() else host.lower()


async def _body(receive: Receive) -> bytes | None:
    """A request's body, or as much of it as shows that it is too large; None if it broke off."""
    body = b""
    while (message := await receive())["type"] != "http.disconnect":
        if len(body) <= protocol.LARGEST_REQUEST:
            body += message.get("body", b"")
        if not message.get("more_body"):
            return body
    return None


async def _reset(scope: Scope, receive: Receive) -> None:
    """Reset the connection, and wait for its end: before it, a missing answer is an error."""
    abort = scope.get("extensions", {}).get(ABORT)
    if abort:
        abort()
        while (await receive())["type"] != "http.disconnect":
            pass


async def _send_page(send: Send, page: Page) -> None:
    headers = [
        (b"content-type", page.content_type.encode()),
        (b"content-length", str(len(page.body)).encode()),
        *page.headers,
    ]
    await _respond(send, page.status, headers, page.body)


async def _respond(
    send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes
) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

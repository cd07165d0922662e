"""Requests that end early: clients that go, connections that are reset, a server that is told to.

A server has nothing to say about any of them, so its log is part of what is tested.
"""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import struct
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ConnectionClosedError

from garcon.local.app import App
from garcon.local.clock import VirtualClock
from garcon.local.engine import Answer
from garcon.local.exchange import Exchange, Poll
from garcon.local.injection import Injector
from garcon.local.service import Request, Service
from garcon.local.site import Site
from tests.garcon.local.conformance import Account
from tests.garcon.local.conftest import client_of
from tests.garcon.local.registering import DOMAIN, KIND, LIST, WORKFLOW_TYPE
from tests.garcon.local.wire import ask, half_a_poll, listening, pollers
from tests.processes.harness import until

if TYPE_CHECKING:
    from collections.abc import Callable

RESET = struct.pack("ii", 1, 0)
"""A linger of 0 s: closing then resets the connection, as the end of a machine may."""


def registered(endpoint: str) -> Account:
    """An account at an endpoint."""
    account = Account(client_of(endpoint), "dom")
    account.register()
    return account


def hang_up(connection: socket.socket) -> None:
    """End a connection in order, as the kernel does for a process that was killed."""
    connection.close()


def break_off(connection: socket.socket) -> None:
    """End a connection by a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    connection.close()


@pytest.mark.parametrize("end", [hang_up, break_off])
def test_a_client_that_dies_in_a_poll_is_not_worth_a_word(
    end: Callable[[socket.socket], None],
) -> None:
    """The connection of a waiting poll goes: its poll is given up and the log stays empty."""
    made, endpoint = listening()
    with made:
        registered(endpoint)
        end(half_a_poll(endpoint))
        until(lambda: pollers(endpoint) == [], "the server sees the end of the connection")
        made.signal(signal.SIGTERM)
        assert made.wait() == 0
        assert made.err.rest() == ""


def test_a_poll_to_be_reset_may_lose_its_client_first() -> None:
    """Where a reset is ordered for a poll whose client goes, nobody is left to reset."""
    made, endpoint = listening()
    with made:
        registered(endpoint)
        order = {"kind": "reset-after", "operation": "PollForDecisionTask"}
        ask(endpoint, "POST", "/api/faults", json.dumps(order))
        half_a_poll(endpoint).close()
        until(lambda: pollers(endpoint) == [], "the server sees the end of the connection")
        made.signal(signal.SIGTERM)
        assert made.wait() == 0
        assert made.err.rest() == ""


@pytest.mark.parametrize("kind", ["reset-before", "reset-after"])
def test_an_ordered_reset_is_not_worth_a_word(kind: str) -> None:
    """A connection that is reset because a test asked for it leaves nothing in the log."""
    made, endpoint = listening()
    with made:
        account = registered(endpoint)
        order = {"kind": kind, "operation": "ListDomains", "count": 1}
        ask(endpoint, "POST", "/api/faults", json.dumps(order))
        with pytest.raises(ConnectionClosedError):
            account.call("list_domains", registrationStatus="REGISTERED")
        made.signal(signal.SIGTERM)
        assert made.wait() == 0
        assert made.err.rest() == ""


# The moments between, one by one.


class Bench:
    """An exchange and its application, with a domain and a workflow type."""

    def __init__(self) -> None:
        service, clock, injector = Service(), VirtualClock(0), Injector()
        self.exchange = Exchange(service, clock)
        self.app = App(self.exchange, injector, Site(service, clock, injector))
        self.start("RegisterDomain", **DOMAIN)
        self.start("RegisterWorkflowType", **WORKFLOW_TYPE)

    def start(self, operation: str, **params: Any) -> Answer | Poll:
        """Carry out one request."""
        return self.exchange.start(Request(operation, json.dumps(params).encode()), "tester")

    def start_workflow(self) -> Answer | Poll:
        """Bring a decision task into being."""
        return self.start("StartWorkflowExecution", domain="d", workflowId="w", workflowType=KIND)

    async def poll_of(self, client: asyncio.Future[None]) -> list[Any]:
        """Poll for a client that goes when the future says; returns what it was sent."""
        body = json.dumps({"domain": "d", "taskList": LIST}).encode()
        messages = [{"type": "http.request", "body": body}]
        sent: list[Any] = []

        async def receive() -> Any:
            if messages:
                return messages.pop()
            await client
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        target = b"SimpleWorkflowService.PollForDecisionTask"
        scope = {
            "method": "POST",
            "path": "/",
            "headers": [(b"host", b"localhost"), (b"x-amz-target", target)],
            "server": ("127.0.0.1", 80),
        }
        await self.app(scope, receive, send)
        return sent


@pytest.mark.parametrize("moments", range(6))
def test_work_may_come_while_a_client_goes(moments: int) -> None:
    """Work that arrives at any moment of a client's going hurts nobody who is still there."""

    async def story() -> None:
        bench = Bench()
        client = asyncio.get_running_loop().create_future()
        poll = asyncio.ensure_future(bench.poll_of(client))
        for _ in range(5):  # until it waits
            await asyncio.sleep(0)
        client.set_result(None)
        for _ in range(moments):
            await asyncio.sleep(0)
        assert isinstance(bench.start_workflow(), Answer)
        await poll
        bench.exchange.close()

    asyncio.run(story())


def test_a_poll_that_comes_while_the_server_ends_is_answered_empty() -> None:
    """A poll that was on its way when the polls were ended does not hold the server up."""

    async def story() -> None:
        bench = Bench()
        waiting = bench.start("PollForDecisionTask", domain="d", taskList=LIST)
        assert isinstance(waiting, Poll)
        bench.exchange.end_polls()
        late = bench.start("PollForDecisionTask", domain="d", taskList=LIST)
        assert isinstance(late, Answer)
        assert late.body["taskToken"] == waiting.answer.result().body["taskToken"] == ""
        bench.exchange.close()

    asyncio.run(story())

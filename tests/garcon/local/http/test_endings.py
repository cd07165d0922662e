"""Requests that end early: by the client, by an injected reset, by the stop of the server.

None of them is worth a line in the log, so the tests read the log too.
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

from garcon.local.engine import Answer
from garcon.local.http.app import App
from garcon.local.http.async_service import AsyncService, HttpPoll
from garcon.local.http.web_ui import WebUI
from garcon.local.service.clock import VirtualClock
from garcon.local.service.fault_injection import FaultInjector
from garcon.local.service.service import Request, Service
from tests.garcon.local.conformance.account import Account
from tests.garcon.local.conftest import client_of
from tests.garcon.local.registration import DOMAIN, KIND, LIST, WORKFLOW_TYPE
from tests.garcon.local.wire import ask, half_a_poll, listening, pollers
from tests.processes.harness import until

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.slow  # a server for each test

RESET = struct.pack("ii", 1, 0)
"""A linger of 0 s: closing then resets the connection, as the end of a machine may do."""


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
def test_a_client_that_dies_in_a_poll_is_not_logged(
    end: Callable[[socket.socket], None],
) -> None:
    """The poll of a lost connection is given up, and the log stays empty."""
    made, endpoint = listening()
    with made:
        registered(endpoint)
        end(half_a_poll(endpoint))
        until(lambda: pollers(endpoint) == [], "the server sees the end of the connection")
        made.signal(signal.SIGTERM)
        assert made.wait() == 0
        assert made.err.rest() == ""


def test_a_poll_to_be_reset_may_lose_its_client_first() -> None:
    """A connection that the client closed first is not reset by the injected fault."""
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
def test_an_injected_reset_is_not_logged(kind: str) -> None:
    """A connection that is reset by an injected fault leaves no line in the log."""
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


# The moments of a disconnect, one by one.


class Harness:
    """A service and its application, with a domain and a workflow type."""

    def __init__(self) -> None:
        service, clock, injector = Service(), VirtualClock(0), FaultInjector()
        self.service = AsyncService(service, clock)
        self.app = App(self.service, injector, WebUI(service, clock, injector))
        self.start("RegisterDomain", **DOMAIN)
        self.start("RegisterWorkflowType", **WORKFLOW_TYPE)

    def start(self, operation: str, **params: Any) -> Answer | HttpPoll:
        """Carry out one request."""
        return self.service.start(Request(operation, json.dumps(params).encode()), "tester")

    def start_workflow(self) -> Answer | HttpPoll:
        """Start an execution, which schedules a decision task."""
        return self.start("StartWorkflowExecution", domain="d", workflowId="w", workflowType=KIND)

    async def poll_of(self, client: asyncio.Future[None]) -> list[Any]:
        """Poll for a client that disconnects with the future; returns the messages sent to it."""
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
def test_work_may_come_while_a_client_disconnects(moments: int) -> None:
    """Work that arrives at any moment of the disconnect harms no other client."""

    async def scenario() -> None:
        harness = Harness()
        client = asyncio.get_running_loop().create_future()
        poll = asyncio.ensure_future(harness.poll_of(client))
        for _ in range(5):  # until it waits
            await asyncio.sleep(0)
        client.set_result(None)
        for _ in range(moments):
            await asyncio.sleep(0)
        assert isinstance(harness.start_workflow(), Answer)
        await poll
        harness.service.close()

    asyncio.run(scenario())


def test_a_poll_during_the_stop_is_answered_empty() -> None:
    """A poll that arrives after the polls were ended does not delay the stop."""

    async def scenario() -> None:
        harness = Harness()
        waiting = harness.start("PollForDecisionTask", domain="d", taskList=LIST)
        assert isinstance(waiting, HttpPoll)
        harness.service.end_polls()
        late = harness.start("PollForDecisionTask", domain="d", taskList=LIST)
        assert isinstance(late, Answer)
        assert "taskToken" not in late.body
        assert "taskToken" not in waiting.answer.result().body
        harness.service.close()

    asyncio.run(scenario())

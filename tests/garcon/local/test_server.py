"""The local SWF over HTTP: what only a connection, a process or a browser's rules can show."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from garcon.local.app import App
from garcon.local.clock import VirtualClock
from garcon.local.exchange import Exchange
from garcon.local.injection import Injector
from garcon.local.service import Service
from garcon.local.site import Site
from tests.garcon.local.conformance import (
    Account,
    background,
    decision,
    over_http,
    schedule,
)
from tests.garcon.local.conftest import client_of
from tests.garcon.local.wire import ask, connect, half_a_poll, pollers, state
from tests.processes.harness import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garcon.local import server


@pytest.fixture
def running() -> Iterator[server.Running]:
    """A server of its own, with polls as long as SWF's."""
    with over_http() as made:
        yield made


@pytest.fixture
def account(running: server.Running) -> Account:
    """An account at that server."""
    made = Account(client_of(running.endpoint), "dom")
    made.register()
    return made


# Polls.


def test_a_waiting_poll_is_answered_when_work_arrives(
    running: server.Running, account: Account
) -> None:
    """A poll over HTTP waits, and has the task as soon as there is one."""
    with background(lambda: account.poll_decision(identity="me")) as tasks:
        until(lambda: pollers(running.endpoint) == ["me"], "the poll waits")
        account.start()
    assert tasks[0]["workflowExecution"]["workflowId"] == "w"


def test_a_poller_that_is_gone_may_still_be_handed_a_task(
    running: server.Running, account: Account
) -> None:
    """As in production: the task of a lost connection is started, counted, and must time out."""
    half_a_poll(running.endpoint).close()
    until(lambda: pollers(running.endpoint) == [], "the server sees the end of the connection")
    account.start()
    assert account.kinds()[-1] == "DecisionTaskStarted"
    assert state(running.endpoint)["counters"]["ghosts"] == 1


def test_without_ghosts_nobody_who_is_gone_gets_a_task() -> None:
    """With ghosts off the task waits for a poller that is there."""
    with over_http(ghosts=False) as running:
        account = Account(client_of(running.endpoint), "dom")
        account.register()
        half_a_poll(running.endpoint).close()
        until(lambda: pollers(running.endpoint) == [], "the server sees the end of the connection")
        account.start()
        assert account.decision_task()


def test_an_empty_poll_ends_with_its_window() -> None:
    """A poll without work is held for as long as was asked for."""
    with over_http(poll_seconds=0.3) as running:
        account = Account(client_of(running.endpoint), "dom")
        account.register()
        begun = time.monotonic()
        assert not account.poll_activity()["taskToken"]
        assert time.monotonic() - begun >= 0.29


def test_virtual_time_over_http() -> None:
    """With virtual time a poll comes to a timer of an hour at once."""
    with over_http(virtual_time=True) as running:
        account = Account(client_of(running.endpoint), "dom")
        account.register()
        account.start(executionStartToCloseTimeout="86400")
        account.decide(decision("StartTimer", timerId="t", startToFireTimeout="3600"))
        while not (task := account.poll_decision())["taskToken"]:
            pass
        assert task["events"][-3]["eventType"] == "TimerFired"


def test_who_does_something_between_polls_waits_windows_only() -> None:
    """Over HTTP too, windows are spared only to those who do nothing but poll."""
    with over_http(virtual_time=True) as running:
        account = Account(client_of(running.endpoint), "dom")
        account.register()
        account.start(executionStartToCloseTimeout="86400")
        account.decide()
        before = state(running.endpoint)["now"]
        for number in range(6):
            assert not account.poll_activity()["taskToken"]
            account.in_domain("register_activity_type", name=f"type-{number}", version="1")
        assert state(running.endpoint)["now"] - before == pytest.approx(6 * 60)


# The protocol.


def test_answers_have_the_services_headers(account: Account) -> None:
    """Each answer carries the JSON type and a request id of its own."""
    answers = [account.call("list_domains", registrationStatus="REGISTERED") for _ in range(2)]
    told = [answer["ResponseMetadata"] for answer in answers]
    assert told[0]["HTTPHeaders"]["content-type"] == "application/x-amz-json-1.0"
    assert told[0]["RequestId"] != told[1]["RequestId"]


def test_a_call_of_another_service_is_refused(running: server.Running) -> None:
    """A POST without a target of SWF is an unknown operation."""
    status, body, _ = ask(running.endpoint, "POST", "/", "{}")
    assert status == 400
    assert json.loads(body)["__type"].endswith("#UnknownOperationException")


def test_a_request_beyond_a_megabyte_is_too_large(account: Account) -> None:
    """A request larger than SWF takes is refused by its size."""
    many = [schedule(f"a-{n}", input="i" * 30_000) for n in range(40)]
    account.start()
    task = account.decision_task()
    with pytest.raises(ClientError) as caught:
        account.respond(task, *many)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413


def test_half_a_request_is_none(running: server.Running) -> None:
    """A client that goes before it has said all has done nothing, and no fault is spent on it."""
    ask(running.endpoint, "POST", "/api/faults", json.dumps({"kind": "error", "count": 1}))
    with connect(running.endpoint) as connection:
        connection.sendall(
            b"DELETE /api/faults HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 20\r\n\r\n{"
        )
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(100) == b""  # the server has seen the end, and says nothing
    assert len(state(running.endpoint)["faults"]) == 1


@pytest.mark.parametrize(("path", "status"), [("/", 200), ("/api/state", 200), ("/nothing", 404)])
def test_head_tells_what_get_would(running: server.Running, path: str, status: int) -> None:
    """Who asks whether the server is up by HEAD is answered as by GET, without the body."""
    told = ask(running.endpoint, "HEAD", path)
    assert told[:2] == (status, b"")
    assert int(told[2]["content-length"]) > 0


# Only for this machine.


@pytest.mark.parametrize("host", ["example.org", "example.org:80", "127.0.0.1.example.org", ""])
def test_a_foreign_host_is_refused(running: server.Running, host: str) -> None:
    """A name that leads here, but is not this machine's, gets nothing."""
    status, body, _ = ask(running.endpoint, "GET", "/api/state", Host=host)
    assert status == 403
    assert b"http://127.0.0.1" in body


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:80", "127.0.0.1", "[::1]:80", "LOCALHOST"]
)
def test_this_machines_names_are_served(running: server.Running, host: str) -> None:
    """The loopback names are this machine's, with or without a port."""
    assert ask(running.endpoint, "GET", "/api/state", Host=host)[0] == 200


def test_a_page_of_the_web_may_not_order(running: server.Running) -> None:
    """A request that a foreign page sends through a browser is refused."""
    order = json.dumps({"kind": "error"})
    foreign = ask(running.endpoint, "POST", "/api/faults", order, Origin="https://example.org")
    own = ask(running.endpoint, "POST", "/api/faults", order, Origin=running.endpoint)
    assert (foreign[0], own[0]) == (403, 200)


def test_a_request_to_another_address_is_refused() -> None:
    """Should a request come to an address that others can reach, it is refused."""
    service = Service()
    clock = VirtualClock(0)
    injector = Injector()
    app = App(Exchange(service, clock), injector, Site(service, clock, injector))
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request"}

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
        "server": ("192.0.2.7", 80),
    }
    asyncio.run(app(scope, receive, send))
    assert sent[0]["status"] == 403
    assert b"192.0.2.7" in sent[1]["body"]


# Faults.


def test_faults_are_ordered_and_withdrawn_over_http(
    running: server.Running, account: Account
) -> None:
    """An order is in force until it is used up or withdrawn, and the page tells it."""
    order = json.dumps({"kind": "throttle", "operation": "ListDomains", "count": 2})
    ask(running.endpoint, "POST", "/api/faults", order)
    with pytest.raises(ClientError, match="Rate exceeded"):
        account.call("list_domains", registrationStatus="REGISTERED")
    assert [each["count"] for each in state(running.endpoint)["faults"]] == [1]
    ask(running.endpoint, "DELETE", "/api/faults")
    account.call("list_domains", registrationStatus="REGISTERED")


@pytest.mark.parametrize(
    ("order", "word"),
    [
        ({"kind": "sabotage"}, b"sabotage"),
        ({"kind": "error", "operation": "PollForCoffee"}, b"PollForCoffee"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(
    running: server.Running, order: dict[str, str], word: bytes
) -> None:
    """An unknown kind or operation is answered with a sentence, and nothing is ordered."""
    status, body, _ = ask(running.endpoint, "POST", "/api/faults", json.dumps(order))
    assert status == 400
    assert word in body
    assert state(running.endpoint)["faults"] == []


@pytest.mark.parametrize(("kind", "done"), [("reset-before", 0), ("reset-after", 1)])
def test_a_connection_is_reset(
    running: server.Running, account: Account, kind: str, done: int
) -> None:
    """The client sees its connection reset; before, nothing was done, after, it was."""
    order = json.dumps({"kind": kind, "operation": "StartWorkflowExecution", "count": 1})
    ask(running.endpoint, "POST", "/api/faults", order)
    with pytest.raises(ConnectionClosedError):
        account.start()
    told = account.in_domain("count_pending_decision_tasks", taskList={"name": "decide"})
    assert told["count"] == done


def test_a_reset_is_one_to_the_kernel(running: server.Running) -> None:
    """The peer's socket reports a reset, not an orderly end, which clients may take otherwise."""
    ask(running.endpoint, "POST", "/api/faults", json.dumps({"kind": "reset-before", "count": 1}))
    with connect(running.endpoint) as connection:
        connection.sendall(
            b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n"
            b"X-Amz-Target: SimpleWorkflowService.ListDomains\r\n\r\n{}"
        )
        with pytest.raises(ConnectionResetError):
            connection.recv(1)


def test_a_delayed_answer_comes_late(running: server.Running, account: Account) -> None:
    """A delay holds the request for its seconds."""
    order = json.dumps({"kind": "delay", "operation": "ListDomains", "count": 1, "seconds": 0.3})
    ask(running.endpoint, "POST", "/api/faults", order)
    begun = time.monotonic()
    account.call("list_domains", registrationStatus="REGISTERED")
    assert time.monotonic() - begun >= 0.29


# Pages' data.


def test_an_execution_is_shown_with_its_history(running: server.Running, account: Account) -> None:
    """The page is told each execution, and on demand its events as on the wire."""
    run_id = account.start()
    (shown,) = state(running.endpoint)["executions"]
    assert (shown["workflow_id"], shown["status"], shown["run_id"]) == ("w", "OPEN", run_id)
    path = "/api/history?run=" + run_id.replace("+", "%2B").replace("=", "%3D")
    told = json.loads(ask(running.endpoint, "GET", path)[1])
    assert [event["eventId"] for event in told["events"]] == [1, 2]


def test_what_the_page_leaves_out_is_counted(
    running: server.Running, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the latest executions are shown, and how many there are is told."""
    monkeypatch.setattr("garcon.local.site.SHOWN_EXECUTIONS", 2)
    for number in range(3):
        account.start(f"w-{number}")
    told = state(running.endpoint)
    assert [each["workflow_id"] for each in told["executions"]] == ["w-2", "w-1"]
    assert told["remembered"] == 3


def test_what_is_not_there_is_not_found(running: server.Running) -> None:
    """An unknown page or execution is a 404 with a sentence."""
    assert ask(running.endpoint, "GET", "/nothing")[0] == 404
    assert ask(running.endpoint, "GET", "/api/history?run=none")[0] == 404


def test_the_page_runs_nothing_foreign(running: server.Running) -> None:
    """The page may load and run only what this service serves."""
    status, body, headers = ask(running.endpoint, "GET", "/")
    assert status == 200
    assert b"page.js" in body
    assert "default-src 'self'" in headers["content-security-policy"]

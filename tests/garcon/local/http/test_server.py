"""The local SWF over HTTP: behaviour of connections, processes and origins."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from garcon.history.build_notes import BuildNote
from garcon.local.http.app import App
from garcon.local.http.async_service import AsyncService
from garcon.local.http.web_ui import WebUI
from garcon.local.service.clock import VirtualClock
from garcon.local.service.fault_injection import FaultInjector
from garcon.local.service.service import Service
from tests.garcon.local.conformance.account import (
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

    from garcon.local.http import server

pytestmark = pytest.mark.slow  # a server for each test


@pytest.fixture
def running() -> Iterator[server.LocalServer]:
    """A server of its own, with polls as long as SWF's."""
    with over_http() as made:
        yield made


@pytest.fixture
def account(running: server.LocalServer) -> Account:
    """An account at that server."""
    made = Account(client_of(running.endpoint), "dom")
    made.register()
    return made


# Polls.


def test_a_waiting_poll_is_answered_when_work_arrives(
    running: server.LocalServer, account: Account
) -> None:
    """A poll over HTTP waits, and has the task as soon as there is one."""
    with background(lambda: account.poll_decision(identity="me")) as tasks:
        until(lambda: pollers(running.endpoint) == ["me"], "the poll waits")
        account.start()
    assert tasks[0]["workflowExecution"]["workflowId"] == "w"


def test_a_ghost_poller_may_be_given_a_task(
    running: server.LocalServer, account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    """As in SWF: the task of a lost connection is started, counted and must time out; the log names
    it.
    """
    half_a_poll(running.endpoint).close()
    until(lambda: pollers(running.endpoint) == [], "the server sees the end of the connection")
    account.start()
    assert account.kinds()[-1] == "DecisionTaskStarted"
    assert state(running.endpoint)["counters"]["ghosts"] == 1
    (record,) = [each for each in caplog.records if each.name == "garcon.local"]
    message = record.getMessage()
    assert message.startswith("The decision task of execution w (run ")
    assert "was given to the poller lost of the list decide, whose connection is gone" in message


def test_without_ghosts_a_lost_connection_gets_no_task() -> None:
    """With ghosts off the task waits for a poller with a connection."""
    with over_http(ghosts=False) as running:
        account = Account(client_of(running.endpoint), "dom")
        account.register()
        half_a_poll(running.endpoint).close()
        until(lambda: pollers(running.endpoint) == [], "the server sees the end of the connection")
        account.start()
        assert account.decision_task()


def test_an_empty_poll_ends_with_its_window() -> None:
    """A poll without work is held for the seconds of the option."""
    with over_http(poll_seconds=0.3) as running:
        account = Account(client_of(running.endpoint), "dom")
        account.register()
        begun = time.monotonic()
        assert not account.poll_activity().get("taskToken")
        assert time.monotonic() - begun >= 0.29


def test_virtual_time_over_http() -> None:
    """With virtual time a poll reaches a timer of an hour at once."""
    with over_http(virtual_time=True) as running:
        account = Account(client_of(running.endpoint), "dom")
        account.register()
        account.start(executionStartToCloseTimeout="86400")
        account.decide(decision("StartTimer", timerId="t", startToFireTimeout="3600"))
        while not (task := account.poll_decision()).get("taskToken"):
            pass
        assert task["events"][-3]["eventType"] == "TimerFired"


def test_windows_are_skipped_only_for_clients_that_only_poll() -> None:
    """Over HTTP too, a client that works between its polls waits for each window."""
    with over_http(virtual_time=True) as running:
        account = Account(client_of(running.endpoint), "dom")
        account.register()
        account.start(executionStartToCloseTimeout="86400")
        account.decide()
        before = state(running.endpoint)["now"]
        for number in range(6):
            assert not account.poll_activity().get("taskToken")
            account.in_domain("register_activity_type", name=f"type-{number}", version="1")
        assert state(running.endpoint)["now"] - before == pytest.approx(6 * 60)


# The protocol.


def test_answers_have_the_services_headers(account: Account) -> None:
    """Each answer carries the JSON type and a request id of its own."""
    answers = [account.call("list_domains", registrationStatus="REGISTERED") for _ in range(2)]
    first, second = (answer["ResponseMetadata"] for answer in answers)
    assert first["HTTPHeaders"]["content-type"] == "application/x-amz-json-1.0"
    assert first["RequestId"] != second["RequestId"]


def test_a_call_of_another_service_is_refused(running: server.LocalServer) -> None:
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


def test_an_incomplete_request_has_no_effect(running: server.LocalServer) -> None:
    """A request whose connection ends within it changes nothing, and uses up no fault."""
    ask(running.endpoint, "POST", "/api/faults", json.dumps({"kind": "error", "count": 1}))
    with connect(running.endpoint) as connection:
        connection.sendall(
            b"DELETE /api/faults HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 20\r\n\r\n{"
        )
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(100) == b""  # the server has seen the end, and sends nothing
    assert len(state(running.endpoint)["faults"]) == 1


@pytest.mark.parametrize(("path", "status"), [("/", 200), ("/api/state", 200), ("/nothing", 404)])
def test_head_is_answered_like_get(running: server.LocalServer, path: str, status: int) -> None:
    """A check of the server by HEAD gets the answer of GET, without the body."""
    answer = ask(running.endpoint, "HEAD", path)
    assert answer[:2] == (status, b"")
    assert int(answer[2]["content-length"]) > 0


# Only for this machine.


@pytest.mark.parametrize("host", ["example.org", "example.org:80", "127.0.0.1.example.org", ""])
def test_a_foreign_host_is_refused(running: server.LocalServer, host: str) -> None:
    """A name that resolves to this machine, but is not a name of it, is refused."""
    status, body, _ = ask(running.endpoint, "GET", "/api/state", Host=host)
    assert status == 403
    assert b"http://127.0.0.1" in body


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:80", "127.0.0.1", "[::1]:80", "LOCALHOST"]
)
def test_this_machines_names_are_served(running: server.LocalServer, host: str) -> None:
    """The loopback names are this machine's, with or without a port."""
    assert ask(running.endpoint, "GET", "/api/state", Host=host)[0] == 200


def test_a_page_of_the_web_may_not_inject_faults(running: server.LocalServer) -> None:
    """A request that a foreign page sends through a browser is refused."""
    order = json.dumps({"kind": "error"})
    foreign = ask(running.endpoint, "POST", "/api/faults", order, Origin="https://example.org")
    own = ask(running.endpoint, "POST", "/api/faults", order, Origin=running.endpoint)
    assert (foreign[0], own[0]) == (403, 200)


@pytest.mark.parametrize(
    "origin",
    ["http://127.0.0.1:1", "http://127.0.0.1", "http://localhost:{port}", "https://{host}", "null"],
)
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/api/faults"), ("DELETE", "/api/faults"), ("POST", "/")]
)
def test_a_page_of_another_origin_is_refused(
    running: server.LocalServer, origin: str, method: str, path: str
) -> None:
    """Another port, name or scheme is another origin, on the same machine too."""
    host = urlsplit(running.endpoint).netloc
    origin = origin.format(host=host, port=urlsplit(running.endpoint).port)
    status, body, _ = ask(running.endpoint, method, path, '{"kind": "error"}', Origin=origin)
    assert (status, origin in body.decode()) == (403, True)
    assert state(running.endpoint)["faults"] == []


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1:80", "[::1]:443"])
def test_faults_are_injected_at_the_own_port_only(running: server.LocalServer, host: str) -> None:
    """A Host with another port may read, but not inject."""
    order = json.dumps({"kind": "error"})
    assert ask(running.endpoint, "POST", "/api/faults", order, Host=host)[0] == 403
    assert ask(running.endpoint, "GET", "/api/faults", Host=host)[:2] == (200, b"[]")


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]"])
def test_the_own_page_may_inject_by_any_name_of_the_machine(
    running: server.LocalServer, name: str
) -> None:
    """Opened as localhost, the page has that origin, and its requests are served."""
    host = f"{name}:{urlsplit(running.endpoint).port}"
    headers = {"Host": host, "Origin": f"http://{host}"}
    order = json.dumps({"kind": "error"})
    assert ask(running.endpoint, "POST", "/api/faults", order, **headers)[0] == 200
    assert ask(running.endpoint, "DELETE", "/api/faults", **headers)[:2] == (200, b"[]")


def test_a_request_to_another_address_is_refused() -> None:
    """A request to an address that other machines can reach is refused."""
    service = Service()
    clock = VirtualClock(0)
    injector = FaultInjector()
    app = App(AsyncService(service, clock), injector, WebUI(service, clock, injector))
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


def test_faults_are_injected_and_removed_over_http(
    running: server.LocalServer, account: Account
) -> None:
    """A fault is in force until it is used up or removed, and the page's data has it."""
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
def test_an_invalid_fault_is_refused_over_http(
    running: server.LocalServer, order: dict[str, str], word: bytes
) -> None:
    """An unknown kind or operation is answered with a sentence, and no fault is in force."""
    status, body, _ = ask(running.endpoint, "POST", "/api/faults", json.dumps(order))
    assert status == 400
    assert word in body
    assert state(running.endpoint)["faults"] == []


@pytest.mark.parametrize(("kind", "done"), [("reset-before", 0), ("reset-after", 1)])
def test_a_connection_is_reset(
    running: server.LocalServer, account: Account, kind: str, done: int
) -> None:
    """The client's connection is reset, before or after the request was carried out."""
    order = json.dumps({"kind": kind, "operation": "StartWorkflowExecution", "count": 1})
    ask(running.endpoint, "POST", "/api/faults", order)
    with pytest.raises(ConnectionClosedError):
        account.start()
    answer = account.in_domain("count_pending_decision_tasks", taskList={"name": "decide"})
    assert answer["count"] == done


def test_a_reset_is_a_tcp_reset(running: server.LocalServer) -> None:
    """The peer's socket reports a reset, not an orderly end, which some clients accept."""
    ask(running.endpoint, "POST", "/api/faults", json.dumps({"kind": "reset-before", "count": 1}))
    with connect(running.endpoint) as connection:
        connection.sendall(
            b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n"
            b"X-Amz-Target: SimpleWorkflowService.ListDomains\r\n\r\n{}"
        )
        with pytest.raises(ConnectionResetError):
            connection.recv(1)


def test_a_delayed_answer_comes_late(running: server.LocalServer, account: Account) -> None:
    """A delay holds the request for its seconds."""
    order = json.dumps({"kind": "delay", "operation": "ListDomains", "count": 1, "seconds": 0.3})
    ask(running.endpoint, "POST", "/api/faults", order)
    begun = time.monotonic()
    account.call("list_domains", registrationStatus="REGISTERED")
    assert time.monotonic() - begun >= 0.29


# The data of the page.


def test_an_execution_is_shown_with_its_history(
    running: server.LocalServer, account: Account
) -> None:
    """The page's data has each execution; on request its events as on the wire, and its build."""
    run_id = account.start()
    (shown,) = state(running.endpoint)["executions"]
    assert (shown["workflow_id"], shown["status"], shown["run_id"]) == ("w", "OPEN", run_id)
    path = "/api/history?run=" + run_id.replace("+", "%2B").replace("=", "%3D")
    answer = json.loads(ask(running.endpoint, "GET", path)[1])
    assert [event["eventId"] for event in answer["events"]] == [1, 2]
    assert answer["decided_by"] == ""
    account.decide(executionContext=str(BuildNote("a1")))
    assert json.loads(ask(running.endpoint, "GET", path)[1])["decided_by"] == "build a1"


def test_executions_that_are_not_shown_are_counted(
    running: server.LocalServer, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the latest executions are in the data, with the number of all."""
    monkeypatch.setattr("garcon.local.http.web_ui.SHOWN_EXECUTIONS", 2)
    for number in range(3):
        account.start(f"w-{number}")
    answer = state(running.endpoint)
    assert [each["workflow_id"] for each in answer["executions"]] == ["w-2", "w-1"]
    assert answer["remembered"] == 3


def test_an_unknown_path_is_not_found(running: server.LocalServer) -> None:
    """An unknown page or execution is a 404 with a sentence."""
    assert ask(running.endpoint, "GET", "/nothing")[0] == 404
    assert ask(running.endpoint, "GET", "/api/history?run=none")[0] == 404


def test_the_page_runs_nothing_foreign(running: server.LocalServer) -> None:
    """The page may load and run only files of this server."""
    status, body, headers = ask(running.endpoint, "GET", "/")
    assert status == 200
    assert b"local.js" in body
    assert "default-src 'self'" in headers["content-security-policy"]

"""The console's requests: access, answers, and changes."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from garcon import claims
from garcon.executions import Client
from garcon.executions.console.closed_histories import ClosedHistories
from garcon.executions.console.console_actions import ConsoleActions
from garcon.executions.console.console_app import Subject, application
from garcon.executions.console.console_reads import ConsoleReads
from garcon.local import LocalSWF
from tests.garcon.local.conformance.account import TimedAccount

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = "the key"
HOST = {"host": "127.0.0.1:8043"}
OWN = {"host": "127.0.0.1:8043", "cookie": f'garcon-console-8043="{KEY}"'}


class Site:
    """The console's application, asked as uvicorn does."""

    def __init__(self, swf: LocalSWF, file: Path) -> None:
        self.account = TimedAccount(swf)
        flow = SimpleNamespace(domain=self.account.domain, client=swf.client(), name="order")
        client = Client(flow)
        self.actions = ConsoleActions(client)
        subject = Subject(flow.domain, "here", ("--domain", flow.domain), "order")
        reads = ConsoleReads(flow, ClosedHistories(file, "here", flow.domain))
        self.app = application(subject, reads, self.actions, KEY)
        self.read_only = application(subject, reads, None, KEY)

    def get(self, path: str, query: Any = (), **headers: str) -> tuple[int, Any]:
        """Status and JSON of a request."""
        status, _, body = self.ask("GET", path, urlencode(query).encode(), OWN | headers)
        return status, json.loads(body)

    def act(self, *, token: str | None = None, **members: str) -> tuple[int, Any]:
        """Status and JSON of an action."""
        headers = OWN | {"x-garcon-token": self.actions.token if token is None else token}
        status, _, body = self.ask("POST", "/api/actions", b"", headers, json.dumps(members))
        return status, json.loads(body)

    def ask(
        self,
        method: str,
        path: str,
        query: bytes = b"",
        headers: dict[str, str] = OWN,
        body: str = "",
        *,
        read_only: bool = False,
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of any request."""
        sized = headers | {"content-length": str(len(body.encode()))}
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query,
            "headers": [(name.encode(), value.encode()) for name, value in sized.items()],
            "server": ("127.0.0.1", 8043),
            "client": ("127.0.0.1", 50_000),
            "scheme": "http",
            "http_version": "1.1",
            "root_path": "",
        }
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": body.encode(), "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        app: Any = self.read_only if read_only else self.app
        asyncio.run(app(scope, receive, send))
        found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return sent[0]["status"], found, b"".join(each.get("body", b"") for each in sent[1:])


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """The console of a local SWF in virtual time."""
    with LocalSWF() as swf:
        yield Site(swf, tmp_path / "histories.sqlite")


@pytest.mark.parametrize("path", ["/", "/console.js", "/timeline.js", "/actions.js", "/page.css"])
def test_the_page_and_its_files_run_nothing_foreign(site: Site, path: str) -> None:
    """Each file has the headers by which a browser loads and runs files of this server only."""
    status, headers, body = site.ask("GET", path)
    assert status == 200
    assert body
    assert "default-src 'self'" in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"


def test_the_key_of_the_address_opens_the_page_and_stays_out_of_it(site: Site) -> None:
    """A cookie that no script and no other site has keeps it; the address is clean again."""
    status, headers, _ = site.ask("GET", "/", urlencode({"key": KEY}).encode(), HOST)
    assert (status, headers["location"]) == (303, "/")
    assert {"HttpOnly", "SameSite=strict"} <= set(headers["set-cookie"].split("; "))
    assert "set-cookie" not in site.ask("GET", "/", b"key=guess", HOST)[1]


@pytest.mark.parametrize("cookie", ["", "guess", "the key ", "\xe4"])
def test_another_user_of_the_machine_reads_nothing(site: Site, cookie: str) -> None:
    """The calls have the credentials of the user who started the console."""
    headers = HOST | {"cookie": f'garcon-console-8043="{cookie}"', "x-garcon-token": "x"}
    for path in ("console", "executions", "count", "stuck", "history", "lists", "claim"):
        status, _, body = site.ask("GET", f"/api/{path}", b"", headers)
        assert status == 403
        assert "printed" in json.loads(body)["error"]
    assert site.ask("POST", "/api/actions", b"", headers, "{}")[0] == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "rebound.example:8043"},
        {},
        OWN | {"origin": "http://evil.example"},
        OWN | {"origin": "http://127.0.0.1:9999"},
        OWN | {"origin": "null"},
    ],
)
def test_other_machines_names_and_pages_are_refused(site: Site, headers: dict[str, str]) -> None:
    """No page of the web reads executions, by whatever name it reaches this machine."""
    for path in ("/", "/api/console", "/api/executions"):
        assert site.ask("GET", path, b"", headers)[0] == 403


def test_the_page_knows_what_it_is_about(site: Site) -> None:
    """The token comes to the own page only, and to none where nothing may change."""
    status, about = site.get("/api/console")
    assert status == 200
    assert about["token"] == site.actions.token
    assert about["target"] == ["--domain", "dom"]
    _, _, body = site.ask("GET", "/api/console", read_only=True)
    assert json.loads(body)["token"] is None


def test_lists_counts_and_histories_are_answered(site: Site) -> None:
    """The criteria are those of the command line."""
    run_id = site.account.start("order-1", tagList=["vip"])
    site.account.start("order-2")
    _, listed = site.get("/api/executions", [("where", "tag=vip"), ("where", "status=OPEN")])
    assert [each["workflow_id"] for each in listed["executions"]] == ["order-1"]
    assert site.get("/api/count", [("where", "status=OPEN")])[1]["count"] == 2
    _, opened = site.get("/api/history", {"id": "order-1", "run": run_id})
    assert [each["eventId"] for each in opened["events"]] == [1, 2]
    assert opened["stuck"] == ""


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/api/executions", {"where": "colour=red"}, 400),
        ("/api/executions", {"started": "soon"}, 400),
        ("/api/executions", {"started": "1e30"}, 400),
        ("/api/executions", {"started": "nan"}, 400),
        ("/api/executions", {"started": "1", "ties": "inf"}, 400),
        ("/api/history", {"id": "order-1"}, 400),
        ("/api/history", {"id": "order-1", "run": "lost"}, 404),
        ("/api/claim", {"claim": "../../etc/passwd"}, 404),
    ],
)
def test_a_failure_is_a_sentence(site: Site, path: str, query: dict[str, str], status: int) -> None:
    """The page shows it where the answer would stand."""
    found, answer = site.get(path, query)
    assert (found, answer["error"][-1]) == (status, ".")


def test_a_claim_is_opened_on_demand(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The text comes from the store of this process, by its digest alone."""
    monkeypatch.setenv(claims.ENVIRONMENT, f"file:{tmp_path / 'claims'}")
    store = claims.store()
    assert store
    claim = claims.put('{"beans": "arabica"}', store)
    assert site.get("/api/claim", {"claim": claim[claims.CLAIM]})[1] == {
        "text": '{"beans": "arabica"}'
    }


def test_each_action_does_what_its_command_does(site: Site) -> None:
    """Signal, cancel, terminate and start reach SWF, and say so in a sentence."""
    run = {"id": "order-1", "run": site.account.start("order-1")}
    assert site.act(action="signal", name="hurry", input='{"now": true}', **run)[0] == 200
    assert site.act(action="cancel", **run)[0] == 200
    assert site.act(action="terminate", reason="closed for the day", **run) == (
        200,
        {"done": "Terminated order-1."},
    )
    events = site.account.history("order-1", run["run"])
    kinds = [each["eventType"] for each in events]
    assert {"WorkflowExecutionSignaled", "WorkflowExecutionCancelRequested"} < set(kinds)
    assert kinds[-1] == "WorkflowExecutionTerminated"
    assert site.act(action="start", id="order-9", input='{"beans": 1}')[0] == 200
    assert site.account.describe("order-9")["executionInfo"]["executionStatus"] == "OPEN"


def test_nothing_changes_without_the_token_or_where_it_is_not_allowed(site: Site) -> None:
    """A page of another origin cannot know the token."""
    run = {"id": "order-1", "run": site.account.start("order-1")}
    for token in ("", "guess", site.actions.token[:-1], "ä"):
        assert site.act(token=token, action="terminate", **run)[0] == 403
    headers = OWN | {"x-garcon-token": site.actions.token}
    members = json.dumps({"action": "terminate", **run})
    ask = ("POST", "/api/actions", b"", headers, members)
    assert site.ask(*ask, read_only=True)[0] == 403
    foreign = headers | {"origin": "http://evil.example"}
    assert site.ask("POST", "/api/actions", b"", foreign, members)[0] == 403
    assert site.ask("GET", "/api/actions", b"", headers)[0] == 405
    assert site.account.describe("order-1")["executionInfo"]["executionStatus"] == "OPEN"


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"action": "destroy"},
        {"action": "signal", "id": "order-1", "run": "r"},
        {"action": "signal", "id": "order-1", "run": "r", "name": "hurry", "input": "{"},
        {"action": "terminate"},
        {"action": "start", "input": "[1]"},
    ],
)
def test_an_invalid_action_is_a_sentence(site: Site, members: dict[str, str]) -> None:
    """Nothing is sent to SWF."""
    status, answer = site.act(**members)
    assert status == 400
    assert answer["error"].endswith(".")


@pytest.mark.parametrize("body", ["", "[]", "nonsense", '{"action": 1}', "[" * 100_000])
def test_a_body_that_is_no_action_is_refused(site: Site, body: str) -> None:
    """Whatever is sent, the answer is a sentence."""
    headers = OWN | {"x-garcon-token": site.actions.token}
    assert site.ask("POST", "/api/actions", b"", headers, body)[0] == 400


def test_a_body_of_megabytes_is_refused(site: Site) -> None:
    """Its length is known before it is read."""
    headers = OWN | {"x-garcon-token": site.actions.token}
    assert site.ask("POST", "/api/actions", b"", headers, " " * (2**20 + 1))[0] == 413

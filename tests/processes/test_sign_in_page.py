"""A web server in place of SWF: any path, any request, status 200 and a page of HTML."""

from __future__ import annotations

import contextlib
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from supervisor.exit_codes import GAVE_UP
from tests.processes.harness import Program, Supervisor, local_swf, until
from tests.processes.test_outage import Gateway, most_tries
from tests.processes.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE = b"<!doctype html><title>Welcome</title><p>Sign in to use this network."

REASON = "the answer is not one of SWF's: it is not a JSON object (status 200, text/html"

FLOW = ("--flow", "tests.processes.flow")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: WebServer

    def do_POST(self) -> None:
        with contextlib.suppress(ConnectionError):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.server.requests += 1
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(PAGE)))
            self.end_headers()
            self.wfile.write(PAGE)

    def do_GET(self) -> None:
        self.do_POST()

    def log_message(self, *_: object) -> None:
        """Nothing: its requests are counted."""


class WebServer(ThreadingHTTPServer):
    """A plain web server that counts its requests."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests = 0

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def web() -> Iterator[WebServer]:
    """A running one."""
    with WebServer() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_start_against_a_web_server_fails_with_a_sentence(web: WebServer) -> None:
    """It registers nothing, is never ready, and names what answered."""
    with Supervisor(*FLOW, "--endpoint-url", web.url) as pool:
        assert pool.wait() == GAVE_UP
        log = pool.err.rest()
    assert "Traceback" not in log
    assert "full_strength" not in log
    assert REASON in pool.err.text
    assert web.requests < 20


@pytest.mark.parametrize(
    "words",
    [
        ("list",),
        ("list", "--stuck"),
        ("start", "{}"),
        ("show", "order-17"),
        ("signal", "order-17", "go"),
        ("terminate", "order-17"),
        ("result", "order-17", "--timeout", "60"),
    ],
    ids=" ".join,
)
def test_a_command_against_a_web_server_fails_with_a_sentence(
    web: WebServer, words: tuple[str, ...]
) -> None:
    """Nothing was started or changed, and it names what answered."""
    with Program("-m", "garcon", *words, *FLOW, "--endpoint-url", web.url) as command:
        assert command.wait() == 1
        (line,) = command.err.rest().splitlines()
        assert command.out.rest() == ""
    assert line.startswith("garcon: ")
    assert REASON in line


def test_a_running_pool_waits_until_the_page_is_gone(web: WebServer, tmp_path: Path) -> None:
    """Its polls back off, and a finished result is sent until SWF itself accepts it."""
    with (
        local_swf("--poll-seconds", "1", "--no-ghosts") as url,
        Gateway(url) as gateway,
        Supervisor(*FLOW, "--endpoint-url", gateway.url).ready() as pool,
    ):
        workers = pool.titled("garcon: activity") + pool.titled("garcon: decider")
        trial = Trial(pool, url, tmp_path, "return")
        trial.worker()
        began = time.monotonic()
        gateway.lead_to(web.url)
        trial.open()
        pool.wait_for_message("Next attempt in")
        # A list's workers are parked between the probes of their list.
        resting = ("backing off", "parked")
        until(
            lambda: sum(len(pool.titled(each)) for each in resting) == len(workers) - 1,
            "all others back off",
        )
        requests = web.requests  # before the time is taken, in which there may be more
        most = len(workers) * most_tries(time.monotonic() - began)
        assert requests <= 2 * most  # a decider polls two lists, a worker beats, too
        gateway.lead_to(url)
        kinds = trial.completes()
        assert kinds["ActivityTaskStarted"] == kinds["ActivityTaskCompleted"] == 1
        assert all(each.is_running() for each in workers)

"""The command that serves the console, as a process and its refusals."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any
from urllib.request import HTTPCookieProcessor, build_opener

import pytest

from garcon.executions import commands
from tests.garcon.local.conformance.account import Account, over_http
from tests.garcon.local.conftest import client_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.garcon.executions.commands.conftest import CommandLine


def ask(url: str, path: str) -> Any:
    """The JSON at a path of the console, for a user who has opened its address."""
    base, _, _ = url.partition("/?key=")
    opener = build_opener(HTTPCookieProcessor())
    opener.open(url, timeout=30).close()
    with opener.open(f"{base}/api/{path}", timeout=30) as answer:
        return json.load(answer)


@pytest.mark.slow
def test_the_console_serves_until_it_is_interrupted(tmp_path: Path) -> None:
    """Its first line has the address; the options of the target reach the page's commands."""
    with over_http() as running:
        account = Account(client_of(running.endpoint), "cafe")
        account.register()
        account.start("order-1")
        target = ["--domain", "cafe", "--endpoint-url", running.endpoint]
        options = [*target, "--port", "0", "--cache", str(tmp_path / "histories.sqlite")]
        started = subprocess.Popen(
            [sys.executable, "-m", "garcon", "ui", *options, "--json"],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        try:
            assert started.stdout
            answer = "".join(iter(started.stdout.readline, "}\n")) + "}"
            url = json.loads(answer)["url"]
            assert ask(url, "console")["target"] == target
            (execution,) = ask(url, "executions")["executions"]
            assert execution["workflow_id"] == "order-1"
            started.send_signal(signal.SIGINT)
            assert started.wait(30) in {0, 130}
        finally:
            started.kill()
            started.communicate(timeout=30)


def test_a_taken_port_is_a_sentence(line: CommandLine) -> None:
    """The remedy is another port."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        sentence = line.refused("ui", "--flow", "tests.garcon.executions.shop", "--port", port)
    assert f"cannot listen on 127.0.0.1:{port}" in sentence


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_is_a_number_that_exists(line: CommandLine, port: str) -> None:
    """Whatever else is given, the sentence has the range."""
    assert "from 0 to 65535" in line.refused("ui", "--domain", "cafe", f"--port={port}")


def test_a_missing_extra_is_named(line: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the web server the sentence says what to install."""
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    sentence = line.refused("ui", "--flow", "tests.garcon.executions.shop")
    assert "pip install 'garcon[http]'" in sentence
    assert commands.USAGE == 2

"""The target of a command: options, environment, flow, SWF."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from garcon.executions import commands
from tests.garcon.executions.commands.conftest import FLOW, CommandLine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow  # a client for each command


def test_options_come_from_the_environment_too(
    line: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``GARCON_FLOW`` stands for ``--flow``, and the command line wins."""
    monkeypatch.setenv("GARCON_FLOW", FLOW)
    assert line.run("start", "--id", "order-17", flow="")[0] == "order-17\n"
    monkeypatch.setenv("GARCON_FLOW", "another")
    assert "order-17" in line.run("list")[0]


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("GARCON_ENDPOINT_URL", "", "the value is empty"),
        ("GARCON_DOMAIN", "", "the value is empty"),
        ("GARCON_ENDPOINT_URL", "http://[::1", "is not an address"),
    ],
)
def test_an_invalid_variable_is_refused(
    line: CommandLine, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, sentence: str
) -> None:
    """An empty variable must not send a command to another target than the one meant."""
    monkeypatch.setenv(variable, value)
    message = line.refused("list", "--flow", FLOW)
    assert f"{variable} in the environment: " in message
    assert sentence in message


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["list"], "list needs --flow MODULE[:NAME], or --domain DOMAIN."),
        (["start", "--domain", "cafe"], "start needs --flow MODULE[:NAME]."),
        (["list", "--flow", "no_such_module_here"], "no module 'no_such_module_here'"),
        (["show", "--flow", FLOW, __file__], "is not JSON"),
    ],
)
def test_a_missing_or_wrong_target_is_one_sentence(
    line: CommandLine, words: list[str], sentence: str
) -> None:
    """The sentence says which option to give."""
    assert sentence in line.refused(*words)


def test_a_missing_file_is_not_taken_for_an_execution(line: CommandLine) -> None:
    """A name that ends in .json is a file's; SWF is not asked for it."""
    message = line.refused("show", "nowhere.json", "--flow", FLOW, code=1)
    assert "There is no file nowhere.json." in message


def test_a_flow_whose_code_fails_shows_its_own_traceback(
    line: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sentence follows the traceback, also if the flow's code ends the program."""
    monkeypatch.syspath_prepend(tmp_path)
    for number, code in enumerate(("raise ValueError('mine')", "raise SystemExit(0)")):
        (tmp_path / f"broken_{number}.py").write_text(code)
        _, err = line.run("list", flow=f"broken_{number}", code=2)
        assert code in err
        assert f"The flow broken_{number} cannot be loaded" in err


def test_output_of_a_flow_is_not_part_of_the_answer(
    line: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A module that prints when it is imported prints to standard error."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "talkative.py").write_text("domain, name = 'cafe', 'coffee'\nprint('imported')")
    out, err = line.run("list", flow="talkative")
    assert (out, err) == ("No executions match.\n", "imported\n")


INFOS = (
    b'{"executionInfos": [{"execution": {"workflowId": "o", "runId": "r"}, "workflowType": {"name":'
    b' "n", "version": "1"}, "executionStatus": "OPEN", "startTimestamp": %s}]}'
)


@pytest.mark.usefixtures("_own_clients")
@pytest.mark.parametrize(
    ("words", "variables", "sentence"),
    [
        (["--profile", "nobody-at-all"], {}, "nobody-at-all"),
        ([], {"AWS_ENDPOINT_URL_SWF": "http://[::1"}, "SWF client"),
        ([], {"AWS_ENDPOINT_URL_SWF": "nonsense"}, "SWF client"),
    ],
)
def test_a_client_that_cannot_be_made_is_one_sentence(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    variables: dict[str, str],
    sentence: str,
) -> None:
    """The sentence names the profile or the endpoint that is wrong."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert commands.main(["list", "--domain", "d", "--region", "us-east-1", *words]) == 1
    err = capsys.readouterr().err
    assert err.startswith("garcon: ")
    assert err.count("\n") == 1
    assert sentence in err


@contextmanager
def server(status: int, body: bytes) -> Iterator[str]:
    """The address of a server that gives the same answer to every request."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{running.server_address[1]}"
        finally:
            running.shutdown()
            thread.join()


@pytest.mark.usefixtures("_own_clients")
@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"null",
        b"7",
        b'"text"',
        b"{}",
        b'{"executionInfos": null}',
        b'{"executionInfos": [null]}',
        b'{"executionInfos": [7]}',
        b'{"executionInfos": [{"execution": []}]}',
        b'{"runId": []}',
        b'{"executionInfos": [{"startTimestamp": "soon"}]}',
        b'{"events": []}',
        b'{"events": [null]}',
        b'{"events": [{}]}',
        b'{"events": [{"eventId": 1, "eventTimestamp": 0}]}',
        b'{"events": [{"eventId": 1, "eventType": "X", "xEventAttributes": 7}]}',
        INFOS % b"1e999",
        INFOS % b"-1e18",
        b"<html><body>Sign in</body></html>",
        b"\xff\xfe\x00",
        b"",
    ],
)
def test_an_answer_that_is_not_swf_s_is_one_sentence(
    capsys: pytest.CaptureFixture[str], body: bytes
) -> None:
    """A proxy or another server may answer anything: no command ends in a traceback."""
    with server(200, body) as address:
        where = ("--domain", "d", "--region", "us-east-1", "--endpoint-url", address)
        for words in (["list"], ["show", "o"], ["show", "o", "--run-id", "r"], ["result", "o"]):
            code = commands.main([*words, *where])
            captured = capsys.readouterr()
            if code == 0:
                assert (words, captured.out) == (["list"], "No executions match.\n")
                continue
            assert (code, captured.out, captured.err.count("\n")) == (1, "", 1), captured.err
            assert captured.err.startswith("garcon: ")
            assert "Traceback" not in captured.err

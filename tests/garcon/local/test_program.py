"""`python -m garcon.local`: its output, its refusals to start, its end."""

from __future__ import annotations

import contextlib
import signal
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ConnectionClosedError

from garcon.local import __main__ as program
from garcon.local.service.service import Service
from tests.garcon.local.conformance.account import (
    Account,
    background,
    complete,
    decision,
    over_http,
    schedule,
)
from tests.garcon.local.conftest import client_of
from tests.garcon.local.wire import ask, connect, half_a_poll, listening, pollers, state
from tests.processes.harness import Program, until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow  # a program for each test


def test_the_program_prints_the_variable_to_export() -> None:
    """It prints the endpoint, and the line by which clients find it."""
    made, endpoint = listening()
    with made:
        line = made.out.wait_for(lambda line: line.startswith("export"), "the export line")
        assert line == f"export AWS_ENDPOINT_URL_SWF={endpoint}"
        assert ask(endpoint, "GET", "/")[0] == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_program(number: signal.Signals) -> None:
    """TERM or Ctrl-C ends it with 0 at once; a waiting poll is answered empty."""
    made, endpoint = listening()
    with made:
        account = Account(client_of(endpoint), "dom")
        account.register()
        with background(account.poll_decision) as tasks:
            until(lambda: pollers(endpoint) != [], "the poll waits")
            made.signal(number)
        assert made.wait() == 0
        assert made.err.rest() == ""
    assert tasks[0].get("taskToken") is None


def test_a_signal_ends_a_delayed_request() -> None:
    """A request that a fault delays is broken off, and leaves no line on standard error."""

    def broken_off() -> bool:
        with pytest.raises(ConnectionClosedError):
            client_of(endpoint).list_domains(registrationStatus="REGISTERED")
        return True

    made, endpoint = listening()
    with made:
        ask(endpoint, "POST", "/api/faults", '{"kind": "delay", "seconds": 3600, "count": 1}')
        with background(broken_off) as ends:
            until(lambda: state(endpoint)["faults"] == [], "the delay has begun")
            made.signal(signal.SIGTERM)
        assert made.wait() == 0
        assert made.err.rest() == ""
    assert ends == [True]


def test_a_stop_does_not_wait_for_an_incomplete_request() -> None:
    """A slow client neither delays the stop nor leaves a line in the log."""
    made, endpoint = listening()
    with made, connect(endpoint) as slow:
        head = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: 100-continue\r\n"
        slow.sendall(head + b"Content-Length: 20\r\n\r\n")
        assert slow.recv(100).startswith(b"HTTP/1.1 100 ")  # the rest is waited for
        made.signal(signal.SIGTERM)
        assert made.wait() == 0
        assert made.err.rest() == ""


def test_polls_are_not_limited_by_the_soft_limit_of_files() -> None:
    """The soft limit of open files, often 1,024, does not limit the number of pollers."""
    code = (
        "import resource, sys; _, most = resource.getrlimit(resource.RLIMIT_NOFILE);"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (64, most));"
        "from garcon.local.__main__ import main; sys.exit(main(['--port', '0']))"
    )
    with Program("-c", code) as made, contextlib.ExitStack() as open_ones:
        line = made.out.wait_for(lambda line: "http://" in line, "the endpoint")
        endpoint = line[line.index("http://") :]
        Account(client_of(endpoint), "dom").register()
        for number in range(1, 101):
            open_ones.enter_context(half_a_poll(endpoint, waiting=number))


def test_each_start_makes_other_run_ids() -> None:
    """Two programs without a seed give their executions different run ids."""
    run_ids = set()
    for _ in range(2):
        made, endpoint = listening()
        with made:
            account = Account(client_of(endpoint), "dom")
            account.register()
            run_ids.add(account.start())
    assert len(run_ids) == 2


def test_a_start_is_repeated_by_its_seed() -> None:
    """The seed that a program prints gives the same run ids in the next one."""
    made, endpoint = listening()
    with made:
        line = made.out.wait_for(lambda line: "--seed" in line, "the seed")
        seed = line.rstrip(".").rsplit(" ", 1)[1]
        account = Account(client_of(endpoint), "dom")
        account.register()
        run_id = account.start()
    made, endpoint = listening("--seed", seed)
    with made:
        account = Account(client_of(endpoint), "dom")
        account.register()
        assert account.start() == run_id


def test_a_program_that_was_killed_continues(tmp_path: Path) -> None:
    """With a state file, a task taken before the kill is completed after it."""
    state_file = str(tmp_path / "swf.db")
    made, endpoint = listening("--state", state_file)
    with made:
        account = Account(client_of(endpoint), "dom")
        account.register()
        account.start()
        account.decide(schedule())
        token = account.activity_task()["taskToken"]
        made.signal(signal.SIGKILL)
        made.wait()
    made, endpoint = listening("--state", state_file)
    with made:
        account = Account(client_of(endpoint), "dom")
        account.call("respond_activity_task_completed", taskToken=token)
        account.decide(complete())
        assert account.kinds()[-1] == "WorkflowExecutionCompleted"


def test_a_state_ahead_of_the_wall_clock_goes_on(tmp_path: Path) -> None:
    """After virtual time, the wall's time goes on from the state's and does not stand still."""
    state_file = str(tmp_path / "swf.db")
    made, endpoint = listening("--state", state_file, "--virtual-time")
    with made:
        account = Account(client_of(endpoint), "dom")
        account.register()
        account.start(executionStartToCloseTimeout="86400")
        account.decide(decision("StartTimer", timerId="t", startToFireTimeout="3600"))
        until(lambda: account.poll_decision().get("taskToken"), "the timer brings a decision task")
    made, endpoint = listening("--state", state_file)
    with made:
        before = state(endpoint)["now"]
        assert before > time.time() + 3000
        until(lambda: state(endpoint)["now"] > before, "the time goes on")


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("--port", "99999"), "The port is 99999; it must be from 0"),
        (("--port", "-1"), "The port is -1"),
        (("--poll-seconds", "-5"), "Polls are held for -5 s; it must be 0 or more"),
        (("--poll-seconds", "nan"), "Polls are held for nan s"),
        (("--poll-seconds", "inf"), "Polls are held for inf s"),
        (("--page-size", "0"), "The page size is 0; it must be from 1 to 1000"),
        (("--page-size", "1001"), "The page size is 1001"),
        (("--quotas", "gcp"), "invalid quotas 'gcp'; the only choice is 'aws'"),
    ],
)
def test_an_invalid_argument_is_refused(
    argv: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It ends the program with a sentence and 2, before it listens."""
    with pytest.raises(SystemExit) as caught:
        program.main(list(argv))
    assert caught.value.code == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "quotas"), [((), False), (("--quotas",), True), (("--quotas", "aws"), True)]
)
def test_quotas_may_be_named(argv: tuple[str, ...], *, quotas: bool) -> None:
    """--quotas and --quotas aws are the same."""
    assert program._parser().parse_args(argv).quotas is quotas


def test_a_port_in_use_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    """A port in use ends the program with a sentence and 1."""
    with over_http() as running:
        port = str(urlsplit(running.endpoint).port)
        assert program.main(["--port", port]) == 1
    assert f"Port {port} of 127.0.0.1: Address already in use" in capsys.readouterr().err


def test_a_state_file_of_other_settings_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A state file that cannot be continued ends the program with a sentence and 1."""
    path = tmp_path / "state"
    Service(state=path).close(0)
    assert program.main(["--port", "0", "--state", str(path), "--poll-seconds", "5"]) == 1
    assert "poll_window" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["--port", "1", "--port", "2"], "--port is given twice"),
        (["--seed=1", "--seed", "2"], "--seed is given twice"),
        (["--prot", "1"], "unrecognized arguments: --prot 1; did you mean --port?"),
        (["--po", "1"], "unrecognized arguments: --po 1"),
        (["--poll-seconds", "nan"], "Polls are held for nan s"),
        (["--poll-seconds=-inf"], "Polls are held for -inf s"),
        (["--page-size", "1e3"], "invalid int value: '1e3'"),
        (["--quotas", ""], "invalid quotas ''"),
    ],
)
def test_a_mistake_in_the_options_is_refused(
    argv: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With exit code 2; of two values of an option only one could count."""
    with pytest.raises(SystemExit) as stopped:
        program.main(argv)
    assert stopped.value.code == 2
    assert sentence in capsys.readouterr().err

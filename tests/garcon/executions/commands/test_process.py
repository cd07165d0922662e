"""``python -m garcon`` as people run it: processes, a service over HTTP, files, pipes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import IO, TYPE_CHECKING, Any

import boto3
import pytest

from garcon import client as clients
from garcon.executions import recorded_history
from garcon.local.pytest_plugin import local_swf_endpoint  # noqa: F401 - a fixture
from tests.garcon.drive import Driver
from tests.garcon.executions import shop
from tests.garcon.executions.served_flow import coffee, history_of

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[4]
LIMIT = 60  # seconds; a command takes one or two
NOWHERE = "http://127.0.0.1:1"  # no service listens there


def garcon(
    endpoint: str,
    *words: str,
    encoding: str = "utf-8",
    stdin: int = subprocess.DEVNULL,
    stdout: int | IO[Any] = subprocess.PIPE,
) -> subprocess.CompletedProcess[str]:
    """Run one command, which sees nothing of this machine's AWS configuration."""
    environment = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    environment |= {"GARCON_ENDPOINT_URL": endpoint, "GARCON_FLOW": "tests.garcon.executions.shop"}
    environment |= {"PYTHONIOENCODING": encoding}
    return subprocess.run(
        [sys.executable, "-m", "garcon", *words],
        cwd=ROOT,
        env=environment,
        encoding=encoding,
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.PIPE,
        timeout=LIMIT,
        check=False,
    )


@pytest.fixture
def workers(local_swf_endpoint: str) -> Any:  # noqa: F811 - the fixture
    """The coffee flow's workers, at the service."""
    swf = boto3.client(
        "swf",
        endpoint_url=local_swf_endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - any will do
    )
    with clients.use(swf):
        yield SimpleNamespace(endpoint=local_swf_endpoint, turn=Driver(swf, shop)._turn)


def test_an_execution_from_its_start_to_its_replay(workers: Any, tmp_path: Path) -> None:
    """Every command works against a local service without credentials, and on a kept history."""
    started = garcon(workers.endpoint, "start", '{"beans": "b"}', "--id", "order-17")
    assert (started.returncode, started.stdout) == (0, "order-17\n"), started.stderr
    for _ in range(4):
        workers.turn()
    result = garcon(workers.endpoint, "result", "order-17", "--json", "--timeout", "30")
    assert json.loads(result.stdout)["context"]["cup"] == "brewed ground b"
    assert "order-17 completed after" in result.stderr

    kept = tmp_path / "order-17.json"
    kept.write_text(garcon(workers.endpoint, "history", "order-17").stdout)
    assert "brew-1" in garcon(NOWHERE, "show", str(kept)).stdout  # files need no service
    assert "|  " in garcon(NOWHERE, "show", str(kept), encoding="ascii").stdout
    assert garcon(NOWHERE, "replay", str(kept)).returncode == 0
    assert "brewed" in garcon(NOWHERE, "rerun", "--activity", "brew", str(kept)).stdout


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """A file with a history of the coffee flow."""
    path = tmp_path / "order-17.json"
    path.write_text(recorded_history.dumps(history_of(coffee(), {"beans": "b"})))
    return path


@pytest.fixture
def closed_pipe() -> Iterator[int]:
    """A pipe whose reader has left, as ``head`` does."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


def test_a_reader_that_leaves_does_not_change_the_exit_code(
    history: Path, closed_pipe: int
) -> None:
    """``replay | head`` is 1 on a difference, and 0 without one; neither prints a traceback."""
    differs = ["replay", str(history), "--flow", "tests.garcon.executions.shop:unordered"]
    for words, code in ((["replay", str(history)], 0), (differs, 1), (["show", str(history)], 0)):
        done = garcon(NOWHERE, *words, stdout=closed_pipe)
        assert (done.returncode, "BrokenPipe" in done.stderr) == (code, False), done.stderr


def test_an_answer_that_cannot_be_written_is_exit_code_1(history: Path) -> None:
    """A full disk is one sentence, not an answer cut short."""
    with Path("/dev/full").open("w") as full:
        done = garcon(NOWHERE, "show", str(history), stdout=full)
    assert done.returncode == 1
    assert done.stderr == "garcon: The answer cannot be written: No space left on device.\n"


def test_an_input_that_cannot_be_read_is_exit_code_2(closed_pipe: int) -> None:
    """Standard input may be open for writing only; the sentence names it."""
    done = garcon(NOWHERE, "start", "-", stdin=closed_pipe)
    assert done.returncode == 2
    assert done.stderr == "garcon: Standard input cannot be read: Bad file descriptor.\n"


def test_a_service_that_does_not_answer_is_exit_code_1() -> None:
    """The sentence says what to check, without a traceback."""
    done = garcon(NOWHERE, "list")
    assert done.returncode == 1
    assert "Check the network, the region and the endpoint." in done.stderr
    assert "Traceback" not in done.stderr


def test_wrong_usage_is_exit_code_2() -> None:
    """Unknown commands, missing options and empty variables are refused by the process, too."""
    assert garcon(NOWHERE, "brew").returncode == 2
    assert garcon(NOWHERE, "rerun", "order-17").returncode == 2
    assert garcon("", "list").returncode == 2


def test_importing_garcon_loads_neither_botocore_nor_the_client() -> None:
    """The client is imported at its first use."""
    script = (
        "import sys, garcon;"
        "print([each for each in ('botocore', 'garcon.executions') if each in sys.modules]);"
        "garcon.Client; print('garcon.executions' in sys.modules, 'boto3' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, check=True, capture_output=True, timeout=LIMIT
    )
    assert done.stdout.decode().split("\n")[:2] == ["[]", "True False"]

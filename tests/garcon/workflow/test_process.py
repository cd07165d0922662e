"""``python -m garcon`` as people run it: a process, a service over HTTP, files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from garcon import client as clients
from garcon.local.pytest_plugin import local_swf_endpoint  # noqa: F401 - a fixture
from tests.garcon.drive import Driver
from tests.garcon.workflow import shop

ROOT = Path(__file__).parent.parent.parent.parent
LIMIT = 60  # seconds; a command takes one or two


def garcon(endpoint: str, *words: str, encoding: str = "utf-8") -> subprocess.CompletedProcess[str]:
    """One command; nothing of this machine's AWS configuration reaches it."""
    environment = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    environment |= {"GARCON_ENDPOINT_URL": endpoint, "GARCON_FLOW": "tests.garcon.workflow.shop"}
    environment |= {"PYTHONIOENCODING": encoding}
    return subprocess.run(
        [sys.executable, "-m", "garcon", *words],
        cwd=ROOT,
        env=environment,
        encoding=encoding,
        capture_output=True,
        timeout=LIMIT,
        check=False,
    )


@pytest.fixture
def driver(local_swf_endpoint: str) -> Any:  # noqa: F811 - the fixture
    """The shop's workers, at the service."""
    swf = boto3.client(
        "swf",
        endpoint_url=local_swf_endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - any will do
    )
    with clients.use(swf):
        yield SimpleNamespace(endpoint=local_swf_endpoint, turn=Driver(swf, shop)._turn)


def test_an_execution_from_its_start_to_its_replay(driver: Any, tmp_path: Path) -> None:
    """Started, waited for, listed, kept, shown, decided and done again; credentials need none."""
    started = garcon(driver.endpoint, "start", '{"beans": "b"}', "--id", "order-17")
    assert (started.returncode, started.stdout) == (0, "order-17\n"), started.stderr
    for _ in range(4):
        driver.turn()
    result = garcon(driver.endpoint, "result", "order-17", "--json", "--timeout", "30")
    assert json.loads(result.stdout)["context"]["cup"] == "brewed ground b"
    assert "order-17 completed after" in result.stderr

    kept = tmp_path / "order-17.json"
    kept.write_text(garcon(driver.endpoint, "history", "order-17").stdout)
    nowhere = "http://127.0.0.1:1"  # files need no service
    assert "brew-1" in garcon(nowhere, "show", str(kept)).stdout
    assert "|  " in garcon(nowhere, "show", str(kept), encoding="ascii").stdout
    assert garcon(nowhere, "replay", str(kept)).returncode == 0
    assert "brewed" in garcon(nowhere, "rerun", "--activity", "brew", str(kept)).stdout


def test_a_service_that_does_not_answer_is_a_sentence() -> None:
    """Exit code 1 and no traceback."""
    told = garcon("http://127.0.0.1:1", "list")
    assert told.returncode == 1
    assert "Check the network, the region and the endpoint." in told.stderr
    assert "Traceback" not in told.stderr


def test_usage_is_exit_code_2() -> None:
    """As argparse tells it."""
    assert garcon("", "brew").returncode == 2
    assert garcon("", "rerun", "order-17").returncode == 2


def test_importing_garcon_loads_neither_botocore_nor_the_client() -> None:
    """Its use does."""
    script = (
        "import sys, garcon;"
        "print([each for each in ('botocore', 'garcon.workflow') if each in sys.modules]);"
        "garcon.Client; print('garcon.workflow' in sys.modules, 'boto3' in sys.modules)"
    )
    told = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, check=True, capture_output=True, timeout=LIMIT
    )
    assert told.stdout.decode().split("\n")[:2] == ["[]", "True False"]

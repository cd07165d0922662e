"""A start without network or credentials."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import botocore.session
import pytest

from garcon.aws import fail_fast
from supervisor.config import ec2_detection

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow  # new clients for each test

PROGRAM = """
import time
from types import SimpleNamespace
import boto3
from garcon import activity, decider, runner
own = {own}
client = boto3.client("swf", region_name="us-east-1") if own else None
one = activity.create(client, "d", "f")(name="a", run=runner.Sync(lambda context, activity: None))
flow = SimpleNamespace(domain="d", name="f", a=one, **({{"client": client}} if own else {{}}))
waits = []
sleep, time.sleep = time.sleep, waits.append
try:
    decider.DeciderWorker(flow)
except decider.RegistrationRefused as error:
    print(error)
print("waited", sum(waits))
"""
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}


def start(*, own: bool, **variables: str) -> str:
    """The output of a program that makes a decider with these variables alone."""
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM.format(own=own)],
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return ended.stdout


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("mode", ["legacy", "standard"])
def test_without_a_network_a_decider_is_refused_at_once(own: bool, mode: str) -> None:  # noqa: FBT001 - a parameter
    """Botocore's retries, whichever mode, wait for no connection; the sentence says what to do."""
    place = {"AWS_ENDPOINT_URL_SWF": "http://127.0.0.1:9", "AWS_DEFAULT_REGION": "us-east-1"}
    said = start(own=own, **CREDENTIALS, **place, AWS_RETRY_MODE=mode)
    assert "Could not connect" in said
    assert "Check the network, the region and the endpoint." in said
    assert "waited 0\n" in said


def test_without_credentials_a_decider_is_refused_at_once() -> None:
    """A metadata service that does not answer is not waited for long."""
    with socket.create_server(("127.0.0.1", 0), backlog=8) as silent:
        place = f"http://127.0.0.1:{silent.getsockname()[1]}"
        said = start(
            own=False, AWS_DEFAULT_REGION="us-east-1", AWS_EC2_METADATA_SERVICE_ENDPOINT=place
        )
    assert "Unable to locate credentials. Provide credentials" in said
    assert "waited 0\n" in said


def timeout_after(sys: Path) -> object:
    """A new session's timeout of the metadata service on a machine with these files."""
    session = botocore.session.Session(fail_fast.session_variables(sys))
    return session.get_config_variable(fail_fast.METADATA_TIMEOUT)


def test_only_ec2_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The default of a second stays on EC2; a value that was chosen stays everywhere."""
    assert timeout_after(tmp_path) == fail_fast.SECONDS_OFF_EC2
    monkeypatch.setenv("AWS_METADATA_SERVICE_TIMEOUT", "5")
    assert timeout_after(tmp_path) == 5
    monkeypatch.delenv("AWS_METADATA_SERVICE_TIMEOUT")
    (tmp_path / "hypervisor").mkdir()
    (tmp_path / "hypervisor/uuid").write_text("EC2E1916-9099-7CAF-FD21-012345ABCDEF\n")
    assert timeout_after(tmp_path) == 1


def test_both_packages_know_ec2_by_the_same_marks() -> None:
    """Neither may import the other's."""
    assert fail_fast.EC2_MARKS == ec2_detection.MARKS

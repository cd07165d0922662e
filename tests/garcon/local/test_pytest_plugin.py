"""The fixtures, in a run of pytest of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]

TEST = """
import boto3

def test_in_process(local_swf):
    client = local_swf.client()
    client.register_domain(name="d", workflowExecutionRetentionPeriodInDays="1")

def test_each_test_has_its_own(local_swf):
    answer = local_swf.client().list_domains(registrationStatus="REGISTERED")
    assert answer["domainInfos"] == []

def test_over_http(local_swf_endpoint):
    client = boto3.client("swf", endpoint_url=local_swf_endpoint, region_name="us-east-1",
                          aws_access_key_id="test", aws_secret_access_key="test")
    assert client.list_domains(registrationStatus="REGISTERED")["domainInfos"] == []
"""


def python(*argv: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run Python with the project on its path."""
    return subprocess.run(
        [sys.executable, *argv],
        cwd=cwd,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_fixtures_work_in_a_project_of_their_own(tmp_path: Path) -> None:
    """A test file that uses the fixtures by name runs, each test with a fresh service."""
    (tmp_path / "test_mine.py").write_text(TEST)
    # An installed project brings the plugin by its entry point; it may be registered once.
    plugin = ("-p", "no:garcon_local", "-p", "garcon.local.pytest_plugin")
    done = python("-m", "pytest", "-q", *plugin, "-p", "no:cacheprovider", cwd=tmp_path)
    assert "3 passed" in done.stdout, done.stdout + done.stderr


def test_the_plugin_is_cheap_and_needs_no_extra(tmp_path: Path) -> None:
    """Importing the plugin brings neither boto3 nor the server, nor the engine."""
    script = (
        "import sys, garcon.local.pytest_plugin;"
        "print([name for name in ('boto3', 'botocore', 'uvicorn', 'garcon.local.engine')"
        " if name in sys.modules])"
    )
    assert python("-c", script, cwd=tmp_path).stdout.strip() == "[]"

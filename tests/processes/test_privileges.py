"""The policies of examples/deploy suffice: what a real pool calls is what they name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.processes import flow, swf
from tests.processes.harness import Supervisor, local_swf
from tests.processes.trial import Trial
from tests.test_deploy import actions, resources

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["resources"]  # the fixture

TELLS = """
import os, pathlib
from botocore.httpsession import URLLib3Session
from tests.processes.flow import *

send = URLLib3Session.send

def noted(self, request):
    target = request.headers["X-Amz-Target"]
    operation = (target if isinstance(target, str) else target.decode()).split(".")[-1]
    with pathlib.Path(os.environ["CALLS"]).open("a") as file:
        file.write(f"swf:{operation}\\n")
    return send(self, request)

URLLib3Session.send = noted
"""
"""The test flow, in whose processes every call that is really sent leaves a line."""


@pytest.fixture
def endpoint() -> Iterator[str]:
    """A local SWF with polls of a second, and the domain, as the kit expects it."""
    with local_swf("--poll-seconds", "1", "--no-ghosts") as url:
        domain = {"name": flow.domain, "workflowExecutionRetentionPeriodInDays": "1"}
        swf.client(url).register_domain(**domain)
        yield url


def test_the_policies_name_all_that_a_pool_calls(
    endpoint: str, tmp_path: Path, resources: dict[str, dict[str, object]]
) -> None:
    """On a host with workers alone, on one with deciders alone; a death in mid-task included."""
    (tmp_path / "mine.py").write_text(TELLS)
    calls = {each: tmp_path / each for each in ("Worker", "Decider")}
    deciding = pool(endpoint, tmp_path, calls["Decider"], "--workers", "0").ready()
    working = pool(endpoint, tmp_path, calls["Worker"], "--deciders", "0").ready()
    with deciding, working:
        trial = Trial(working, endpoint, tmp_path, "exit")
        trial.open()
        working.wait_for("reported")
        trial.open()
        trial.completes()
    for name, path in calls.items():
        called = set(path.read_text().split())
        assert called - actions(resources[f"{name}Policy"]) == set()
    assert "swf:RespondActivityTaskFailed" in calls["Worker"].read_text()
    assert "swf:RespondDecisionTaskCompleted" in calls["Decider"].read_text()


def pool(endpoint: str, folder: Path, calls: Path, *argv: str) -> Supervisor:
    """A supervisor of the flow whose calls are recorded."""
    said = {"PYTHONPATH": str(folder), "CALLS": str(calls)}
    return Supervisor("--flow", "mine", "--endpoint-url", endpoint, *argv, **said)

"""Deploys under load lose no task, though SWF hands some to pollers that were asked to leave.

Few of them by default; all 20 of each kind, with as much more load, with ``--deploys 20``.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.processes import deploys
from tests.processes.deploys import Load
from tests.processes.harness import Supervisor, local_swf

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.processes.deploys import Toll

A_SECOND = 12.0
"""Workflows: in 20 deploys of each kind some 2,000."""


@pytest.fixture
def endpoint() -> Iterator[str]:
    """A local SWF with polls of two seconds that, like the real one, has ghost pollers."""
    with local_swf("--poll-seconds", "2") as url:
        yield url


@pytest.fixture
def many(request: pytest.FixtureRequest) -> int:
    """The number of deploys."""
    return int(request.config.getoption("--deploys"))


def pool(endpoint: str, trace: Path) -> Supervisor:
    """A supervisor of the flow, at full strength."""
    argv = ("--flow", "tests.processes.steady", "--endpoint-url", endpoint)
    sizes = ("--workers", "2", "--deciders", "2")
    quick = {"GARCON_MIN_UPTIME": "0.2"}
    return Supervisor(*argv, *sizes, **quick, **deploys.variables(trace)).ready()


def judge(toll: Toll) -> None:
    """Nothing was lost, nothing failed, nothing was done twice."""
    assert (toll.lost, toll.failed, toll.begun_again) == (0, 0, 0)
    assert toll.completed == toll.workflows > 0


def test_rolling_restarts_lose_nothing(endpoint: str, tmp_path: Path, many: int) -> None:
    """Every task that was handed out is answered, each activity begins once, all complete."""
    trace = tmp_path / "trace"
    with pool(endpoint, trace) as supervisor:
        with Load(endpoint, A_SECOND) as load:
            for generation in range(2, many + 2):
                supervisor.signal(signal.SIGHUP)
                supervisor.wait_for("generation_active", generation=generation)
                supervisor.wait_for("full_strength", generation=generation)
        judge(load.toll(trace))
        supervisor.signal(signal.SIGTERM)
        assert supervisor.wait() == 0


def test_stopping_and_starting_loses_nothing(endpoint: str, tmp_path: Path, many: int) -> None:
    """The same holds where the whole program is ended and started anew."""
    trace = tmp_path / "trace"
    supervisor = pool(endpoint, trace)
    try:
        with Load(endpoint, A_SECOND) as load:
            for _ in range(many):
                supervisor.signal(signal.SIGTERM)
                assert supervisor.wait() == 0
                supervisor.__exit__()
                supervisor = pool(endpoint, trace)
    finally:
        supervisor.__exit__()
    judge(load.toll(trace))

"""HUP reads the settings again: what a restart takes up, what it cannot, what it refuses."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.processes.deployment import Deployment, good
from tests.processes.harness import local_swf

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def endpoint() -> Iterator[str]:
    """A local SWF with polls of a second."""
    with local_swf("--poll-seconds", "1", "--no-ghosts") as url:
        yield url


def test_new_sizes_are_taken_up(endpoint: str, tmp_path: Path) -> None:
    """The file on disk says how many workers the new generation has."""
    with Deployment(tmp_path, endpoint, workers=1) as deployment:
        deployment.write(workers=2, pools={"send": 3})
        assert deployment.deploy(good(2))["event"] == "generation_active"
        full = deployment.pool.wait_for("full_strength", generation=2)
        assert full["workers"] == 1 + 2 + 3
        assert deployment.packed() <= {1, 2}


def test_what_needs_a_new_supervisor_is_named(endpoint: str, tmp_path: Path) -> None:
    """A warning with its name; the rest is taken up."""
    with Deployment(tmp_path, endpoint) as deployment:
        deployment.write(workers=2, name="other")
        deployment.restart(good(2))
        assert deployment.pool.wait_for("settings_kept")["settings"] == "name"
        assert deployment.pool.wait_for("full_strength", generation=2)["workers"] == 1 + 2 * 2


def test_a_file_that_is_wrong_refuses_the_restart(endpoint: str, tmp_path: Path) -> None:
    """With the sentence of a start; nothing is imported, and the pool goes on."""
    with Deployment(tmp_path, endpoint) as deployment:
        deployment.write(workers="many")
        deployment.pool.signal(signal.SIGHUP)
        refused = deployment.pool.wait_for("restart_refused")
        assert "workers: expected a whole number" in refused["message"]
        assert deployment.packed() == {1}
        deployment.write(workers=1)
        assert deployment.deploy(good(2))["generation"] == 2


def test_new_limits_hold_for_workers_of_the_new_code(endpoint: str, tmp_path: Path) -> None:
    """A limit of memory that came with a restart ends workers beyond it."""
    with Deployment(tmp_path, endpoint) as deployment:
        deployment.write(max_tasks=1)
        assert deployment.deploy(good(2))["event"] == "generation_active"
        deployment.pool.wait_for("full_strength", generation=2)
        assert deployment.serves(2)
        recycled = deployment.pool.wait_for("worker_recycled")
        assert "task limit reached, 1 done" in recycled["message"]

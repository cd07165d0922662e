"""Workers at their limit of tasks or memory are replaced by fresh ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.processes import flow, swf
from tests.processes.harness import Supervisor, local_swf, parsed, until
from tests.processes.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def endpoint() -> Iterator[str]:
    """A local SWF with polls of a second."""
    with local_swf("--poll-seconds", "1", "--no-ghosts") as url:
        yield url


def pool(endpoint: str, *argv: str) -> Supervisor:
    """A pool at full strength."""
    flow_argv = ("--flow", "tests.processes.flow", "--endpoint-url", endpoint)
    return Supervisor(*flow_argv, *argv).ready()


def test_a_worker_at_its_task_limit_is_replaced_first(endpoint: str) -> None:
    """With --max-tasks workers change while executions complete; none of it is a death."""
    with pool(endpoint, "--max-tasks", "2", "--workers", "2") as supervisor:
        before = {each.pid for each in supervisor.titled("garcon: activity gates gates_gate")}
        executions = [swf.start(endpoint, flow, gate="", then="") for _ in range(12)]
        for each in executions:
            assert each.wait_closed() == "WorkflowExecutionCompleted"
        supervisor.wait_for("worker_recycled")  # perhaps of the other list

        def fresh() -> set[int]:
            gates = supervisor.titled("garcon: activity gates gates_gate")
            return {each.pid for each in gates} - before

        until(fresh, "a fresh worker at the gate")
        told = [parsed(line).get("event") for line in supervisor.err.seen]
        assert "worker_died" not in told


def test_a_worker_that_has_grown_is_replaced_between_tasks(endpoint: str, tmp_path: Path) -> None:
    """With --max-memory the task that leaks is finished first."""
    with pool(endpoint, "--max-memory", "150MiB") as supervisor:
        trial = Trial(supervisor, endpoint, tmp_path, "leak")
        worker = trial.worker()
        trial.open()
        recycled = supervisor.wait_for("worker_recycled")
        assert "memory limit reached" in recycled["message"]
        assert trial.completes()["ActivityTaskStarted"] == 1
        worker.wait(40)


def test_a_task_that_grows_too_big_loses_its_worker(endpoint: str, tmp_path: Path) -> None:
    """With --max-memory-hard it is killed in mid-task, and SWF gets the reason."""
    with pool(endpoint, "--max-memory-hard", "150MiB") as supervisor:
        trial = Trial(supervisor, endpoint, tmp_path, "grow")
        trial.worker()
        trial.open()
        reason, details = trial.failure()
        assert reason.startswith("WorkerDied: ")
        assert "memory" in reason
        assert details["cause"] == "too big"
        assert details["peak_memory"] > 150 << 20  # it may be killed before it has all it wants
        trial.open()
        assert trial.completes()["ActivityTaskCompleted"] == 1

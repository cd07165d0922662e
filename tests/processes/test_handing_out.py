"""Tasks that were handed out: their heartbeats go on whatever becomes of workers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from tests.processes import asking, swf
from tests.processes.harness import LIMIT, local_swf, until
from tests.processes.operator import Operator
from tests.processes.test_spool import files, kill_all

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEARTBEAT = "RecordActivityTaskHeartbeat"
MANY = 1_000_000

pytestmark = pytest.mark.slow


@pytest.fixture
def endpoint() -> Iterator[str]:
    """A local SWF with polls of a second."""
    with local_swf("--poll-seconds", "1", "--no-ghosts") as url:
        yield url


class Question:
    """An execution whose activity has handed its task out."""

    def __init__(self, endpoint: str, folder: Path) -> None:
        self._faults = swf.Faults(endpoint)
        self._file = folder / "token"
        self.execution = swf.start(endpoint, asking, file=str(self._file))

    def worker(self) -> psutil.Process:
        """The process that has handed the task out."""
        until(self._file.exists, "the token")
        pid, self._token = self._file.read_text().split()
        return psutil.Process(int(pid))

    def outlives_its_heartbeat_timeout(self) -> None:
        """Wait for heartbeats: between two is half of the timeout at least, so three outlive it."""
        self._faults.order("delay", HEARTBEAT, seconds=0, count=MANY)
        until(
            lambda: self._faults.orders()[0]["count"] <= MANY - 3,
            "three heartbeats",
            3 * asking.HEARTBEAT + LIMIT,
        )
        self._faults.withdraw()

    def answer(self) -> list[str]:
        """Complete the task as another program does; the types of the events."""
        self.execution.client.respond_activity_task_completed(
            taskToken=self._token, result=json.dumps({"approved": True})
        )
        assert self.execution.wait_closed() == "WorkflowExecutionCompleted"
        return self.execution.kinds()


def operator(folder: Path, endpoint: str, *argv: str) -> Operator:
    """A pool of the asking flow, and the operator's commands to it."""
    return Operator(folder, endpoint, "--workers", "2", *argv, flow="tests.processes.asking")


def tasks(pool: Operator) -> Any:
    """The output of ``tasks``."""
    return json.loads(pool.do("tasks", "--json"))


def has_handed_out(pool: Operator) -> bool:
    """Whether a task was handed out and none is in progress, by the supervisor's account."""
    told = tasks(pool)
    return bool(told["handed_out"] and not told["tasks"])


def test_the_death_of_its_worker_costs_a_task_nothing(endpoint: str, tmp_path: Path) -> None:
    """It does not fail, its heartbeats go on, and it is forgotten when another program answers."""
    here = operator(tmp_path, endpoint)
    with here.pool() as supervisor:
        question = Question(endpoint, tmp_path)
        worker = question.worker()
        until(lambda: has_handed_out(here), "a task that was handed out, and no other")
        worker.kill()
        supervisor.wait_for("worker_died", pid=worker.pid)
        question.outlives_its_heartbeat_timeout()
        kinds = question.answer()
        assert kinds.count("ActivityTaskStarted") == kinds.count("ActivityTaskCompleted") == 1
        until(lambda: not tasks(here)["handed_out"], "no task that was handed out")


def test_a_restart_and_a_lost_sidecar_cost_it_nothing(endpoint: str, tmp_path: Path) -> None:
    """New code, with new workers, and a new sidecar: the heartbeats go on."""
    here = operator(tmp_path, endpoint)
    with here.pool() as supervisor:
        question = Question(endpoint, tmp_path)
        worker = question.worker()
        (sidecar,) = until(lambda: supervisor.titled("heartbeats asking"), "the sidecar")
        here.do("restart", "--wait")
        until(lambda: not worker.is_running(), "the end of the old worker")
        sidecar.kill()
        supervisor.wait_for("sidecar_lost", sidecar="heartbeats")
        question.outlives_its_heartbeat_timeout()
        assert question.answer().count("ActivityTaskStarted") == 1


def test_with_a_spool_the_next_supervisor_goes_on(endpoint: str, tmp_path: Path) -> None:
    """After the death of every process of the first, which had handed the task out."""
    spool = tmp_path / "spool"
    here = operator(tmp_path, endpoint, "--spool", str(spool))
    with here.pool() as first:
        question = Question(endpoint, tmp_path)
        question.worker()
        until(lambda: tasks(here)["handed_out"], "a task that was handed out")
        kill_all(first)
    with here.pool():
        question.outlives_its_heartbeat_timeout()
        kinds = question.answer()
        assert kinds.count("ActivityTaskStarted") == kinds.count("ActivityTaskCompleted") == 1
        until(lambda: not files(spool), "an empty spool")

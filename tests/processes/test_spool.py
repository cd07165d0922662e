"""With --spool the tasks of a dead supervisor's workers are reported at the next start."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.processes import flow, swf
from tests.processes.harness import Supervisor, local_swf, until
from tests.processes.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Iterator

RESPOND = "RespondActivityTaskCompleted"


@pytest.fixture
def endpoint() -> Iterator[str]:
    """A local SWF with polls of a second."""
    with local_swf("--poll-seconds", "1", "--no-ghosts") as url:
        yield url


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the spool."""
    return tmp_path / "spool"


def pool(endpoint: str, folder: Path) -> Supervisor:
    """A pool that spools there, at full strength."""
    argv = ("--flow", "tests.processes.flow", "--endpoint-url", endpoint, "--spool", str(folder))
    return Supervisor(*argv).ready()


def kill_all(supervisor: Supervisor) -> None:
    """Kill every process of the pool at once; files stay.

    The supervisor goes last, stopped meanwhile: at its end the kernel lets stopped workers go on,
    for their process groups have lost their parent.
    """
    supervisor.signal(signal.SIGSTOP)
    for each in supervisor.below():
        each.kill()
    supervisor.signal(signal.SIGKILL)
    supervisor.wait()


def wait_for_one(folder: Path) -> None:
    """Wait until the task in progress alone is in the spool.

    SWF has a decision before its decider has removed the decision's file.
    """
    until(lambda: len(files(folder)) == 1, "the task alone in the spool")


def files(folder: Path) -> list[Path]:
    """The files in the spool, the supervisors' own left out."""
    return [each for each in folder.iterdir() if not each.name.startswith(".supervisor-")]


def test_a_result_survives_every_process(endpoint: str, folder: Path, tmp_path: Path) -> None:
    """Supervisor, zygote and worker die before SWF has the result: it is delivered, once."""
    faults = swf.Faults(endpoint)
    with pool(endpoint, folder) as first:
        trial = Trial(first, endpoint, tmp_path, "return")
        worker = trial.worker()
        trial.wait_alone()
        wait_for_one(folder)
        faults.order("throttle", RESPOND, count=1_000_000)
        trial.open()
        until(lambda: faults.orders()[0]["count"] < 1_000_000, "an answer that is throttled")
        worker.suspend()
        faults.withdraw()
        kill_all(first)
    assert len(files(folder)) == 1
    with pool(endpoint, folder):
        kinds = trial.completes()
        until(lambda: not files(folder), "an empty spool")
    assert kinds["ActivityTaskStarted"] == kinds["ActivityTaskCompleted"] == 1
    assert kinds["ActivityTaskFailed"] == 0


def test_a_token_survives_every_process(endpoint: str, folder: Path, tmp_path: Path) -> None:
    """A task that was in progress is failed at the next start, and run again at once."""
    with pool(endpoint, folder) as first:
        trial = Trial(first, endpoint, tmp_path, "return")
        trial.worker()
        trial.wait_alone()
        wait_for_one(folder)
        kill_all(first)
    with pool(endpoint, folder):
        reason, _ = trial.failure()
        assert reason == "WorkerDied: the supervisor died, and the worker with it"
        trial.open()
        kinds = trial.completes()
        until(lambda: not files(folder), "an empty spool")
    assert kinds["ActivityTaskStarted"] == 2
    assert kinds["ActivityTaskCompleted"] == 1


def test_a_surviving_worker_answers_by_itself(endpoint: str, folder: Path, tmp_path: Path) -> None:
    """A worker that outlives its supervisor keeps its task, though another supervisor starts."""
    with pool(endpoint, folder) as first:
        trial = Trial(first, endpoint, tmp_path, "return")
        worker = trial.worker()
        trial.wait_alone()
        wait_for_one(folder)
        first.signal(signal.SIGKILL)
        first.wait()
        with pool(endpoint, folder):
            assert len(files(folder)) == 1
            trial.open()
            kinds = trial.completes()
            until(lambda: not files(folder), "an empty spool")
        until(lambda: not worker.is_running(), "the orphan has left")
    assert kinds["ActivityTaskStarted"] == kinds["ActivityTaskCompleted"] == 1


def test_an_orphan_that_dies_beside_the_next_supervisor_is_reported(
    endpoint: str, folder: Path, tmp_path: Path
) -> None:
    """Its task does not wait for its own timeout: the new supervisor looks at the spool again."""
    with pool(endpoint, folder) as first:
        trial = Trial(first, endpoint, tmp_path, "return")
        orphan = trial.worker()
        trial.wait_alone()
        wait_for_one(folder)
        first.signal(signal.SIGKILL)
        first.wait()
        with pool(endpoint, folder) as second:
            orphan.kill()
            second.wait_for("spool_found")
            assert trial.failure()[0].startswith("WorkerDied: the supervisor died")
            trial.open()
            kinds = trial.completes()
            until(lambda: not files(folder), "an empty spool")
    assert kinds["ActivityTaskStarted"] == 2
    assert kinds["ActivityTaskCompleted"] == 1


def test_reports_of_a_living_supervisor_are_left_to_it(
    endpoint: str, folder: Path, tmp_path: Path
) -> None:
    """A supervisor that begins meanwhile does not report for it; in the end no task is left."""
    faults = swf.Faults(endpoint)
    with pool(endpoint, folder) as first:
        trial = Trial(first, endpoint, tmp_path, "return")
        worker = trial.worker()
        trial.wait_alone()
        wait_for_one(folder)
        faults.order("throttle", "RespondActivityTaskFailed", count=1_000_000)
        worker.kill()
        first.wait_for("worker_died", pid=worker.pid)
        with pool(endpoint, folder) as second:
            second.signal(signal.SIGTERM)
            assert second.wait() == 0
            assert "spool_found" not in second.err.rest()
        assert len(files(folder)) == 1
        faults.withdraw()
        reason, _ = trial.failure()
        assert reason == "WorkerDied: killed by SIGKILL"
        trial.open()
        trial.completes()
        first.signal(signal.SIGTERM)
        assert first.wait() == 0
    assert files(folder) == []


def test_a_spool_that_cannot_be_written_costs_a_sentence(endpoint: str) -> None:
    """Work goes on as without it."""
    with pool(endpoint, Path("/proc/spool")) as supervisor:
        execution = swf.start(endpoint, flow, gate="", then="")
        assert execution.wait_closed() == "WorkflowExecutionCompleted"
        supervisor.signal(signal.SIGTERM)
        assert supervisor.wait() == 0
        assert "The spool /proc/spool is not usable" in supervisor.err.rest()

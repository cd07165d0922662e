"""Nothing outlives the supervisor but a task in progress, and every process is reaped."""

from __future__ import annotations

import os
import shutil
import signal
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.processes import flow, swf
from tests.processes.harness import Supervisor, local_swf, until
from tests.processes.trial import Trial
from tests.processes.witness import before

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.processes.witness import Call, Witness

FLOW = ("--flow", "tests.processes.flow")


@pytest.fixture
def endpoint() -> Iterator[str]:
    """A local SWF with polls of a second."""
    with local_swf("--poll-seconds", "1", "--no-ghosts") as url:
        yield url


def test_supervisor_and_zygote_killed_together_leave_no_process(
    endpoint: str, tmp_path: Path
) -> None:
    """The busy one finishes its task, answers SWF, and ends what the task has started."""
    with Supervisor(*FLOW, "--endpoint-url", endpoint) as pool:
        pool.wait_for("full_strength")
        trial = Trial(pool, endpoint, tmp_path, "child middle")
        busy = trial.worker()
        trial.open()
        child = psutil.Process(trial.child())
        below = pool.below()
        for each in pool.titled("garcon: zygote"):
            each.kill()
        pool.signal(signal.SIGKILL)
        pool.wait()
        idle = [each for each in below if each.pid not in {busy.pid, child.pid}]
        until(lambda: not any(map(runs, idle)), "the idle are gone")
        assert runs(busy)
        trial.middle()
        trial.execution.wait_for("ActivityTaskCompleted")
        until(lambda: not runs(busy) and not runs(child), "the busy one and its child are gone")


def runs(process: psutil.Process) -> bool:
    """Whether it runs, and does not only wait to be collected by the adopter of orphans here."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_the_supervisor_reaps_strays_when_it_is_pid_1(endpoint: str, tmp_path: Path) -> None:
    """A process that left its task's group and lost its parents is not left a zombie."""
    unshare = shutil.which("unshare")
    if unshare is None or os.geteuid() != 0:
        pytest.skip("a PID namespace needs unshare(1) and root")
    argv = [*FLOW, "--endpoint-url", endpoint, "--log-level", "debug"]
    with Contained(unshare, *argv) as pool:
        pool.wait_for("full_strength")
        trial = Trial(pool, endpoint, tmp_path, "stray middle")
        trial.worker()
        trial.open()
        trial.wait_in_middle()
        pool.wait_for_message("Reaped a stray process")
        below = [each.status() for each in pool.below()]
        assert psutil.STATUS_ZOMBIE not in below
        trial.middle()
        trial.completes()


def test_a_daemon_lives_on_beside_its_task(endpoint: str, tmp_path: Path) -> None:
    """The process that led its group is reaped as a stray, and the daemon is not killed for it."""
    with Supervisor(*FLOW, "--endpoint-url", endpoint, "--log-level", "debug") as pool:
        pool.wait_for("full_strength")
        trial = Trial(pool, endpoint, tmp_path, "daemon middle")
        trial.open()
        daemon = psutil.Process(trial.child())
        pool.wait_for_message("Reaped a stray process")
        assert runs(daemon)
        trial.middle()
        trial.completes()


class Contained(Supervisor):
    """A supervisor that is PID 1 of a namespace; killing the outer process kills them all."""

    def __init__(self, unshare: str, *argv: str) -> None:
        self._unshare = unshare
        super().__init__(*argv)

    def command(self, *argv: str) -> list[str]:
        """Under ``unshare``."""
        own = super().command(*argv)
        return [self._unshare, "--pid", "--fork", "--kill-child", "--mount-proc", *own]


def test_idle_orphans_leave_when_their_poll_ends() -> None:
    """They begin no further poll; what the open one brings is returned, not started."""
    with (
        local_swf("--poll-seconds", "1", "--no-ghosts") as url,
        before(url) as witness,
        Supervisor(*FLOW, "--endpoint-url", witness.url) as pool,
    ):
        witness.hold("Poll", empty=True)  # no poll ends before the supervisor is gone
        pool.wait_for("full_strength")
        workers = [*pool.titled("garcon: activity"), *pool.titled("garcon: decider")]
        # Announced to the supervisor is not yet open: one of each worker, and of the decider one
        # more for its build's list.
        until(lambda: len(polls_at(witness)) == len(workers) + 1, "all polls are open")
        pool.signal(signal.SIGKILL)
        pool.wait()
        assert all(map(runs, workers))
        witness.release()
        until(lambda: not any(map(runs, workers)), "the orphans are gone")
        assert len(polls_at(witness)) == len(workers) + 1
        execution = swf.start(url, flow, then="return")
        assert "DecisionTaskStarted" not in execution.kinds()


def polls_at(witness: Witness) -> list[Call]:
    """The polls that were begun there."""
    return [each for each in list(witness.calls) if each.operation.startswith("Poll")]

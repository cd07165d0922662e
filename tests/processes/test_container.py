"""The supervisor as process 1 of a container: a PID namespace of its own."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.processes.harness import LIMIT, Supervisor, local_swf, until
from tests.processes.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMESPACE = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
NAMESPACE += [] if os.geteuid() == 0 else ["--user", "--map-root-user"]


def permitted() -> bool:
    """Whether this host lets us make a namespace."""
    try:
        made = subprocess.run([*NAMESPACE, "true"], check=False, capture_output=True, timeout=LIMIT)
    except OSError:
        return False
    return made.returncode == 0


pytestmark = pytest.mark.skipif(not permitted(), reason="no PID namespace can be made here")


class Contained(Supervisor):
    """A supervisor that is process 1 of its namespace."""

    def command(self, *argv: str) -> list[str]:
        """The whole command line."""
        return [*NAMESPACE, *super().command(*argv)]

    def first(self) -> psutil.Process:
        """The supervisor itself, as this host knows it."""
        (found,) = psutil.Process(self.pid).children()
        return found


@pytest.fixture
def endpoint() -> Iterator[str]:
    """A local SWF with polls of a second, so that drains are short."""
    with local_swf("--poll-seconds", "1", "--no-ghosts") as url:
        yield url


def pool(endpoint: str) -> Contained:
    """A supervisor of the test flow, ready."""
    flow = ("--flow", "tests.processes.flow", "--endpoint-url", endpoint)
    supervisor = Contained(*flow, "--log-level", "debug")
    supervisor.ready()
    return supervisor


def test_process_1_reaps_what_tasks_leave(endpoint: str, tmp_path: Path) -> None:
    """A process without parents becomes ours, and leaves no zombie."""
    with pool(endpoint) as supervisor:
        status = Path(f"/proc/{supervisor.first().pid}/status").read_text()
        assert status.partition("NSpid:")[2].split("\n")[0].split()[-1] == "1"
        trial = Trial(supervisor, endpoint, tmp_path, "stray")
        trial.open()
        supervisor.wait_for_message("Reaped a stray process")
        trial.completes()
        until(lambda: not zombies(supervisor), "no zombie")


def zombies(supervisor: Supervisor) -> list[psutil.Process]:
    """The dead processes below it that were not collected."""
    return [each for each in supervisor.below() if is_zombie(each)]


def is_zombie(process: psutil.Process) -> bool:
    """Whether it is dead and not collected; a process that is gone altogether is not."""
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_process_1_hands_signals_on(endpoint: str, tmp_path: Path) -> None:
    """TERM, as a container's stop sends it, drains: the task in progress ends, then exit 0."""
    with pool(endpoint) as supervisor:
        trial = Trial(supervisor, endpoint, tmp_path, "return")
        trial.worker()
        supervisor.first().send_signal(signal.SIGTERM)
        supervisor.wait_for("draining")
        trial.open()
        assert supervisor.wait() == 0
        assert trial.execution.wait_for("ActivityTaskCompleted")

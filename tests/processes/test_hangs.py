"""Workers past a limit: they are killed, and what they were at is not lost.

The limits are far shorter than those of any real pool. Workers that have to live on, as in
``test_deaths``, would meet them on a busy machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.garcon.local.wire import pollers
from tests.processes.harness import Supervisor, local_swf, until
from tests.processes.trial import MORTAL, Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import psutil

    Begin = Callable[..., Trial]

STRICT = {
    **MORTAL,
    "GARCON_CANCEL_GRACE": "0.5",
    "GARCON_POLL_TIMEOUT": "7",  # of a poll of a second: a busy machine may take its time
    "GARCON_TASK_MARGIN": "0.5",
}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """A local SWF for all tests of this file; it hands no task to the killed."""
    with local_swf("--poll-seconds", "1", "--no-ghosts") as url:
        yield url


@pytest.fixture(scope="module")
def pool(endpoint: str) -> Iterator[Supervisor]:
    """A pool for all tests of this file: no test may leave a trace for the next one."""
    argv = ("--flow", "tests.processes.flow", "--endpoint-url", endpoint, "--workers", "2")
    with Supervisor(*argv, **STRICT) as supervisor:
        supervisor.wait_for("full_strength")
        yield supervisor


@pytest.fixture
def begin(pool: Supervisor, endpoint: str, tmp_path: Path) -> Begin:
    """Starts an execution of the flow in this pool."""
    return lambda then, key="gate": Trial(pool, endpoint, tmp_path, then, key)


def test_a_stopped_worker_in_a_poll_is_replaced(pool: Supervisor, endpoint: str) -> None:
    """A worker that is silent for longer than a poll lasts is killed, and its slot filled again."""
    victim: psutil.Process = until(lambda: stopped_in_a_poll(pool, endpoint), "a stopped poller")
    died = pool.wait_for("worker_died", pid=victim.pid)
    assert "its poll hung" in died["message"]
    until(lambda: not victim.is_running(), "the stopped one is gone")


def stopped_in_a_poll(pool: Supervisor, endpoint: str) -> psutil.Process | None:
    """Stop a worker; it goes on unless it has a poll open at SWF, and so has announced it."""
    for each in pool.titled("garcon: activity gates gates_gate", "polling"):
        each.suspend()
        if any(f":{each.pid}:" in identity for identity in pollers(endpoint)):
            return each
        each.resume()
    return None


def test_a_task_past_its_timeout_is_shown_and_killed(pool: Supervisor, begin: Begin) -> None:
    """SWF times it out; its stacks are in the log; it is killed; another worker attempts it."""
    trial = begin("return", "brief")  # only the first attempt has a gate, which stays closed
    pid = until(trial.pids, "the first attempt")[0]
    stacks = pool.wait_for("stacks", pid=pid)
    assert "in hurry" in stacks["message"]
    died = pool.wait_for("worker_died", pid=pid)
    assert "past its own timeout" in died["message"]
    kinds = trial.completes()
    assert kinds["ActivityTaskTimedOut"] >= 1
    assert kinds["ActivityTaskCompleted"] == 1


def test_a_task_that_will_not_let_go_is_killed_after_a_grace(
    pool: Supervisor, begin: Begin
) -> None:
    """One that catches everything and sends no heartbeat loses its worker, without a report."""
    trial = begin("stubborn")
    worker = trial.worker()
    trial.open()
    trial.terminate()
    died = pool.wait_for("worker_died", pid=worker.pid)
    assert "SWF" in died["message"]
    until(lambda: not worker.is_running(), "the stubborn one is gone")


def test_a_canceled_task_that_will_not_let_go_is_answered_as_canceled(
    pool: Supervisor, begin: Begin
) -> None:
    """By a reporter, once its worker was killed."""
    trial = begin("stubborn")
    worker = trial.worker()
    trial.open()
    trial.cancel()
    assert trial.execution.wait_closed() == "WorkflowExecutionCanceled"
    kinds = trial.kinds()
    assert kinds["ActivityTaskCanceled"] == 1
    assert kinds["ActivityTaskFailed"] == 0
    pool.wait_for("worker_died", pid=worker.pid)
    until(lambda: not worker.is_running(), "the stubborn one is gone")

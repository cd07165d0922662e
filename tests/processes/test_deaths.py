"""Deaths of workers, in each way and at each stage of a task: nothing is lost or doubled."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.processes import swf
from tests.processes.harness import Supervisor, local_swf, parsed, until
from tests.processes.trial import MORTAL, Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Begin = Callable[..., Trial]

RESPOND = "RespondActivityTaskCompleted"

KILLED = "WorkerDied: killed by SIGKILL"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """A local SWF for all tests of this file; it hands no task to the killed."""
    with local_swf("--poll-seconds", "1", "--no-ghosts") as url:
        yield url


@pytest.fixture(scope="module")
def pool(endpoint: str) -> Iterator[Supervisor]:
    """A pool for all tests of this file: no test may leave a trace for the next one."""
    argv = ("--flow", "tests.processes.flow", "--endpoint-url", endpoint, "--workers", "2")
    with Supervisor(*argv, **MORTAL) as supervisor:
        supervisor.wait_for("full_strength")
        yield supervisor


@pytest.fixture
def faults(endpoint: str) -> Iterator[swf.Faults]:
    """The faults to order; withdrawn afterwards."""
    ordered = swf.Faults(endpoint)
    yield ordered
    ordered.withdraw()


@pytest.fixture
def begin(pool: Supervisor, endpoint: str, tmp_path: Path) -> Begin:
    """Starts an execution of the flow in this pool."""
    return lambda then, key="gate": Trial(pool, endpoint, tmp_path, then, key)


# --- from outside, at each stage ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "reason"),
    [(signal.SIGKILL, KILLED), (signal.SIGSEGV, "WorkerDied: SIGSEGV")],
)
@pytest.mark.parametrize("stage", ["begun", "middle"])
def test_a_death_in_mid_task_is_reported_and_the_task_run_again(
    begin: Begin, stage: str, number: signal.Signals, reason: str
) -> None:
    """Before the first heartbeat or after it: one failure with its cause, then another attempt."""
    trial = begin("beat middle")
    worker = trial.worker()
    if stage == "middle":
        trial.open()
        trial.wait_in_middle()
    worker.send_signal(number)
    said, details = trial.failure()
    assert said.startswith(reason)
    assert details["signal"] == number.name
    assert details["pid"] == worker.pid
    assert details["host"] == os.uname().nodename
    assert details["activity_id"] == "gates_gate-1"
    assert details["deaths"] == 1
    assert any("at the gate" in line for line in details["last_lines"])
    assert (number == signal.SIGSEGV) == any("wait_at_gate" in each for each in details["stacks"])
    assert trial.worker(attempts=2).pid != worker.pid
    trial.open()
    trial.middle()
    kinds = trial.completes()
    assert kinds["ActivityTaskStarted"] == 2
    assert kinds["ActivityTaskCompleted"] == 1


def test_a_task_that_becomes_another_program_is_reported(begin: Begin) -> None:
    """Its worker has closed its channel and lives: it is killed long before the task's timeout."""
    trial = begin("exec")
    worker = trial.worker()
    trial.open()
    said, _ = trial.failure()
    assert "it closed its channel to the supervisor" in said
    assert trial.worker(attempts=2).pid != worker.pid
    trial.open()
    assert trial.completes()["ActivityTaskCompleted"] == 1


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
def test_a_result_that_swf_has_not_accepted_is_delivered(
    begin: Begin, faults: swf.Faults, number: signal.Signals
) -> None:
    """A worker that dies before SWF has its result leaves the result: no further attempt."""
    trial = begin("return")
    worker = trial.worker()
    faults.order("throttle", RESPOND, count=1_000_000)
    trial.open()
    until(lambda: faults.orders()[0]["count"] < 1_000_000, "an answer that is throttled")
    worker.suspend()  # even in its backoff: now it cannot answer SWF by itself
    faults.withdraw()
    worker.send_signal(number)
    if number != signal.SIGKILL:  # that one does not wait for the process to go on
        worker.resume()
    kinds = trial.completes()
    assert kinds["ActivityTaskStarted"] == kinds["ActivityTaskCompleted"] == 1
    assert kinds["ActivityTaskFailed"] == 0


def test_a_failure_that_swf_has_not_accepted_is_delivered(begin: Begin, faults: swf.Faults) -> None:
    """The exception that the task raised is the reason, not the death that came after it."""
    trial = begin("raise")
    worker = trial.worker()
    faults.order("throttle", "RespondActivityTaskFailed", count=1_000_000)
    trial.open()
    until(lambda: faults.orders()[0]["count"] < 1_000_000, "an answer that is throttled")
    worker.suspend()
    faults.withdraw()
    worker.kill()
    event = trial.execution.wait_for("ActivityTaskFailed")[0]
    assert event["activityTaskFailedEventAttributes"]["reason"] == "asked to raise"


def test_a_death_during_the_response_neither_loses_nor_doubles_it(
    begin: Begin, faults: swf.Faults
) -> None:
    """SWF may or may not have the answer already: it gets it once."""
    trial = begin("return")
    worker = trial.worker()
    faults.order("delay", RESPOND, count=1, seconds=1.0)
    trial.open()
    until(lambda: not faults.orders(), "an answer on its way")
    worker.kill()
    kinds = trial.completes()
    assert kinds["ActivityTaskStarted"] == kinds["ActivityTaskCompleted"] == 1
    assert kinds["ActivityTaskFailed"] == 0


def test_a_lost_answer_to_a_response_is_no_second_result(begin: Begin, faults: swf.Faults) -> None:
    """SWF has carried it out and the worker got no response: its repeated answer counts as done."""
    faults.order("reset-after", RESPOND, count=1)
    trial = begin("return")
    trial.open()
    kinds = trial.completes()
    assert kinds["ActivityTaskStarted"] == kinds["ActivityTaskCompleted"] == 1


# --- from inside ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("then", "reason"),
    [
        ("exit", "WorkerDied: exited 3"),
        ("abort", "WorkerDied: SIGABRT"),
        ("segfault", "WorkerDied: SIGSEGV"),
    ],
)
def test_a_task_that_ends_its_worker_is_reported_with_the_way(
    begin: Begin, then: str, reason: str
) -> None:
    """``os._exit``, an abort, a wild pointer: each has its reason, a crash its Python stack."""
    trial = begin(then)
    trial.open()
    said, details = trial.failure()
    assert said.startswith(reason)
    assert (then == "exit") == (not details["stacks"])
    assert (details["exit_status"] == 3) == (then == "exit")
    trial.open()
    assert trial.completes()["ActivityTaskCompleted"] == 1


def test_a_task_that_kills_its_workers_again_and_again_is_poison(begin: Begin) -> None:
    """At the third death the failure says so, though retries are left, and there is no fourth."""
    trial = begin("return")
    for attempts in (1, 2, 3):
        trial.worker(attempts).kill()
        trial.execution.wait_for("ActivityTaskFailed", attempts)
    assert trial.execution.wait_closed() == "WorkflowExecutionFailed"
    events = trial.execution.wait_for("ActivityTaskFailed", 3)
    reasons = [each["activityTaskFailedEventAttributes"]["reason"] for each in events]
    assert reasons[:2] == [KILLED, KILLED]
    assert reasons[2] == "Poison: 3 workers died of it, the last killed by SIGKILL"


# --- a hang that no limit ends, see ``test_hangs`` ------------------------------------------------


def test_a_task_that_holds_the_interpreter_s_lock_loses_nothing(begin: Begin) -> None:
    """SWF times the heartbeat out; the late answer of the first attempt does not count."""
    trial = begin("hold", "told")
    trial.open()  # the second attempt has no gate
    event = trial.execution.wait_for("ActivityTaskTimedOut")[0]
    assert event["activityTaskTimedOutEventAttributes"]["timeoutType"] == "HEARTBEAT"
    assert trial.completes()["ActivityTaskCompleted"] == 1


# --- what SWF no longer wants ---------------------------------------------------------------------


def test_a_task_that_is_gone_is_let_go(pool: Supervisor, begin: Begin) -> None:
    """Its next heartbeat ends it, and the same worker goes on."""
    trial = begin("beats")
    worker = trial.worker()
    trial.open()
    trial.terminate()

    def is_told(line: str) -> bool:
        told = parsed(line)
        message = str(told.get("message"))
        return told.get("pid") == worker.pid and "no longer has the task" in message

    pool.err.wait_for(is_told, "word that the task is gone")
    until(lambda: "working" not in " ".join(worker.cmdline()), "the same worker without a task")


def test_a_canceled_task_is_answered_by_its_worker(begin: Begin) -> None:
    """Its next heartbeat raises; the same worker goes on."""
    trial = begin("beats")
    worker = trial.worker()
    trial.open()
    trial.cancel()
    assert trial.execution.wait_closed() == "WorkflowExecutionCanceled"
    kinds = trial.kinds()
    assert kinds["ActivityTaskCanceled"] == 1
    assert kinds["ActivityTaskFailed"] == 0
    assert worker.is_running()

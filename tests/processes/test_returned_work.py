"""Tasks that were polled and not done come back: decisions, tasks never begun, tasks cut short."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.processes import swf, thinking
from tests.processes.harness import Supervisor, local_swf, until
from tests.processes.trial import Trial, pass_gate

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def endpoint() -> Iterator[str]:
    """A local SWF with polls of a second that hands no task to the killed."""
    with local_swf("--poll-seconds", "1", "--no-ghosts") as url:
        yield url


def serving(flow: str, endpoint: str, *argv: str, **variables: str) -> Supervisor:
    """A supervisor of a test flow, at full strength."""
    own = ("--flow", f"tests.processes.{flow}", "--endpoint-url", endpoint)
    return Supervisor(*own, *argv, **variables).ready()


def test_a_decision_whose_decider_dies_comes_again_at_once(endpoint: str, tmp_path: Path) -> None:
    """It is returned with a timer of no seconds, and decided anew by another process."""
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    thinks = Path(f"{gate}.thinks")
    with serving("thinking", endpoint, "--deciders", "2"):
        execution = swf.start(endpoint, thinking, gate=str(gate))
        first = until(lambda: thinks.exists() and thinks.read_text(), "a decision")
        psutil.Process(int(first)).kill()
        until(lambda: thinks.read_text() not in {"", first}, "another decision")
        pass_gate(gate)
        scheduled = execution.wait_for("ActivityTaskScheduled")
        assert len(scheduled) == 1
        kinds = execution.kinds()
        assert kinds.count("TimerStarted") == kinds.count("TimerFired") == 1
        assert kinds.count("DecisionTaskTimedOut") == 0


def test_a_task_that_was_never_begun_is_run_again_for_free(endpoint: str, tmp_path: Path) -> None:
    """The failure says ``NotStarted``; an activity without any retry left is attempted again."""
    with serving("thinking", endpoint):
        execution = swf.start(endpoint, thinking, stillborn=str(tmp_path / "died"))
        assert execution.wait_closed() == "WorkflowExecutionCompleted"
        (event,) = execution.wait_for("ActivityTaskFailed")
        reason = event["activityTaskFailedEventAttributes"]["reason"]
        assert reason == "NotStarted: exited 9"


def test_a_task_that_is_cut_short_is_reported_so(endpoint: str, tmp_path: Path) -> None:
    """One that ignores TERM is killed at the end of a drain, and the history has the reason."""
    with serving("flow", endpoint, "--drain-timeout", "0.5") as pool:
        trial = Trial(pool, endpoint, tmp_path, "deaf middle")
        trial.worker()
        trial.open()
        trial.wait_in_middle()
        pool.signal(signal.SIGTERM)
        assert pool.wait() == 1
        reason, details = trial.failure()
        assert reason.startswith("Interrupted: ")
        assert details["cause"] == "interrupted"


def test_a_decision_that_kills_its_deciders_is_parked(endpoint: str) -> None:
    """After three deaths it waits, the list is not degraded, and other executions go on.

    A signal meanwhile costs no further death.
    """
    with serving("thinking", endpoint, "--deciders", "2") as pool:
        bad = swf.start(endpoint, thinking, dies=True)
        line = pool.wait_for_message("is poison: 3 deciders died in a row")
        assert line["message"].startswith(f"Execution {bad.workflow_id} (run {bad.run_id})")
        decided = bad.wait_for("DecisionTaskCompleted", 3)
        swf.client(endpoint).signal_workflow_execution(
            domain=thinking.domain, workflowId=bad.workflow_id, signalName="hurry"
        )
        assert len(bad.wait_for("DecisionTaskCompleted", 4)) == len(decided) + 1
        assert swf.start(endpoint, thinking).wait_closed() == "WorkflowExecutionCompleted"
        assert bad.kinds().count("DecisionTaskStarted") == 4
        swf.client(endpoint).terminate_workflow_execution(
            domain=thinking.domain, workflowId=bad.workflow_id
        )
    assert "list_degraded" not in pool.err.text

"""Tasks that the last poll of a leaving worker brings: done, or returned not started."""

from __future__ import annotations

import signal
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.processes import flow, swf
from tests.processes.harness import Supervisor, local_swf, until
from tests.processes.witness import before

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def endpoint() -> Iterator[str]:
    """A local SWF with polls of a second, so that drains are short."""
    with local_swf("--poll-seconds", "1", "--no-ghosts") as url:
        yield url


def pool(endpoint: str, *argv: str) -> Supervisor:
    """A pool at full strength."""
    return Supervisor("--flow", "tests.processes.flow", "--endpoint-url", endpoint, *argv).ready()


def asked_to_leave(working: Supervisor) -> None:
    """Ask the pool to drain; when this returns, its workers have been asked."""
    working.signal(signal.SIGTERM)
    working.wait_for("draining")
    for each in working.titled("garcon: activity"):
        each.send_signal(signal.SIGTERM)  # ours is on its way before any task can be


@pytest.mark.parametrize("late", ["return", "run"])
def test_a_late_task_is_done_or_returned(endpoint: str, late: str) -> None:
    """A returned task costs no attempt, and the next pool does it; by default it is done here.

    The last poll has its task at SWF before the worker is asked to leave, and gets it afterwards.
    """
    with pool(endpoint, "--workers", "0") as deciding:
        with (
            before(endpoint) as witness,
            pool(witness.url, "--deciders", "0", "--on-late-task", late) as working,
        ):
            witness.hold("PollForActivityTask")
            execution = swf.start(endpoint, flow, gate="", then="")
            until(lambda: witness.held, "a task that is on its way to its worker")
            asked_to_leave(working)
            witness.release()
            ended = "Completed" if late == "run" else "Failed"
            event = execution.wait_for(f"ActivityTask{ended}")[0]
            assert working.wait() == 0
        if late == "return":
            reason = event["activityTaskFailedEventAttributes"]["reason"]
            assert reason.startswith("NotStarted: ")
        with pool(endpoint, "--deciders", "0"):
            assert execution.wait_closed() == "WorkflowExecutionCompleted"
        kinds = Counter(execution.kinds())
        assert kinds["ActivityTaskTimedOut"] == 0
        assert kinds["ActivityTaskCompleted"] == 2
        assert not deciding.err.text.count("worker_died")

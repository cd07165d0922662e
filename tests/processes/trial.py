"""One execution of the test flow whose activity can be held, killed and let go on."""

from __future__ import annotations

import contextlib
import json
import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.processes import flow, swf
from tests.processes.harness import until

if TYPE_CHECKING:
    import psutil

    from tests.processes.harness import Supervisor

MORTAL = {
    # All deaths here are on purpose: slots are filled again at once, and no list is degraded.
    "GARCON_MIN_UPTIME": "0.01",
    "GARCON_BACKOFF_INITIAL": "0.05",
    "GARCON_BACKOFF_CAP": "0.1",
    "GARCON_CRASH_LOOP_DEATHS": "1000",
}
"""Settings of a pool whose workers are killed by its tests."""


class Trial:
    """An execution, and the gates at which its task waits.

    Args:
        pool: Whose workers do it.
        endpoint: The SWF.
        folder: For the gates.
        then: What the task does behind its gate, see ``flow``.
        key: Which activity it is about: ``gate``, or ``told`` or ``brief``, which have little time.
    """

    def __init__(
        self, pool: Supervisor, endpoint: str, folder: Path, then: str, key: str = "gate"
    ) -> None:
        self._pool = pool
        self._gate = folder / "gate"
        self._activity = f"{flow.name}_{key}-"  # how its id begins
        for path in (self._gate, Path(f"{self._gate}.middle")):
            os.mkfifo(path)
        given: dict[str, Any] = {key: str(self._gate), "then": then}
        self.execution = swf.start(endpoint, flow, **given)

    def worker(self, attempts: int = 1) -> psutil.Process:
        """The worker of the task at this attempt, once it has begun it."""
        until(lambda: self.attempts() >= attempts, f"try {attempts}")
        found: list[psutil.Process] = until(
            lambda: self._pool.titled("working", self._activity, self.execution.workflow_id),
            "a worker with the task in progress",
        )
        return found[0]

    def attempts(self) -> int:
        """The number of times that the task was begun."""
        return len(self.pids())

    def pids(self) -> list[int]:
        """The processes that have begun the task, one for each attempt."""
        path = Path(f"{self._gate}.tries")
        return [int(each) for each in path.read_text().splitlines()] if path.exists() else []

    def open(self) -> None:
        """Let the task pass its gate."""
        pass_gate(self._gate)

    def middle(self) -> None:
        """Let the task pass its second gate."""
        pass_gate(Path(f"{self._gate}.middle"))

    def wait_in_middle(self) -> None:
        """Wait until the task is at its second gate."""
        until(Path(f"{self._gate}.waits").exists, "the task at its second gate")

    def wait_alone(self) -> None:
        """Wait until nothing else of this execution is in progress, also by its pool's account.

        SWF has the decision before its decider says that it has ended.
        """

        def alone() -> bool:
            seen = Counter(self.execution.kinds())
            decided = seen["DecisionTaskScheduled"] == seen["DecisionTaskCompleted"]
            open_ = seen["ActivityTaskScheduled"] - seen["ActivityTaskCompleted"]
            return decided and open_ == 1

        until(alone, "the task alone in progress")
        until(lambda: not self._pool.titled("garcon: decider", "working"), "no decider at work")

    def cancel(self) -> None:
        """Ask SWF to cancel the execution."""
        self.execution.client.request_cancel_workflow_execution(
            domain=flow.domain, workflowId=self.execution.workflow_id
        )

    def terminate(self) -> None:
        """End the execution, so that its task is gone."""
        self.execution.client.terminate_workflow_execution(
            domain=flow.domain, workflowId=self.execution.workflow_id
        )

    def child(self) -> int:
        """The pid of the process that the task has started."""
        path = Path(f"{self._gate}.child")
        return int(until(lambda: path.exists() and path.read_text(), "the task's child"))

    def failure(self) -> tuple[str, dict[str, Any]]:
        """Reason and details of the task's first failure, once the history has it."""
        event = self.execution.wait_for("ActivityTaskFailed")[0]
        attributes = event["activityTaskFailedEventAttributes"]
        return attributes["reason"], json.loads(attributes["details"])

    def kinds(self) -> Counter[str]:
        """The task's events, counted by type."""
        events = self.execution.history()
        mine = {event["eventId"] for event in events if self._schedules(event)}
        return Counter(event["eventType"] for event in events if _scheduled_by(event) in mine)

    def _schedules(self, event: dict[str, Any]) -> bool:
        attributes = event.get("activityTaskScheduledEventAttributes", {})
        return str(attributes.get("activityId", "")).startswith(self._activity)

    def completes(self) -> Counter[str]:
        """Wait until the execution has completed; the task's events."""
        assert self.execution.wait_closed() == "WorkflowExecutionCompleted"
        return self.kinds()


def _scheduled_by(event: dict[str, Any]) -> int:
    name = event["eventType"]
    attributes = event.get(f"{name[0].lower()}{name[1:]}EventAttributes", {})
    return int(attributes.get("scheduledEventId", event["eventId"]))


def pass_gate(path: Path) -> None:
    """Open this FIFO for the task that waits there, now or within the limit."""
    until(lambda: _opened(path), f"a task at {path}")


def let_pass(gate: Path, execution: swf.Execution) -> bool:
    """Open the gate for all that wait there now, if any; whether this execution has completed."""
    _opened(gate)
    return execution.kinds()[-1] == "WorkflowExecutionCompleted"


def _opened(path: Path) -> bool:
    with contextlib.suppress(OSError):  # no task waits there
        os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
        return True
    return False

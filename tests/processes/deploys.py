"""Deploys under steady load, and the counts that the histories give afterwards."""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from tests.processes import steady, swf

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

TYPE = {"name": steady.name, "version": "1.0"}

TIMED_OUT = ("ActivityTaskTimedOut", "DecisionTaskTimedOut")

STARTED = ("ActivityTaskStarted", "DecisionTaskStarted")

WAITED = "not taken"

CALM = 120.0
"""Seconds until all has closed after the last deploy: several timeouts of a lost task."""


@dataclass
class Toll:
    """The cost of some deploys."""

    workflows: int = 0
    completed: int = 0
    started: int = 0  # tasks that SWF handed to a poller
    lost: int = 0  # of these, SWF got no answer
    waited: int = 0  # decisions that no one had taken from a decider's private list
    failed: int = 0  # activities
    begun_again: int = 0  # activities that were begun more than once


class Load:
    """Starts workflows at an even pace until the block ends, then waits until all have closed.

    Args:
        endpoint: The SWF; the flow is registered there.
        a_second: Workflows.
    """

    def __init__(self, endpoint: str, a_second: float) -> None:
        self._client = swf.client(endpoint)
        self._pace = 1 / a_second
        self._started: list[swf.Execution] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()
        if kind is None:
            self._wait_closed()

    def __len__(self) -> int:
        return len(self._started)

    def _run(self) -> None:
        while not self._over.wait(self._pace):
            self._start()

    def _start(self) -> None:
        workflow_id = f"steady-{uuid.uuid4().hex[:8]}"
        told = self._client.start_workflow_execution(
            domain=steady.domain,
            workflowId=workflow_id,
            workflowType=TYPE,
            taskStartToCloseTimeout=str(steady.TIMEOUT),
        )
        self._started.append(swf.Execution(self._client, steady.domain, workflow_id, told["runId"]))

    def _wait_closed(self) -> None:
        by, rest = time.monotonic() + CALM, threading.Event()
        while self._open():
            assert time.monotonic() < by, f"{self._open()} executions are still open"
            rest.wait(0.2)

    def _open(self) -> int:
        told = self._client.count_open_workflow_executions(
            domain=steady.domain, startTimeFilter={"oldestDate": 0}
        )
        return int(told["count"])

    def toll(self, trace: Path) -> Toll:
        """The cost, by the histories of all executions."""
        begun = Counter(trace.read_text().splitlines())
        toll = Toll(begun_again=sum(count > 1 for count in begun.values()))
        for execution in self._started:
            kinds = Counter(kind_of(event) for event in execution.history())
            toll.workflows += 1
            toll.completed += kinds["WorkflowExecutionCompleted"]
            toll.started += sum(kinds[each] for each in STARTED)
            toll.lost += sum(kinds[each] for each in TIMED_OUT)
            toll.waited += kinds[WAITED]
            toll.failed += kinds["ActivityTaskFailed"]
        return toll


def variables(trace: Path) -> dict[str, Any]:
    """The environment of the flow."""
    return {"STEADY_TRACE": str(trace)}


def kind_of(event: dict[str, Any]) -> str:
    """Its type; the end of a wait for a poll is none of the ends of a task that was handed out."""
    told = event.get("decisionTaskTimedOutEventAttributes", {})
    return WAITED if told.get("timeoutType") == "SCHEDULE_TO_START" else str(event["eventType"])

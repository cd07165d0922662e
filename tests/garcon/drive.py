"""Runs an execution of a flow to its end, in one process, against any SWF."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from garcon import activity, decider

if TYPE_CHECKING:
    from collections.abc import Callable

TURNS = 200  # more than any of the flows needs


class Driver:
    """Polls only where something waits, so that nothing is waited for.

    Args:
        client: The SWF client.
        flow: The flow.
        externals: For activities that another program does, one turn of it, by task list.
    """

    def __init__(
        self, client: Any, flow: Any, externals: dict[str, Callable[[Any], Any]] | None = None
    ) -> None:
        self.client = client
        self.flow = flow
        self.decider = decider.DeciderWorker(flow)
        self.turns: dict[str, Callable[[], Any]] = {
            str(each.task_list): each.run for each in activity.find_workflow_activities(flow)
        }
        for task_list, turn in (externals or {}).items():
            self.turns[task_list] = lambda turn=turn: turn(client)  # type: ignore[misc]

    def run(self, workflow_input: Any) -> list[dict[str, Any]]:
        """Start an execution and work until it is closed; its history."""
        started = self.client.start_workflow_execution(
            domain=self.flow.domain,
            workflowId="workflow",
            workflowType={"name": self.flow.name, "version": self.decider.version},
            input=json.dumps(workflow_input),
        )
        execution = {"workflowId": "workflow", "runId": started["runId"]}
        for _ in range(TURNS):
            if self._is_closed(execution):
                return self._history(execution)
            self._turn()
        raise AssertionError(f"Not closed: {self._history(execution)[-5:]}")

    def _turn(self) -> None:
        if self._waiting("decision", self.flow.name):
            self.decider.run()
        for task_list, turn in self.turns.items():
            while self._waiting("activity", task_list):
                turn()

    def _waiting(self, kind: str, task_list: str) -> bool:
        count = getattr(self.client, f"count_pending_{kind}_tasks")
        found: int = count(domain=self.flow.domain, taskList={"name": task_list})["count"]
        return found > 0

    def _is_closed(self, execution: dict[str, str]) -> bool:
        response = self.client.describe_workflow_execution(
            domain=self.flow.domain, execution=execution
        )
        return bool(response["executionInfo"]["executionStatus"] == "CLOSED")

    def _history(self, execution: dict[str, str]) -> list[dict[str, Any]]:
        response = self.client.get_workflow_execution_history(
            domain=self.flow.domain, execution=execution
        )
        events: list[dict[str, Any]] = response["events"]
        return events

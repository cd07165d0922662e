"""A stage on the local SWF: the test decides what happens when, the workers do the open tasks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Self

from garcon import activity, decider
from garcon import client as clients

if TYPE_CHECKING:
    from collections.abc import Callable

    from garcon.local import LocalSWF

STEPS = 500  # more than any of the tests needs
ID = "workflow"


class Stage:
    """The workers of some flows, and one execution of the first.

    Args:
        swf: The local SWF.
        flows: The flows.
        idle: Names of activities without a worker.
    """

    def __init__(self, swf: LocalSWF, *flows: Any, idle: tuple[str, ...] = ()) -> None:
        self.swf = swf
        self.client = swf.client()
        self.flow = flows[0]
        self._lists: dict[tuple[str, str], Callable[[], Any]] = {}
        with clients.use(self.client):
            for flow in flows:
                self._lists["decision", flow.name] = decider.DeciderWorker(flow).run
                for each in activity.find_workflow_activities(flow):
                    if each.task_list not in idle:
                        self._lists["activity", str(each.task_list)] = each.run

    def start(self, workflow_input: Any = None, **more: Any) -> Self:
        """Start the execution."""
        version = str(getattr(self.flow, "version", "1.0"))
        self.client.start_workflow_execution(
            domain=self.flow.domain,
            workflowId=ID,
            workflowType={"name": self.flow.name, "version": version},
            input=json.dumps(workflow_input or {}),
            **more,
        )
        return self

    def redeploy(self, flow: Any) -> None:
        """From now on another flow of the same name decides."""
        with clients.use(self.client):
            self._lists["decision", flow.name] = decider.DeciderWorker(flow).run

    def work(self, turns: int = STEPS) -> Self:
        """Do all that waits, or so many tasks of it; no time passes."""
        with clients.use(self.client):
            for _ in range(turns):
                waiting = [turn for key, turn in self._lists.items() if self._waits(*key)]
                if not waiting:
                    return self
                waiting[0]()
        if turns < STEPS:
            return self
        raise AssertionError(f"It spins: {self.kinds[-9:]}")

    def after(self, seconds: float) -> Self:
        """Let time pass, and do what waits then."""
        self.swf.advance(seconds)
        return self.work()

    def signal(self, name: str, value: Any = None) -> Self:
        """Send a signal, and do what waits then."""
        self.client.signal_workflow_execution(
            domain=self.flow.domain, workflowId=ID, signalName=name, input=json.dumps(value)
        )
        return self.work()

    def cancel(self) -> Self:
        """Ask for the execution to be cancelled, and do what waits then."""
        self.client.request_cancel_workflow_execution(domain=self.flow.domain, workflowId=ID)
        return self.work()

    @property
    def history(self) -> list[dict[str, Any]]:
        """The events of the latest run."""
        return self.swf.history(ID)

    @property
    def kinds(self) -> list[str]:
        """The types of the events."""
        return [each["eventType"] for each in self.history]

    @property
    def closing(self) -> dict[str, Any]:
        """The attributes of the last event."""
        kind = self.kinds[-1]
        found: dict[str, Any] = self.history[-1][f"{kind[0].lower()}{kind[1:]}EventAttributes"]
        return found

    def members_of(self, kind: str, member: str) -> list[Any]:
        """One member of all events of a kind."""
        name = f"{kind[0].lower()}{kind[1:]}EventAttributes"
        return [each[name].get(member) for each in self.history if each["eventType"] == kind]

    def _waits(self, kind: str, task_list: str) -> bool:
        count = getattr(self.client, f"count_pending_{kind}_tasks")
        found = count(domain=self.flow.domain, taskList={"name": task_list})
        return bool(found["count"])

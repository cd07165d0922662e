"""Sticky deciders against the local SWF, in one thread and in virtual time.

Each step does one task that waits: a decision, else an activity; else time passes to the next
deadline.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from garcon import activity
from garcon import client as clients
from garcon.decider import DeciderWorker
from garcon.decider.sticky.stickiness import Sticky
from tests.garcon.flows import flow, make

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from garcon.local import LocalSWF

STEPS = 20_000  # far more than any of the tests' flows takes: reaching it means an endless loop
MOMENT = 0.002  # seconds between two steps: SWF selects new events by milliseconds
UNCHECKED = Sticky(check=0)


def waiting(swf: LocalSWF, kind: str) -> set[str]:
    """The task lists of this kind (decision or activity) that have a task."""
    lists = swf._threads.service.engine.task_lists()
    return {each.name for each in lists if each.kind == kind and each.backlog}


class OneAtATime:
    """Stands in for ``PollThreads``: polls in the calling thread, and only where a task waits."""

    def __init__(self, swf: LocalSWF) -> None:
        self._swf = swf
        self._results: list[Any] = []

    @property
    def is_open(self) -> bool:
        """Whether a result is still to be returned."""
        return bool(self._results)

    def next(self, polls: Mapping[str, Callable[[], Any]]) -> Any:
        """The result of the first list with a task; else an empty one."""
        return next((poll() for poll in self._busy(polls)), {})

    def open_all(self, polls: Mapping[str, Callable[[], Any]]) -> None:
        """Poll where a task waits."""
        self._results += [poll() for poll in self._busy(polls)]

    def wait(self) -> Any:
        """The first result."""
        return self._results.pop(0)

    def _busy(self, polls: Mapping[str, Callable[[], Any]]) -> list[Callable[[], Any]]:
        busy = waiting(self._swf, "decision")
        return [poll for name, poll in polls.items() if name in busy]


class Office:
    """One flow, its activities, and deciders that come and go.

    Args:
        swf: The service.
        flow_: The flow.
        sticky: The settings of its deciders; None for deciders that are not sticky.
    """

    def __init__(self, swf: LocalSWF, flow_: Any, sticky: Sticky | None = UNCHECKED) -> None:
        self.swf = swf
        self.flow = flow_
        self.client = swf.client()
        self._sticky = sticky
        self.deciders: list[DeciderWorker] = []
        self.activities = {
            str(each.task_list): each for each in activity.find_workflow_activities(flow_)
        }

    def decider(self, **more: Any) -> DeciderWorker:
        """Add a decider, as if in another process: it has a private list of its own."""
        with clients.use(self.client):
            made = DeciderWorker(self.flow, sticky=self._sticky or False, **more)
        if self._sticky:
            made._tasks.polls = OneAtATime(self.swf)  # type: ignore[assignment]
        self.deciders.append(made)
        return made

    def start(self, workflow_id: str = "workflow", **more: Any) -> None:
        """Start an execution."""
        self.client.start_workflow_execution(
            domain=self.flow.domain,
            workflowId=workflow_id,
            workflowType={"name": self.flow.name, "version": "1.0"},
            **more,
        )

    def lists_of(self, decider: DeciderWorker) -> set[str]:
        """The lists that this decider would poll now."""
        lists = decider._tasks.lists
        private = {lists.private} if lists._is_private_known else set()
        return {self.flow.name, *private}

    def step(self) -> None:
        """Do one decision or one activity, or let time pass."""
        self.swf.advance(MOMENT)
        with clients.use(self.client):
            for decider in self.deciders:
                if self.lists_of(decider) & waiting(self.swf, "decision"):
                    decider.run()
                    return
            for name in waiting(self.swf, "activity") & self.activities.keys():
                self.activities[name].run()
                return
            self.swf._threads.pass_time()

    def run_until(self, done: Callable[[], bool]) -> None:
        """Step until the condition holds."""
        for _ in range(STEPS):
            if done():
                return
            self.step()
        raise AssertionError(f"The condition did not hold after {STEPS} steps.")

    def run(self, workflow_id: str = "workflow") -> list[dict[str, Any]]:
        """Work until the execution has closed; returns the history of its last run."""
        self.run_until(lambda: not self.is_open(workflow_id))
        return self.swf.history(workflow_id)

    def is_open(self, workflow_id: str = "workflow") -> bool:
        """Whether its latest run is open."""
        return self.swf._threads.service.find(workflow_id).status == "OPEN"


def chain(length: int, prefix: str = "s", **members: Any) -> Any:
    """A flow of so many activities, one after the other."""
    found: dict[str, Any] = {}
    before: list[Any] = []
    for number in range(length):
        made = make(f"{prefix}{number:03}", members.get("client"), requires=before)
        found[f"{prefix}{number:03}"], before = made, [made]
    return flow(members.pop("client", None), **found, **members)


def count(history: list[dict[str, Any]], kind: str) -> int:
    """The number of events of this type."""
    return sum(each["eventType"] == kind for each in history)

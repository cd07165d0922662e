"""Drives a flow of garcon to its end in one thread.

Each step does one thing: decide if a decision task waits, else do an activity task if one waits,
else let the time go on until something is due. Nothing polls in vain and nothing runs beside
anything, so the same flow and the same input give the same history.

While it drives, every worker uses the service's client, whatever client the flow brought, and
rests by the service's clock: a back-off of a minute takes no time.
"""

import itertools
import json
import logging
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from garcon import client as clients
from garcon.activity import Activity, ExternalActivity, find_workflow_activities
from garcon.decider import DeciderWorker
from garcon.insist import Clock, Patience
from garcon.local.outcome import Outcome, Stuck
from garcon.local.threads import Threads

if TYPE_CHECKING:
    from mypy_boto3_swf import SWFClient

LOGGER = logging.getLogger("garcon.local")

External: TypeAlias = Callable[[Any], Any]
"""Does the work of an external activity: takes its input and returns its result, both JSON."""

STEPS = 100_000
"""Steps after which an execution is taken to turn in circles: a history may hold 25,000 events, and
an event takes a step or two."""

RESTS = 10_000
"""Rests after failed calls, after which a run is taken to fail for ever: a history of 25,000 events
takes some 17,000 calls, a poll and an answer for three events, and every tenth of them may fail
five times."""


class Worker(Protocol):
    """What takes one task of a list."""

    def run(self) -> bool:
        """Poll once and do what came."""
        ...


@dataclass(frozen=True, slots=True)
class TaskListKey:
    """A task list: its domain, "decision" or "activity", and its name."""

    domain: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class ExternalWorker:
    """Stands for the program, maybe in another language, that does an external activity."""

    client: "SWFClient"
    key: TaskListKey
    function: External

    def run(self) -> bool:
        """Do one task; what the function raises fails the activity."""
        task = self.client.poll_for_activity_task(
            domain=self.key.domain, taskList={"name": self.key.name}, identity="external"
        )
        token = task["taskToken"]
        try:
            result = json.dumps(self.function(json.loads(task.get("input", "null"))))
        except Exception as error:
            LOGGER.exception("The external activity %s failed.", self.key.name)
            self.client.respond_activity_task_failed(taskToken=token, reason=repr(error)[:256])
        else:
            self.client.respond_activity_task_completed(taskToken=token, result=result)
        return True


class Runner:
    """The workers of some flows, and the time they live in.

    Args:
        threads: the service.
        client: a client of it.
        flows: whose deciders and activities run.
        external: the functions of external activities, by task list, in the first flow's domain.
    """

    def __init__(
        self,
        threads: Threads,
        client: "SWFClient",
        flows: Iterable[Any],
        external: Mapping[str, External],
    ) -> None:
        self._threads = threads
        self._client = client
        self._flows = list(flows)
        self._external = external
        self._unserved: set[TaskListKey] = set()

    def run(self, **start: Any) -> Outcome:
        """Start an execution of the first flow and drive it to its end.

        Args:
            start: members of StartWorkflowExecution.

        Raises:
            Stuck: it does not end.
        """
        flow = self._flows[0]
        with clients.use(self._client):
            workers = self._workers()
            with _living_by(self._threads, workers.values()):
                self._register(workers.values())
                started = self._client.start_workflow_execution(domain=flow.domain, **start)
                run_id = self._drive(workers, started["runId"])
        return Outcome(start["workflowId"], run_id, self._threads.service.engine.history(run_id))

    def _workers(self) -> dict[TaskListKey, Worker]:
        workers: dict[TaskListKey, Worker] = {}
        for flow in self._flows:
            workers[TaskListKey(flow.domain, "decision", flow.name)] = DeciderWorker(
                flow, register=False
            )
            for each in find_workflow_activities(flow):
                if isinstance(each, ExternalActivity):
                    continue  # its program is not here, unless a function stands for it
                workers[TaskListKey(flow.domain, "activity", str(each.task_list))] = each
        for name, function in self._external.items():
            key = TaskListKey(self._flows[0].domain, "activity", name)
            workers[key] = ExternalWorker(self._client, key, function)
        return workers

    def _register(self, workers: Iterable[Worker]) -> None:
        for worker in workers:
            if isinstance(worker, DeciderWorker):
                worker.register()

    def _drive(self, workers: Mapping[TaskListKey, Worker], run_id: str) -> str:
        """Work until the execution, and what it continued as, has closed; the last run's id."""
        for _ in range(STEPS):
            status = self._threads.service.execution(run_id).status
            if status == "CONTINUED_AS_NEW":
                run_id = self._continued(run_id)
            elif status != "OPEN":
                return run_id
            else:
                self._step(workers)
        raise Stuck(f"The execution is still open after {STEPS} steps; see the end of its history.")

    def _continued(self, run_id: str) -> str:
        last = self._threads.service.engine.history(run_id)[-1]
        return str(last["workflowExecutionContinuedAsNewEventAttributes"]["newExecutionRunId"])

    def _step(self, workers: Mapping[TaskListKey, Worker]) -> None:
        waiting = self._waiting_lists()
        served = [key for key in waiting if key in workers]
        if served:
            workers[min(served, key=lambda key: key.kind != "decision")].run()
            return
        self._tell_unserved(set(waiting))
        if self._threads.service.engine.next_deadline() == math.inf:
            raise Stuck("The execution waits, and nothing is due ever.")
        self._threads.pass_time()

    def _waiting_lists(self) -> list[TaskListKey]:
        return [
            TaskListKey(each.domain, each.kind, each.name)
            for each in self._threads.service.engine.task_lists()
            if each.backlog
        ]

    def _tell_unserved(self, keys: set[TaskListKey]) -> None:
        for key in keys - self._unserved:
            LOGGER.warning(
                "Nobody works on the %s list %s; its tasks time out.", key.kind, key.name
            )
        self._unserved |= keys


@contextmanager
def _living_by(threads: Threads, workers: Iterable[Worker]) -> Iterator[None]:
    """Within, the workers rest by the service's clock, which they move when it is virtual."""
    sleep = threads.advance if threads.clock.virtual else threads.sleep
    clock = Clock(now=threads.clock.now, sleep=_counted(sleep))
    actors = [each for each in workers if isinstance(each, Activity | DeciderWorker)]
    before = [(actor.clock, actor.patience) for actor in actors]
    for actor in actors:
        actor.clock, actor.patience = clock, Patience(clock)
    try:
        yield
    finally:
        for actor, (its_clock, its_patience) in zip(actors, before, strict=True):
            actor.clock, actor.patience = its_clock, its_patience


def _counted(sleep: Callable[[float], None]) -> Callable[[float], None]:
    """A rest that is refused when there were too many."""
    numbers = itertools.count(1)

    def rest(seconds: float) -> None:
        if next(numbers) > RESTS:
            told = f"The workers have rested {RESTS} times after calls that failed"
            raise Stuck(f"{told}; was a fault ordered that never ends?")
        sleep(seconds)

    return rest

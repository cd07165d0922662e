"""The driver of `LocalSWF.run`: takes a flow to its end in one thread.

Each step does one thing: a waiting decision task, else a waiting activity task, else the answer to
a task that was handed out, else the time passes until the next due time. No poll comes back empty
and nothing runs in parallel, so the same flow and the same input give the same history.

Meanwhile every worker uses the service's client, in place of the flow's own, and backs off by the
service's clock: a back-off of a minute takes no time.
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
from garcon.aws.retrying import Clock, PollBackoff
from garcon.decider import DeciderWorker
from garcon.local.handed_out_answers import HandedOutAnswers, answer
from garcon.local.run_outcome import RunOutcome, Stuck
from garcon.local.service.threaded_service import ThreadedService

if TYPE_CHECKING:
    from mypy_boto3_swf import SWFClient

LOGGER = logging.getLogger("garcon.local")

ExternalFunction: TypeAlias = Callable[[Any], Any]
"""The work of an external activity: takes its input and returns its result, both JSON values."""

STEPS = 100_000
"""Steps after which an execution counts as endless: a history may hold 25,000 events, and an event
takes a step or two."""

BACKOFFS = 10_000
"""Back-offs after which a run counts as endless: a history of 25,000 events takes some 17,000
calls, a poll and an answer for three events, and every tenth of them may fail five times."""


OWN = frozenset({"clock", "poll_backoff", "handed_out_tasks"})
"""The state that a worker has of its own outside of a run."""


class TaskRunner(Protocol):
    """A worker of one task list."""

    def run(self) -> bool:
        """Poll once and carry out the task."""
        ...


@dataclass(frozen=True, slots=True)
class TaskListKey:
    """A task list: its domain, "decision" or "activity", and its name."""

    domain: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class ExternalWorker:
    """A function in place of the program that does an external activity."""

    client: "SWFClient"
    key: TaskListKey
    function: ExternalFunction

    def run(self) -> bool:
        """Carry out one task; an exception of the function fails the activity."""
        task = self.client.poll_for_activity_task(
            domain=self.key.domain, taskList={"name": self.key.name}, identity="external"
        )
        given = json.loads(task.get("input", "null"))
        what = f"The external activity {self.key.name}"
        answer(self.client, task["taskToken"], lambda: self.function(given), what)
        return True


class Driver:
    """The workers of some flows, run one at a time.

    Args:
        threads: the service.
        client: a client of the service.
        flows: the flows whose deciders and activities run.
        external: functions of external activities, by task list, in the first flow's domain.
        later: functions that answer tasks that were handed out, by task list.
    """

    def __init__(
        self,
        threads: ThreadedService,
        client: "SWFClient",
        flows: Iterable[Any],
        external: Mapping[str, ExternalFunction],
        later: Mapping[str, ExternalFunction],
    ) -> None:
        self._threads = threads
        self._client = client
        self._flows = list(flows)
        self._external = external
        self._handed_out = HandedOutAnswers(client, later, threads.clock.now)
        self._reported: set[TaskListKey] = set()

    def run(self, **start: Any) -> RunOutcome:
        """Start an execution of the first flow and take it to its end.

        Args:
            start: members of StartWorkflowExecution.

        Raises:
            Stuck: the execution does not end.
        """
        flow = self._flows[0]
        with clients.use(self._client):
            workers = self._workers()
            with _in_turn(self._threads, self._handed_out, workers.values()):
                self._register(workers.values())
                started = self._client.start_workflow_execution(domain=flow.domain, **start)
                run_id = self._drive(workers, started["runId"])
        return RunOutcome(start["workflowId"], run_id, self._threads.service.engine.history(run_id))

    def _workers(self) -> dict[TaskListKey, TaskRunner]:
        workers: dict[TaskListKey, TaskRunner] = {}
        for flow in self._flows:
            workers[TaskListKey(flow.domain, "decision", flow.name)] = DeciderWorker(
                flow, register=False
            )
            for activity in find_workflow_activities(flow):
                if isinstance(activity, ExternalActivity):
                    continue  # its tasks are for another program, or for a function below
                workers[TaskListKey(flow.domain, "activity", str(activity.task_list))] = activity
        for name, function in self._external.items():
            key = TaskListKey(self._flows[0].domain, "activity", name)
            workers[key] = ExternalWorker(self._client, key, function)
        return workers

    def _register(self, workers: Iterable[TaskRunner]) -> None:
        for worker in workers:
            if isinstance(worker, DeciderWorker):
                worker.register()

    def _drive(self, workers: Mapping[TaskListKey, TaskRunner], run_id: str) -> str:
        """Work until the execution and its continuations have closed; the id of the last run."""
        for _ in range(STEPS):
            status = self._threads.service.execution(run_id).status
            if status == "CONTINUED_AS_NEW":
                run_id = self._next_run(run_id)
            elif status != "OPEN":
                return run_id
            else:
                self._step(workers)
        raise Stuck(f"The execution is still open after {STEPS} steps; see the end of its history.")

    def _next_run(self, run_id: str) -> str:
        last = self._threads.service.engine.history(run_id)[-1]
        return str(last["workflowExecutionContinuedAsNewEventAttributes"]["newExecutionRunId"])

    def _step(self, workers: Mapping[TaskListKey, TaskRunner]) -> None:
        waiting = self._waiting_lists()
        served = [key for key in waiting if key in workers]
        if served:
            workers[min(served, key=lambda key: key.kind != "decision")].run()
            return
        self._report_unserved(set(waiting))
        if self._handed_out.answer_one():
            return
        heartbeat_in = self._handed_out.send_heartbeats()
        if self._threads.service.engine.next_deadline() == math.inf:
            raise Stuck(
                "The execution waits, and no timer or timeout will ever be due; see the end of its "
                "history."
            )
        self._threads.pass_time(heartbeat_in)

    def _waiting_lists(self) -> list[TaskListKey]:
        return [
            TaskListKey(task_list.domain, task_list.kind, task_list.name)
            for task_list in self._threads.service.engine.task_lists()
            if task_list.backlog
        ]

    def _report_unserved(self, keys: set[TaskListKey]) -> None:
        for key in keys - self._reported:
            LOGGER.warning(
                "No worker serves the %s list %s, so its tasks time out. Pass the flow of the list "
                "in also=, or a function for an external activity in external=.",
                key.kind,
                key.name,
            )
        self._reported |= keys


@contextmanager
def _in_turn(
    threads: ThreadedService, handed_out: HandedOutAnswers, workers: Iterable[TaskRunner]
) -> Iterator[None]:
    """A block in which the workers back off by the service's clock, and hand tasks out to us.

    A virtual clock is moved by the back-offs.
    """
    sleep = threads.advance if threads.clock.virtual else threads.sleep
    clock = Clock(now=threads.clock.now, sleep=_counted(sleep))
    actors = [worker for worker in workers if isinstance(worker, Activity | DeciderWorker)]
    before = [{name: vars(actor)[name] for name in OWN & vars(actor).keys()} for actor in actors]
    for actor in actors:
        actor.clock, actor.poll_backoff = clock, PollBackoff(clock)
        if isinstance(actor, Activity):
            actor.handed_out_tasks = lambda: handed_out
    try:
        yield
    finally:
        for actor, members in zip(actors, before, strict=True):
            vars(actor).update(members)


def _counted(sleep: Callable[[float], None]) -> Callable[[float], None]:
    """The sleep of a back-off, with an error after too many of them."""
    numbers = itertools.count(1)

    def back_off(seconds: float) -> None:
        if next(numbers) > BACKOFFS:
            problem = f"The workers have backed off {BACKOFFS} times after failed calls"
            raise Stuck(f"{problem}; was a fault injected without a count?")
        sleep(seconds)

    return back_off

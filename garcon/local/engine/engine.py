"""The engine: calls and a clock in, answers and wake-ups out.

- No sockets, threads, wall time or chance: the same seed and the same inputs give the same
  tokens, run ids and histories. The times at which `advance` is called make no difference: each due
  action happens at its due time, and every input brings the clock up to date first.
- An input is handled in three steps: the actions due before it; the call itself; then `settle`,
  which delivers between executions and matches tasks and polls.
- Time never goes backwards: an earlier `now` counts as the latest one seen.
"""

from collections.abc import Callable, Iterator
from typing import Any

from garcon.local.engine import (
    activities,
    domains,
    lambdas,
    polling,
    queries,
    registry,
    requests,
    visibility,
)
from garcon.local.engine.advance import next_due, run_until, settle
from garcon.local.engine.checks import check_request
from garcon.local.engine.decisions import respond
from garcon.local.engine.engine_settings import Settings
from garcon.local.engine.faults import Fault
from garcon.local.engine.history import wire_all
from garcon.local.engine.messages import (
    Answer,
    Body,
    Counters,
    Invocation,
    LostTask,
    Waiting,
    Wakeup,
)
from garcon.local.engine.throttle import admit_call
from garcon.local.engine.world import World

OPERATIONS: dict[str, Callable[[World, Body], Body | Waiting]] = {
    **domains.OPERATIONS,
    **registry.OPERATIONS,
    **requests.OPERATIONS,
    **polling.OPERATIONS,
    **respond.OPERATIONS,
    **activities.OPERATIONS,
    **visibility.OPERATIONS,
}


class Engine:
    """An Amazon SWF account of one region, in memory.

    Args:
        settings: figures and switches, the service's own by default.
        seed: source of run ids; two engines with one seed make the same ids.
        lambda_available: whether the shell runs the functions of `take_invocations`; if not,
            lambda functions fail to start, as in the service without a role.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        seed: int = 0,
        lambda_available: bool = False,
    ) -> None:
        self._world = World(settings or Settings(), seed, lambda_available)

    @property
    def counters(self) -> Counters:
        """Totals so far; read-only."""
        return self._world.counters

    def call(
        self,
        operation: str,
        params: dict[str, Any],
        now: float,
        *,
        poller: str = "",
        region: str = "",
    ) -> Answer | Waiting:
        """Carry out one call.

        Args:
            operation: its name in the model, for instance "PollForActivityTask".
            params: its members as on the wire, already checked against the model's shapes;
                durations are strings, timestamps float seconds since the epoch.
            now: the time, in seconds since the epoch.
            poller: label of a long poll, shown by `task_lists`.
            region: region that the request was signed for, for ARNs; empty for the settings'.

        Raises:
            Fault: the call is refused and has changed nothing.
        """
        world = self._world
        self.advance(now)
        world.region = region or world.settings.region
        world.counters.calls[operation] += 1
        try:
            admit_call(world, operation)
            check_request(operation, params)
            result = OPERATIONS[operation](world, params)
        except Fault as fault:
            world.counters.count_fault(operation, fault.code)
            raise
        if isinstance(result, Waiting):
            return self._wait(result, poller)
        settle(world)
        return Answer(result)

    def _wait(self, waiting: Waiting, label: str) -> Answer | Waiting:
        self._world.polls[waiting.poll_id].label = label
        settle(self._world)
        return self._world.wakeups.pop(waiting.poll_id, waiting)

    def advance(self, now: float) -> None:
        """Carry out all that is due at or before `now`, in the order of due times."""
        run_until(self._world, now)

    def next_deadline(self) -> float:
        """The next due time, ends of poll windows included; infinity without one."""
        return next_due(self._world)

    def take_wakeups(self) -> list[Wakeup]:
        """Remove and return the answers of long polls, in the order they were given."""
        wakeups, self._world.wakeups = self._world.wakeups, {}
        return [Wakeup(poll_id, answer) for poll_id, answer in wakeups.items()]

    def take_invocations(self) -> list[Invocation]:
        """Remove and return the lambda functions to run."""
        invocations, self._world.invocations = self._world.invocations, []
        return invocations

    def take_lost_tasks(self) -> list[LostTask]:
        """Remove and return the tasks that were given to ghost pollers."""
        lost, self._world.lost_tasks = self._world.lost_tasks, []
        return lost

    def finish_lambda(
        self,
        invocation_id: str,
        now: float,
        *,
        result: str | None = None,
        reason: str | None = None,
        details: str | None = None,
    ) -> bool:
        """Record the end of a lambda function: failed if there is a reason, else completed.

        Returns:
            False if its execution no longer waits for it (it timed out, or the execution closed).
        """
        self.advance(now)
        outcome, attributes = "Completed", {"result": result}
        if reason is not None:
            outcome, attributes = "Failed", {"reason": reason, "details": details}
        awaited = lambdas.finish(self._world, invocation_id, outcome, attributes)
        settle(self._world)
        return awaited

    def disconnect(self, poll_id: str, now: float) -> None:
        """Make a poll whose connection is gone a ghost.

        With `Settings.ghosts` it may still be given a task until its window ends, and that task
        must time out; without, the poll is removed. A poll that was answered is left alone.
        """
        self.advance(now)
        polling.disconnect(self._world, poll_id)

    def forget_polls(self, now: float) -> None:
        """Remove all waiting polls without an answer, as after a restart of the service."""
        self.advance(now)
        for poll in list(self._world.polls.values()):
            polling.forget(self._world, poll)

    @property
    def started_tasks(self) -> int:
        """Tasks and lambda functions in progress, without those that went to ghost pollers."""
        world = self._world
        return len(world.started_tasks) - len(world.lost_tokens) + len(world.lambda_runs)

    def next_work_deadline(self) -> float:
        """The next due time without the ends of poll windows; infinity without one."""
        return self._world.deadlines.least()

    @property
    def remembered(self) -> int:
        """Number of executions within their retention period."""
        return len(self._world.runs)

    def executions(self) -> Iterator[queries.ExecutionSummary]:
        """All executions within their retention period, the latest started first."""
        return queries.executions(self._world)

    def execution(self, run_id: str) -> queries.ExecutionSummary | None:
        """One execution; ``None`` if it is unknown."""
        run = self._world.runs.get(run_id)
        return queries.summary(run) if run else None

    def history(self, run_id: str) -> list[Body]:
        """All events of one execution as on the wire; empty if it is unknown."""
        execution = self._world.runs.get(run_id)
        return wire_all(execution) if execution else []

    def task_lists(self) -> Iterator[queries.TaskListSummary]:
        """All task lists with a backlog or a poller."""
        return queries.task_lists(self._world)

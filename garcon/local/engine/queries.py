"""What a web page or a test runner may ask without making a call: nothing here changes anything."""

from collections.abc import Iterator
from dataclasses import dataclass

from garcon.local.engine.entities import Execution
from garcon.local.engine.world import World


@dataclass(frozen=True, slots=True)
class ExecutionSummary:
    """One execution in a list.

    Attributes:
        status: "OPEN", or why it closed: "COMPLETED", "FAILED", "CANCELED", "TERMINATED",
            "CONTINUED_AS_NEW", "TIMED_OUT".
        started_at: seconds since the epoch.
        closed_at: seconds since the epoch, None while it is open.
        events: length of its history.
    """

    domain: str
    workflow_id: str
    run_id: str
    type_name: str
    type_version: str
    status: str
    started_at: float
    closed_at: float | None
    events: int


@dataclass(frozen=True, slots=True)
class TaskListSummary:
    """One task list that has tasks or pollers.

    Attributes:
        kind: "activity" or "decision".
        backlog: tasks scheduled and not started.
        pollers: the labels of waiting polls, ghosts not counted; the longest waiting first.
        ghosts: polls whose connection has gone, and whose window has not ended.
    """

    domain: str
    kind: str
    name: str
    backlog: int
    pollers: tuple[str, ...]
    ghosts: int


def executions(world: World) -> Iterator[ExecutionSummary]:
    """All that are remembered, the latest started first."""
    return map(summary, reversed(world.runs.values()))


def summary(run: Execution) -> ExecutionSummary:
    """One execution as a list shows it."""
    return ExecutionSummary(
        domain=run.domain.name,
        workflow_id=run.workflow_id,
        run_id=run.run_id,
        type_name=run.config.type.name,
        type_version=run.config.type.version,
        status=run.close_status or "OPEN",
        started_at=run.started_at,
        closed_at=None if run.is_open else run.closed_at,
        events=len(run.history),
    )


def task_lists(world: World) -> Iterator[TaskListSummary]:
    """Those with a backlog or a poller."""
    for domain in world.domains.values():
        for task_list in domain.task_lists.values():
            if not task_list.tasks and not task_list.polls:
                continue
            labels = tuple(poll.label for poll in task_list.polls.values() if not poll.ghost)
            yield TaskListSummary(
                domain=domain.name,
                kind=task_list.kind.value,
                name=task_list.name,
                backlog=len(task_list.tasks),
                pollers=labels,
                ghosts=len(task_list.polls) - len(labels),
            )

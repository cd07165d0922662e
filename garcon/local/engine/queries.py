"""Read-only summaries of executions and task lists, for the web UI and the driver."""

from collections.abc import Iterator
from dataclasses import dataclass

from garcon.local.engine.entities import ExecutionRecord, TaskQueue
from garcon.local.engine.world import World


@dataclass(frozen=True, slots=True)
class ExecutionSummary:
    """One execution in a list.

    Attributes:
        status: "OPEN" or a close status: "COMPLETED", "FAILED", "CANCELED", "TERMINATED",
            "CONTINUED_AS_NEW", "TIMED_OUT".
        started_at: seconds since the epoch.
        closed_at: seconds since the epoch, None while it is open.
        events: length of its history.
        tags: its tags.
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
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TaskListSummary:
    """One task list that has tasks or pollers.

    Attributes:
        kind: "activity" or "decision".
        backlog: tasks scheduled and not started.
        pollers: labels of waiting polls without ghosts, the longest waiting first.
        ghosts: number of ghost pollers: the connection is gone, the window has not ended.
        unserved_since: time from which on no worker has polled it, if its tasks wait and none of
            them is in progress; else None.
    """

    domain: str
    kind: str
    name: str
    backlog: int
    pollers: tuple[str, ...]
    ghosts: int
    unserved_since: float | None


def executions(world: World) -> Iterator[ExecutionSummary]:
    """All executions within their retention period, the latest started first."""
    return map(summary, reversed(world.runs.values()))


def summary(run: ExecutionRecord) -> ExecutionSummary:
    """The summary of one execution."""
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
        tags=run.config.tags,
    )


def task_lists(world: World) -> Iterator[TaskListSummary]:
    """All task lists with a backlog or a poller."""
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
                unserved_since=_unserved_since(world, task_list),
            )


def _unserved_since(world: World, task_list: TaskQueue) -> float | None:
    if task_list.polls or not task_list.tasks:
        return None
    is_served = any(task.task_list is task_list for task in world.started_tasks.values())
    return None if is_served else task_list.served_at

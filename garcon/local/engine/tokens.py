"""Task tokens, and the tasks they give access to.

- A token is a function of the events of its task, so that the same inputs give the same tokens. A
  stale one can be answered with the reason; to clients it is opaque, as in the service.
- A token is valid from the start of its task to its end. Afterwards the task is an unknown
  resource, or its execution if that is closed; the messages begin as the service's do.
"""

import base64
from typing import NamedTuple, TypeVar

from garcon.local.engine.entities import DecisionTask, OpenActivity, TaskKind
from garcon.local.engine.faults import Fault, invalid, unknown, unknown_execution
from garcon.local.engine.world import World

AnyTask = TypeVar("AnyTask", OpenActivity, DecisionTask)

WORDS = {TaskKind.ACTIVITY: "activity", TaskKind.DECISION: "decision task"}


class TaskName(NamedTuple):
    """The content of a task token: kind, run, and the ids of the task's events."""

    kind: TaskKind
    run_id: str
    scheduled_id: int
    started_id: int


def task_token(name: TaskName) -> str:
    """The token that `read_task_token` turns back into the name."""
    return base64.b64encode("|".join(map(str, name)).encode()).decode()


def read_task_token(token: str) -> TaskName:
    """The name in a token.

    Raises:
        Fault: ValidationException if the token is not an engine's.
    """
    try:
        kind, run, scheduled, started = base64.b64decode(token, validate=True).decode().split("|")
        return TaskName(TaskKind(kind), run, int(scheduled), int(started))
    except ValueError as error:
        raise invalid("Invalid token") from error


def find_started(world: World, token: str, kind: type[AnyTask]) -> AnyTask:
    """The started task of this token.

    Raises:
        Fault: UnknownResourceFault if the task has ended or is of the other kind,
            ValidationException if the token is not an engine's.
    """
    task = world.started_tasks.get(token)
    if isinstance(task, kind):
        return task
    raise _stale(world, read_task_token(token))


def _stale(world: World, name: TaskName) -> Fault:
    execution = world.runs.get(name.run_id)
    if execution is None:
        return unknown(f"execution: runId={name.run_id}")
    if not execution.is_open:
        return unknown_execution(execution.workflow_id, execution.run_id)
    word = WORDS[name.kind]
    return unknown(f"{word}, scheduledEventId = {name.scheduled_id}")

"""What a task token gives access to, and what is said when it no longer does.

A token is good from the start of its task to its end. Afterwards the task is an unknown resource,
and so is its execution if that has closed; the messages begin as the service's do.
"""

from typing import TypeVar

from garcon.local.engine.entities import Activity, DecisionTask, TaskKind
from garcon.local.engine.faults import Fault, unknown, unknown_execution
from garcon.local.engine.ids import TaskName, read_task_token
from garcon.local.engine.world import World

AnyTask = TypeVar("AnyTask", Activity, DecisionTask)

WORDS = {TaskKind.ACTIVITY: "activity", TaskKind.DECISION: "decision task"}


def find_started(world: World, token: str, kind: type[AnyTask]) -> AnyTask:
    """The started task of this token.

    Raises:
        Fault: UnknownResourceFault if the task has ended or is of the other kind,
            ValidationException if this never was a token.
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

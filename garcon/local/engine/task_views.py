"""The answers to polls that got a task.

The history of a decision task ends with the event that started it, however late its further pages
are fetched. With `startAtPreviousStartedEvent` it begins at the start of the task that was last
completed, with every event of the same instant: the model compares timestamps.
"""

from garcon.local.engine import history
from garcon.local.engine.entities import DecisionTask, ExecutionRecord, OpenActivity, TaskKind
from garcon.local.engine.faults import unknown
from garcon.local.engine.messages import Body
from garcon.local.engine.paging import continued, position
from garcon.local.engine.tokens import TaskName, task_token
from garcon.local.engine.wire import pick
from garcon.local.engine.world import World


def activity_task(activity: OpenActivity) -> Body:
    """The model's ActivityTask."""
    return {
        "taskToken": activity.token,
        "activityId": activity.activity_id,
        "startedEventId": activity.started_id,
        "workflowExecution": activity.execution.wire(),
        "activityType": activity.type.wire(),
        **pick({"input": activity.input}, "input"),
    }


def decision_task(world: World, task: DecisionTask, params: Body) -> Body:
    """The model's DecisionTask, with the first page of the history."""
    execution = task.execution
    first = 1
    if params.get("startAtPreviousStartedEvent"):
        first = history.first_since(execution, execution.previous_started_id)
    ids = (task.scheduled_id, task.started_id, execution.previous_started_id, first)
    return _page(world, params, execution, ids, None)


def further_page(world: World, params: Body) -> Body:
    """A further page of a decision task's history; no task is taken."""
    run_id, ids, after = position(world, params, _purpose(params))
    execution = world.runs.get(run_id)
    if execution is None:
        raise unknown(f"execution: runId={run_id}")
    return _page(world, params, execution, tuple(ids), after)


def _purpose(params: Body) -> str:
    reverse = bool(params.get("reverseOrder"))
    return f"decision {params['domain']} {params['taskList']['name']} {reverse}"


def _page(
    world: World,
    params: Body,
    execution: ExecutionRecord,
    ids: tuple[int, int, int, int],
    after: int | None,
) -> Body:
    scheduled_id, started_id, previous_started_id, first = ids
    shown = range(first, started_id + 1)
    events, last = history.page(world, params, execution, shown, after)
    name = TaskName(TaskKind.DECISION, execution.run_id, scheduled_id, started_id)
    body = {
        "taskToken": task_token(name),
        "startedEventId": started_id,
        "workflowExecution": execution.wire(),
        "workflowType": execution.config.type.wire(),
        "events": events,
        "previousStartedEventId": previous_started_id,
    }
    if last is None:
        return body
    return continued(world, body, _purpose(params), (execution.run_id, ids, last))

"""Activity tasks: scheduled by a decider, started by a poller, ended in one of four ways.

- Each task ends exactly once: completed, failed, cancelled or timed out. After that its token is
  stale and its activityId is free again.
- Four clocks: schedule-to-start until it is started, schedule-to-close over all, start-to-close
  and heartbeat from its start. A heartbeat sets back the heartbeat clock alone, and writes no
  event; the details of the last one come back if the task times out.
- A request to cancel closes a task that is not started. A started one only learns of it by its
  next heartbeat; whether it agrees is its own business.
- RespondActivityTaskCanceled without a request is accepted: the model lets
  latestCancelRequestedEventId be absent, and names no fault for it.
"""

from collections.abc import Callable
from functools import partial

from garcon.local.engine.decision_tasks import schedule as schedule_decision
from garcon.local.engine.entities import Activity, TaskKind
from garcon.local.engine.history import record
from garcon.local.engine.ids import TaskName, task_token
from garcon.local.engine.messages import Body
from garcon.local.engine.tasklists import enqueue, withdraw
from garcon.local.engine.throttle import admit_to_execution
from garcon.local.engine.tokens import find_started
from garcon.local.engine.wire import given, seconds
from garcon.local.engine.world import World


def enter(world: World, activity: Activity) -> None:
    """A task has been scheduled: from now on it can be polled for, and it may be late."""
    execution = activity.execution
    execution.activities[activity.activity_id] = activity
    execution.latest_activity_at = world.timestamp
    _arm(world, activity, "SCHEDULE_TO_START", "scheduleToStartTimeout")
    _arm(world, activity, "SCHEDULE_TO_CLOSE", "scheduleToCloseTimeout")
    enqueue(world, activity)


def start(world: World, activity: Activity, identity: str) -> None:
    """A poller is handed the task."""
    execution = activity.execution
    world.disarm(activity.clocks.pop("SCHEDULE_TO_START", None))
    attributes = {"identity": identity, "scheduledEventId": activity.scheduled_id}
    activity.started_id = record(world, execution, "ActivityTaskStarted", attributes)
    activity.token = task_token(
        TaskName(TaskKind.ACTIVITY, execution.run_id, activity.scheduled_id, activity.started_id)
    )
    world.started_tasks[activity.token] = activity
    _arm(world, activity, "START_TO_CLOSE", "startToCloseTimeout")
    _arm(world, activity, "HEARTBEAT", "heartbeatTimeout")


def end(world: World, activity: Activity, how: str, attributes: Body) -> None:
    """Close a task with an ActivityTask… event; telling a decider is the caller's business."""
    discard(world, activity)
    references = {"scheduledEventId": activity.scheduled_id, "startedEventId": activity.started_id}
    record(world, activity.execution, f"ActivityTask{how}", attributes | references)


def cancel(world: World, activity: Activity, attributes: Body) -> None:
    """Close a task as cancelled, naming the latest request if there was one."""
    if activity.cancel_requested_id:
        attributes |= {"latestCancelRequestedEventId": activity.cancel_requested_id}
    end(world, activity, "Canceled", attributes)


def discard(world: World, activity: Activity) -> None:
    """Forget a task that has ended, whatever its state was."""
    for clock in activity.clocks.values():
        world.disarm(clock)
    withdraw(activity)
    world.end_task(activity.token)
    del activity.execution.activities[activity.activity_id]


def _arm(world: World, activity: Activity, timeout_type: str, member: str) -> None:
    world.disarm(activity.clocks.pop(timeout_type, None))
    late = partial(_time_out, world, activity, timeout_type)
    clock = world.arm(seconds(activity.timeouts[member]), late)
    if clock is not None:
        activity.clocks[timeout_type] = clock


def _time_out(world: World, activity: Activity, timeout_type: str) -> None:
    details = given({"details": activity.heartbeat_details}, "details")
    end(world, activity, "TimedOut", {"timeoutType": timeout_type, **details})
    world.counters.timeouts[f"ActivityTaskTimedOut {timeout_type}"] += 1
    schedule_decision(world, activity.execution)


def respond_completed(world: World, params: Body) -> Body:
    """RespondActivityTaskCompleted."""
    activity = find_started(world, params["taskToken"], Activity)
    end(world, activity, "Completed", given(params, "result"))
    schedule_decision(world, activity.execution)
    return {}


def respond_failed(world: World, params: Body) -> Body:
    """RespondActivityTaskFailed."""
    activity = find_started(world, params["taskToken"], Activity)
    end(world, activity, "Failed", given(params, "reason", "details"))
    schedule_decision(world, activity.execution)
    return {}


def respond_canceled(world: World, params: Body) -> Body:
    """RespondActivityTaskCanceled."""
    activity = find_started(world, params["taskToken"], Activity)
    cancel(world, activity, given(params, "details"))
    schedule_decision(world, activity.execution)
    return {}


def record_heartbeat(world: World, params: Body) -> Body:
    """RecordActivityTaskHeartbeat."""
    activity = find_started(world, params["taskToken"], Activity)
    admit_to_execution(world, activity.execution, "RecordActivityTaskHeartbeat")
    activity.heartbeat_details = params.get("details", "")
    _arm(world, activity, "HEARTBEAT", "heartbeatTimeout")
    return {"cancelRequested": bool(activity.cancel_requested_id)}


OPERATIONS: dict[str, Callable[[World, Body], Body]] = {
    "RespondActivityTaskCompleted": respond_completed,
    "RespondActivityTaskFailed": respond_failed,
    "RespondActivityTaskCanceled": respond_canceled,
    "RecordActivityTaskHeartbeat": record_heartbeat,
}

"""Activity tasks: scheduled by a decider, started by a poller, closed in one of four ways.

- Each task closes exactly once: completed, failed, canceled or timed out. After that its token is
  stale and its activityId is free again.
- Four clocks: schedule-to-start until the start, schedule-to-close over all, start-to-close and
  heartbeat from the start. A heartbeat resets the heartbeat clock alone and writes no event; the
  details of the last heartbeat are in the event of a timeout.
- A request to cancel closes a task that is not started. The worker of a started task learns of the
  request by its next heartbeat, and may complete the task all the same.
- RespondActivityTaskCanceled without a request is accepted: the model lets
  latestCancelRequestedEventId be absent, and names no fault for it.
"""

from collections.abc import Callable
from functools import partial

from garcon.local.engine.decision_tasks import schedule as schedule_decision
from garcon.local.engine.entities import OpenActivity, TaskKind
from garcon.local.engine.history import record
from garcon.local.engine.messages import Body
from garcon.local.engine.throttle import admit_to_execution
from garcon.local.engine.tokens import TaskName, find_started, task_token
from garcon.local.engine.wire import pick, seconds
from garcon.local.engine.world import World


def add(world: World, activity: OpenActivity) -> None:
    """Add a task that was just scheduled: it can be polled for, and its clocks run."""
    execution = activity.execution
    execution.activities[activity.activity_id] = activity
    execution.latest_activity_at = world.timestamp
    _arm(world, activity, "SCHEDULE_TO_START", "scheduleToStartTimeout")
    _arm(world, activity, "SCHEDULE_TO_CLOSE", "scheduleToCloseTimeout")
    world.enqueue(activity)


def start(world: World, activity: OpenActivity, identity: Body) -> None:
    """Record the start of a task; `identity` is the poller's member, empty without one."""
    execution = activity.execution
    world.disarm(activity.clocks.pop("SCHEDULE_TO_START", None))
    attributes = {**identity, "scheduledEventId": activity.scheduled_id}
    activity.started_id = record(world, execution, "ActivityTaskStarted", attributes)
    activity.token = task_token(
        TaskName(TaskKind.ACTIVITY, execution.run_id, activity.scheduled_id, activity.started_id)
    )
    world.started_tasks[activity.token] = activity
    _arm(world, activity, "START_TO_CLOSE", "startToCloseTimeout")
    _arm(world, activity, "HEARTBEAT", "heartbeatTimeout")


def close(world: World, activity: OpenActivity, outcome: str, attributes: Body) -> None:
    """Close a task with an ActivityTask… event; the caller schedules the decision."""
    discard(world, activity)
    references = {"scheduledEventId": activity.scheduled_id, "startedEventId": activity.started_id}
    record(world, activity.execution, f"ActivityTask{outcome}", attributes | references)


def cancel(world: World, activity: OpenActivity, attributes: Body) -> None:
    """Close a task as canceled; the event names the latest request, if there was one."""
    if activity.cancel_requested_id:
        attributes |= {"latestCancelRequestedEventId": activity.cancel_requested_id}
    close(world, activity, "Canceled", attributes)


def discard(world: World, activity: OpenActivity) -> None:
    """Remove a task in any state, without an event."""
    for clock in activity.clocks.values():
        world.disarm(clock)
    world.withdraw(activity)
    world.end_task(activity.token)
    del activity.execution.activities[activity.activity_id]


def _arm(world: World, activity: OpenActivity, timeout_type: str, member: str) -> None:
    world.disarm(activity.clocks.pop(timeout_type, None))
    late = partial(_time_out, world, activity, timeout_type)
    clock = world.arm(seconds(activity.timeouts[member]), late)
    if clock is not None:
        activity.clocks[timeout_type] = clock


def _time_out(world: World, activity: OpenActivity, timeout_type: str) -> None:
    details = pick({"details": activity.heartbeat_details}, "details")
    close(world, activity, "TimedOut", {"timeoutType": timeout_type, **details})
    world.counters.timeouts[f"ActivityTaskTimedOut {timeout_type}"] += 1
    schedule_decision(world, activity.execution)


def respond_completed(world: World, params: Body) -> Body:
    """RespondActivityTaskCompleted."""
    activity = find_started(world, params["taskToken"], OpenActivity)
    close(world, activity, "Completed", pick(params, "result"))
    schedule_decision(world, activity.execution)
    return {}


def respond_failed(world: World, params: Body) -> Body:
    """RespondActivityTaskFailed."""
    activity = find_started(world, params["taskToken"], OpenActivity)
    close(world, activity, "Failed", pick(params, "reason", "details"))
    schedule_decision(world, activity.execution)
    return {}


def respond_canceled(world: World, params: Body) -> Body:
    """RespondActivityTaskCanceled."""
    activity = find_started(world, params["taskToken"], OpenActivity)
    cancel(world, activity, pick(params, "details"))
    schedule_decision(world, activity.execution)
    return {}


def record_heartbeat(world: World, params: Body) -> Body:
    """RecordActivityTaskHeartbeat."""
    activity = find_started(world, params["taskToken"], OpenActivity)
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

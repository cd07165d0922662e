"""ScheduleActivityTask and RequestCancelActivityTask.

A task list and all four timeouts must come from the decision or from the type; SWF itself has no
defaults.
"""

from garcon.local.engine import activities
from garcon.local.engine.decisions.decision_turn import DecisionRefused, DecisionTurn
from garcon.local.engine.entities import OpenActivity, RegisteredType, TaskKind, TypeKey, TypeKind
from garcon.local.engine.messages import Body
from garcon.local.engine.throttle import admits_task
from garcon.local.engine.wire import pick, priority

REQUIRED = {
    "scheduleToCloseTimeout": (
        "defaultTaskScheduleToCloseTimeout",
        "DEFAULT_SCHEDULE_TO_CLOSE_TIMEOUT_UNDEFINED",
    ),
    "taskList": ("defaultTaskList", "DEFAULT_TASK_LIST_UNDEFINED"),
    "scheduleToStartTimeout": (
        "defaultTaskScheduleToStartTimeout",
        "DEFAULT_SCHEDULE_TO_START_TIMEOUT_UNDEFINED",
    ),
    "startToCloseTimeout": (
        "defaultTaskStartToCloseTimeout",
        "DEFAULT_START_TO_CLOSE_TIMEOUT_UNDEFINED",
    ),
    "heartbeatTimeout": ("defaultTaskHeartbeatTimeout", "DEFAULT_HEARTBEAT_TIMEOUT_UNDEFINED"),
}
"""Setting: the type's default for it, and the cause when both are missing."""


def schedule(turn: DecisionTurn, request: Body) -> None:
    """ScheduleActivityTask."""
    registered = _usable_type(turn, request)
    settings = _settings(registered, request)
    _check_room(turn, request["activityId"])
    world, execution = turn.world, turn.execution
    name = settings["taskList"]["name"]
    task_list = world.task_list(execution.domain, TaskKind.ACTIVITY, name)
    if not admits_task(world, task_list):
        raise DecisionRefused("ACTIVITY_CREATION_RATE_EXCEEDED")
    attributes = {
        "activityType": registered.key.wire(),
        **pick(request, "activityId", "input", "control"),
        **settings,
    }
    activity = OpenActivity(
        execution=execution,
        activity_id=request["activityId"],
        type=registered.key,
        task_list=task_list,
        priority=priority(settings.get("taskPriority", "")),
        input=request.get("input", ""),
        timeouts=settings,
        scheduled_id=turn.record("ActivityTaskScheduled", attributes),
    )
    activities.add(world, activity)


def _usable_type(turn: DecisionTurn, request: Body) -> RegisteredType:
    key = TypeKey(request["activityType"]["name"], request["activityType"]["version"])
    registered = turn.execution.domain.types[TypeKind.ACTIVITY].get(key)
    if registered is None:
        raise DecisionRefused("ACTIVITY_TYPE_DOES_NOT_EXIST")
    if registered.deprecated_at is not None:
        raise DecisionRefused("ACTIVITY_TYPE_DEPRECATED")
    return registered


def _settings(registered: RegisteredType, request: Body) -> Body:
    settings = {}
    for member, (default, cause) in REQUIRED.items():
        settings[member] = request.get(member) or registered.defaults.get(default)
        if not settings[member]:
            raise DecisionRefused(cause)
    task_priority = request.get("taskPriority") or registered.defaults.get("defaultTaskPriority")
    return settings | pick({"taskPriority": task_priority}, "taskPriority")


def _check_room(turn: DecisionTurn, activity_id: str) -> None:
    present = turn.execution.activities
    if activity_id in present:
        raise DecisionRefused("ACTIVITY_ID_ALREADY_IN_USE")
    if len(present) >= turn.world.settings.open_activities:
        raise DecisionRefused("OPEN_ACTIVITIES_LIMIT_EXCEEDED")


def request_cancel(turn: DecisionTurn, request: Body) -> None:
    """RequestCancelActivityTask: closes a task that is not started."""
    activity = turn.execution.activities.get(request["activityId"])
    if activity is None:
        raise DecisionRefused("ACTIVITY_ID_UNKNOWN")
    attributes = pick(request, "activityId")
    activity.cancel_requested_id = turn.record("ActivityTaskCancelRequested", attributes)
    if not activity.started_id:
        activities.cancel(turn.world, activity, {})
        turn.needs_decision = True

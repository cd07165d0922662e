"""Decision tasks: scheduled, started, completed, timed out.

- An event that is news for the decider calls `schedule`. One decision task covers all events until
  its start: while one is scheduled, no second one is.
- While one is started, the next is recorded as scheduled at once (as in recorded histories), but
  it can be polled for only when the first has ended: one open task at most.
- A task that is not completed in time is timed out, and another follows.
- The sticky list: a decider may name a list for future decision tasks. With a schedule-to-start
  timeout the override ends when a task on the list is not started, or not completed, in time; then
  the execution's own list is in use again. Without a timeout the override is permanent. A response
  without a list changes nothing.
- A task that was scheduled while another was started keeps the list in its event. Its
  schedule-to-start clock runs from the moment it can be polled for; the model leaves that open.
"""

from functools import partial

from garcon.local.engine.entities import DecisionTask, ExecutionRecord, StickyOverride, TaskKind
from garcon.local.engine.history import record
from garcon.local.engine.messages import Body
from garcon.local.engine.tokens import TaskName, task_token
from garcon.local.engine.wire import NONE, pick, priority, seconds
from garcon.local.engine.world import World


def schedule(world: World, execution: ExecutionRecord) -> None:
    """Make sure that a decision task follows the latest event; one that waits already will do."""
    if not execution.is_open:
        return
    if execution.next_decision is None:
        execution.next_decision = _scheduled(world, execution)
    release(world, execution)


def _scheduled(world: World, execution: ExecutionRecord) -> DecisionTask:
    config, sticky = execution.config, execution.sticky
    name = sticky.task_list if sticky else config.task_list
    schedule_to_start = (sticky and sticky.schedule_to_start) or NONE
    attributes = {
        "taskList": {"name": name},
        **pick({"taskPriority": config.task_priority}, "taskPriority"),
        "startToCloseTimeout": config.task_timeout,
        "scheduleToStartTimeout": schedule_to_start,
    }
    return DecisionTask(
        execution=execution,
        task_list=world.task_list(execution.domain, TaskKind.DECISION, name),
        priority=priority(config.task_priority),
        schedule_to_start=schedule_to_start,
        scheduled_id=record(world, execution, "DecisionTaskScheduled", attributes),
        sticky=bool(sticky and sticky.schedule_to_start),
    )


def release(world: World, execution: ExecutionRecord) -> None:
    """Queue the scheduled task, unless another one is started."""
    task = execution.next_decision
    if task is None or task.place is not None or execution.deciding is not None:
        return
    world.enqueue(task)
    late = partial(_not_started, world, task)
    task.clock = world.arm(seconds(task.schedule_to_start), late)


def start(world: World, task: DecisionTask, identity: Body) -> None:
    """Record the start of a task; `identity` is the poller's member, empty without one."""
    world.disarm(task.clock)
    execution = task.execution
    execution.next_decision, execution.deciding = None, task
    attributes = {**identity, "scheduledEventId": task.scheduled_id}
    task.started_id = record(world, execution, "DecisionTaskStarted", attributes)
    task.token = task_token(
        TaskName(TaskKind.DECISION, execution.run_id, task.scheduled_id, task.started_id)
    )
    world.started_tasks[task.token] = task
    late = partial(_not_completed, world, task)
    task.clock = world.arm(seconds(execution.config.task_timeout), late)


def complete(world: World, task: DecisionTask, params: Body) -> int:
    """Record the response to a task without its decisions; the id of DecisionTaskCompleted."""
    discard(world, task)
    execution = task.execution
    execution.previous_started_id = task.started_id
    execution.context = params.get("executionContext") or execution.context
    attributes = {
        **pick(params, "executionContext", "taskList", "taskListScheduleToStartTimeout"),
        "scheduledEventId": task.scheduled_id,
        "startedEventId": task.started_id,
    }
    if params.get("taskList"):
        timeout = params.get("taskListScheduleToStartTimeout", "")
        execution.sticky = StickyOverride(params["taskList"]["name"], timeout)
    return record(world, execution, "DecisionTaskCompleted", attributes)


def discard(world: World, task: DecisionTask) -> None:
    """Remove a task in any state, without an event."""
    world.disarm(task.clock)
    world.withdraw(task)
    world.end_task(task.token)
    execution = task.execution
    if execution.deciding is task:
        execution.deciding = None
    if execution.next_decision is task:
        execution.next_decision = None


def _not_started(world: World, task: DecisionTask) -> None:
    _time_out(world, task, "SCHEDULE_TO_START")


def _not_completed(world: World, task: DecisionTask) -> None:
    _time_out(world, task, "START_TO_CLOSE")


def _time_out(world: World, task: DecisionTask, timeout_type: str) -> None:
    discard(world, task)
    if task.sticky:
        task.execution.sticky = None
    attributes = {
        "timeoutType": timeout_type,
        "scheduledEventId": task.scheduled_id,
        "startedEventId": task.started_id,
    }
    record(world, task.execution, "DecisionTaskTimedOut", attributes)
    world.counters.timeouts[f"DecisionTaskTimedOut {timeout_type}"] += 1
    schedule(world, task.execution)

"""Executions: how they begin, what reaches them from outside, and how they end.

- Two executions of one workflowId are never open at once in a domain.
- An execution closes once. With it everything open in it ends, without events: its tasks can no
  longer be answered, its timers do not fire. Its parent, if still open, is told.
- The child policy is applied when an execution is terminated or times out, not when it closes
  by its decider's will; a child that is terminated applies its own policy in turn.
- Children, parents and targets are changed through `World.later`.
- No execution lasts longer than a year, whatever its timeout says.
- The retention period begins at the close; with none, the execution is gone at once.
"""

from functools import partial

from garcon.local.engine import activities, lambdas, timers
from garcon.local.engine.configuration import members
from garcon.local.engine.decision_tasks import discard as discard_decision
from garcon.local.engine.decision_tasks import schedule as schedule_decision
from garcon.local.engine.entities import CloseStatus, Configuration, Domain, Execution, Origin
from garcon.local.engine.history import record, record_last
from garcon.local.engine.ids import run_id
from garcon.local.engine.messages import Body
from garcon.local.engine.wire import NONE, given, seconds
from garcon.local.engine.world import World

DAY = 24 * 3600.0
"""Seconds a day of retention."""

APPLIED = "CHILD_POLICY_APPLIED"
"""The cause of what a child policy does."""

TOLD_TO_PARENT = {
    CloseStatus.COMPLETED: ("result",),
    CloseStatus.FAILED: ("reason", "details"),
    CloseStatus.CANCELED: ("details",),
    CloseStatus.TIMED_OUT: ("timeoutType",),
    CloseStatus.TERMINATED: (),
}
"""What of the closing event is repeated in the parent's."""


def begin(
    world: World,
    domain: Domain,
    workflow_id: str,
    config: Configuration,
    request: Body,
    *,
    parent: Origin | None = None,
    continued_run_id: str = "",
) -> Execution:
    """Open an execution: its first event, its clock, its first decision task."""
    new_run_id = next_run_id(world)
    world.runs_started += 1
    execution = Execution(
        domain=domain,
        workflow_id=workflow_id,
        run_id=new_run_id,
        serial=world.runs_started,
        config=config,
        started_at=world.timestamp,
        parent=parent,
    )
    world.runs[execution.run_id] = domain.runs[execution.run_id] = execution
    domain.open_by_id[workflow_id] = execution
    attributes = _started_attributes(config, request, parent, continued_run_id)
    record(world, execution, "WorkflowExecutionStarted", attributes)
    lasts = min(seconds(config.execution_timeout), world.settings.execution_limit)
    execution.clock = world.arm(lasts, partial(_time_out, world, execution))
    schedule_decision(world, execution)
    return execution


def next_run_id(world: World) -> str:
    """The run id that the next execution to begin will have."""
    return run_id(world.seed, world.runs_started + 1)


def _started_attributes(
    config: Configuration, request: Body, parent: Origin | None, continued_run_id: str
) -> Body:
    attributes = {**members(config), **given(request, "input"), "parentInitiatedEventId": 0}
    if parent:
        attributes["parentWorkflowExecution"] = parent.execution.wire()
        attributes["parentInitiatedEventId"] = parent.initiated_id
    if continued_run_id:
        attributes["continuedExecutionRunId"] = continued_run_id
    return attributes


def signal(world: World, execution: Execution, request: Body, source: Origin | None = None) -> None:
    """A signal arrives, from another execution if there is a source."""
    attributes = {**given(request, "signalName", "input"), **_origin(source)}
    record(world, execution, "WorkflowExecutionSignaled", attributes)
    schedule_decision(world, execution)


def request_cancel(
    world: World, execution: Execution, source: Origin | None = None, cause: str = ""
) -> None:
    """A request to cancel arrives; what to make of it is the decider's business."""
    execution.cancel_requested = True
    attributes = {**_origin(source), **given({"cause": cause}, "cause")}
    record(world, execution, "WorkflowExecutionCancelRequested", attributes)
    schedule_decision(world, execution)


def _origin(source: Origin | None) -> Body:
    if source is None:
        return {"externalInitiatedEventId": 0}
    return {
        "externalWorkflowExecution": source.execution.wire(),
        "externalInitiatedEventId": source.initiated_id,
    }


def terminate(world: World, execution: Execution, cause: str, request: Body) -> None:
    """End an execution at once; `request` may have reason, details and another child policy."""
    policy = request.get("childPolicy") or execution.config.child_policy
    attributes = {**given(request, "reason", "details"), "childPolicy": policy, "cause": cause}
    close(world, execution, CloseStatus.TERMINATED, attributes)
    _apply_child_policy(world, execution, policy)


def _time_out(world: World, execution: Execution) -> None:
    policy = execution.config.child_policy
    attributes = {"timeoutType": "START_TO_CLOSE", "childPolicy": policy}
    close(world, execution, CloseStatus.TIMED_OUT, attributes)
    world.counters.timeouts["WorkflowExecutionTimedOut START_TO_CLOSE"] += 1
    _apply_child_policy(world, execution, policy)


def close(world: World, execution: Execution, status: CloseStatus, attributes: Body) -> None:
    """Record the end of an execution and drop all that was open in it."""
    record_last(world, execution, f"WorkflowExecution{status.word}", attributes)
    execution.close_status = status
    execution.closed_at = world.timestamp
    world.runs_closed += 1
    execution.close_serial = world.runs_closed
    _empty(world, execution)
    domain = execution.domain
    del domain.open_by_id[execution.workflow_id]
    domain.closed[execution.run_id] = execution
    _retain(world, execution)
    if execution.parent and status in TOLD_TO_PARENT:
        told = given(attributes, *TOLD_TO_PARENT[status])
        world.later(partial(_tell_parent, world, execution, execution.parent, told))


def _empty(world: World, execution: Execution) -> None:
    world.disarm(execution.clock)
    for task in (execution.deciding, execution.next_decision):
        if task is not None:
            discard_decision(world, task)
    for activity in list(execution.activities.values()):
        activities.discard(world, activity)
    for timer in list(execution.timers.values()):
        timers.discard(world, execution, timer)
    for run in list(execution.lambdas.values()):
        lambdas.discard(world, execution, run)


def _retain(world: World, execution: Execution) -> None:
    days = execution.domain.retention_days
    kept = 0.0 if days == NONE else float(days) * DAY
    world.expiries.push(world.now + kept, execution)


def forget_expired(world: World) -> None:
    """Drop the executions whose retention period is over."""
    while (entry := world.expiries.peek()) and entry.key <= world.now:
        execution = world.expiries.pop()
        del world.runs[execution.run_id]
        del execution.domain.runs[execution.run_id]
        del execution.domain.closed[execution.run_id]


def _tell_parent(world: World, execution: Execution, link: Origin, told: Body) -> None:
    parent = link.execution
    if not parent.is_open or execution.close_status is None:
        return
    child = parent.children.pop(link.initiated_id)
    attributes = {
        "workflowExecution": execution.wire(),
        "workflowType": execution.config.type.wire(),
        "initiatedEventId": child.initiated_id,
        "startedEventId": child.started_id,
        **told,
    }
    record(world, parent, f"ChildWorkflowExecution{execution.close_status.word}", attributes)
    schedule_decision(world, parent)


def _apply_child_policy(world: World, execution: Execution, policy: str) -> None:
    for child in execution.children.values():
        if child.execution is None:
            continue
        if policy == "TERMINATE":
            world.later(partial(terminate, world, child.execution, APPLIED, {}))
        elif policy == "REQUEST_CANCEL":
            world.later(partial(request_cancel, world, child.execution, cause=APPLIED))

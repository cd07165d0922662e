"""Executions: their beginning, signals and requests to cancel, and their close.

- At most one execution of a workflowId is open in a domain.
- An execution closes once. With it all its open items end, without events: its tasks can no longer
  be answered, its timers do not fire. Its parent, if open, gets an event.
- The child policy is applied when an execution is terminated or times out, not when its decider
  closes it; a child that is terminated applies its own policy in turn.
- Children, parents and targets are changed through `World.later`.
- An execution lasts at most a year, whatever its timeout.
- The retention period begins at the close; without one, the execution is forgotten at once.
- Run ids are a function of the seed, so that the same inputs give the same ids.
"""

import base64
import hashlib
from functools import partial

from garcon.local.engine import activities, lambdas, timers
from garcon.local.engine.configuration import members
from garcon.local.engine.decision_tasks import discard as discard_decision
from garcon.local.engine.decision_tasks import schedule as schedule_decision
from garcon.local.engine.domains import find_domain
from garcon.local.engine.entities import CloseStatus, Configuration, Domain, ExecutionRecord, Origin
from garcon.local.engine.faults import unknown_execution
from garcon.local.engine.history import record, record_last
from garcon.local.engine.messages import Body
from garcon.local.engine.wire import NONE, pick, seconds
from garcon.local.engine.world import World

DAY = 24 * 3600.0
"""Seconds in a day of retention."""

APPLIED = "CHILD_POLICY_APPLIED"
"""The cause in events that a child policy leads to."""

REPEATED_FOR_PARENT = {
    CloseStatus.COMPLETED: ("result",),
    CloseStatus.FAILED: ("reason", "details"),
    CloseStatus.CANCELED: ("details",),
    CloseStatus.TIMED_OUT: ("timeoutType",),
    CloseStatus.TERMINATED: (),
}
"""Attributes of the closing event that are repeated in the parent's event."""


def open_execution(domain: Domain, workflow_id: str, run_id: str | None) -> ExecutionRecord | None:
    """The open execution of this workflowId, unless the run id names another run."""
    execution = domain.open_by_id.get(workflow_id)
    if execution is None or run_id not in (None, "", execution.run_id):
        return None
    return execution


def find_open(world: World, params: Body) -> ExecutionRecord:
    """The open execution that domain, workflowId and an optional runId name, or a fault."""
    domain = find_domain(world, params["domain"])
    workflow_id, run_id = params["workflowId"], params.get("runId")
    execution = open_execution(domain, workflow_id, run_id)
    if execution is None:
        raise unknown_execution(workflow_id, run_id)
    return execution


def find_run(world: World, params: Body) -> ExecutionRecord:
    """The execution, open or closed, that domain and execution name, or a fault."""
    domain = find_domain(world, params["domain"])
    ids = params["execution"]
    execution = domain.runs.get(ids["runId"])
    if execution is None or execution.workflow_id != ids["workflowId"]:
        raise unknown_execution(ids["workflowId"], ids["runId"])
    return execution


def begin(
    world: World,
    domain: Domain,
    workflow_id: str,
    config: Configuration,
    request: Body,
    *,
    parent: Origin | None = None,
    continued_run_id: str = "",
) -> ExecutionRecord:
    """Open an execution: its first event, its clock, its first decision task."""
    new_run_id = next_run_id(world)
    world.runs_started += 1
    execution = ExecutionRecord(
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
    """The run id of the next execution in the service's form: 46 characters of base64."""
    text = f"run {world.seed} {world.runs_started + 1}"
    return "22" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _started_attributes(
    config: Configuration, request: Body, parent: Origin | None, continued_run_id: str
) -> Body:
    attributes = {**members(config), **pick(request, "input"), "parentInitiatedEventId": 0}
    if parent:
        attributes["parentWorkflowExecution"] = parent.execution.wire()
        attributes["parentInitiatedEventId"] = parent.initiated_id
    if continued_run_id:
        attributes["continuedExecutionRunId"] = continued_run_id
    return attributes


def signal(
    world: World, execution: ExecutionRecord, request: Body, source: Origin | None = None
) -> None:
    """Record a signal, from another execution if there is a source."""
    attributes = {**pick(request, "signalName", "input"), **_origin(source)}
    record(world, execution, "WorkflowExecutionSignaled", attributes)
    schedule_decision(world, execution)


def request_cancel(
    world: World, execution: ExecutionRecord, source: Origin | None = None, cause: str = ""
) -> None:
    """Record a request to cancel; the decider decides whether to follow it."""
    execution.cancel_requested = True
    attributes = {**_origin(source), **pick({"cause": cause}, "cause")}
    record(world, execution, "WorkflowExecutionCancelRequested", attributes)
    schedule_decision(world, execution)


def _origin(source: Origin | None) -> Body:
    if source is None:
        return {"externalInitiatedEventId": 0}
    return {
        "externalWorkflowExecution": source.execution.wire(),
        "externalInitiatedEventId": source.initiated_id,
    }


def terminate(world: World, execution: ExecutionRecord, cause: str, request: Body) -> None:
    """Close an execution at once; `request` may have reason, details and a child policy."""
    policy = request.get("childPolicy") or execution.config.child_policy
    attributes = {**pick(request, "reason", "details"), "childPolicy": policy, "cause": cause}
    close(world, execution, CloseStatus.TERMINATED, attributes)
    _apply_child_policy(world, execution, policy)


def _time_out(world: World, execution: ExecutionRecord) -> None:
    policy = execution.config.child_policy
    attributes = {"timeoutType": "START_TO_CLOSE", "childPolicy": policy}
    close(world, execution, CloseStatus.TIMED_OUT, attributes)
    world.counters.timeouts["WorkflowExecutionTimedOut START_TO_CLOSE"] += 1
    _apply_child_policy(world, execution, policy)


def close(world: World, execution: ExecutionRecord, status: CloseStatus, attributes: Body) -> None:
    """Record the end of an execution and discard its open items."""
    execution.counts_at_close = execution.open_counts
    record_last(world, execution, f"WorkflowExecution{status.word}", attributes)
    execution.close_status = status
    execution.closed_at = world.timestamp
    world.runs_closed += 1
    execution.close_serial = world.runs_closed
    _discard_open_items(world, execution)
    domain = execution.domain
    del domain.open_by_id[execution.workflow_id]
    domain.closed[execution.run_id] = execution
    _retain(world, execution)
    if execution.parent and status in REPEATED_FOR_PARENT:
        repeated = pick(attributes, *REPEATED_FOR_PARENT[status])
        world.later(partial(_notify_parent, world, execution, execution.parent, repeated))


def _discard_open_items(world: World, execution: ExecutionRecord) -> None:
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


def _retain(world: World, execution: ExecutionRecord) -> None:
    days = execution.domain.retention_days
    kept = 0.0 if days == NONE else float(days) * DAY
    world.expiries.push(world.now + kept, execution)


def forget_expired(world: World) -> None:
    """Remove the executions whose retention period is over."""
    while (entry := world.expiries.peek()) and entry.key <= world.now:
        execution = world.expiries.pop()
        del world.runs[execution.run_id]
        del execution.domain.runs[execution.run_id]
        del execution.domain.closed[execution.run_id]


def _notify_parent(world: World, execution: ExecutionRecord, link: Origin, repeated: Body) -> None:
    parent = link.execution
    if not parent.is_open or execution.close_status is None:
        return
    child = parent.children.pop(link.initiated_id)
    attributes = {
        "workflowExecution": execution.wire(),
        "workflowType": execution.config.type.wire(),
        "initiatedEventId": child.initiated_id,
        "startedEventId": child.started_id,
        **repeated,
    }
    record(world, parent, f"ChildWorkflowExecution{execution.close_status.word}", attributes)
    schedule_decision(world, parent)


def _apply_child_policy(world: World, execution: ExecutionRecord, policy: str) -> None:
    for child in execution.children.values():
        if child.execution is None:
            continue
        if policy == "TERMINATE":
            world.later(partial(terminate, world, child.execution, APPLIED, {}))
        elif policy == "REQUEST_CANCEL":
            world.later(partial(request_cancel, world, child.execution, cause=APPLIED))

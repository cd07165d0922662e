"""StartChildWorkflowExecution.

What is wrong with the decision itself is said at once, with initiatedEventId 0. Whether the
workflowId is free shows only when the child is to begin, after the parent's turn; that failure
refers to the Initiated event. A child whose parent closes in the same response begins all the
same.
"""

from functools import partial

from garcon.local.engine import executions
from garcon.local.engine.configuration import members
from garcon.local.engine.decision_tasks import schedule as schedule_decision
from garcon.local.engine.decisions.configuring import configuration
from garcon.local.engine.decisions.turn import Refused, Turn
from garcon.local.engine.entities import Child, Configuration, Execution, Origin, TypeKey
from garcon.local.engine.history import record
from garcon.local.engine.messages import Body
from garcon.local.engine.wire import given
from garcon.local.engine.world import World


def start(turn: Turn, request: Body) -> None:
    """StartChildWorkflowExecution."""
    config = _configuration(turn, request)
    attributes = {**members(config), **given(request, "workflowId", "control", "input")}
    initiated_id = turn.record("StartChildWorkflowExecutionInitiated", attributes)
    child = turn.execution.children[initiated_id] = Child(initiated_id)
    refusal = {
        **given(request, "workflowId", "workflowType", "control"),
        "cause": "WORKFLOW_ALREADY_RUNNING",
        "initiatedEventId": initiated_id,
    }
    parent = turn.execution
    begin = partial(_begin, turn.world, parent, child, config, request)
    refuse = partial(_refuse, turn.world, parent, child, turn.referring(refusal))
    taken = parent.domain.open_by_id
    turn.later(lambda: refuse() if request["workflowId"] in taken else begin())


def _configuration(turn: Turn, request: Body) -> Configuration:
    execution, settings = turn.execution, turn.world.settings
    if len(execution.children) >= settings.open_children:
        raise Refused("OPEN_CHILDREN_LIMIT_EXCEEDED")
    announced = sum(child.execution is None for child in execution.children.values())
    if len(execution.domain.open_by_id) + announced >= settings.open_executions:
        raise Refused("OPEN_WORKFLOWS_LIMIT_EXCEEDED")
    wanted = request["workflowType"]
    return configuration(execution.domain, TypeKey(wanted["name"], wanted["version"]), request)


def _begin(
    world: World,
    parent: Execution,
    child: Child,
    config: Configuration,
    request: Body,
) -> None:
    origin = Origin(parent, child.initiated_id)
    child.execution = executions.begin(
        world, parent.domain, request["workflowId"], config, request, parent=origin
    )
    if parent.is_open:
        attributes = {
            "workflowExecution": child.execution.wire(),
            "workflowType": config.type.wire(),
            "initiatedEventId": child.initiated_id,
        }
        child.started_id = record(world, parent, "ChildWorkflowExecutionStarted", attributes)
        schedule_decision(world, parent)


def _refuse(world: World, parent: Execution, child: Child, refusal: Body) -> None:
    if parent.is_open:
        del parent.children[child.initiated_id]
        record(world, parent, "StartChildWorkflowExecutionFailed", refusal)
        schedule_decision(world, parent)

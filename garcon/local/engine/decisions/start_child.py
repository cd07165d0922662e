"""StartChildWorkflowExecution.

- An invalid decision fails at once, with initiatedEventId 0.
- A workflowId in use is found only when the child is to begin, after the parent's response; that
  failure refers to the Initiated event.
- A child begins even if its parent closes in the same response.
"""

from functools import partial

from garcon.local.engine import executions
from garcon.local.engine.configuration import members
from garcon.local.engine.decision_tasks import schedule as schedule_decision
from garcon.local.engine.decisions.decision_turn import DecisionRefused, DecisionTurn
from garcon.local.engine.entities import Child, Configuration, ExecutionRecord, Origin, TypeKey
from garcon.local.engine.history import record
from garcon.local.engine.messages import Body
from garcon.local.engine.wire import pick
from garcon.local.engine.world import World


def start(turn: DecisionTurn, request: Body) -> None:
    """StartChildWorkflowExecution."""
    config = _configuration(turn, request)
    attributes = {**members(config), **pick(request, "workflowId", "control", "input")}
    initiated_id = turn.record("StartChildWorkflowExecutionInitiated", attributes)
    child = turn.execution.children[initiated_id] = Child(initiated_id)
    refusal = {
        **pick(request, "workflowId", "workflowType", "control"),
        "cause": "WORKFLOW_ALREADY_RUNNING",
        "initiatedEventId": initiated_id,
    }
    parent = turn.execution
    begin = partial(_begin, turn.world, parent, child, config, request)
    refuse = partial(_refuse, turn.world, parent, child, turn.referring(refusal))
    in_use = parent.domain.open_by_id
    turn.later(lambda: refuse() if request["workflowId"] in in_use else begin())


def _configuration(turn: DecisionTurn, request: Body) -> Configuration:
    execution, settings = turn.execution, turn.world.settings
    if len(execution.children) >= settings.open_children:
        raise DecisionRefused("OPEN_CHILDREN_LIMIT_EXCEEDED")
    announced = sum(child.execution is None for child in execution.children.values())
    if len(execution.domain.open_by_id) + announced >= settings.open_executions:
        raise DecisionRefused("OPEN_WORKFLOWS_LIMIT_EXCEEDED")
    key = TypeKey(request["workflowType"]["name"], request["workflowType"]["version"])
    return turn.configuration(key, request)


def _begin(
    world: World,
    parent: ExecutionRecord,
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


def _refuse(world: World, parent: ExecutionRecord, child: Child, refusal: Body) -> None:
    if parent.is_open:
        del parent.children[child.initiated_id]
        record(world, parent, "StartChildWorkflowExecutionFailed", refusal)
        schedule_decision(world, parent)

"""The decisions that close an execution.

- While there are events that the decider has not seen, each of these decisions fails with
  UNHANDLED_DECISION; the next decision task, already scheduled, shows those events. An event of an
  earlier decision in the same response does not count, since the model names events that were added
  "while the decision task was being performed".
- A continued execution is a new one with the same workflowId and the same parent; the parent gets
  no event. It begins in the same moment, so that the workflowId is never free.
"""

from garcon.local.engine import executions
from garcon.local.engine.configuration import members
from garcon.local.engine.decisions.decision_turn import DecisionRefused, DecisionTurn
from garcon.local.engine.entities import CloseStatus, TypeKey
from garcon.local.engine.messages import Body
from garcon.local.engine.wire import pick


def complete(turn: DecisionTurn, request: Body) -> None:
    """CompleteWorkflowExecution."""
    _close(turn, CloseStatus.COMPLETED, pick(request, "result"))


def fail(turn: DecisionTurn, request: Body) -> None:
    """FailWorkflowExecution."""
    _close(turn, CloseStatus.FAILED, pick(request, "reason", "details"))


def cancel(turn: DecisionTurn, request: Body) -> None:
    """CancelWorkflowExecution: no request to cancel is needed."""
    _close(turn, CloseStatus.CANCELED, pick(request, "details"))


def continue_as_new(turn: DecisionTurn, request: Body) -> None:
    """ContinueAsNewWorkflowExecution: defaults come from the type, not from this run."""
    old = turn.execution
    version = request.get("workflowTypeVersion") or old.config.type.version
    key = TypeKey(old.config.type.name, version)
    config = turn.configuration(key, request)
    run_id = executions.next_run_id(turn.world)
    attributes = {"newExecutionRunId": run_id, **pick(request, "input"), **members(config)}
    _close(turn, CloseStatus.CONTINUED_AS_NEW, attributes)
    new = executions.begin(
        turn.world,
        old.domain,
        old.workflow_id,
        config,
        request,
        parent=old.parent,
        continued_run_id=old.run_id,
    )
    if old.parent and old.parent.initiated_id in old.parent.execution.children:
        old.parent.execution.children[old.parent.initiated_id].execution = new


def _close(turn: DecisionTurn, status: CloseStatus, attributes: Body) -> None:
    if turn.unhandled:
        raise DecisionRefused("UNHANDLED_DECISION")
    executions.close(turn.world, turn.execution, status, turn.referring(attributes))

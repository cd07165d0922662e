"""The decisions that close an execution.

None is carried out while something has happened that the decider has not seen: it fails with
UNHANDLED_DECISION, and the decision task that is scheduled already shows what that was. An event
that comes of an earlier decision in the same response does not count, since the model speaks of
what was added "while the decision task was being performed".

A continued execution is a new one with the same workflowId and the same parent, which does not
hear of the change. It begins in the same moment, so that the workflowId is never free.
"""

from garcon.local.engine import executions
from garcon.local.engine.configuration import members
from garcon.local.engine.decisions.configuring import configuration
from garcon.local.engine.decisions.turn import Refused, Turn
from garcon.local.engine.entities import CloseStatus, TypeKey
from garcon.local.engine.messages import Body
from garcon.local.engine.wire import given


def complete(turn: Turn, request: Body) -> None:
    """CompleteWorkflowExecution."""
    _close(turn, CloseStatus.COMPLETED, given(request, "result"))


def fail(turn: Turn, request: Body) -> None:
    """FailWorkflowExecution."""
    _close(turn, CloseStatus.FAILED, given(request, "reason", "details"))


def cancel(turn: Turn, request: Body) -> None:
    """CancelWorkflowExecution: no request to cancel is needed."""
    _close(turn, CloseStatus.CANCELED, given(request, "details"))


def continue_as_new(turn: Turn, request: Body) -> None:
    """ContinueAsNewWorkflowExecution: what is not given comes from the type, not from this run."""
    old = turn.execution
    version = request.get("workflowTypeVersion") or old.config.type.version
    key = TypeKey(old.config.type.name, version)
    config = configuration(old.domain, key, request)
    run_id = executions.next_run_id(turn.world)
    attributes = {"newExecutionRunId": run_id, **given(request, "input"), **members(config)}
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


def _close(turn: Turn, status: CloseStatus, attributes: Body) -> None:
    if turn.unhandled:
        raise Refused("UNHANDLED_DECISION")
    executions.close(turn.world, turn.execution, status, turn.referring(attributes))

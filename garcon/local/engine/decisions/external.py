"""SignalExternalWorkflowExecution and RequestCancelExternalWorkflowExecution.

Both are asked for now, and delivered after the decider's turn; then the asker is told whether an
open execution was found. Asking oneself is allowed.
"""

from collections.abc import Callable
from functools import partial

from garcon.local.engine import executions
from garcon.local.engine.decision_tasks import schedule as schedule_decision
from garcon.local.engine.decisions.turn import Turn
from garcon.local.engine.entities import Execution, Origin
from garcon.local.engine.finding import open_execution
from garcon.local.engine.history import record
from garcon.local.engine.messages import Body
from garcon.local.engine.wire import given
from garcon.local.engine.world import World


def signal(turn: Turn, request: Body) -> None:
    """SignalExternalWorkflowExecution."""
    attributes = given(request, "workflowId", "runId", "signalName", "input", "control")
    _ask(turn, request, "SignalExternalWorkflowExecution", attributes, _signal)


def request_cancel(turn: Turn, request: Body) -> None:
    """RequestCancelExternalWorkflowExecution."""
    attributes = given(request, "workflowId", "runId", "control")
    _ask(turn, request, "RequestCancelExternalWorkflowExecution", attributes, _request_cancel)


def _signal(world: World, target: Execution, request: Body, origin: Origin) -> str:
    executions.signal(world, target, request, origin)
    return "ExternalWorkflowExecutionSignaled"


def _request_cancel(world: World, target: Execution, request: Body, origin: Origin) -> str:
    del request
    executions.request_cancel(world, target, origin)
    return "ExternalWorkflowExecutionCancelRequested"


def _ask(
    turn: Turn,
    request: Body,
    decision_type: str,
    attributes: Body,
    deliver: Callable[[World, Execution, Body, Origin], str],
) -> None:
    origin = Origin(turn.execution, turn.record(f"{decision_type}Initiated", attributes))
    refusal = {
        **given(request, "workflowId", "runId", "control"),
        "cause": "UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION",
        "initiatedEventId": origin.initiated_id,
    }
    failure = partial(
        _tell, turn.world, turn.execution, f"{decision_type}Failed", turn.referring(refusal)
    )
    turn.later(partial(_deliver, turn.world, request, origin, deliver, failure))


def _deliver(
    world: World,
    request: Body,
    origin: Origin,
    deliver: Callable[[World, Execution, Body, Origin], str],
    failure: Callable[[], None],
) -> None:
    target = open_execution(origin.execution.domain, request["workflowId"], request.get("runId"))
    if target is None:
        failure()
        return
    told = deliver(world, target, request, origin)
    attributes = {"workflowExecution": target.wire(), "initiatedEventId": origin.initiated_id}
    _tell(world, origin.execution, told, attributes)


def _tell(world: World, execution: Execution, event_type: str, attributes: Body) -> None:
    if execution.is_open:
        record(world, execution, event_type, attributes)
        schedule_decision(world, execution)

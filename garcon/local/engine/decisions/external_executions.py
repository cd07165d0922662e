"""SignalExternalWorkflowExecution and RequestCancelExternalWorkflowExecution.

Both are recorded as initiated, and delivered after the decider's response; then an event in the
sender records whether an open execution was found. An execution may be its own target.
"""

from collections.abc import Callable
from functools import partial

from garcon.local.engine import executions
from garcon.local.engine.decision_tasks import schedule as schedule_decision
from garcon.local.engine.decisions.decision_turn import DecisionTurn
from garcon.local.engine.entities import ExecutionRecord, Origin
from garcon.local.engine.history import record
from garcon.local.engine.messages import Body
from garcon.local.engine.wire import pick
from garcon.local.engine.world import World


def signal(turn: DecisionTurn, request: Body) -> None:
    """SignalExternalWorkflowExecution."""
    attributes = pick(request, "workflowId", "runId", "signalName", "input", "control")
    _initiate(turn, request, "SignalExternalWorkflowExecution", attributes, _signal)


def request_cancel(turn: DecisionTurn, request: Body) -> None:
    """RequestCancelExternalWorkflowExecution."""
    attributes = pick(request, "workflowId", "runId", "control")
    _initiate(turn, request, "RequestCancelExternalWorkflowExecution", attributes, _request_cancel)


def _signal(world: World, target: ExecutionRecord, request: Body, origin: Origin) -> str:
    executions.signal(world, target, request, origin)
    return "ExternalWorkflowExecutionSignaled"


def _request_cancel(world: World, target: ExecutionRecord, request: Body, origin: Origin) -> str:
    del request
    executions.request_cancel(world, target, origin)
    return "ExternalWorkflowExecutionCancelRequested"


def _initiate(
    turn: DecisionTurn,
    request: Body,
    decision_type: str,
    attributes: Body,
    deliver: Callable[[World, ExecutionRecord, Body, Origin], str],
) -> None:
    origin = Origin(turn.execution, turn.record(f"{decision_type}Initiated", attributes))
    refusal = {
        **pick(request, "workflowId", "runId", "control"),
        "cause": "UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION",
        "initiatedEventId": origin.initiated_id,
    }
    failure = partial(
        _notify_sender,
        turn.world,
        turn.execution,
        f"{decision_type}Failed",
        turn.referring(refusal),
    )
    turn.later(partial(_deliver, turn.world, request, origin, deliver, failure))


def _deliver(
    world: World,
    request: Body,
    origin: Origin,
    deliver: Callable[[World, ExecutionRecord, Body, Origin], str],
    failure: Callable[[], None],
) -> None:
    target = executions.open_execution(
        origin.execution.domain, request["workflowId"], request.get("runId")
    )
    if target is None:
        failure()
        return
    event_type = deliver(world, target, request, origin)
    attributes = {"workflowExecution": target.wire(), "initiatedEventId": origin.initiated_id}
    _notify_sender(world, origin.execution, event_type, attributes)


def _notify_sender(
    world: World, sender: ExecutionRecord, event_type: str, attributes: Body
) -> None:
    if sender.is_open:
        record(world, sender, event_type, attributes)
        schedule_decision(world, sender)

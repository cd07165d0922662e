"""The operations on one execution: start, signal, request cancel, terminate."""

from garcon.local.engine import executions
from garcon.local.engine.configuration import configure, first_missing
from garcon.local.engine.domains import find_domain
from garcon.local.engine.entities import Domain, TypeKind
from garcon.local.engine.faults import Fault, limit_exceeded, unknown_domain
from garcon.local.engine.messages import Body
from garcon.local.engine.registry import describe_key, find_type
from garcon.local.engine.throttle import admit_to_execution
from garcon.local.engine.world import World


def start(world: World, params: Body) -> Body:
    """StartWorkflowExecution."""
    domain = find_domain(world, params["domain"])
    if domain.deprecated:
        raise unknown_domain(domain.name)
    registered = find_type(domain, TypeKind.WORKFLOW, params["workflowType"])
    if registered.deprecated_at is not None:
        raise Fault("TypeDeprecatedFault", describe_key(TypeKind.WORKFLOW, registered.key))
    if missing := first_missing(registered, params):
        raise Fault("DefaultUndefinedFault", missing.member)
    _check_room(world, domain, params["workflowId"])
    config = configure(registered, params)
    execution = executions.begin(world, domain, params["workflowId"], config, params)
    return {"runId": execution.run_id}


def _check_room(world: World, domain: Domain, workflow_id: str) -> None:
    if workflow_id in domain.open_by_id:
        raise Fault("WorkflowExecutionAlreadyStartedFault", "Already Started")
    if len(domain.open_by_id) >= world.settings.open_executions:
        raise limit_exceeded(f"Domain {domain.name} has too many open executions")


def signal(world: World, params: Body) -> Body:
    """SignalWorkflowExecution."""
    execution = executions.find_open(world, params)
    admit_to_execution(world, execution, "SignalWorkflowExecution")
    executions.signal(world, execution, params)
    return {}


def request_cancel(world: World, params: Body) -> Body:
    """RequestCancelWorkflowExecution."""
    execution = executions.find_open(world, params)
    admit_to_execution(world, execution, "RequestCancelWorkflowExecution")
    executions.request_cancel(world, execution)
    return {}


def terminate(world: World, params: Body) -> Body:
    """TerminateWorkflowExecution."""
    executions.terminate(world, executions.find_open(world, params), "OPERATOR_INITIATED", params)
    return {}


OPERATIONS = {
    "StartWorkflowExecution": start,
    "SignalWorkflowExecution": signal,
    "RequestCancelWorkflowExecution": request_cancel,
    "TerminateWorkflowExecution": terminate,
}

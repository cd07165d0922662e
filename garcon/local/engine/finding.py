"""Finding executions by what requests call them."""

from garcon.local.engine.domains import find_domain
from garcon.local.engine.entities import Domain, Execution
from garcon.local.engine.faults import unknown_execution
from garcon.local.engine.messages import Body
from garcon.local.engine.world import World


def open_execution(domain: Domain, workflow_id: str, run_id: str | None) -> Execution | None:
    """The open execution of this workflowId, if it is the run that is meant."""
    execution = domain.open_by_id.get(workflow_id)
    if execution is None or run_id not in (None, "", execution.run_id):
        return None
    return execution


def find_open(world: World, params: Body) -> Execution:
    """The open execution that domain, workflowId and perhaps runId name, or a fault."""
    domain = find_domain(world, params["domain"])
    workflow_id, run_id = params["workflowId"], params.get("runId")
    execution = open_execution(domain, workflow_id, run_id)
    if execution is None:
        raise unknown_execution(workflow_id, run_id)
    return execution


def find_run(world: World, params: Body) -> Execution:
    """The execution, open or closed, that domain and execution name, or a fault."""
    domain = find_domain(world, params["domain"])
    name = params["execution"]
    execution = domain.runs.get(name["runId"])
    if execution is None or execution.workflow_id != name["workflowId"]:
        raise unknown_execution(name["workflowId"], name["runId"])
    return execution

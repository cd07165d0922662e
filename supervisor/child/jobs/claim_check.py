"""Check of a host without a claim store: whether open executions of the flow need one.

A decider or worker without the store returns every task that holds a claim. The start says so
first. It costs one call of ListOpenWorkflowExecutions and one of GetWorkflowExecutionHistory for
each of the latest ten open executions; none where a store is configured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from garcon import claims, client
from garcon.history.event_types import member_of
from supervisor.logs import log

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from supervisor.child.flow_loader import Flow

EXAMINED, EVENTS = 10, 1_000
"""Open executions, and the first events of each: the most of one call."""


def missing_store(flow: Flow, swf: Any) -> str:
    """The refusal of a host that lacks the store; empty if nothing shows that it is needed."""
    if claims.store() is not None:
        return ""
    try:
        found = next(_with_claims(flow, swf), None)
    except client.ERRORS as error:
        problem = client.explain(error, "looking for claims in open executions")
        log.LOGGER.info("%s Their need of a claim store is not checked.", problem.sentence)
        return ""
    if found is None:
        return ""
    return (
        f"The open execution {found} of {flow.name} holds a claim, and this host has no claim"
        f" store: set --claims ({claims.ENVIRONMENT}) as on the flow's other hosts."
    )


def _with_claims(flow: Flow, swf: Any) -> Iterator[str]:
    """The workflow ids of the open executions that hold a claim."""
    opened = swf.list_open_workflow_executions(
        domain=flow.domain,
        startTimeFilter={"oldestDate": 0},
        typeFilter={"name": flow.name},
        maximumPageSize=EXAMINED,
    )
    for info in opened.get("executionInfos", ()):
        execution = info["execution"]
        page = swf.get_workflow_execution_history(
            domain=flow.domain, execution=execution, maximumPageSize=EVENTS
        )
        events = page.get("events", ())
        if any(claims.holds_claim(_attributes(each).values()) for each in events):
            yield str(execution["workflowId"])


def _attributes(event: Mapping[str, Any]) -> Mapping[str, Any]:
    members: Mapping[str, Any] = event.get(member_of(event["eventType"]), {})
    return members

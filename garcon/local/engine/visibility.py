"""The read operations: histories, descriptions, lists and counts.

- The service answers these late and by best effort; the engine answers exactly.
- Lists of executions go from the latest to the earliest, by start or by close time according to
  the filter, or in reverse with reverseOrder. A list is scanned only as far as its page.
- A list of closed executions has either a start or a close time filter; at most one of the other
  filters is allowed.
- Of a closed execution, openCounts are those at its close, and cancelRequested is false even after
  a request: both as in recorded answers.
"""

import operator
from collections.abc import Callable, Iterator
from itertools import dropwhile, islice
from operator import attrgetter

from garcon.local.engine import history
from garcon.local.engine.configuration import settings
from garcon.local.engine.domains import find_domain
from garcon.local.engine.entities import ExecutionRecord, StickyOverride, TaskKind
from garcon.local.engine.executions import find_run
from garcon.local.engine.faults import invalid
from garcon.local.engine.messages import Body
from garcon.local.engine.paging import continued, page_size, position
from garcon.local.engine.throttle import admit_to_execution
from garcon.local.engine.wire import pick
from garcon.local.engine.world import World


def get_history(world: World, params: Body) -> Body:
    """GetWorkflowExecutionHistory."""
    execution = find_run(world, params)
    admit_to_execution(world, execution, "GetWorkflowExecutionHistory")
    purpose = f"history {execution.run_id} {bool(params.get('reverseOrder'))}"
    ids = range(1, len(execution.history) + 1)
    after = position(world, params, purpose)
    events, last = history.page(world, params, execution, ids, after)
    body = {"events": events}
    return body if last is None else continued(world, body, purpose, last)


def describe(world: World, params: Body) -> Body:
    """DescribeWorkflowExecution."""
    execution = find_run(world, params)
    body: Body = {
        "executionInfo": info(execution),
        "executionConfiguration": _configuration(execution),
        "openCounts": _open_counts(execution),
    }
    if execution.latest_activity_at:
        body["latestActivityTaskTimestamp"] = execution.latest_activity_at
    return body | pick({"latestExecutionContext": execution.context}, "latestExecutionContext")


def _configuration(execution: ExecutionRecord) -> Body:
    # Only a permanent override replaces the list of the start.
    match execution.sticky:
        case StickyOverride(task_list, ""):
            return settings(execution.config) | {"taskList": {"name": task_list}}
    return settings(execution.config)


def _open_counts(execution: ExecutionRecord) -> Body:
    counts = execution.open_counts
    return {
        "openActivityTasks": counts.activities,
        "openDecisionTasks": counts.decisions,
        "openTimers": counts.timers,
        "openChildWorkflowExecutions": counts.children,
        "openLambdaFunctions": counts.lambdas,
    }


def info(execution: ExecutionRecord) -> Body:
    """The model's WorkflowExecutionInfo."""
    body = {
        "execution": execution.wire(),
        "workflowType": execution.config.type.wire(),
        "startTimestamp": execution.started_at,
        "executionStatus": "OPEN" if execution.is_open else "CLOSED",
        "cancelRequested": execution.cancel_requested and execution.is_open,
        **pick({"tagList": list(execution.config.tags)}, "tagList"),
    }
    if execution.parent:
        body["parent"] = execution.parent.execution.wire()
    if execution.close_status:
        body["closeTimestamp"] = execution.closed_at
        body["closeStatus"] = str(execution.close_status)
    return body


def list_open(world: World, params: Body) -> Body:
    """ListOpenWorkflowExecutions."""
    return _list(world, params, _matching_open(world, params), by_close=False)


def list_closed(world: World, params: Body) -> Body:
    """ListClosedWorkflowExecutions."""
    by_close = "closeTimeFilter" in params
    return _list(world, params, _matching_closed(world, params), by_close=by_close)


def count_open(world: World, params: Body) -> Body:
    """CountOpenWorkflowExecutions."""
    return {"count": sum(1 for _ in _matching_open(world, params)), "truncated": False}


def count_closed(world: World, params: Body) -> Body:
    """CountClosedWorkflowExecutions."""
    return {"count": sum(1 for _ in _matching_closed(world, params)), "truncated": False}


def _matching_open(world: World, params: Body) -> Iterator[ExecutionRecord]:
    domain = find_domain(world, params["domain"])
    matches = _other_filter(params)
    times = params["startTimeFilter"]
    runs = _ordered(domain.open_by_id, params)
    return (run for run in runs if _within(times, run.started_at) and matches(run))


def _matching_closed(world: World, params: Body) -> Iterator[ExecutionRecord]:
    domain = find_domain(world, params["domain"])
    matches = _other_filter(params)
    if ("startTimeFilter" in params) == ("closeTimeFilter" in params):
        raise invalid("Must specify exactly one of startTimeFilter and closeTimeFilter")
    if "closeTimeFilter" in params:
        closed = _ordered(domain.closed, params)
        times = params["closeTimeFilter"]
        return (run for run in closed if _within(times, run.closed_at) and matches(run))
    times = params["startTimeFilter"]
    return (
        run
        for run in _ordered(domain.runs, params)
        if not run.is_open and _within(times, run.started_at) and matches(run)
    )


def _ordered(runs: dict[str, ExecutionRecord], params: Body) -> Iterator[ExecutionRecord]:
    return iter(runs.values()) if params.get("reverseOrder") else reversed(runs.values())


def _within(times: Body, moment: float) -> bool:
    return bool(times["oldestDate"] <= moment <= times.get("latestDate", moment))


FILTERS: dict[str, Callable[[Body, ExecutionRecord], bool]] = {
    "executionFilter": lambda members, run: run.workflow_id == members["workflowId"],
    "typeFilter": lambda members, run: (
        run.config.type.name == members["name"]
        and members.get("version") in (None, "", run.config.type.version)
    ),
    "tagFilter": lambda members, run: members["tag"] in run.config.tags,
    "closeStatusFilter": lambda members, run: run.close_status == members["status"],
}


def _other_filter(params: Body) -> Callable[[ExecutionRecord], bool]:
    present = [name for name in FILTERS if name in params]
    if len(present) > 1:
        raise invalid(f"Must specify at most one of {', '.join(FILTERS)}")
    if not present:
        return lambda _: True
    rule, members = FILTERS[present[0]], params[present[0]]
    return lambda run: rule(members, run)


def _list(world: World, params: Body, runs: Iterator[ExecutionRecord], *, by_close: bool) -> Body:
    purpose = f"executions {params['domain']} {by_close} {bool(params.get('reverseOrder'))}"
    place = attrgetter("close_serial" if by_close else "serial")
    after = position(world, params, purpose)
    if after is not None:
        is_before = operator.le if params.get("reverseOrder") else operator.ge
        runs = dropwhile(lambda run: is_before(place(run), after), runs)
    size = page_size(world, params)
    found = list(islice(runs, size + 1))
    body = {"executionInfos": [info(run) for run in found[:size]]}
    return continued(world, body, purpose, place(found[size - 1])) if len(found) > size else body


def count_pending(kind: TaskKind) -> Callable[[World, Body], Body]:
    """CountPendingActivityTasks and CountPendingDecisionTasks: scheduled and not started."""

    def count(world: World, params: Body) -> Body:
        domain = find_domain(world, params["domain"])
        task_list = domain.task_lists.get((kind, params["taskList"]["name"]))
        return {"count": len(task_list.tasks) if task_list else 0, "truncated": False}

    return count


OPERATIONS = {
    "GetWorkflowExecutionHistory": get_history,
    "DescribeWorkflowExecution": describe,
    "ListOpenWorkflowExecutions": list_open,
    "ListClosedWorkflowExecutions": list_closed,
    "CountOpenWorkflowExecutions": count_open,
    "CountClosedWorkflowExecutions": count_closed,
    "CountPendingActivityTasks": count_pending(TaskKind.ACTIVITY),
    "CountPendingDecisionTasks": count_pending(TaskKind.DECISION),
}

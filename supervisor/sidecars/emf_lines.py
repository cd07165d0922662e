"""CloudWatch's embedded metric format: a line each minute for the host, each list, each operation.

Source: "Specification: Embedded metric format" in the CloudWatch user guide.

Rules:

1. CloudWatch adds up what hosts write, so counts are those of the minute, not since the start.
2. Names are words as CloudWatch shows them; dimensions are few, because each combination costs.
3. Pure: the caller has the clock and the file.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from supervisor.ipc import health
from supervisor.ipc.messages import Role
from supervisor.ipc.messages.tallies import LOST
from supervisor.sidecars import emf_calls
from supervisor.sidecars.emf_units import BYTES, COUNT, SECONDS, Values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from supervisor.ipc.messages import ListState
    from supervisor.ipc.messages.tallies import Tallies
    from supervisor.sidecars.observation import Observation

NAMESPACE = "garcon"

_RESULTS = {"TasksCompleted": "completed", "TasksFailed": "failed", "TasksLost": LOST}


def lines(seen: Observation, before: Tallies | None, flow: str, at: float) -> Iterator[str]:
    """The lines of one minute.

    Args:
        seen: The pool now.
        before: The counts at the last minute; ``None`` at the first, which then has no counts.
        flow: The flow's name, a dimension of all metrics.
        at: Seconds since the epoch.
    """
    counted = emf_calls.increase(seen.tallies, before)
    values = _host(seen) | emf_calls.of_host(counted) | emf_calls.of_sample(seen.tallies)
    yield _line(at, {"Flow": flow}, values)
    for name, values in _of_lists(seen, before, counted):
        yield _line(at, {"Flow": flow, "TaskList": name}, values)
    for operation, values in emf_calls.of_operations(counted):
        yield _line(at, {"Flow": flow, "Operation": operation}, values)


def _of_lists(
    seen: Observation, before: Tallies | None, counted: emf_calls.Increase
) -> Iterator[tuple[str, Values]]:
    ended, seconds = _ended(seen.tallies), _seconds(seen.tallies)
    ended_before = _ended(before) if before else ended
    seconds_before = _seconds(before) if before else seconds
    for each in seen.status.lists:
        name = each.task_list.name
        values = _of_list(each)
        for metric, result in _RESULTS.items():
            values[metric] = (ended[name, result] - ended_before[name, result], COUNT)
        if each.task_list.role is Role.ACTIVITY:
            values |= emf_calls.of_activity_list(counted, name)
        values["BusySeconds"] = (round(seconds[name] - seconds_before[name], 3), SECONDS)
        yield name, values


def _host(seen: Observation) -> Values:
    return {
        "HealthyHosts": (int(not any(health.problems(seen.status))), COUNT),
        "DrainingHosts": (int(seen.status.leaving is not None), COUNT),
        "PendingReports": (seen.status.pending_reports, COUNT),
        "WorkerMemory": (sum(seen.memory.values()), BYTES),
    }


def _of_list(state: ListState) -> Values:
    values: Values = {
        "WorkersDesired": (state.desired, COUNT),
        "WorkersReady": (state.ready, COUNT),
        "WorkersBusy": (state.working, COUNT),
    }
    if state.pending is not None:
        values["TasksWaiting"] = (state.pending, COUNT)
    return values


def _ended(tallies: Tallies) -> Counter[tuple[str, str]]:
    return Counter({(t.task_list.name, t.result): sum(t.classes) for t in tallies.tasks})


def _seconds(tallies: Tallies) -> defaultdict[str, float]:
    found: defaultdict[str, float] = defaultdict(float)
    for each in tallies.tasks:
        found[each.task_list.name] += each.seconds
    return found


def _line(at: float, labels: Mapping[str, str], values: Mapping[str, tuple[float, str]]) -> str:
    metrics = [{"Name": name, "Unit": unit} for name, (_, unit) in values.items()]
    directive = {"Namespace": NAMESPACE, "Dimensions": [list(labels)], "Metrics": metrics}
    members: dict[str, Any] = {
        "_aws": {"Timestamp": int(at * 1000), "CloudWatchMetrics": [directive]},
        **labels,
        **{name: value for name, (value, _) in values.items()},
    }
    return json.dumps(members)

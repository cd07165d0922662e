"""Metrics of what the children count: calls to SWF, heartbeats, decisions, waits and claims."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supervisor.config.call_budgets import REFILL
from supervisor.ipc.messages import Role
from supervisor.ipc.messages.tallies import (
    BOUNDS,
    DECISION_BOUNDS,
    LOOKED_AT,
    OPEN,
    SAMPLED_AT,
    Row,
    Sampled,
)
from supervisor.sidecars.monitor.metric_kinds import (
    Counter,
    Distribution,
    Gauge,
    Histogram,
    Metric,
    Sample,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from supervisor.sidecars.observation import Observation

RESULTS = ("accepted", "throttled", "refused", "failed")
"""The results of a call, as in ``garcon.aws.usage``."""

USUAL = (
    "PollForActivityTask",
    "PollForDecisionTask",
    "RecordActivityTaskHeartbeat",
    "RespondActivityTaskCompleted",
    "RespondActivityTaskFailed",
    "RespondDecisionTaskCompleted",
)
"""The calls of every pool: counted from 0."""


def rows(seen: Observation, row: Row) -> dict[tuple[str, ...], tuple[float, ...]]:
    """The numbers of the children's counters of one kind, by their labels."""
    return {each.key[1:]: each.numbers for each in seen.tallies.counters if each.key[0] == row}


def calls(seen: Observation) -> dict[tuple[str, ...], float]:
    """Attempts at calls, by operation and result."""
    usual = {(operation, result): 0.0 for operation in USUAL for result in RESULTS}
    return usual | {key: first for key, (first, *_) in rows(seen, Row.CALLS).items()}


def heartbeats(seen: Observation) -> dict[tuple[str, ...], float]:
    """Heartbeats, by task list and result."""
    lists = [each.task_list for each in seen.status.lists]
    names = [each.name for each in lists if each.role is Role.ACTIVITY]
    zeros = {(name, result): 0.0 for name in names for result in RESULTS}
    return zeros | {key: first for key, (first, *_) in rows(seen, Row.HEARTBEATS).items()}


def budget_seconds(seen: Observation) -> dict[str, float]:
    """Seconds of the account's budget that were spent, by operation."""
    spent: dict[str, float] = {}
    for (operation, _), number in calls(seen).items():
        if operation in REFILL:
            spent[operation] = spent.get(operation, 0.0) + number / REFILL[operation]
    return spent


def waits(seen: Observation) -> Iterator[Distribution]:
    """Waits of activity tasks, by task list."""
    return _distributions(seen, Row.WAITS)


def decisions(seen: Observation) -> Iterator[Distribution]:
    """Times of decisions."""
    return _distributions(seen, Row.DECISIONS)


def _distributions(seen: Observation, row: Row) -> Iterator[Distribution]:
    for labels, (*classes, seconds) in rows(seen, row).items():
        yield Distribution(labels, tuple(map(int, classes)), seconds)


def _claims(seen: Observation, position: int) -> Iterable[Sample]:
    counted = rows(seen, Row.CLAIMS)
    for action in ("stored", "fetched"):
        yield (action,), counted.get((action,), (0.0, 0.0))[position]


def _states(seen: Observation) -> Iterable[Sample]:
    counted = rows(seen, Row.STATES)
    return (((how,), counted.get((how,), (0.0,))[0]) for how in ("kept", "read"))


def _by_operation(spent: Mapping[str, float]) -> Iterable[Sample]:
    return (((operation,), seconds) for operation, seconds in spent.items())


def sample(seen: Observation) -> dict[str, float]:
    """The findings of the latest sample of executions; empty before the first."""
    return {label: number for (label,), (number,) in rows(seen, Row.SAMPLE).items()}


def _sampled(seen: Observation, *labels: str) -> Iterable[Sample]:
    found = sample(seen)
    return [((), found[label]) for label in labels if label in found]


def _standstills(seen: Observation) -> Iterable[Sample]:
    found = sample(seen)
    return [((cause.value,), found[cause]) for cause in Sampled if cause in found]


def _sample_age(seen: Observation) -> Iterable[Sample]:
    found = sample(seen)
    return [((), seen.at - found[SAMPLED_AT])] if SAMPLED_AT in found else []


METRICS: tuple[Metric, ...] = (
    Counter(
        "garcon_swf_calls_total",
        "Attempts at calls to SWF by result: accepted, throttled, refused for another reason, or"
        " failed without an answer of SWF.",
        ("operation", "result"),
        lambda seen: calls(seen).items(),
    ),
    Counter(
        "garcon_swf_budget_seconds_total",
        "Calls divided by the account's default rate for the operation, in seconds: its rate is"
        " the share of the account's budget that this host spends.",
        ("operation",),
        lambda seen: _by_operation(budget_seconds(seen)),
    ),
    Counter(
        "garcon_heartbeats_total",
        "Heartbeats of activity tasks by result, as of calls; refused means that the task had"
        " closed, or a permission is missing.",
        ("task_list", "result"),
        lambda seen: heartbeats(seen).items(),
    ),
    Histogram(
        "garcon_task_wait_seconds",
        "Time from the scheduling of an activity task to its start by a worker of any host, in"
        " seconds; counted by the decider that sees the start first.",
        ("task_list",),
        BOUNDS,
        waits,
    ),
    Histogram(
        "garcon_decision_duration_seconds",
        "Time to read the history and decide, without the poll and the answer, in seconds.",
        (),
        DECISION_BOUNDS,
        decisions,
    ),
    Counter(
        "garcon_decision_events_total",
        "Events of histories that deciders have read.",
        (),
        lambda seen: [((), rows(seen, Row.EVENTS).get((), (0.0,))[0])],
    ),
    Counter(
        "garcon_decision_states_total",
        "Decisions of sticky deciders by the state that they began with: kept from the decision"
        " before, or read with the whole history.",
        ("state",),
        _states,
    ),
    Counter(
        "garcon_claims_total",
        "Texts that were stored in the claim store, or fetched from it.",
        ("action",),
        lambda seen: _claims(seen, 0),
    ),
    Counter(
        "garcon_claim_bytes_total",
        "Size of these texts, in bytes.",
        ("action",),
        lambda seen: _claims(seen, 1),
    ),
    Gauge(
        "garcon_open_executions",
        "Open executions of the flow, at the last sample of --sample-executions.",
        (),
        lambda seen: _sampled(seen, OPEN),
    ),
    Gauge(
        "garcon_sampled_executions",
        "Those in the last sample of this host.",
        (),
        lambda seen: _sampled(seen, LOOKED_AT),
    ),
    Gauge(
        "garcon_sampled_standstills",
        "Those of them that do not go on, by cause: waiting (no worker takes a task), quiet (no"
        " event for long), parked, returned or stuck, as in `garcon list`.",
        ("cause",),
        _standstills,
    ),
    Gauge(
        "garcon_sample_age_seconds",
        "Time since the end of that sample, in seconds.",
        (),
        _sample_age,
    ),
)
"""The metrics of what children count, in the order of the documentation."""

"""Metrics of CloudWatch's lines that children count: calls, heartbeats, decisions, waits, claims.

Pure. All are counts of one minute (``increase``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from supervisor.config.call_budgets import REFILL
from supervisor.ipc.messages.tallies import LOOKED_AT, OPEN, Row, Sampled
from supervisor.sidecars.emf_units import BYTES, COUNT, PERCENT, SECONDS, Values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supervisor.ipc.messages.tallies import Tallies

Increase = dict[tuple[str, ...], tuple[float, ...]]
"""The additions to each counter."""

MINUTE = 60.0
"""Seconds between two lines."""


def increase(now: Tallies, before: Tallies | None) -> Increase:
    """The counts between two reads; none at the first."""
    known = {each.key: each.numbers for each in (before or now).counters}
    return {
        each.key: tuple(
            number - old
            for number, old in zip(
                each.numbers, known.get(each.key, (0.0,) * len(each.numbers)), strict=True
            )
        )
        for each in now.counters
    }


def of_host(counted: Increase) -> Values:
    """Decisions and claims."""
    *decided, seconds = counted.get((Row.DECISIONS,), (0.0,))
    stored = counted.get((Row.CLAIMS, "stored"), (0.0, 0.0))
    fetched = counted.get((Row.CLAIMS, "fetched"), (0.0, 0.0))
    return {
        "Decisions": (sum(decided), COUNT),
        "DecisionSeconds": (round(seconds, 3), SECONDS),
        "DecisionEvents": (_one(counted, Row.EVENTS), COUNT),
        "DecisionStatesKept": (_one(counted, Row.STATES, "kept"), COUNT),
        "DecisionStatesRead": (_one(counted, Row.STATES, "read"), COUNT),
        "ClaimsStored": (stored[0], COUNT),
        "ClaimBytesStored": (stored[1], BYTES),
        "ClaimsFetched": (fetched[0], COUNT),
        "ClaimBytesFetched": (fetched[1], BYTES),
    }


def of_activity_list(counted: Increase, name: str) -> Values:
    """Heartbeats of a list's tasks, and the waits of those that were started."""
    beats = {
        result: numbers[0]
        for (row, *labels), numbers in counted.items()
        for result in labels[1:]
        if row == Row.HEARTBEATS and labels[0] == name
    }
    accepted = beats.pop("accepted", 0.0)
    *started, seconds = counted.get((Row.WAITS, name), (0.0,))
    return {
        "HeartbeatsSent": (accepted, COUNT),
        "HeartbeatsRefused": (sum(beats.values()), COUNT),
        "TasksStarted": (sum(started), COUNT),
        "WaitSeconds": (round(seconds, 3), SECONDS),
    }


def of_operations(counted: Increase) -> Iterator[tuple[str, Values]]:
    """The calls by operation, of those that this host has made since its start."""
    calls = {
        (labels[0], labels[1]): numbers[0]
        for (row, *labels), numbers in counted.items()
        if row == Row.CALLS
    }
    for operation in sorted({operation for operation, _ in calls}):
        by_result = {
            result: number for (name, result), number in calls.items() if name == operation
        }
        total = sum(by_result.values())
        values: Values = {
            "Calls": (total, COUNT),
            "CallsThrottled": (by_result.get("throttled", 0.0), COUNT),
            "CallsFailed": (by_result.get("refused", 0.0) + by_result.get("failed", 0.0), COUNT),
        }
        if rate := REFILL.get(operation):
            values["BudgetUsed"] = (round(total / rate / MINUTE * 100, 4), PERCENT)
        yield operation, values


def of_sample(now: Tallies) -> Values:
    """The findings of the latest sample of executions; none before the first."""
    found = {each.key[1]: each.numbers[0] for each in now.counters if each.key[0] == Row.SAMPLE}
    names = {OPEN: "OpenExecutions", LOOKED_AT: "SampledExecutions"}
    names |= {cause: f"Sampled{cause.value.capitalize()}" for cause in Sampled}
    return {name: (found[label], COUNT) for label, name in names.items() if label in found}


def _one(counted: Increase, *key: str) -> float:
    return counted.get(key, (0.0,))[0]

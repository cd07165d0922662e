"""Poison: a task or decision that kills its worker at every attempt, recognised across retries.

Rules:

1. A task keeps its identity over retries by workflow id, run id and activity id.
2. Each report of a death carries in its details the activity id and the number of deaths so far. So
   the latest such failure in the history has the count.
3. Only deaths of the task's own making count: not those of a task that had not started, or that was
   stopped by people.
4. From ``poison_deaths`` on the failure's reason is ``Poison``, which no decider retries.
5. An execution's decisions count together: the latest answer in its history has the number
   (``decision_deaths``). From ``poison_deaths`` on the execution is parked, for a longer time after
   each further death, or fails.
6. Pure. Others can write to a history too, so its contents are checked before they are used.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from garcon.aws import limits
from garcon.decider import decisions
from garcon.history import decision_deaths, failure_reasons
from garcon.history.decision_deaths import DecisionDeaths
from garcon.payload import safe_json
from supervisor.backoff import Backoff
from supervisor.ipc.messages import Fail, ReturnTask

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from random import Random

_COUNTED = frozenset({failure_reasons.WORKER_DIED, failure_reasons.POISON})

_MOST = 1_000_000
"""Deaths that a history may claim: a larger number was not written by this program."""

PARKING = Backoff(60.0, 2.0, 3600.0, jitter=0.5)
"""Waits of a parked execution. An hour still finds mended code the same day."""


class DecisionAnswer(msgspec.Struct, frozen=True):
    """The answer to a decision task whose decider died.

    Attributes:
        decisions: The return timer, or the failure of the execution.
        deaths: The deaths so far, for the history.
        error: The log line about a poison decision; empty before that.
    """

    decisions: list[dict[str, Any]]
    deaths: DecisionDeaths
    error: str = ""


def decision_answer(
    why: str, deaths: int, poison_deaths: int, random: Random, *, fails: bool
) -> DecisionAnswer:
    """Return the decision task at once; from ``poison_deaths`` on park or fail the execution.

    Args:
        why: The cause of the last death.
        deaths: Deaths in a row, this one included.
        poison_deaths: Number of deaths from which on the decision is poison.
        random: The source of the wait's jitter.
        fails: Whether a poison decision fails its execution.
    """
    if deaths < poison_deaths:
        counted = DecisionDeaths(deaths, why)
        return DecisionAnswer(decisions.return_task(control=str(counted)), counted)
    poison = f"{deaths} deciders died in a row while they decided it, the last: {why}."
    if fails:
        reason = f"{failure_reasons.POISON}: {poison}"
        error = f"{poison} It fails, as --on-poison-decision says."
        return DecisionAnswer([decisions.fail_workflow(reason)], DecisionDeaths(deaths, why), error)
    wait = round(PARKING.wait_after(deaths - poison_deaths + 1, random))
    counted = DecisionDeaths(deaths, why, wait)
    error = (
        f"{poison} It is parked, and attempted again in {wait} s. Deploy code that can decide it,"
        " or terminate it."
    )
    return DecisionAnswer(decisions.return_task(wait, str(counted)), counted, error)


def is_counted(answer: object) -> bool:
    """Whether this answer reports a death that counts."""
    if isinstance(answer, ReturnTask):
        return bool(answer.death)
    return (
        isinstance(answer, Fail)
        and failure_reasons.prefix_of(answer.reason) == failure_reasons.WORKER_DIED
    )


def decision_deaths_before(events: Iterable[Mapping[str, Any]]) -> int | None:
    """Deaths in a row that the history has on record; ``None`` if there is no record.

    Args:
        events: Of GetWorkflowExecutionHistory, the latest first.
    """
    latest = decision_deaths.latest(events)
    return None if latest is None else latest.deaths


def deaths_before(events: Iterable[Mapping[str, Any]], activity_id: str) -> int | None:
    """Deaths that the history has on record for this activity; ``None`` if there is no record.

    Args:
        events: Of GetWorkflowExecutionHistory, the latest first.
        activity_id: The activity whose deaths are counted.
    """
    for event in events:
        failed = event.get("activityTaskFailedEventAttributes") or {}
        if failure_reasons.prefix_of(failed.get("reason")) in _COUNTED:
            details = _details(failed.get("details"))
            if details.get("activity_id") == activity_id and _is_count(details.get("deaths")):
                return int(details["deaths"])
    return None


def with_deaths(fail: Fail, activity_id: str, deaths: int, poison_deaths: int) -> Fail:
    """The failure to report, with the count in its details; ``Poison`` at too many deaths.

    Args:
        fail: The failure as the supervisor ordered it.
        activity_id: The activity whose worker died.
        deaths: Deaths so far, this one included.
        poison_deaths: Number of deaths from which on the task is poison.
    """
    reason = fail.reason
    if deaths >= poison_deaths:
        last = reason.partition(": ")[2]
        reason = f"{failure_reasons.POISON}: {deaths} workers died of it, the last {last}"[
            : limits.REASON
        ]
    details = {**_details(fail.details), "activity_id": activity_id, "deaths": deaths}
    return Fail(reason, _fitting(details))


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _MOST


def _details(text: str | None) -> dict[str, Any]:
    try:
        details = safe_json.loads(text or "{}")
    except ValueError:
        return {}
    return details if isinstance(details, dict) else {}


def _fitting(details: dict[str, Any]) -> str:
    """The details as JSON; if they are too long, without the oldest of the last lines."""
    text = json.dumps(details)
    lines = details.get("last_lines")
    while len(text) > limits.DETAILS and isinstance(lines, list) and lines:
        lines = lines[len(lines) // 2 + 1 :]
        text = json.dumps({**details, "last_lines": lines})
    return text

"""Poison: a task that kills its workers again and again, recognised across its retries.

Rules of this file:

1. A task is the same one as long as workflow id, run id and activity id are the same.
2. Every report of a death says in its details which activity it is about and how many deaths that
   makes. So the latest such failure in the history tells all that came before.
3. Only deaths of the task's own making count: a task that was never begun, or was cut short by
   people, killed nobody.
4. At so many deaths the failure says ``Poison``, which no decider tries again.
5. Pure. What the history holds was written by whoever may write there: it is read with care.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from garcon import limits, reasons, untrusted
from supervisor.messages import Fail

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_COUNTED = frozenset({reasons.WORKER_DIED, reasons.POISON})

_MOST = 1_000_000
"""Deaths that a history may claim: whatever says more was not written here."""


def counts(answer: object) -> bool:
    """Whether this answer tells of a death that counts."""
    return isinstance(answer, Fail) and reasons.prefix_of(answer.reason) == reasons.WORKER_DIED


def deaths_before(events: Iterable[Mapping[str, Any]], activity_id: str) -> int | None:
    """Deaths that the history tells of this activity; ``None`` if these events do not tell.

    Args:
        events: Of GetWorkflowExecutionHistory, the latest first.
        activity_id: Whose deaths are counted.
    """
    for event in events:
        failed = event.get("activityTaskFailedEventAttributes") or {}
        if reasons.prefix_of(failed.get("reason")) in _COUNTED:
            told = _details(failed.get("details"))
            if told.get("activity_id") == activity_id and _is_count(told.get("deaths")):
                return int(told["deaths"])
    return None


def judged(fail: Fail, activity_id: str, deaths: int, poison_deaths: int) -> Fail:
    """The failure that SWF is told, with the count; ``Poison`` if that makes too many.

    Args:
        fail: As the supervisor ordered it.
        activity_id: Whose worker died.
        deaths: How many of them, this one included.
        poison_deaths: How many are too many.
    """
    reason = fail.reason
    if deaths >= poison_deaths:
        last = reason.partition(": ")[2]
        reason = f"{reasons.POISON}: {deaths} workers died of it, the last {last}"[: limits.REASON]
    told = {**_details(fail.details), "activity_id": activity_id, "deaths": deaths}
    return Fail(reason, _fitting(told))


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _MOST


def _details(text: str | None) -> dict[str, Any]:
    try:
        told = untrusted.loads(text or "{}")
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _fitting(details: dict[str, Any]) -> str:
    """As JSON, without the oldest of the last lines if there is no room for them."""
    text = json.dumps(details)
    lines = details.get("last_lines")
    while len(text) > limits.DETAILS and isinstance(lines, list) and lines:
        lines = lines[len(lines) // 2 + 1 :]
        text = json.dumps({**details, "last_lines": lines})
    return text

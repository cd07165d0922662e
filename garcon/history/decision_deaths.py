"""Deaths of deciders: their number in a row, as an execution's history records it.

SWF has no call to fail a decision task. So the answer for a decider that died starts the return
timer, which brings the next decision task. The answer's ``executionContext`` and the timer's
``control`` carry a ``DecisionDeaths``.

Rules:

1. The latest answer in the history has the number. An answer without one ends the row, because a
   decider has decided. Only the answer of a returned task does not: nothing was decided
   (``returned_tasks``).
2. An execution is *parked* if the timer has a wait: until it fires, its decision tasks are answered
   without decisions and without running the flow's code. These answers repeat the number.
3. Pure. Others can write to a history too, so its contents are checked before they are used.
"""

import itertools
import json
from collections.abc import Iterable, Mapping
from typing import Any, TypeGuard

import msgspec

from garcon.aws import limits
from garcon.history import returned_tasks
from garcon.payload import safe_json

_MOST = 1_000_000
"""Deaths that a history may claim: a larger number was not written by this library."""


class DecisionDeaths(msgspec.Struct, frozen=True):
    """Deaths of deciders in a row, each with a decision of one execution in progress.

    Attributes:
        deaths: Their number.
        why: The cause of the last.
        parked: Seconds until the next attempt; 0 if the execution is not parked.
    """

    deaths: int
    why: str
    parked: int = 0

    def __str__(self) -> str:
        """The JSON text for SWF."""
        return json.dumps(msgspec.structs.asdict(self) | {"why": self.why[: limits.REASON]})


def read(text: str | None) -> DecisionDeaths | None:
    """The value of a text in a history; ``None`` if it is not one of these."""
    try:
        found = safe_json.loads(text or "null")
    except ValueError:
        return None
    if not isinstance(found, dict) or not _is_count(found.get("deaths")):
        return None
    seconds = found.get("parked")
    why = str(found.get("why", ""))
    return DecisionDeaths(found["deaths"], why, seconds if _is_count(seconds) else 0)


def latest(events: Iterable[Mapping[str, Any]]) -> DecisionDeaths | None:
    """The deaths that the latest answer carries; 0 of them if it is a decider's own.

    Args:
        events: The latest first.

    Returns:
        ``None`` if there is no answer among the events.
    """
    returned: set[int] = set()
    for event in events:
        returned |= returned_tasks.answer_of(event)
        if event["eventType"] == "DecisionTaskCompleted":
            deaths = _of_answer(event)
            if deaths or event.get("eventId") not in returned:
                return deaths or DecisionDeaths(0, "")
    return None


def parked(events: Iterable[Mapping[str, Any]]) -> DecisionDeaths | None:
    """The deaths for which the execution is parked; ``None`` if it is not, or not by these events.

    Args:
        events: The latest first, from the last one on: older ones alone prove nothing.
    """
    deaths = latest(itertools.takewhile(lambda event: not returned_tasks.is_over(event), events))
    return deaths if deaths and deaths.parked else None


def _of_answer(event: Mapping[str, Any]) -> DecisionDeaths | None:
    return read(event.get("decisionTaskCompletedEventAttributes", {}).get("executionContext"))


def _is_count(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _MOST

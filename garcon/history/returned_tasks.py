"""Decision tasks that were returned undecided, as an execution's history records them.

The answer to such a task starts the return timer, which brings the next decision task.

Rules:

1. An answer that started the return timer, or failed to, returned its task.
2. If a process returns a task because its host lacks something, the answer's ``executionContext``
   carries a ``ReturnedTask``: how often in a row, and why. The wait grows with the number, because
   hosts that lack the same thing would fill the history with their returns.
3. Pure. Others can write to a history too, so its contents are checked before they are used.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from garcon.aws import limits
from garcon.history.reserved_timers import RETURN_TIMER
from garcon.payload import safe_json

_MOST = 1_000_000
"""Returns that a history may claim: a larger number was not written by this library."""

FIRST_WAIT, LONGEST_WAIT = 5, 600
"""Seconds. A host that has what is missing gets the task soon, and a mended host within minutes."""


class ReturnedTask(msgspec.Struct, frozen=True):
    """Returns of one execution's decision tasks in a row, for what a host lacks.

    Attributes:
        returned: Their number.
        why: What the host of the last lacks.
        wait: Seconds until the next attempt.
    """

    returned: int
    why: str
    wait: int

    def __str__(self) -> str:
        """The JSON text for SWF."""
        return json.dumps(msgspec.structs.asdict(self) | {"why": self.why[: limits.REASON]})


def another(events: Iterable[Mapping[str, Any]], why: str) -> ReturnedTask:
    """The next return of an execution's decision tasks.

    Args:
        events: Of the execution, the latest first.
        why: What this host lacks.
    """
    last = latest(events)
    number = last.returned + 1 if last else 1
    return ReturnedTask(number, why, wait_after(number))


def wait_after(number: int) -> int:
    """Seconds to wait after so many returns in a row, from 1 on."""
    return min(FIRST_WAIT << min(number - 1, 10), LONGEST_WAIT)


def latest(events: Iterable[Mapping[str, Any]]) -> ReturnedTask | None:
    """The returns that the latest answer carries; ``None`` if it is another answer, or none."""
    for event in events:
        if event["eventType"] == "DecisionTaskCompleted":
            attributes = event.get("decisionTaskCompletedEventAttributes") or {}
            return read(attributes.get("executionContext"))
    return None


def read(text: str | None) -> ReturnedTask | None:
    """The value of a text in a history; ``None`` if it is not one of these."""
    try:
        found = safe_json.loads(text or "null")
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    number, wait = found.get("returned"), found.get("wait")
    if type(number) is not int or type(wait) is not int or not 0 < number <= _MOST:
        return None
    return ReturnedTask(number, str(found.get("why", "")), min(max(wait, 0), LONGEST_WAIT))


def answer_of(event: Mapping[str, Any]) -> set[int]:
    """The number of the answer that this event shows to be a return, if it shows one."""
    members = _return_timer(event, _STARTS)
    return {members["decisionTaskCompletedEventId"]} if members else set()


def is_over(event: Mapping[str, Any]) -> bool:
    """Whether this event ends the wait for a returned task's next attempt."""
    members = _return_timer(event, _ENDS)
    # An id in use belongs to the timer of an earlier answer, which will fire.
    return members.get("cause", "") != "TIMER_ID_ALREADY_IN_USE" if members else False


_STARTS = {"TimerStarted": "timerStarted", "StartTimerFailed": "startTimerFailed"}
_ENDS = {"TimerFired": "timerFired", "StartTimerFailed": "startTimerFailed"}


def _return_timer(event: Mapping[str, Any], kinds: Mapping[str, str]) -> Mapping[str, Any]:
    """The members of an event of these kinds if it is about the return timer, else none."""
    kind = kinds.get(event["eventType"])
    members: Mapping[str, Any] = event.get(f"{kind}EventAttributes") or {} if kind else {}
    return members if members.get("timerId") == RETURN_TIMER else {}

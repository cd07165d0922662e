"""One activity of a past execution, done again in this process with the input it really had.

Rules:

1. SWF hears nothing: heartbeats are handed to whoever looks on, results are values.
2. The tasks are the user's code, and run as a worker runs them, but for the timeouts: nobody ends
   a task that takes longer than it may, so that it can be looked at in a debugger.
3. What they raise is an outcome, with the whole traceback; ``on_exception`` is not called.
"""

import logging
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from garcon import limits, payload
from garcon.activity import (
    Activity,
    ActivityExecution,
    Canceled,
    Completed,
    ExternalActivity,
    Failed,
    TaskCanceled,
    find_workflow_activities,
)
from garcon.workflow.errors import NotRepeatable
from garcon.workflow.history import Event, attributes
from garcon.workflow.values import Execution

Beat = Callable[[str], None]

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One ActivityTaskScheduled event: what a worker was, or would have been, given.

    Attributes:
        event_id: Of the event.
        activity_id: The instance's id.
        activity_name: Name of the activity type.
        number: Which try of this id it is, from 1.
        input: The input as JSON text, if there was one.
        start_to_close: Seconds the tasks might last, if that was limited.
    """

    event_id: int
    activity_id: str
    activity_name: str
    number: int
    input: str | None
    start_to_close: float | None


def attempts(events: Iterable[Event]) -> list[Attempt]:
    """All tries of all activities, in the order in which they were scheduled."""
    found: list[Attempt] = []
    tries: dict[str, int] = {}
    for event in events:
        if event["eventType"] == "ActivityTaskScheduled":
            told = attributes(event)
            id_ = str(told.get("activityId"))
            tries[id_] = tries.get(id_, 0) + 1
            found.append(_attempt(event["eventId"], told, tries[id_]))
    return found


def _attempt(event_id: int, told: Mapping[str, Any], number: int) -> Attempt:
    limit = str(told.get("startToCloseTimeout", ""))
    return Attempt(
        event_id=event_id,
        activity_id=str(told.get("activityId")),
        activity_name=str(told.get("activityType", {}).get("name")),
        number=number,
        input=told.get("input"),
        start_to_close=float(limit) if limit.isdigit() else None,
    )


def choose(found: list[Attempt], wanted: str, flow: str, number: int | None = None) -> Attempt:
    """The try that somebody means.

    Args:
        found: All tries.
        wanted: The activity's id, or the beginning of one; the flow's name may be left out.
        flow: The flow's name.
        number: Which try; the last if not given.

    Raises:
        NotRepeatable: There is none, or several ids begin like that.
    """
    ids = list(dict.fromkeys(each.activity_id for each in found))
    exact = [each for each in ids if each in (wanted, f"{flow}_{wanted}")]
    alike = exact or [each for each in ids if each.startswith((wanted, f"{flow}_{wanted}"))]
    if len(alike) != 1:
        many = "Several activities begin with" if alike else "No activity begins with"
        raise NotRepeatable(f"{many} {wanted!r}; there are: {_few(alike or ids)}.")
    tries = [each for each in found if each.activity_id == alike[0]]
    if number is None:
        return tries[-1]
    if not 1 <= number <= len(tries):
        raise NotRepeatable(f"{alike[0]} was tried {len(tries)} times; there is no try {number}.")
    return tries[number - 1]


def _few(ids: list[str], shown: int = 20) -> str:
    more = f" and {len(ids) - shown} more" if len(ids) > shown else ""
    return (", ".join(ids[:shown]) or "none") + more


def rerun(
    flow: Any, attempt: Attempt, where: Execution, beat: Beat
) -> Completed | Failed | Canceled:
    """Do the tasks.

    Args:
        flow: The flow, a module or any object.
        attempt: Which try.
        where: Of which execution, as the tasks are told.
        beat: Hears the details of each heartbeat.

    Raises:
        NotRepeatable: The flow does not do such activities.
    """
    activity = _activity(flow, attempt.activity_name)
    execution = ActivityExecution(
        _Nobody(beat),
        attempt.activity_id,
        "no token: SWF is not asked",
        attempt.input,
        workflow_id=where.workflow_id,
        run_id=where.run_id,
        activity_name=attempt.activity_name,
        start_to_close=attempt.start_to_close,
    )
    try:
        result = activity.execute_activity(execution)
        payload.encode(result, f"The result of {attempt.activity_id}")
    except TaskCanceled as error:
        return Canceled(str(error) or None)
    except Exception as error:
        _logger.debug("%s failed.", attempt.activity_id, exc_info=True)
        return Failed(limits.reason(error), "".join(traceback.format_exception(error)))
    return Completed(result)


def _activity(flow: Any, name: str) -> Activity:
    found = next((each for each in find_workflow_activities(flow) if each.name == name), None)
    if found is None:
        known = ", ".join(str(each.name) for each in find_workflow_activities(flow)) or "none"
        raise NotRepeatable(f"The flow has no activity {name}; it has: {known}.")
    if isinstance(found, ExternalActivity):
        raise NotRepeatable(f"The activity {name} is done by another program.")
    return found


class _Nobody:
    """In the place of SWF's client: hears heartbeats, and answers that all is well."""

    def __init__(self, beat: Beat) -> None:
        self._beat = beat

    def record_activity_task_heartbeat(
        self,
        taskToken: str,  # noqa: ARG002, N803 - boto3's names
        details: str | None = None,
    ) -> dict[str, bool]:
        self._beat(details or "")
        return {"cancelRequested": False}

"""One activity of a past execution, run again in this process with its recorded input.

Rules:

1. Nothing is sent to SWF: heartbeats go to a callback, the outcome is a value.
2. The tasks are the user's code and run as in a worker, but without timeouts: a task may stand in a
   debugger for as long as it likes.
3. An exception of a task is an outcome with its whole traceback; ``on_exception`` is not called.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from garcon.activity import (
    Activity,
    ActivityExecution,
    AttemptCanceled,
    AttemptCompleted,
    AttemptFailed,
    ExternalActivity,
    TaskCanceled,
    find_workflow_activities,
)
from garcon.executions.errors import NotRepeatable
from garcon.executions.recorded_history import Event, attributes
from garcon.executions.values import Execution
from garcon.payload import codec

OnHeartbeat = Callable[[str], None]

SHOWN_IDS = 20  # activity ids in an error

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One ActivityTaskScheduled event: what a worker was, or would have been, given.

    Attributes:
        event_id: Number of the event.
        activity_id: The instance's id.
        activity_name: Name of the activity type.
        number: Number of the attempt among those of this id, from 1.
        input: The input as JSON text, if there was one.
        start_to_close: Seconds that the attempt might last, if it was limited.
    """

    event_id: int
    activity_id: str
    activity_name: str
    number: int
    input: str | None
    start_to_close: float | None


def attempts(events: Iterable[Event]) -> list[Attempt]:
    """All attempts at all activities, in the order in which they were scheduled."""
    found: list[Attempt] = []
    counts: dict[str, int] = {}
    for event in events:
        if event["eventType"] == "ActivityTaskScheduled":
            members = attributes(event)
            id_ = str(members.get("activityId"))
            counts[id_] = counts.get(id_, 0) + 1
            found.append(_attempt(event["eventId"], members, counts[id_]))
    return found


def _attempt(event_id: int, members: Mapping[str, Any], number: int) -> Attempt:
    limit = str(members.get("startToCloseTimeout", ""))
    return Attempt(
        event_id=event_id,
        activity_id=str(members.get("activityId")),
        activity_name=str(members.get("activityType", {}).get("name")),
        number=number,
        input=members.get("input"),
        start_to_close=float(limit) if limit.isdigit() else None,
    )


def choose(
    found: list[Attempt], id_or_prefix: str, flow: str, number: int | None = None
) -> Attempt:
    """One attempt out of all.

    Args:
        found: All attempts.
        id_or_prefix: The activity's id, or the beginning of exactly one; with or without the
            flow's name in front.
        flow: The flow's name.
        number: Number of the attempt; the last if not given.

    Raises:
        NotRepeatable: No id begins so, or several do, or there is no such attempt.
    """
    ids = list(dict.fromkeys(attempt.activity_id for attempt in found))
    wanted = (id_or_prefix, f"{flow}_{id_or_prefix}")
    matches = [id_ for id_ in ids if id_ in wanted] or [
        id_ for id_ in ids if id_.startswith(wanted)
    ]
    if len(matches) != 1:
        many = "Several activities begin with" if matches else "No activity begins with"
        raise NotRepeatable(f"{many} {id_or_prefix!r}; there are: {_shortened(matches or ids)}.")
    of_id = [attempt for attempt in found if attempt.activity_id == matches[0]]
    if number is None:
        return of_id[-1]
    if not 1 <= number <= len(of_id):
        count = f"{len(of_id)} attempt{'s' if len(of_id) > 1 else ''}"
        raise NotRepeatable(f"{matches[0]} had {count}; there is no attempt {number}.")
    return of_id[number - 1]


def _shortened(ids: list[str]) -> str:
    more = f" and {len(ids) - SHOWN_IDS} more" if len(ids) > SHOWN_IDS else ""
    return (", ".join(ids[:SHOWN_IDS]) or "none") + more


def rerun(
    flow: Any, attempt: Attempt, execution: Execution, on_heartbeat: OnHeartbeat
) -> AttemptCompleted | AttemptFailed | AttemptCanceled:
    """Run the activity's tasks.

    Args:
        flow: The flow, a module or any object.
        attempt: The attempt to repeat.
        execution: The execution, as the tasks see it.
        on_heartbeat: Called with the details of each heartbeat.

    Raises:
        NotRepeatable: The flow does not run such activities.
    """
    activity = _activity(flow, attempt.activity_name)
    task_execution = ActivityExecution(
        _FakeClient(on_heartbeat),
        attempt.activity_id,
        "no token: nothing is sent to SWF",
        attempt.input,
        workflow_id=execution.workflow_id,
        run_id=execution.run_id,
        activity_name=attempt.activity_name,
        start_to_close=attempt.start_to_close,
    )
    try:
        result = activity.execute_activity(task_execution)
        encoded = codec.encoded(result, f"The result of {attempt.activity_id}")
    except TaskCanceled as error:
        return AttemptCanceled(str(error) or None)
    except Exception as error:
        _logger.debug("%s failed.", attempt.activity_id, exc_info=True)
        return AttemptFailed.by(error)
    return AttemptCompleted(encoded)


def _activity(flow: Any, name: str) -> Activity:
    activities = {str(each.name): each for each in find_workflow_activities(flow)}
    if name not in activities:
        raise NotRepeatable(
            f"The flow has no activity {name}; it has: {', '.join(activities) or 'none'}."
        )
    if isinstance(activities[name], ExternalActivity):
        raise NotRepeatable(f"The activity {name} is external: its work is another program's.")
    return activities[name]


class _FakeClient:
    """Stands in for SWF's client: passes heartbeats on, and answers that the task may continue."""

    def __init__(self, on_heartbeat: OnHeartbeat) -> None:
        self._on_heartbeat = on_heartbeat

    def record_activity_task_heartbeat(
        self,
        taskToken: str,  # noqa: ARG002, N803 - boto3's names
        details: str | None = None,
    ) -> dict[str, bool]:
        self._on_heartbeat(details or "")
        return {"cancelRequested": False}

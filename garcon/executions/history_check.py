"""Check of a history from a file against SWF's service model, before it is decided again.

The decider reads events as SWF's own. A file may come from anyone, so a missing or wrong member is
reported here, by event and member, and not as an exception from inside the decider.

Rules:

1. A member that the model does not know is accepted: SWF may add members.
2. The model describes single events. One fact about two events is checked beside it, because a
   replay depends on it: a DecisionTaskCompleted names the last DecisionTaskStarted before it, for
   an execution has one such task at a time.
"""

from typing import Any

from botocore.session import get_session
from botocore.validate import ParamValidator

from garcon.executions.errors import NotAHistory
from garcon.executions.recorded_history import Events, plain
from garcon.history.event_types import EVENT_TYPES, member_of

_UNKNOWN_MEMBER = "Unknown parameter"  # the beginning of botocore's report on a member it lacks


def check(events: Events, name: str) -> Events:
    """The events, each complete, with its time in seconds.

    Args:
        events: A history.
        name: Name of the history in errors.

    Raises:
        NotAHistory: An event lacks a required member, a member or the time has the wrong type, or a
            decision task did not start at the event that its answer names.
    """
    model = get_session().get_service_model("swf").shape_for("HistoryEvent")
    validator, checked = ParamValidator(), []
    started = 0  # number of the last DecisionTaskStarted
    for event in map(plain, events):
        # botocore accepts fewer forms of times than ``moment``, and raises on some.
        report = validator.validate({**event, "eventTimestamp": 0.0}, model)
        fault = _missing_attributes(event) or _first_fault(report) or _wrong_start(event, started)
        if fault:
            place = f"event {event['eventId']} ({event['eventType']})"
            raise NotAHistory(f"{name} is not a complete history: {place}: {fault}.")
        checked.append(event)
        started = event["eventId"] if event["eventType"] == "DecisionTaskStarted" else started
    return checked


def _missing_attributes(event: dict[str, Any]) -> str:
    event_type = event["eventType"]
    member = member_of(event_type)
    return f"it has no {member}" if event_type in EVENT_TYPES and member not in event else ""


def _first_fault(report: Any) -> str:
    lines = str(report.generate_report()).splitlines()
    return next((line for line in lines if not line.startswith(_UNKNOWN_MEMBER)), "")


def _wrong_start(event: dict[str, Any], started: int) -> str:
    if event["eventType"] != "DecisionTaskCompleted":
        return ""
    named = event["decisionTaskCompletedEventAttributes"]["startedEventId"]
    return "" if named == started else f"startedEventId is {named}, the last start was {started}"

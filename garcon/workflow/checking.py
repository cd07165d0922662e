"""Whether events of a file say what SWF's events of their types say, by SWF's service model.

A file was written by others. Whoever decides a history again reads its events like SWF's own, so
what they lack is found here, by event and member, and not as an error from somewhere inside.
Members that the model does not have do no harm: SWF may learn new ones. What the model cannot tell,
because it is about two events, is looked at where a replay depends on it: the answer to a decision
task names the last start of one before it, for an execution has one such task at a time.
"""

from typing import Any

from botocore.session import get_session
from botocore.validate import ParamValidator

from garcon.eventtypes import EVENT_TYPES, member_of
from garcon.workflow.errors import NotAHistory
from garcon.workflow.history import Events, plain

_UNKNOWN = "Unknown parameter"  # how botocore's sentence on a member begins that is not the model's


def checked(events: Events, name: str) -> Events:
    """The events, each whole, with its time in seconds.

    Args:
        events: A history.
        name: Names it in errors.

    Raises:
        NotAHistory: One lacks a member that SWF always gives, or a member is of the wrong kind, or
            its time is none, or a decision task did not start where its answer says.
    """
    model = get_session().get_service_model("swf").shape_for("HistoryEvent")
    validator, found = ParamValidator(), []
    started = 0  # number of the last DecisionTaskStarted
    for event in map(plain, events):
        # botocore reads fewer forms of times than ``moment``, and stumbles over some.
        report = validator.validate({**event, "eventTimestamp": 0.0}, model)
        if fault := _without_attributes(event) or _first_fault(report) or _astray(event, started):
            number, kind = event["eventId"], event["eventType"]
            raise NotAHistory(f"{name} holds no whole history: event {number} ({kind}): {fault}.")
        found.append(event)
        started = event["eventId"] if event["eventType"] == "DecisionTaskStarted" else started
    return found


def _without_attributes(event: dict[str, Any]) -> str:
    kind = event["eventType"]
    member = member_of(kind)
    return f"it has no {member}" if kind in EVENT_TYPES and member not in event else ""


def _first_fault(report: Any) -> str:
    lines = str(report.generate_report()).splitlines()
    return next((each for each in lines if not each.startswith(_UNKNOWN)), "")


def _astray(event: dict[str, Any], started: int) -> str:
    if event["eventType"] != "DecisionTaskCompleted":
        return ""
    named = event["decisionTaskCompletedEventAttributes"]["startedEventId"]
    return "" if named == started else f"startedEventId is {named}, the last start was {started}"

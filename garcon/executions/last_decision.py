"""The latest decision of an execution: by which build, on which host, when. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from garcon.executions import recorded_history
from garcon.executions.recorded_history import Event
from garcon.history import build_notes


@dataclass(frozen=True, slots=True)
class LastDecision:
    """The latest decision, as far as the end of a history shows it.

    Attributes:
        build: Id of the build; empty if it is unknown, or nothing was decided.
        host: The host of the decider, as its identity names it; empty if it is unknown.
        decided: Time of the decision; ``None`` if it is unknown.
        is_stuck: Whether the execution waits for code that fits.
    """

    build: str = ""
    host: str = ""
    decided: datetime | None = None
    is_stuck: bool = False


def last_decision(latest: Sequence[Event]) -> LastDecision:
    """The latest decision.

    Args:
        latest: The end of a history, the latest event first.
    """
    note = build_notes.latest(latest)
    if note is None:
        return LastDecision()
    started = {
        each["eventId"]: str(recorded_history.attributes(each).get("identity", ""))
        for each in latest
        if each["eventType"] == "DecisionTaskStarted"
    }
    for event in latest:
        own = build_notes.latest([event])
        if own and not (own.returned or own.is_stuck):
            identity = started.get(recorded_history.attributes(event)["startedEventId"], "")
            at = datetime.fromtimestamp(recorded_history.moment(event), UTC)
            return LastDecision(note.build, identity.partition(":")[0], at, note.is_stuck)
    return LastDecision(note.build, is_stuck=note.is_stuck)

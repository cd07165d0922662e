"""What came of an execution that `LocalSWF.run` drove to its end."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from garcon import payload, untrusted
from garcon.context import ExecutionContext
from garcon.errors import GarconError
from garcon.local.engine import Body

CLOSINGS = {
    "WorkflowExecutionCompleted": "COMPLETED",
    "WorkflowExecutionFailed": "FAILED",
    "WorkflowExecutionCanceled": "CANCELED",
    "WorkflowExecutionTerminated": "TERMINATED",
    "WorkflowExecutionContinuedAsNew": "CONTINUED_AS_NEW",
    "WorkflowExecutionTimedOut": "TIMED_OUT",
}
"""The status that each last event stands for, as the model calls it."""


class Stuck(GarconError):
    """An execution did not come to an end; the message says what it waits for."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """An execution that has closed.

    Attributes:
        workflow_id: as given, or made up.
        run_id: of the last run, if the execution continued as new.
        history: its events as on the wire; `eventTimestamp` in seconds since the epoch.
    """

    workflow_id: str
    run_id: str
    history: list[Body]

    @property
    def status(self) -> str:
        """Why it closed: "COMPLETED", "FAILED", "CANCELED", "TERMINATED" or "TIMED_OUT"."""
        return CLOSINGS[self.history[-1]["eventType"]]

    @property
    def result(self) -> Any:
        """The result it completed with, read as JSON if it is, else text; None without one."""
        text = self._closing.get("result")
        try:
            return untrusted.loads(text) if text else None
        except ValueError:
            return text

    @property
    def reason(self) -> str | None:
        """Why it failed or was terminated, in the words of who did it."""
        return self._closing.get("reason")

    @property
    def details(self) -> str | None:
        """What was said beside the reason; for a failure in a decider its traceback."""
        return self._closing.get("details")

    @property
    def context(self) -> dict[str, Any]:
        """The input of the workflow, and the results of its activities merged in their order.

        What is in the claim store is fetched; what is not JSON is left out.
        """
        context = ExecutionContext()
        for event in self.history:
            with suppress(payload.NotReadable):
                context.add(event)
        return dict(context)

    @property
    def seconds(self) -> float:
        """How long it was open, by the clock of the service."""
        start, *_, end = self.history
        return float(end["eventTimestamp"] - start["eventTimestamp"])

    @property
    def _closing(self) -> Body:
        event_type = self.history[-1]["eventType"]
        closing: Body = self.history[-1][f"w{event_type[1:]}EventAttributes"]
        return closing

    def activities(self, event_type: str = "ActivityTaskScheduled") -> list[str]:
        """The ids of the activities that have an event of this type, in the order of events."""
        ids = {
            event["eventId"]: event["activityTaskScheduledEventAttributes"]["activityId"]
            for event in self.history
            if event["eventType"] == "ActivityTaskScheduled"
        }
        return [
            ids[_scheduled_id(event)] for event in self.history if event["eventType"] == event_type
        ]


def _scheduled_id(event: Body) -> int:
    if event["eventType"] == "ActivityTaskScheduled":
        return int(event["eventId"])
    name = event["eventType"]
    return int(event[f"{name[0].lower()}{name[1:]}EventAttributes"]["scheduledEventId"])

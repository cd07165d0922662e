"""The outcome of an execution that `LocalSWF.run` drove to its end."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from garcon.context import ExecutionContext
from garcon.errors import GarconError
from garcon.local.engine import Body
from garcon.payload import codec, safe_json

CLOSE_STATUS = {
    "WorkflowExecutionCompleted": "COMPLETED",
    "WorkflowExecutionFailed": "FAILED",
    "WorkflowExecutionCanceled": "CANCELED",
    "WorkflowExecutionTerminated": "TERMINATED",
    "WorkflowExecutionContinuedAsNew": "CONTINUED_AS_NEW",
    "WorkflowExecutionTimedOut": "TIMED_OUT",
}
"""The model's close status by the type of the last event."""


class Stuck(GarconError):
    """An execution does not come to an end; the message has the cause."""


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """A closed execution.

    Attributes:
        workflow_id: its workflow id, given or generated.
        run_id: its last run, if the execution continued as new.
        history: its events as on the wire; `eventTimestamp` in seconds since the epoch.
    """

    workflow_id: str
    run_id: str
    history: list[Body]

    @property
    def status(self) -> str:
        """Its close status: "COMPLETED", "FAILED", "CANCELED", "TERMINATED" or "TIMED_OUT"."""
        return CLOSE_STATUS[self.history[-1]["eventType"]]

    @property
    def result(self) -> Any:
        """Its result, read as JSON where it is JSON, else text; None without one."""
        text = self._closing.get("result")
        try:
            return safe_json.loads(text) if text else None
        except ValueError:
            return text

    @property
    def reason(self) -> str | None:
        """The reason of its failure or termination; None without one."""
        return self._closing.get("reason")

    @property
    def details(self) -> str | None:
        """The details of its close; for an error in a decider the traceback. None without them."""
        return self._closing.get("details")

    @property
    def context(self) -> dict[str, Any]:
        """The input of the workflow, and the results of its activities merged in their order.

        Claims are fetched from the claim store; results that are not JSON are left out.
        """
        context = ExecutionContext()
        for event in self.history:
            with suppress(codec.NotReadable):
                context.add(event)
        return dict(context)

    @property
    def seconds(self) -> float:
        """The time it was open, by the clock of the service."""
        start, *_, end = self.history
        return float(end["eventTimestamp"] - start["eventTimestamp"])

    @property
    def _closing(self) -> Body:
        event_type = self.history[-1]["eventType"]
        closing: Body = self.history[-1][f"w{event_type[1:]}EventAttributes"]
        return closing

    def activities(self, event_type: str = "ActivityTaskScheduled") -> list[str]:
        """The ids of the activities with an event of this type, in the order of the events."""
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

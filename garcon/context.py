"""The context of an execution: the workflow's input, then the results of its activities.

It is the dictionary of the current values (as documented) and offers them under ``current`` as well
(as in 1.1.1); ``workflow_input`` stays as the execution was started.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from garcon.history import continuation
from garcon.payload import codec

Event = Mapping[str, Any]
WORKFLOW_INPUT = "The workflow's input"


class ExecutionContext(dict[str, Any]):
    """The current values, built from history events in their order.

    Args:
        events: SWF history events, as boto3 gives them.

    Attributes:
        workflow_input: The workflow's input alone.
    """

    def __init__(self, events: Iterable[Event] | None = None) -> None:
        super().__init__()
        self.workflow_input: dict[str, Any] = {}
        for event in events or ():
            self.add(event)

    @property
    def current(self) -> dict[str, Any]:
        """The current values; others may be assigned, as in 1.1.1."""
        return self

    @current.setter
    def current(self, values: Mapping[str, Any]) -> None:
        kept = dict(values)
        self.clear()
        self.update(kept)

    def snapshot(self) -> "ExecutionContext":
        """A copy for the flow's code, which may change it; the values themselves are shared."""
        copy = ExecutionContext()
        copy.update(self)
        copy.workflow_input = dict(self.workflow_input)
        return copy

    def add(self, event: Event) -> None:
        """Merge the input or result that the event holds; most events hold neither.

        Raises:
            codec.NotReadable: The workflow's input is not a JSON object, or a result not JSON.
        """
        if event.get("eventType") == "WorkflowExecutionStarted":
            self.set_execution_input(event)
        elif event.get("eventType") == "ActivityTaskCompleted":
            self.add_activity_result(event)

    def set_workflow_execution_info(self, poll: Mapping[str, Any], domain: str) -> None:
        """Add ``execution.domain``, ``execution.run_id`` and ``execution.workflow_id``.

        Args:
            poll: The response of PollForDecisionTask; if it names no execution, nothing is added.
            domain: The domain that was polled.
        """
        execution = poll.get("workflowExecution") or {}
        if not execution.keys() >= {"runId", "workflowId"}:
            return
        self["execution.domain"] = domain
        self["execution.run_id"] = execution["runId"]
        self["execution.workflow_id"] = execution["workflowId"]

    def set_execution_input(self, event: Event) -> None:
        """Start from the input of a WorkflowExecutionStarted event.

        A run that continues an earlier one starts from the first run's input and all results.
        """
        text, inherited = input_and_inherited(event)
        values = codec.decode_object(text, WORKFLOW_INPUT)
        self.workflow_input = values
        self.update(values)
        for earlier in inherited:
            self.add(earlier)

    def add_activity_result(self, event: Event) -> None:
        """Merge the result of an ActivityTaskCompleted event."""
        attributes = event["activityTaskCompletedEventAttributes"]
        number = attributes.get("scheduledEventId")
        text = attributes.get("result")
        self.merge(codec.decode(text, f"The result of the activity scheduled by event {number}"))

    def merge(self, result: Any) -> None:
        """Merge an activity's result; one that is not a JSON object has no keys to merge."""
        if isinstance(result, dict):
            self.update(result)


def input_and_inherited(event: Event) -> tuple[str | None, list[Any]]:
    """The text of the workflow's input, and the events inherited from earlier runs.

    Args:
        event: A WorkflowExecutionStarted event.

    Raises:
        codec.NotReadable: The input is too long, not JSON, or damaged.
    """
    carried = inheritance(event)
    return carried.input, carried.events


def inheritance(event: Event) -> continuation.Carried:
    """The input and events that a run has from earlier runs; of a first run, its input alone.

    Args:
        event: A WorkflowExecutionStarted event.

    Raises:
        codec.NotReadable: The input is too long, not JSON, or damaged.
    """
    text = event["workflowExecutionStartedEventAttributes"].get("input")
    if not text or not continuation.may_be_carried(text):
        return continuation.Carried(text, [])
    value = codec.decode(text, WORKFLOW_INPUT)
    if not continuation.is_carried(value):
        return continuation.Carried(text, [])
    try:
        return continuation.unpack(value)
    except continuation.NotCarried as error:
        raise codec.NotReadable(f"{WORKFLOW_INPUT} is not readable. {error}") from error

"""The context of an execution: what the workflow was given, then what its activities returned.

It is the dictionary of the current values (as documented) and offers them under ``current`` as well
(as released); ``workflow_input`` stays as the execution was started.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from garcon import carrying, payload

Event = Mapping[str, Any]
WORKFLOW_INPUT = "The workflow's input"


class ExecutionContext(dict[str, Any]):
    """The current values, built from history events in their order.

    Args:
        events: SWF history events, as boto3 gives them.
    """

    def __init__(self, events: Iterable[Event] | None = None) -> None:
        super().__init__()
        self.workflow_input: dict[str, Any] = {}
        for event in events or ():
            self.add(event)

    @property
    def current(self) -> dict[str, Any]:
        """The current values."""
        return self

    def snapshot(self) -> "ExecutionContext":
        """The same values for the flow's code to do with as it likes; what they hold is shared."""
        found = ExecutionContext()
        found.update(self)
        found.workflow_input = dict(self.workflow_input)
        return found

    def add(self, event: Event) -> None:
        """Take over what the event brings; most bring nothing.

        Raises:
            payload.NotReadable: The workflow's input is not a JSON object, or a result not JSON.
        """
        if event.get("eventType") == "WorkflowExecutionStarted":
            self.set_execution_input(event)
        elif event.get("eventType") == "ActivityTaskCompleted":
            self.add_activity_result(event)

    def set_workflow_execution_info(self, poll: Mapping[str, Any], domain: str) -> None:
        """Add where we are, so that activities know: ``execution.domain``, run and workflow id.

        Args:
            poll: The answer to PollForDecisionTask.
            domain: The domain polled.
        """
        execution = poll["workflowExecution"]
        self["execution.domain"] = domain
        self["execution.run_id"] = execution["runId"]
        self["execution.workflow_id"] = execution["workflowId"]

    def set_execution_input(self, event: Event) -> None:
        """Start from the input of a WorkflowExecutionStarted event.

        A run that continues an earlier one starts from that one's input and results.
        """
        text, before = begun_with(event)
        values = payload.decode_object(text, WORKFLOW_INPUT)
        self.workflow_input = values
        self.update(values)
        for each in before:
            self.add(each)

    def add_activity_result(self, event: Event) -> None:
        """Merge the result of an ActivityTaskCompleted event."""
        attributes = event["activityTaskCompletedEventAttributes"]
        number = attributes.get("scheduledEventId")
        text = attributes.get("result")
        self.merge(payload.decode(text, f"The result of the activity scheduled by event {number}"))

    def merge(self, result: Any) -> None:
        """Add an object's members; any other result has no keys to be known by."""
        if isinstance(result, dict):
            self.update(result)


def begun_with(event: Event) -> tuple[str | None, list[Any]]:
    """The text of the workflow's input, and the events carried over from earlier runs.

    Args:
        event: WorkflowExecutionStarted.

    Raises:
        payload.NotReadable: The input is too long, not JSON, or damaged.
    """
    text = event["workflowExecutionStartedEventAttributes"].get("input")
    if not text or not carrying.may_be_carried(text):
        return text, []
    value = payload.decode(text, WORKFLOW_INPUT)
    if not carrying.is_carried(value):
        return text, []
    try:
        carried = carrying.unpack(value)
    except carrying.NotCarried as error:
        raise payload.NotReadable(f"{WORKFLOW_INPUT} is not readable. {error}") from error
    return carried.input, carried.events

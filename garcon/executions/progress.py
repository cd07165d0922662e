"""Progress of an execution as lines of text: one for each event that people ask about. Pure.

A decision has a line only if it timed out, because every other event is followed by one. Progress
covers all runs of an execution that continues as new: attempts are counted over all of them.
"""

from collections import Counter

from garcon.executions import parsing, presentation
from garcon.executions.recorded_history import Event, attributes, moment
from garcon.executions.timeline import Bar, BarKind, BarState, TimelineBuilder
from garcon.executions.values import Execution, Status
from garcon.executions.waiting import NewEvents


class Progress:
    """One execution, as far as its history was read.

    Args:
        execution: The run to read first; that of the first new events if not given.
        named: Whether each line names the workflow, as where several are followed.

    Attributes:
        execution: The run to read next.
        seen: Number of its last event that was read; 0 for none.
        status: Open, or how it closed; open while it goes on in another run.
        last_result: The result of the activity that completed last, as text.
    """

    def __init__(self, execution: Execution | None = None, *, named: bool = False) -> None:
        self.execution = execution or Execution("", "")
        self.seen = 0
        self.status = Status.OPEN
        self.last_result = ""
        self._named = named
        self._run: Execution | None = None
        self._builders: list[TimelineBuilder] = []
        self._started = 0.0
        self._flow = ""

    def read(self, new: NewEvents) -> list[str]:
        """The lines of the new events; each begins with the time since its run started."""
        if new.execution != self._run:
            self._begin(new)
        lines = [(event, self._line(event)) for event in new.events]
        return [f"{self._time(event)}  {text}" for event, text in lines if text]

    def activities(self) -> Counter[tuple[str, BarState]]:
        """Numbers of attempts at activities, by the name of the type and the attempt's state."""
        bars = (bar for builder in self._builders for bar in builder.bars)
        activities = (bar for bar in bars if bar.kind is BarKind.ACTIVITY)
        return Counter((bar.activity_type, bar.state) for bar in activities)

    def _begin(self, new: NewEvents) -> None:
        first = new.events[0]
        self._run = self.execution = new.execution
        self._builders.append(TimelineBuilder())
        self._started = moment(first)
        self._flow = attributes(first).get("workflowType", {}).get("name", "")

    def _time(self, event: Event) -> str:
        return presentation.duration(moment(event) - self._started).rjust(9)

    def _line(self, event: Event) -> str:
        self.seen = event["eventId"]
        bar = self._builders[-1].add(event)
        if event["eventType"] == "ActivityTaskCompleted":
            self.last_result = attributes(event).get("result") or ""
        if bar and not bar.state.open and (bar.kind is not BarKind.DECISION or bar.state.bad):
            name = f"{self.execution.workflow_id} " if self._named else ""
            return name + _line_of_bar(bar, self._flow)
        if parsing.status(event) is not Status.OPEN:
            return self._closing_line(event)
        return f"{self.execution.workflow_id} started" if event["eventId"] == 1 else ""

    def _closing_line(self, event: Event) -> str:
        workflow_id = self.execution.workflow_id
        if run_id := parsing.next_run_id(event):
            self.execution, self.seen = Execution(workflow_id, run_id), 0
        else:
            self.status = parsing.status(event)
        return presentation.headline(self._builders[-1].timeline(), workflow_id)


def _line_of_bar(bar: Bar, flow: str) -> str:
    name = presentation.title(bar.kind, bar.label, flow)
    if bar.started is None and bar.state is BarState.COMPLETED:
        return name  # an instant, such as a signal
    seconds = bar.ended - bar.started if bar.started and bar.ended else None
    took = f" ({presentation.duration(seconds)})" if seconds is not None else ""
    reason = f": {bar.reason}" if bar.reason else ""
    return presentation.printable(f"{name} {bar.state}{took}{reason}")

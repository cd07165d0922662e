"""What happens to an execution while somebody waits: a line for each event people ask about. Pure.

Decisions are left out unless one timed out: they come after everything else that happens. An
execution that continues as new goes on in its next run: what is counted is counted over all runs.
"""

from collections import Counter

from garcon.workflow import closing, telling, words
from garcon.workflow.history import Event, attributes, moment
from garcon.workflow.looking import News
from garcon.workflow.timeline import Bar, Fold, Kind, State
from garcon.workflow.values import Execution, Status


class Progress:
    """One execution, as far as it has been read.

    Args:
        execution: The run to look at first; that of the first news if not given.
        named: Whether every line is to name the workflow, because others are watched, too.

    Attributes:
        execution: The run to look at next.
        seen: Number of the last event of it that was read; 0 for none.
        status: Whether it is open, or how it closed; open if it goes on in another run.
        last_result: What the activity that completed last returned, as text.
    """

    def __init__(self, execution: Execution | None = None, *, named: bool = False) -> None:
        self.execution = execution or Execution("", "")
        self.seen = 0
        self.status = Status.OPEN
        self.last_result = ""
        self._named = named
        self._run: Execution | None = None
        self._folds: list[Fold] = []
        self._began = 0.0
        self._flow = ""

    def read(self, news: News) -> list[str]:
        """The lines for what is new; each begins with the time since its run was started."""
        if news.execution != self._run:
            self._begin(news)
        said = [(event, self._said(event)) for event in news.events]
        return [f"{self._time(event)}  {text}" for event, text in said if text]

    def activities(self) -> Counter[tuple[str, State]]:
        """How many tries of each activity, by the name of its type, are in each state."""
        bars = (bar for fold in self._folds for bar in fold.bars)
        return Counter((bar.type, bar.state) for bar in bars if bar.kind is Kind.ACTIVITY)

    def _begin(self, news: News) -> None:
        self._run = self.execution = news.execution
        self._folds.append(Fold())
        self._began = moment(news.events[0])
        self._flow = attributes(news.events[0]).get("workflowType", {}).get("name", "")

    def _time(self, event: Event) -> str:
        return words.duration(moment(event) - self._began).rjust(9)

    def _said(self, event: Event) -> str:
        self.seen = event["eventId"]
        bar = self._folds[-1].add(event)
        if event["eventType"] == "ActivityTaskCompleted":
            self.last_result = attributes(event).get("result") or ""
        if bar and not bar.state.open and (bar.kind is not Kind.DECISION or bar.state.bad):
            name = f"{self.execution.workflow_id} " if self._named else ""
            return name + _of_bar(bar, self._flow)
        if closing.status(event) is not Status.OPEN:
            return self._closed(event)
        return f"{self.execution.workflow_id} started" if event["eventId"] == 1 else ""

    def _closed(self, event: Event) -> str:
        workflow_id = self.execution.workflow_id
        if next_run := closing.continued(event):
            self.execution, self.seen = Execution(workflow_id, next_run), 0
        else:
            self.status = closing.status(event)
        return telling.headline(self._folds[-1].timeline(), workflow_id)


def _of_bar(bar: Bar, flow: str) -> str:
    name = telling.title(bar.kind, bar.label, flow)
    took = f" ({words.duration(bar.ended - bar.begun)})" if bar.begun and bar.ended else ""
    why = f": {bar.note}" if bar.note else ""
    return words.printable(f"{name} {bar.state}{took}{why}")

"""What happens to an execution while somebody waits: a line for each event people ask about. Pure.

Decisions are left out unless one timed out: they come after everything else that happens.
"""

from garcon.workflow import closing, telling, words
from garcon.workflow.history import Event, attributes, moment
from garcon.workflow.looking import News
from garcon.workflow.timeline import Bar, Fold, Kind
from garcon.workflow.values import Execution, Status


class Progress:
    """The lines of one wait; each begins with the time since its run was started."""

    def __init__(self) -> None:
        self._run = Execution("", "")
        self._fold = Fold()
        self._began = 0.0
        self._flow = ""

    def read(self, news: News) -> list[str]:
        """The lines for what is new."""
        if news.execution != self._run:
            self._run, self._fold = news.execution, Fold()
            self._began = moment(news.events[0])
            self._flow = attributes(news.events[0]).get("workflowType", {}).get("name", "")
        said = ((event, self._said(event)) for event in news.events)
        return [f"{self._time(event)}  {text}" for event, text in said if text]

    def _time(self, event: Event) -> str:
        return words.duration(moment(event) - self._began).rjust(9)

    def _said(self, event: Event) -> str:
        bar = self._fold.add(event)
        if bar and not bar.state.open and (bar.kind is not Kind.DECISION or bar.state.bad):
            return _of_bar(bar, self._flow)
        if closing.status(event) is not Status.OPEN:
            return telling.headline(self._fold.timeline(), self._run.workflow_id)
        return f"{self._run.workflow_id} started" if event["eventId"] == 1 else ""


def _of_bar(bar: Bar, flow: str) -> str:
    name = telling.title(bar.kind, bar.label, flow)
    took = f" ({words.duration(bar.ended - bar.begun)})" if bar.begun and bar.ended else ""
    why = f": {bar.note}" if bar.note else ""
    return words.printable(f"{name} {bar.state}{took}{why}")

"""From a decision task to the state of its execution, with as few events as possible.

Rules:

1. If the cache holds the state that the task continues (see ``state_cache``), only newer events are
   folded, and only the pages that hold them are fetched.
2. Otherwise all events are folded. A task of the private list comes with the newest only; the
   earlier ones are read by GetWorkflowExecutionHistory, which may lag behind: then ``HistoryGap``.
3. A share of the cached states is checked against all events. A difference means that something
   changed a state (a flow that changes its context, an error in this library): it is logged as an
   error, all states are dropped, and the task is decided from all events. A check that cannot be
   made is not an error.
4. An error of the flow's code, or its difference from the history, counts only if it is there from
   all events, too: a decider that changes a result in place would otherwise fail, or contradict
   itself at every task. An activity that has failed is no such error: no code changes that.
5. A decider that is not sticky caches nothing: each task comes with the whole history.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from garcon import client as clients
from garcon.aws import aws_errors, usage
from garcon.aws.poller import Poller
from garcon.decider.execution_state import ExecutionState
from garcon.decider.pages import HistoryGap, Page, between, pages
from garcon.decider.queue_waits import QueuedTasks, QueueWait
from garcon.decider.sticky.state_cache import StateCache
from garcon.decider.sticky.state_diff import difference
from garcon.decider.sticky.stickiness import Sticky
from garcon.event import History

Event = dict[str, Any]

NEWEST = 100  # events; the latest answer is nearly always among them


class PolledTask(dict[str, Any]):
    """The answer to PollForDecisionTask, with the request: further pages need the same members.

    Attributes:
        request: The members of the call.
    """

    def __init__(self, answer: Mapping[str, Any], request: Mapping[str, Any]) -> None:
        super().__init__(answer)
        self.request = request
        if self.get("taskToken") and not self.get("workflowExecution"):
            # SWF always names the execution; a mock client's poll in a user's test may not.
            self["workflowExecution"] = {"workflowId": None, "runId": None}

    @property
    def run_id(self) -> str:
        """The run to decide."""
        return str(self["workflowExecution"]["runId"])


class HistoryReader:
    """Reads the histories of the executions whose tasks one process receives.

    Args:
        poller: The decider: its client and logger are used.
        domain: The domain.
        sticky: The settings; None for a decider that is not sticky.
    """

    def __init__(self, poller: Poller, domain: str, sticky: Sticky | None) -> None:
        self._poller = poller
        self._domain = domain
        self._sticky = sticky
        self._cache = StateCache(sticky.executions if sticky else 0)

    def __len__(self) -> int:
        return len(self._cache)

    def read(self, task: PolledTask) -> ExecutionState:
        """The state that the task's events lead to.

        Raises:
            HistoryGap: SWF did not return all events.
            payload.NotReadable: The workflow's input is not a JSON object, or a result not JSON.
            botocore.exceptions.ClientError: SWF refused a page.
            botocore.exceptions.BotoCoreError: SWF was not reached.
        """
        if self._sticky is None:
            return self._read_plain(task)
        state = self._cache.take(task.run_id, task.get("previousStartedEventId") or 0)
        return self._continue(state, task) if state else self._fold_all(task)

    def read_again(self, state: ExecutionState, task: PolledTask) -> None:
        """Replace a kept state by the one that all the task's events lead to.

        Raises:
            As ``read``.
        """
        full = self._fold(task, self._all_pages(task))
        self._is_changed(state, full, task)
        state.replace_by(full)

    def keep(self, state: ExecutionState) -> None:
        """Keep a state for the execution's next task: SWF has accepted its decisions."""
        state.events = None  # states are small, histories are not
        self._cache.put(state)

    def events(self, task: PolledTask) -> list[Event]:
        """All events of a task's history, in order, however the task was polled.

        Raises:
            As ``read``.
        """
        if self._sticky is None:
            events = [event for page in self._pages_of(task) for event in page.get("events") or ()]
        else:
            events = between(0, task["startedEventId"], self._all_pages(task))
        if usage.meter is not None:
            usage.meter.note_history(len(events), is_continued=None)
            _note_waits(QueuedTasks().fold(events), task, usage.meter)
        return events

    def newest_events(self, task: PolledTask) -> list[Event]:
        """The latest events of a task's history, the latest first; none if SWF returns none now.

        A task whose history has several pages may come with the oldest. Then they are one call.
        """
        started = task.get("startedEventId") or 0
        events = _newest_first(task.get("events") or [], started)
        if events or not task.get("nextPageToken"):
            return events
        return _newest_first(self._newest_recorded(task), started)

    def _newest_recorded(self, task: PolledTask) -> list[Event]:
        client: Any = clients.calling(self._poller.client)
        try:
            page: Page = client.get_workflow_execution_history(
                domain=self._domain,
                execution=task["workflowExecution"],
                reverseOrder=True,
                maximumPageSize=NEWEST,
            )
        except aws_errors.ERRORS as error:
            self._poller.logger.info("The end of run %s was not read: %s", task.run_id, error)
            return []
        return list(page.get("events") or ())

    def recorded_events(self, task: Mapping[str, Any]) -> list[Event] | None:
        """All events up to a task, in order, by GetWorkflowExecutionHistory.

        Returns:
            The events; ``None`` if SWF does not return them now.
        """
        recorded = self._recorded_pages(task["workflowExecution"])
        try:
            return between(0, task["startedEventId"], recorded)
        except (HistoryGap, *aws_errors.ERRORS) as error:
            run_id = task["workflowExecution"]["runId"]
            self._poller.logger.info("The history of run %s was not read: %s", run_id, error)
            return None

    def _read_plain(self, task: PolledTask) -> ExecutionState:
        events, last = self.events(task), task.get("startedEventId") or 1
        ensure_complete(events, last)
        return ExecutionState(task.run_id, History(events), last, events=events)

    def _continue(self, state: ExecutionState, task: PolledTask) -> ExecutionState:
        started = task["startedEventId"]
        try:
            events = between(state.started, started, self._pages_of(task))
        except HistoryGap:
            return self._fold_all(task)
        state.add(events, started)
        state.is_kept = True
        _note_read(state, task, len(events), is_continued=True)
        is_checked = self._sticky and self._sticky.checks(len(events), started)
        return self._check(state, task) if is_checked else state

    def _fold_all(self, task: PolledTask) -> ExecutionState:
        state = self._fold(task, self._all_pages(task))
        _note_read(state, task, task["startedEventId"], is_continued=False)
        return state

    def _fold(self, task: PolledTask, shown: Iterator[Page]) -> ExecutionState:
        state, started = ExecutionState(task.run_id), task["startedEventId"]
        events = state.events = between(0, started, shown)
        state.add(events, started)
        return state

    def _check(self, state: ExecutionState, task: PolledTask) -> ExecutionState:
        """Compare a state with the whole history; returns the one to decide from."""
        try:
            full = self._fold(task, self._recorded_pages(task["workflowExecution"]))
        except (HistoryGap, *aws_errors.ERRORS) as error:
            self._poller.logger.debug("The state of run %s was not checked: %s", task.run_id, error)
            return state
        if self._is_changed(state, full, task):
            return full
        state.is_kept = False
        return state

    def _is_changed(self, state: ExecutionState, full: ExecutionState, task: PolledTask) -> bool:
        """Whether a state differs from that of all events; then all that are kept are dropped."""
        if usage.meter is not None:
            usage.meter.note_history(task["startedEventId"], is_continued=None)
        for each in (state, full):
            each.history.context.set_workflow_execution_info(task, self._domain)
        place = difference(state.history, full.history)
        if place is None:
            return False
        self._poller.logger.error(
            "The kept state of run %s differs from its history in %s; all kept states are dropped."
            " Does the flow's decider change its context, or a result that it was given?",
            task.run_id,
            place,
        )
        self._cache.clear()
        return True

    def _all_pages(self, task: PolledTask) -> Iterator[Page]:
        """The task's own pages, then, if they do not suffice, those of the recorded history."""
        return chain(self._pages_of(task), self._recorded_pages(task["workflowExecution"]))

    def _pages_of(self, task: PolledTask) -> Iterator[Page]:
        """The pages that come with a task."""

        def fetch(token: str) -> Page:
            # Not the polling client: this call receives no new task, so botocore may send it again.
            client = clients.calling(self._poller.client)
            page: Page = client.poll_for_decision_task(**task.request, nextPageToken=token)
            return page

        return pages(task, fetch)

    def _recorded_pages(self, execution: Mapping[str, Any]) -> Iterator[Page]:
        """The pages of a whole history, which may lag behind a little."""

        def fetch(token: str | None) -> Page:
            client: Any = clients.calling(self._poller.client)
            more = {"nextPageToken": token} if token else {}
            page: Page = client.get_workflow_execution_history(
                domain=self._domain, execution=execution, **more
            )
            return page

        yield from pages(fetch(None), fetch)


def _note_read(state: ExecutionState, task: PolledTask, events: int, *, is_continued: bool) -> None:
    if usage.meter is not None:
        usage.meter.note_history(events, is_continued=is_continued)
        _note_waits(state.waits, task, usage.meter)
        state.waits = []


def _note_waits(waits: Iterable[QueueWait], task: PolledTask, meter: usage.Meter) -> None:
    """Count the waits that have ended since the decision before: each is new to one decision."""
    before = task.get("previousStartedEventId") or 0
    for each in waits:
        if each.event_id > before:
            meter.note_wait(each.task_list, each.seconds)


def _newest_first(events: list[Event], started: int) -> list[Event]:
    """The events, the latest first; none without the last one: older ones alone prove nothing."""
    is_oldest_first = events and _number(events[0]) < _number(events[-1])
    newest = list(reversed(events)) if is_oldest_first else events
    return newest if newest and _number(newest[0]) >= started else []


def _number(event: Event) -> int:
    number: int = event.get("eventId", 0)
    return number


def ensure_complete(events: list[Event], last: int) -> None:
    """Go on only if these are all events up to number ``last``.

    Raises:
        HistoryGap: Some are missing.
    """
    if len(events) < last:
        raise HistoryGap(f"SWF returned {len(events)} of the {last} events of the history.")

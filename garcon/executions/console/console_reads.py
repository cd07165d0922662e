"""The console's reads from SWF, in the JSON of the page (``garcon.page.page_json``)."""

import itertools
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from garcon.executions import (
    criteria,
    last_decision,
    listing,
    parsing,
    presentation,
    recorded_history,
    standstill,
)
from garcon.executions.calls import SwfCalls
from garcon.executions.console.closed_histories import ClosedHistories
from garcon.executions.console.domain_lists import DomainLists, waiting
from garcon.executions.criteria import Criteria
from garcon.executions.errors import InputNotSendable, NotFound
from garcon.executions.pending import PendingKind
from garcon.executions.reader import ExecutionReader
from garcon.executions.recorded_history import Events, attributes
from garcon.executions.values import Execution, Status, Summary
from garcon.page import page_json
from garcon.page.page_json import ShownExecution

SHOWN = 50  # executions of a page
EXAMINED = 5_000
"""Executions that are searched for one answer, 1,000 a call: 5 calls, which are 2.5 s."""

STUCK_EXAMINED = 200
"""Open executions read in search of stuck ones, a call each, of 60 a second for an account."""

SAMPLED = 12
"""Open executions whose waiting tasks show the lists of a domain: a call each, of 60 a second."""

OPEN_HISTORIES = 16
"""Histories of open executions in memory, so that another read fetches new events only."""

LISTS_KEPT = 2.0  # seconds in which viewers of the same list share an answer
BACKLOGS_KEPT = 10.0  # seconds
LISTS_COUNTED = 10  # task lists of an execution, 5 seconds at 2 calls a second
COUNTS_KEPT = 30.0  # seconds; counts change slowly, and two calls of 6 a second make one
MEMORY = 100  # answers that are kept

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Cursor:
    """The end of a page of a list, latest start first.

    Attributes:
        started: Time of the last start on it, in seconds since the epoch.
        ties: Executions on the pages so far that started at exactly that time.
    """

    started: float
    ties: int


class Answers:
    """Answers that are kept for some seconds.

    Args:
        now: Source of time, in seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._kept: OrderedDict[object, tuple[float, Any]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: object, seconds: float, ask: Callable[[], T]) -> T:
        """The answer for a key that is at most so old, or a new one."""
        with self._lock:
            since, kept = self._kept.get(key, (-seconds, None))
            if key in self._kept and self._now() - since < seconds:
                answer: T = kept
                return answer
        answer = ask()
        with self._lock:
            self._kept[key] = (self._now(), answer)
            self._kept.move_to_end(key)
            while len(self._kept) > MEMORY:
                self._kept.popitem(last=False)
        return answer


class ConsoleReads:
    """Reads of one domain.

    Args:
        flow: The flow; one without a name stands for its domain.
        closed: The histories of closed executions.
        answers: Answers of the last seconds.
    """

    def __init__(self, flow: Any, closed: ClosedHistories, answers: Answers | None = None) -> None:
        self._flow = flow
        self._calls = SwfCalls(flow)
        self._reader = ExecutionReader(flow)
        self._closed = closed
        self._answers = answers or Answers()
        self._open: OrderedDict[Execution, Events] = OrderedDict()
        self._reading: WeakValueDictionary[Execution, threading.Lock] = WeakValueDictionary()
        self._lock = threading.Lock()
        self._domain_lists = DomainLists(flow, self._open_histories, self._reader.backlog)

    def executions(self, where: Sequence[str], after: Cursor | None = None) -> dict[str, Any]:
        """A page of the executions that meet the criteria, latest start first.

        Args:
            where: Criteria, see ``Client.select``; all but ``reason``, which costs a call each.
            after: The end of the page before.

        Returns:
            ``executions``, ``now``, and ``next``: the cursor of the next page, if there may be one.

        Raises:
            InputNotSendable: A criterion is invalid.
            RequestRefused: SWF refused the call.
        """
        wanted = self._criteria(where)
        key = ("list", tuple(where), after)
        return self._answers.get(key, LISTS_KEPT, lambda: self._page(wanted, after))

    def count(self, where: Sequence[str]) -> dict[str, Any]:
        """The number of executions that meet the criteria; ``None`` where SWF cannot count them.

        Raises:
            InputNotSendable: A criterion is invalid.
            RequestRefused: SWF refused the call.
        """
        wanted = self._criteria(where)
        if not wanted.are_sendable:
            return {"count": None, "truncated": False}
        key = ("count", tuple(where))
        return self._answers.get(key, COUNTS_KEPT, lambda: self._counted(wanted))

    def stuck(self, where: Sequence[str]) -> dict[str, Any]:
        """The latest open executions that do not go on, each with the reason in ``stuck``.

        Raises:
            InputNotSendable: A criterion is invalid.
            RequestRefused: SWF refused the call.
        """
        wanted = replace(self._criteria(where), statuses=frozenset({Status.OPEN}))
        with self._calls.call(f"looking for stuck executions of {self._flow.domain}") as swf:
            open_ones = listing.take(swf, self._flow.domain, wanted, STUCK_EXAMINED)
        looked_at = ((each, self._standstill(each.execution)) for each in open_ones)
        found = [(each, why) for each, why in looked_at if why]
        shown = page_json.listed([self._shown(each) for each, _ in found])
        for members, (_, why) in zip(shown, found, strict=True):
            members["stuck"] = why
        return {"executions": shown, "now": time.time(), "next": None, "examined": len(open_ones)}

    def history(self, run: Execution, started: float | None = None) -> dict[str, Any]:
        """An execution and its history, as ``page_json.history``.

        Args:
            run: The run.
            started: Time of its start, if known.

        Raises:
            NotFound: There is no such execution.
            RequestRefused: SWF refused the call.
        """
        events = self.events(run, started)
        why = standstill.of_history(events)
        text = presentation.standstill(why) if why else ""
        shown = self._of_history(run, events)
        return page_json.history(shown, events, time.time(), text, _decided_by(events))

    def task_lists(self, run: Execution) -> dict[str, Any]:
        """The task lists in which tasks of an execution wait, with the number of all that wait.

        Returns:
            ``lists``, each with ``kind``, ``name``, ``backlog``, and ``since``: from when on the
            oldest task of this execution waits in it. ``now`` is the server's time.

        Raises:
            NotFound: There is no such execution.
            RequestRefused: SWF refused the call.
        """
        lists = waiting(self.events(run))
        rows = [
            {"kind": kind, "name": name, "since": since, "backlog": self._backlog(kind, name)}
            for (kind, name), since in list(lists.items())[:LISTS_COUNTED]
        ]
        return {"lists": rows, "now": time.time()}

    def domain_lists(self) -> dict[str, Any]:
        """The task lists of the domain, as far as they are known; see ``DomainLists.read``.

        Raises:
            RequestRefused: SWF refused a call.
        """
        return self._answers.get("domain lists", LISTS_KEPT, self._domain_lists.read)

    def events(self, run: Execution, started: float | None = None) -> Events:
        """The events of a run so far; those of a closed one are read from SWF once."""
        if kept := self._closed.get(run, started):
            return kept
        with self._lock:
            reading = self._reading.setdefault(run, threading.Lock())
        with reading:  # of this run alone: a long history takes seconds
            events = self._open.get(run, [])
            if started is not None and events and events[0]["eventTimestamp"] != started:
                events = []  # a local SWF began anew
            with self._calls.call(f"reading the history of {run.workflow_id}", run) as swf:
                news = recorded_history.since(swf, self._flow.domain, run, len(events))
            events = events + news
            is_open = parsing.status(events[-1]) is Status.OPEN
            self._note_open(run, events if is_open else None)
        if not is_open:
            self._closed.put(run, events)
        return events

    def _note_open(self, run: Execution, events: Events | None) -> None:
        """Keep the events of an open run; ``None`` if it has closed."""
        with self._lock:
            self._open.pop(run, None)
            if events is not None:
                self._open[run] = events
            while len(self._open) > OPEN_HISTORIES:
                self._open.popitem(last=False)

    def _page(self, wanted: Criteria, after: Cursor | None) -> dict[str, Any]:
        found: list[Summary] = []
        cursor = after
        for examined, each in enumerate(self._listed(wanted, after), start=1):
            cursor = _moved(cursor, each)
            if wanted.matches(each):
                found.append(each)
            if len(found) == SHOWN or examined == EXAMINED:
                break
        else:
            cursor = None
        return {
            "executions": page_json.listed([self._shown(each) for each in found]),
            "now": time.time(),
            "next": cursor and {"started": cursor.started, "ties": cursor.ties},
        }

    def _listed(self, wanted: Criteria, after: Cursor | None) -> Iterator[Summary]:
        """The executions after a page, those of any id: the ids are compared one by one."""
        page = listing.LARGEST_PAGE if wanted.ids else listing.PAGE
        wide = replace(wanted, ids=frozenset())
        if after:
            # A second more: botocore sends whole seconds.
            until = datetime.fromtimestamp(after.started, UTC) + timedelta(seconds=1)
            wide = replace(wide, until=until)
        with self._calls.call(f"listing the executions of {self._flow.domain}") as swf:
            listed = listing.found(swf, self._flow.domain, wide, page)
            yield from _after(listed, after) if after else listed

    def _open_histories(self) -> Iterator[Events]:
        """Those of the latest open executions."""
        wanted = replace(self._criteria(()), statuses=frozenset({Status.OPEN}))
        with self._calls.call(f"listing the open executions of {self._flow.domain}") as swf:
            open_ones = listing.take(swf, self._flow.domain, wanted, SAMPLED)
        for each in open_ones:
            with suppress(NotFound):  # it has closed meanwhile, and its domain keeps nothing
                yield self.events(each.execution, each.started.timestamp())

    def _backlog(self, kind: PendingKind, name: str) -> int:
        key = ("backlog", kind, name)
        return self._answers.get(key, BACKLOGS_KEPT, lambda: self._reader.backlog(kind, name))

    def _counted(self, wanted: Criteria) -> dict[str, Any]:
        count = self._reader.count(wanted)
        return {"count": count.number, "truncated": count.truncated}

    def _standstill(self, run: Execution) -> str:
        why = self._reader.standstill(run)
        return presentation.standstill(why) if why else ""

    def _criteria(self, where: Sequence[str]) -> Criteria:
        wanted = criteria.parse(where, datetime.now(UTC))
        if wanted.reasons:
            raise InputNotSendable("The console has no filter for reasons; `list` has one.")
        return criteria.of_flow(wanted, getattr(self._flow, "name", None))

    def _shown(self, summary: Summary) -> ShownExecution:
        parent = summary.parent
        return ShownExecution(
            domain=self._flow.domain,
            workflow_id=summary.execution.workflow_id,
            run_id=summary.execution.run_id,
            type_name=summary.name,
            type_version=summary.version,
            status=str(summary.status),
            started_at=summary.started.timestamp(),
            closed_at=summary.closed.timestamp() if summary.closed else None,
            tags=summary.tags,
            cancel_requested=summary.cancel_requested,
            parent=(parent.workflow_id, parent.run_id) if parent else None,
        )

    def _of_history(self, run: Execution, events: Events) -> ShownExecution:
        """The execution as its own first and last event show it, without a call."""
        first, last = attributes(events[0]), events[-1]
        status, parent = parsing.status(last), first.get("parentWorkflowExecution")
        types = {event["eventType"] for event in events}
        return ShownExecution(
            domain=self._flow.domain,
            workflow_id=run.workflow_id,
            run_id=run.run_id,
            type_name=first.get("workflowType", {}).get("name", ""),
            type_version=first.get("workflowType", {}).get("version", ""),
            status=str(status),
            started_at=events[0]["eventTimestamp"],
            closed_at=None if status is Status.OPEN else last["eventTimestamp"],
            events=len(events),
            tags=tuple(first.get("tagList", ())),
            cancel_requested="WorkflowExecutionCancelRequested" in types,
            parent=(parent["workflowId"], parent["runId"]) if parent else None,
        )


def _decided_by(events: Events) -> str:
    latest = last_decision.last_decision(events[::-1])
    host = f" on {latest.host}" if latest.host else ""
    return f"build {latest.build}{host}" if latest.build else ""


def _after(listed: Iterator[Summary], after: Cursor) -> Iterator[Summary]:
    """The executions behind a cursor."""
    rest = itertools.dropwhile(lambda each: each.started.timestamp() > after.started, listed)
    ties = 0
    for each in rest:
        if each.started.timestamp() == after.started and ties < after.ties:
            ties += 1
        else:
            yield each


def _moved(cursor: Cursor | None, summary: Summary) -> Cursor:
    """The cursor behind this execution."""
    started = summary.started.timestamp()
    ties = cursor.ties if cursor and cursor.started == started else 0
    return Cursor(started, ties + 1)

"""The trace that a run belongs to, as a decider that traces finds it.

Rules:

1. A run that has no parent and continues no other is the root of its family. That stands in its
   first event, which comes with its first decision task: no call, no note.
2. Any other run is in the trace of the run above it: of its parent, if it has one, else of the run
   that it continues. A run above that this process does not know is read by one call
   (GetWorkflowExecutionHistory, ``READ_EVENTS`` events), once, and so on, ``MOST_ABOVE`` at most.
3. What the first decider finds, it notes in the run's own history. So all later deciders agree, and
   the search ends at a run with a note.
4. If SWF refuses the call, or more runs stand above, the highest run that is known counts as the
   root: of most families it is. The call is attempted once, and never fails a decision.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from garcon import client as clients
from garcon.aws.poller import Poller
from garcon.aws.single_attempt import single_attempt
from garcon.tracing import family_trace
from garcon.tracing.seam import Run

READ_EVENTS = 10
"""Events that are read of a run above: its start, and the note that its first answer left."""

MOST_ABOVE = 8
"""Runs above that are read for one run; its decision waits meanwhile."""

MOST_KNOWN = 10_000
"""Runs of which a process remembers the trace: three megabytes."""

Event = Mapping[str, Any]


class FamilyMember(msgspec.Struct, frozen=True):
    """A run and its trace.

    Attributes:
        trace: The id of its family's trace; empty if the run is the root.
        is_noted: Whether nothing is left to note in its history.
    """

    trace: str = ""
    is_noted: bool = True


class TraceLookup:
    """Finds the traces of the runs of one decider; safe to use from several threads.

    Args:
        poller: The decider: its client and logger are used.
        domain: The domain.
    """

    def __init__(self, poller: Poller, domain: str) -> None:
        self._poller = poller
        self._domain = domain
        self._known: OrderedDict[str, FamilyMember] = OrderedDict()  # by run id; roots name theirs
        self._lock = threading.Lock()  # one worker may be run by several threads

    def find(self, poll: Mapping[str, Any]) -> FamilyMember:
        """The trace of the run of a decision task."""
        ids = poll["workflowExecution"]
        run = Run(ids["workflowId"], ids["runId"])
        found = self._remembered(run) or self._search(run, poll.get("events") or [])
        return FamilyMember() if found.trace == family_trace.id_of(run) else found

    def confirm(self, run: Run) -> None:
        """The note of this run has reached its history."""
        if found := self._remembered(run):
            self._remember(run, msgspec.structs.replace(found, is_noted=True))

    def _search(self, run: Run, events: Sequence[Event]) -> FamilyMember:
        if not (_start(events) or family_trace.first_note(events)):
            events = self._read(run)
        trace, above = _of_history(run, events)
        passed = [(run, bool(trace))]
        while above and not trace:
            run = above
            if known := self._remembered(run):
                trace = known.trace
            elif len(passed) > MOST_ABOVE:
                break
            else:
                trace, above = _of_history(run, self._read(run))
                passed.append((run, bool(trace)))
        trace = trace or family_trace.id_of(run)
        for each, is_noted in passed:
            self._remember(each, FamilyMember(trace, is_noted))
        return FamilyMember(trace, passed[0][1])

    def _read(self, run: Run) -> list[Event]:
        """The first events of a run; none if SWF does not return them."""
        try:
            client: Any = clients.calling(self._poller.client)
            with single_attempt(client):
                page = client.get_workflow_execution_history(
                    domain=self._domain,
                    execution={"workflowId": run.workflow_id, "runId": run.run_id},
                    maximumPageSize=READ_EVENTS,
                )
            return list(page["events"])
        except Exception as error:  # noqa: BLE001 - the client may be the flow's own
            self._poller.logger.info("Run %s was not read for its trace: %s", run.run_id, error)
            return []

    def _remembered(self, run: Run) -> FamilyMember | None:
        with self._lock:
            if run.run_id in self._known:
                self._known.move_to_end(run.run_id)
            return self._known.get(run.run_id)

    def _remember(self, run: Run, found: FamilyMember) -> None:
        with self._lock:
            self._known[run.run_id] = found
            while len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)


def _of_history(run: Run, events: Iterable[Event]) -> tuple[str, Run | None]:
    """The trace of a run, if its history names it, and the run above it, if it has one."""
    start = _start(events)
    above: Run | None = None
    if parent := start.get("parentWorkflowExecution"):
        above = Run(parent["workflowId"], parent["runId"])
    elif continued := start.get("continuedExecutionRunId"):
        above = Run(run.workflow_id, continued)
    elif start:
        return family_trace.id_of(run), None
    return family_trace.first_note(events), above


def _start(events: Iterable[Event]) -> Mapping[str, Any]:
    """The attributes of the first event; empty if it is not among these."""
    members = (each.get("workflowExecutionStartedEventAttributes") for each in events)
    return next((each for each in members if each), {})

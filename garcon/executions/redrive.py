"""Redriving: a closed execution goes on in a new run, with every completed result kept.

Rules:

1. The new run has the id, type, task list, tags, timeouts and policies of the closed one. Its input
   holds what is kept, see ``history.redriving``; results that are claims stay claims.
2. The input names the runs before it, and a tag the last of them, if there is room for a tag.
3. SWF has one open run of an id, so a second redrive of a run does not start while the first is
   open: the first is the answer. It is also the answer if it has closed meanwhile.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from garcon import claims
from garcon.activity import find_workflow_activities
from garcon.aws import limits
from garcon.context import inheritance
from garcon.executions import parsing, request
from garcon.executions.calls import SwfCalls
from garcon.executions.errors import (
    AlreadyOpen,
    InputNotSendable,
    NotFound,
    NotRedrivable,
    RequestRefused,
)
from garcon.executions.recorded_history import Event, Events, attributes
from garcon.executions.values import REDRIVE_TAG, Execution, Status
from garcon.history import continuation, redriving
from garcon.history.redriving import Dropped
from garcon.payload import codec

MOST_RUNS = 20
"""Earlier runs that the input of a redrive names."""

SHOWN = 20  # names of activities in an error
SHOWN_RESULTS = 3  # of those that are too large

_STARTED_AS_BEFORE = (
    "workflowType",
    "taskList",
    "taskPriority",
    "executionStartToCloseTimeout",
    "taskStartToCloseTimeout",
    "childPolicy",
    "lambdaRole",
)
"""Members that the new run's start has from that of the closed one."""


@dataclass(frozen=True, slots=True)
class Redriven:
    """A redrive.

    Attributes:
        execution: The new run.
        redrive_of: The run that had closed.
        is_new: Whether this call started it; not if an earlier one had.
        kept: Number of completed activities whose results are kept; 0 if it is not new.
    """

    execution: Execution
    redrive_of: Execution
    is_new: bool
    kept: int = 0


@dataclass(frozen=True, slots=True)
class Redriver:
    """Redrives executions of one flow.

    Attributes:
        flow: The flow.
        calls: Calls to SWF.
        find: Finds the open run of an id, else the one that started last.
        read: Reads all events of a run.
    """

    flow: Any
    calls: SwfCalls
    find: Callable[[str], Execution]
    read: Callable[[Execution], Events]

    def redrive(
        self,
        run: Execution,
        from_activity: str | None,
        values: Mapping[str, Any] | None,
        build: str | None = None,
    ) -> Redriven:
        """Redrive a run; see ``Client.redrive`` for arguments and errors."""
        events = self.read(run)
        before = inheritance_of(events[0], run)
        if parsing.status(events[-1]) is Status.OPEN and before.redrive_of:
            return Redriven(run, Execution(run.workflow_id, before.redrive_of[-1]), is_new=False)
        _ensure_redrivable(run, events)
        complete = [*before.events, *events]
        text = before.input
        if values is not None:
            request.check_object(values, f"The input of {run.workflow_id}")
            text = request.encoded(dict(values), f"The input of {run.workflow_id}")
        kept = redriving.kept(complete, _dropped(self.flow, complete, from_activity))
        kept += [redriving.pinned(build)] if build else []
        runs = [*before.redrive_of, run.run_id][-MOST_RUNS:]
        carried = continuation.carry_kept(kept, text, runs)
        members = _start(self.flow.domain, run, events, _encoded(carried, kept, run))
        return self._start(run, members, len([*_results(kept)]))

    def earlier(self, run: Execution) -> Redriven | None:
        """The redrive of this run that another call started, as far as SWF's lists know."""
        latest = self.find(run.workflow_id)
        if latest != run and self._goes_on_from(run, latest):
            return Redriven(latest, run, is_new=False)
        return None

    def _goes_on_from(self, run: Execution, later: Execution) -> bool:
        """Whether a later run is a redrive of this one, or goes on from one.

        A run of a decider of one's own that continues as new does not carry the runs before it. So
        the run that it continues is taken.
        """
        for _ in range(MOST_RUNS):
            try:
                first = self.read(later)[0]
            except NotFound:  # its retention is over
                return False
            runs = inheritance_of(first, later).redrive_of
            if run.run_id in runs:
                return True
            before = runs[0] if runs else attributes(first).get("continuedExecutionRunId")
            if not before:
                return False
            later = Execution(run.workflow_id, str(before))
        return False

    def _start(self, run: Execution, members: Mapping[str, Any], kept: int) -> Redriven:
        try:
            with self.calls.call(f"redriving {run.workflow_id} in {self.flow.domain}") as swf:
                started = swf.start_workflow_execution(**members)
                new = Execution(run.workflow_id, started["runId"])
                return Redriven(new, run, is_new=True, kept=kept)
        except AlreadyOpen:
            if earlier := self.earlier(run):
                return earlier
            raise


def _ensure_redrivable(run: Execution, events: Events) -> None:
    status = parsing.status(events[-1])
    if status is Status.OPEN:
        raise AlreadyOpen(f"{run.workflow_id} is open: only a closed execution is redriven.")
    if status is Status.COMPLETED:
        raise NotRedrivable(f"{run.workflow_id} completed: nothing of it is left to do.")
    if next_run := parsing.next_run_id(events[-1]):
        raise NotRedrivable(
            f"The run {run.run_id} of {run.workflow_id} continued as new; redrive the last "
            f"run, {next_run} or a later one."
        )


def inheritance_of(first: Event, run: Execution) -> continuation.Carried:
    """The inheritance of a run from those before it.

    Raises:
        NotRedrivable: Its input cannot be read.
        RequestRefused: The claim store does not answer at the moment.
    """
    try:
        return inheritance(first)
    except codec.NotReadable as error:
        raise NotRedrivable(f"{run.workflow_id} cannot be redriven. {error}") from error
    except claims.ClaimStoreUnavailable as error:
        raise RequestRefused(str(error), transient=True) from error


def lineage(first: Event) -> tuple[str, ...]:
    """The run ids of the runs before a redrive, oldest first; none if they cannot be read."""
    try:
        return inheritance(first).redrive_of
    except (codec.NotReadable, claims.ClaimStoreUnavailable):
        return ()


def _start(domain: str, run: Execution, events: Events, text: str | None) -> dict[str, Any]:
    """The members of StartWorkflowExecution."""
    before = attributes(events[0])
    tags = [tag for tag in before.get("tagList", ()) if not tag.startswith(REDRIVE_TAG)]
    room = [REDRIVE_TAG + run.run_id] if len(tags) < limits.TAGS else []
    return {
        "domain": domain,
        "workflowId": run.workflow_id,
        "input": text,
        **{name: before[name] for name in _STARTED_AS_BEFORE if before.get(name)},
        **({"tagList": [*tags, *room]} if tags or room else {}),
    }


def _encoded(
    carried: Mapping[str, str], kept: Iterable[continuation.Kept], run: Execution
) -> str | None:
    """The text of the new run's input, or the claim that stands for it.

    Raises:
        InputNotSendable: Neither SWF nor a claim store takes it.
        RequestRefused: The claim store does not answer at the moment.
    """
    what = f"What a redrive of {run.workflow_id} keeps"
    try:
        return codec.encode(carried, what)
    except codec.TooLarge as error:
        if claims.store():
            raise InputNotSendable(str(error)) from error
        size = len(carried[continuation.CARRIED])
        raise InputNotSendable(
            f"{what} is {size:,} characters when compressed, more than the {limits.PAYLOAD:,} that "
            f"SWF takes; the largest results are {_largest(kept)}. Set a claim store "
            f"({claims.ENVIRONMENT}) here and for the deciders of the flow, or go on from an "
            "earlier activity (--from), so that its result is not kept."
        ) from error
    except claims.ClaimStoreUnavailable as error:
        raise RequestRefused(str(error), transient=True) from error


def _largest(kept: Iterable[continuation.Kept]) -> str:
    sizes = sorted(
        ((len(result or ""), str(id_)) for _, id_, result in _results(kept)), reverse=True
    )
    return ", ".join(f"{id_} ({size:,} characters)" for size, id_ in sizes[:SHOWN_RESULTS])


def _results(kept: Iterable[continuation.Kept]) -> Iterator[Sequence[str | None]]:
    return (each for each in kept if not isinstance(each, dict))


def _dropped(flow: Any, events: Sequence[Event], from_activity: str | None) -> Dropped:
    """The things that run again although they completed: an activity, and what follows it."""
    if from_activity is None:
        return Dropped()
    scheduled = {
        event["eventId"]: (members["activityType"]["name"], members["activityId"])
        for event in events
        if event["eventType"] == "ActivityTaskScheduled" and (members := attributes(event))
    }
    name, ids = _choose(scheduled.values(), from_activity, getattr(flow, "name", None) or "")
    activities = find_workflow_activities(flow)
    if activities and not callable(getattr(flow, "decider", None)):
        return Dropped(ids=ids, names=_dependents(activities, name))
    return Dropped(since=min(number for number, (_, id_) in scheduled.items() if id_ in ids))


def _choose(
    scheduled: Collection[tuple[str, str]], text: str, flow: str
) -> tuple[str, Collection[str]]:
    """An activity's name, and the ids of its instances from which the new run goes on.

    Raises:
        NotRedrivable: No activity, or more than one, has this name or an id that begins so.
    """
    wanted = (text, f"{flow}_{text}")
    found = [each for each in scheduled if each[0] in wanted] or [
        each for each in scheduled if each[1].startswith(wanted)
    ]
    names = sorted({name for name, _ in found})
    if len(names) == 1:
        return names[0], {id_ for _, id_ in found}
    known = ", ".join(sorted({name for name, _ in scheduled})[:SHOWN]) or "none"
    many = "Several activities begin with" if names else "No activity of this run begins with"
    raise NotRedrivable(f"{many} {text!r}; there are: {known}.")


def _dependents(activities: Iterable[Any], name: str) -> set[str]:
    """The names of all activities that require this one, over whatever detour."""
    found = {name}
    while more := {
        str(each.name)
        for each in activities
        if str(each.name) not in found
        and found & {str(required.name) for required in each.requires or ()}
    }:
        found |= more
    return found - {name}

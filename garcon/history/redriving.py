"""Redriving: the part of a closed run that a new run of the same execution goes on from.

Rules:

1. Results are kept: of activities, children and lambda functions that completed, timers that fired,
   signals that came, markers (so side effects and versions) that were recorded.
2. An end without completion is kept if the decider went on after it: it is part of the way that the
   flow took (``may_fail``, a timeout that it expects, something that it cancelled). The end that no
   later decision followed is the failure, and is dropped: what failed runs again, with all its
   retries. So does what was open, or waited for a retry.
3. What the closing decision began is dropped, with its markers: nothing that is kept rests on it.
   So is everything that the handling of a request to cancel began.
4. A decider of one's own may also go on from an activity: everything that began after its first
   attempt was scheduled is dropped.
5. Pure. The order of events stays, because ``any_of`` reads it.
"""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from garcon.history import build_notes, decision_deaths, returned_tasks
from garcon.history.continuation import Event, Kept, shortened
from garcon.history.event_types import LIFECYCLES, Lifecycle, member_of
from garcon.history.reserved_timers import OWN_TIMERS, WAIT_TIMER, retry_timer_id
from garcon.history.states import EndKind

_CLOSINGS = frozenset({"WorkflowExecutionFailed", "WorkflowExecutionCanceled"})
_FAILURES = frozenset({"ActivityTaskFailed", "ActivityTaskTimedOut", "ActivityTaskCanceled"})
_BEGINNINGS = {life.begin: life for life in LIFECYCLES}
_ENDS = {kind: (life, how) for life in LIFECYCLES for kind, how in life.ends.items()}


@dataclass(frozen=True, slots=True)
class Dropped:
    """The things that run again although they completed.

    Attributes:
        since: Number of the event from which on everything that began is dropped.
        ids: Ids of activities.
        names: Names of activities.
    """

    since: float = math.inf
    ids: Collection[str] = ()
    names: Collection[str] = ()

    def drops(self, thing: "_Thing") -> bool:
        """Whether it drops this."""
        return thing.began >= self.since or thing.id in self.ids or thing.name in self.names


def kept(events: Sequence[Event], dropped: Dropped = Dropped()) -> list[Kept]:
    """The events that a new run keeps of a closed one, oldest first.

    Args:
        events: All events of the closed run, preceded by those that it inherited.
        dropped: What runs again although it completed.
    """
    way = _Way(events, dropped.since)
    found = [*_markers_and_signals(events, way)]
    for thing in _things(events):
        if not dropped.drops(thing) and way.keeps(thing):
            found += thing.entries()
    return [entry for _, entry in sorted(found, key=lambda each: each[0])]


def pinned(build: str) -> Event:
    """The answer that lets only this build make the first decisions of a run; it is kept last."""
    note = str(build_notes.BuildNote(build, pinned=True))
    kind = "DecisionTaskCompleted"
    members = {"executionContext": note}
    return {"eventId": 0, "eventType": kind, member_of(kind): members, "eventTimestamp": 0.0}


@dataclass(slots=True)
class _Thing:
    """An activity, timer, child, lambda function or message, with all its attempts.

    Attributes:
        name: Name of an activity's type; the kind of another thing.
        id: Its id.
        began: Number of the event in which it began first.
        events: Those in which it began and ended.
        ended: The event in which it ended; ``None`` while it is open.
        completed: Whether it completed.
        is_retried: Whether a timer for its retry started since its last end.
    """

    name: str
    id: str
    began: int
    events: list[Event] = field(default_factory=list)
    ended: Event | None = None
    completed: bool = False
    is_retried: bool = False

    def begin(self, event: Event) -> None:
        """Take over that it began, for the first time or again."""
        self.events.append(event)
        self.ended, self.completed, self.is_retried = None, False, False

    def end(self, event: Event, *, completed: bool) -> None:
        """Take over its end."""
        self.events.append(event)
        self.ended, self.completed = event, completed

    def entries(self) -> Iterator[tuple[int, Kept]]:
        """The entries that are kept of it, each with its place."""
        last = self.events[-1]
        if last["eventType"] == "ActivityTaskCompleted":
            yield last["eventId"], (self.name, self.id, _attributes(last).get("result"))
        else:
            yield from ((event["eventId"], _bare(event)) for event in self.events)


class _Way:
    """The way that the flow took until it failed: its decisions.

    Args:
        events: All events.
        until: Number of the event at which it ends, if not before.
    """

    def __init__(self, events: Sequence[Event], until: float) -> None:
        self.end = min(until, _end_of_way(events))
        undecided = _undecided(events)
        self._seen = max(
            (
                _attributes(event).get("startedEventId", 0)
                for event in events
                if event["eventType"] == "DecisionTaskCompleted"
                and event["eventId"] < self.end
                and event["eventId"] not in undecided
            ),
            default=-math.inf,
        )

    def keeps(self, thing: _Thing) -> bool:
        """Whether the outcome of a thing is a part of it."""
        if thing.ended is None or thing.began >= self.end:
            return False
        # An inherited end was a part of it before.
        went_on = thing.ended["eventId"] < max(self._seen, 0)
        return thing.completed or (went_on and not thing.is_retried)


def _end_of_way(events: Sequence[Event]) -> float:
    """Number of the first answer that closed the run, or followed a request to cancel it."""
    if events[-1]["eventType"] in _CLOSINGS:
        closing = float(_attributes(events[-1])["decisionTaskCompletedEventId"])
    else:
        closing = math.inf
    cancel = next(
        (each["eventId"] for each in events if _is_cancel_request(each)),
        math.inf,
    )
    answers = (
        event["eventId"]
        for event in events
        if event["eventType"] == "DecisionTaskCompleted"
        and _attributes(event).get("startedEventId", 0) > cancel
    )
    return float(min([closing, *answers]))


def _is_cancel_request(event: Event) -> bool:
    return bool(event["eventType"] == "WorkflowExecutionCancelRequested")


def _undecided(events: Iterable[Event]) -> set[int]:
    """The numbers of answers by which the flow did not go on: tasks returned, or left to wait."""
    found: set[int] = set()
    for event in events:
        attributes = _attributes(event)
        found |= returned_tasks.answer_of(event)
        if event["eventType"] == "TimerStarted" and attributes.get("timerId") == WAIT_TIMER:
            found.add(attributes.get("decisionTaskCompletedEventId", 0))
        elif event["eventType"] == "DecisionTaskCompleted":
            text = attributes.get("executionContext")
            if decision_deaths.read(text) or returned_tasks.read(text) or _is_stuck(text):
                found.add(event["eventId"])
    return found


def _is_stuck(text: str | None) -> bool:
    note = build_notes.read(text)
    return note is not None and (note.returned or note.is_stuck)


def _markers_and_signals(events: Iterable[Event], way: _Way) -> Iterator[tuple[int, Kept]]:
    for event in events:
        number, kind = event["eventId"], event["eventType"]
        is_marker = kind == "MarkerRecorded" and number < way.end
        if is_marker or kind == "WorkflowExecutionSignaled":
            yield number, _bare(event, "input")


def _things(events: Iterable[Event]) -> Iterable[_Thing]:
    """Everything that began in a run and is not the library's own."""
    found = _Things()
    for event in events:
        found.add(event, event["eventType"], _attributes(event))
    own = (each for each in found.others.values() if not each.id.startswith(OWN_TIMERS))
    return [*found.activities.values(), *own]


class _Things:
    """Everything that began so far.

    Attributes:
        activities: Activities, by name and id.
        others: Timers, children, lambda functions and messages, by the event in which they began.
    """

    def __init__(self) -> None:
        self.activities: dict[tuple[str, str], _Thing] = {}
        self.others: dict[int, _Thing] = {}
        self._attempts: dict[int, _Thing] = {}
        self._by_id: dict[str, _Thing] = {}
        self._by_retry_timer: dict[str, _Thing] = {}

    def add(self, event: Event, kind: str, attributes: Mapping[str, Any]) -> None:
        """Take the next event."""
        if kind == "ActivityTaskScheduled":
            self._schedule(event, attributes["activityType"]["name"], attributes["activityId"])
        elif kind in _FAILURES or kind == "ActivityTaskCompleted":
            if thing := self._attempts.get(attributes["scheduledEventId"]):
                thing.end(event, completed=kind == "ActivityTaskCompleted")
        elif kind == "ActivityTaskCancelRequested":
            if thing := self._by_id.get(attributes["activityId"]):
                thing.events.append(event)
        elif life := _BEGINNINGS.get(kind):
            self._begin(event, life, attributes[life.id_member])
        elif kind in _ENDS:
            life, how = _ENDS[kind]
            if thing := self.others.get(attributes[life.begin_reference]):
                thing.end(event, completed=how is EndKind.COMPLETED)

    def _schedule(self, event: Event, name: str, id_: str) -> None:
        thing = self.activities.setdefault((name, id_), _Thing(name, id_, event["eventId"]))
        self._attempts[event["eventId"]] = self._by_id[id_] = thing
        self._by_retry_timer[retry_timer_id(id_)] = thing
        thing.begin(event)

    def _begin(self, event: Event, life: Lifecycle, id_: str) -> None:
        self.others[event["eventId"]] = thing = _Thing(life.kind, id_, event["eventId"])
        thing.begin(event)
        if id_ in self._by_retry_timer:
            self._by_retry_timer[id_].is_retried = True


def _bare(event: Event, *members: str) -> Event:
    """The event as it is kept: notes on inputs are left out, because the input may be another."""
    bare = shortened(event)
    attributes = {name: value for name, value in _attributes(bare).items() if name != "control"}
    full = {name: value for name, value in _attributes(event).items() if name in members}
    return {**bare, member_of(event["eventType"]): attributes | full}


def _attributes(event: Event) -> Mapping[str, Any]:
    found: Mapping[str, Any] = event.get(member_of(event["eventType"]), {})
    return found
